/* SPDX-License-Identifier: GPL-2.0-only */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "keyhold/limits.h"
#include "message.h"

/* A terminal without echo. Signals are blocked meanwhile, so that it is restored before one takes
 * effect. */
struct echo_state {
  int tty;
  int signals; /* becomes readable when a signal is pending */
  sigset_t mask_before;
  struct termios before;
};

enum answer { MORE, ANSWERED, INTERRUPTED, ENDED, TOO_LONG, FAILED };

static bool disable_echo(struct echo_state *echo)
{
  static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGPIPE, SIGTSTP};
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
    sigaddset(&set, ending[i]);
  if (tcgetattr(echo->tty, &echo->before) != 0)
    return false;
  echo->signals = signalfd(-1, &set, SFD_CLOEXEC);
  if (echo->signals < 0)
    return false;
  sigprocmask(SIG_BLOCK, &set, &echo->mask_before);
  struct termios quiet = echo->before;
  quiet.c_lflag &= ~(tcflag_t)ECHO;
  quiet.c_lflag |= ICANON | ISIG | ECHONL;
  return tcsetattr(echo->tty, TCSAFLUSH, &quiet) == 0;
}

/* Restores the terminal; a pending signal takes effect at the end. */
static void restore_echo(struct echo_state *echo)
{
  int error = errno;
  if (echo->signals >= 0) {
    tcsetattr(echo->tty, TCSAFLUSH, &echo->before);
    close(echo->signals);
    echo->signals = -1;
    sigprocmask(SIG_SETMASK, &echo->mask_before, NULL);
  }
  errno = error;
}

/* Reads one byte of the line; MORE until its end. */
static enum answer take_byte(int tty, kh_secret *line, size_t *len)
{
  uint8_t byte = 0;
  ssize_t got = read(tty, &byte, 1);
  if (got < 0)
    return errno == EINTR ? MORE : FAILED;
  if (got == 0)
    return ENDED;
  if (byte == '\n')
    return *len > KH_SECRET_FILE_MAX ? TOO_LONG : ANSWERED;
  if (*len < kh_secret_capacity(line))
    kh_secret_data(line)[(*len)++] = byte;
  kh_wipe(&byte, sizeof byte);
  return MORE;
}

static enum answer read_typed_line(const struct echo_state *echo, kh_secret *line)
{
  struct pollfd ready[] = {{echo->tty, POLLIN, 0}, {echo->signals, POLLIN, 0}};
  enum answer answer = MORE;
  size_t len = 0;
  while (answer == MORE) {
    if (poll(ready, 2, -1) < 0 && errno != EINTR)
      return FAILED;
    if (ready[1].revents != 0)
      return INTERRUPTED;
    if (ready[0].revents != 0)
      answer = take_byte(echo->tty, line, &len);
  }
  kh_secret_set_len(line, len);
  return answer;
}

static enum answer ask_once(int tty, const char *question, kh_secret *line)
{
  struct echo_state echo = {.tty = tty, .signals = -1};
  enum answer answer = FAILED;
  size_t len = strlen(question);
  if (disable_echo(&echo) && write(tty, question, len) == (ssize_t)len)
    answer = read_typed_line(&echo, line);
  restore_echo(&echo);
  return answer;
}

static bool ask_on(int tty, const char *question, kh_secret *line)
{
  enum answer answer;
  do
    answer = ask_once(tty, question, line);
  while (answer == INTERRUPTED); /* the process was stopped and continued */
  switch (answer) {
  case ANSWERED:
    return true;
  case TOO_LONG:
    kh_cli_message("the passphrase is too long (at most %u bytes)", KH_SECRET_FILE_MAX);
    return false;
  case ENDED:
    kh_cli_message("no passphrase was entered");
    return false;
  default:
    kh_cli_message("cannot read from the terminal: %m");
    return false;
  }
}

bool kh_cli_ask(const char *question, const char *instead, kh_secret **ret_line)
{
  KH_AUTO_SECRET line = NULL;
  kh_status status = kh_secret_new(KH_SECRET_FILE_MAX + 1, &line);
  if (status != KH_OK) {
    kh_cli_fail_status(status, NULL);
    return false;
  }
  int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (tty < 0) {
    kh_cli_message("cannot ask for a passphrase: there is no terminal; use %s", instead);
    return false;
  }
  bool answered = ask_on(tty, question, line);
  close(tty);
  if (!answered)
    return false;
  *ret_line = line;
  line = NULL;
  return true;
}
