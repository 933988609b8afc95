/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A passphrase from each source. The first bytes of the input choose the source and what fails; the
 * next ones are pieces, as a program, a socket or a FIFO would write them: one byte says where the
 * piece goes and how many bytes follow it, or that the writer pauses or ends. What is returned must
 * be the passphrase in those bytes, by a rule that is written down here again; or the right
 * failure. No descriptor stays open, and no message has the passphrase.
 *
 * The program and the writers are in this process: poll() lets them write the next piece, and moves
 * the clock on.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "fail.h"
#include "keyhold/clock.h"
#include "keyhold/cursor.h"
#include "keyhold/unlock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

WRAP_SODIUM_MALLOC(call_fails)
WRAPS(read);
WRAPS(poll);
WRAPS(connect);
WRAPS(posix_spawn);
WRAPS(posix_spawn_file_actions_adddup2);
WRAPS(waitid);
WRAPS(waitpid);
WRAPS(kill);
WRAPS(kh_clock_milliseconds);

enum { PID = 1 << 30, DESCRIPTORS = 64, CONTENT_MAX = 2048, SIZE_MAX_OF_INPUT = 4096 };

typedef enum source {
  FROM_FILE,
  FROM_FIFO,
  FROM_CREDENTIAL,
  FROM_VARIABLE,
  FROM_PROGRAM,
  FROM_SOCKET,
  FROM_DESCRIPTOR,
  FROM_SETTING,
  SOURCES
} source;

/* The writer of a stream: a program, the other end of a socket, the writer of a FIFO. */
static struct {
  kh_cursor pieces;
  int out, err; /* where it writes; -1: closed */
  bool is_stuck;
  bool is_ended;
  bool is_reaped;
  int status;
  uint8_t content[CONTENT_MAX]; /* all that it has written to `out` */
  size_t len;
} writer;

static char folder[] = "/tmp/keyhold-fuzz-XXXXXX";
static char path[64];
static int64_t milliseconds;
static uint8_t interruptions; /* reads that a signal interrupts */

/* ---- the writer ---- */

static void close_writer(void)
{
  if (writer.out >= 0)
    close(writer.out);
  if (writer.err >= 0)
    close(writer.err);
  writer.out = -1;
  writer.err = -1;
}

static void end_writer(int status)
{
  close_writer();
  writer.is_ended = true;
  writer.status = status;
}

static void write_piece(kh_bytes piece)
{
  size_t room = CONTENT_MAX - writer.len;
  size_t len = piece.len < room ? piece.len : room;
  if (len == 0 || writer.out < 0)
    return;
  ssize_t put = write(writer.out, piece.data, len);
  if (put <= 0)
    return;
  memcpy(writer.content + writer.len, piece.data, (size_t)put);
  writer.len += (size_t)put;
}

/* A piece: below 128, so many bytes to the output; below 192, some to standard error; below 200,
 * the end by a signal; below 216, the end; 255: nothing more, and no end. */
static void write_next(void)
{
  kh_bytes head = kh_cursor_take(&writer.pieces, 1);
  uint8_t what = head.len == 1 && head.data != NULL ? head.data[0] : 200;
  if (what < 128)
    write_piece(kh_cursor_take(&writer.pieces, what));
  else if (what < 192) {
    kh_bytes piece = kh_cursor_take(&writer.pieces, what - 128u);
    if (writer.err >= 0)
      (void)!write(writer.err, piece.data, piece.len);
  } else if (what < 200)
    end_writer(what - 192 + 1); /* WIFSIGNALED */
  else if (what < 216)
    end_writer((what - 200) << 8); /* WEXITSTATUS */
  writer.is_stuck = what == 255;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
  if (call_fails("poll")) {
    errno = EINTR;
    return -1;
  }
  if (!writer.is_ended && !writer.is_stuck)
    write_next();
  int ready = count == 0 ? 0 : __real_poll(fds, count, 0);
  if (ready == 0 && timeout < 0) { /* a wait without a limit */
    end_writer(0);
    ready = __real_poll(fds, count, 0);
  }
  milliseconds += timeout > 0 ? timeout : 0;
  return ready;
}

int64_t __wrap_kh_clock_milliseconds(void)
{
  return milliseconds;
}

ssize_t __wrap_read(int fd, void *data, size_t size)
{
  if (interruptions > 0) {
    interruptions--;
    errno = EINTR;
    return -1;
  }
  if (call_fails("read")) {
    errno = EIO;
    return -1;
  }
  return __real_read(fd, data, size);
}

/* ---- the program ---- */

int __wrap_posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd, int to)
{
  if (call_fails("adddup2"))
    return ENOMEM;
  int *kept = to == STDOUT_FILENO ? &writer.out : &writer.err;
  MUST(*kept < 0);
  *kept = fd;
  return __real_posix_spawn_file_actions_adddup2(actions, fd, to);
}

/* The parent closes its descriptors of these ends. */
int __wrap_posix_spawn(pid_t *ret_pid, const char *program,
                       const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const arguments[],
                       char *const environment[])
{
  (void)actions;
  (void)attributes;
  (void)environment;
  bool fails = call_fails("posix_spawn");
  MUST(strcmp(program, arguments[0]) == 0 && program[0] == '/');
  for (size_t i = 0; arguments[i] != NULL; i++)
    MUST(arguments[i][0] != '\0' && strchr(arguments[i], ' ') == NULL);
  writer.out = fails ? -1 : dup(writer.out);
  writer.err = fails ? -1 : dup(writer.err);
  if (fails)
    return ENOENT;
  MUST(fcntl(writer.out, F_SETFL, O_NONBLOCK) == 0 && fcntl(writer.err, F_SETFL, O_NONBLOCK) == 0);
  *ret_pid = PID;
  return 0;
}

int __wrap_waitid(idtype_t type, id_t id, siginfo_t *ret_info, int options)
{
  MUST(type == P_PID && id == PID && !writer.is_reaped && (options & WNOWAIT) != 0);
  if (call_fails("waitid")) {
    writer.is_reaped = true;
    errno = ECHILD;
    return -1;
  }
  ret_info->si_pid = writer.is_ended ? PID : 0;
  return 0;
}

int __wrap_kill(pid_t pid, int number)
{
  MUST(pid == -PID && number == SIGKILL && !writer.is_reaped);
  if (!writer.is_ended)
    end_writer(SIGKILL);
  return 0;
}

pid_t __wrap_waitpid(pid_t pid, int *ret_status, int options)
{
  MUST(pid == PID && options == WNOHANG && writer.is_ended && !writer.is_reaped);
  *ret_status = writer.status;
  writer.is_reaped = true;
  return PID;
}

/* ---- sources ---- */

/* Returns the end that is read. */
static int open_pipe(void)
{
  int ends[2];
  MUST(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  writer.out = ends[1];
  return ends[0];
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
  int ends[2];
  (void)address;
  MUST(len > 0);
  if (call_fails("connect")) {
    errno = milliseconds % 2 == 0 ? EAGAIN : ECONNREFUSED;
    return -1;
  }
  MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  MUST(dup3(ends[0], fd, O_CLOEXEC) == fd && close(ends[0]) == 0);
  writer.out = ends[1];
  return 0;
}

/* Everything that the writer would write, at once. */
static void write_all(void)
{
  while (!writer.is_ended && !writer.is_stuck)
    write_next();
}

static void make_file(mode_t mode)
{
  writer.out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  MUST(writer.out >= 0 && fchmod(writer.out, mode) == 0);
  write_all();
  close_writer();
}

static void make_fifo(mode_t mode)
{
  MUST(mkfifo(path, 0600) == 0 && chmod(path, mode) == 0);
  writer.out = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  MUST(writer.out >= 0);
}

/* a value ends at its first NUL */
static void set_variable(const char *name)
{
  char value[CONTENT_MAX + 1];
  int fd = open_pipe();
  write_all();
  close_writer();
  close(fd);
  memcpy(value, writer.content, writer.len);
  value[writer.len] = '\0';
  writer.len = strlen(value);
  MUST(setenv(name, value, 1) == 0);
}

/* ---- what must come out ---- */

/* The rule of unlock.h, once more. */
static kh_status expected(bool may_be_empty, size_t most_read, kh_bytes *ret_passphrase)
{
  size_t len = writer.len;
  if (len > most_read)
    return KH_E_SECRET_TOO_LONG;
  while (len > 0 && strchr("\r\n", writer.content[len - 1]) != NULL && writer.content[len - 1] != 0)
    len--;
  if (len > KH_SECRET_FILE_MAX)
    return KH_E_SECRET_TOO_LONG;
  for (size_t i = 0; i < len; i++)
    if (writer.content[i] == 0)
      len = i;
  *ret_passphrase = (kh_bytes){writer.content, len};
  return len == 0 && !may_be_empty ? KH_E_SOURCE_EMPTY : KH_OK;
}

static bool has_text(const char *text, kh_bytes part)
{
  return memmem(text, strlen(text), part.data, part.len) != NULL;
}

/* A passphrase of twelve printable characters is in no message; shorter ones may be by chance. */
static void check_secrecy(const char *message)
{
  size_t len = 0;
  while (len < writer.len && writer.content[len] > ' ' && writer.content[len] < 0x7f)
    len++;
  MUST(len < 12 || !has_text(message, (kh_bytes){writer.content, len}));
}

static void check_message(void *user, kh_severity severity, const char *message)
{
  (void)user;
  (void)severity;
  MUST(message[0] != '\0' && strlen(message) < KH_MESSAGE_MAX);
  check_secrecy(message);
}

static void check_failure(kh_status status, const kh_fault *fault, bool has_all)
{
  char sentence[KH_MESSAGE_MAX];
  MUST(fault->status == status);
  kh_fault_describe(fault, sentence, sizeof sentence);
  MUST(sentence[0] != '\0');
  if (has_all) /* a program may have written elsewhere what was not read from it */
    check_secrecy(sentence);
}

static void check_program_end(kh_status status)
{
  if (WIFSIGNALED(writer.status))
    MUST(status == KH_E_PROGRAM_SIGNAL);
  else
    MUST(status == KH_E_PROGRAM_EXIT);
}

static bool is_file(source from)
{
  return from == FROM_FILE || from == FROM_CREDENTIAL || from == FROM_FIFO;
}

static bool is_unsafe(source from, const kh_unlock_how *how, mode_t mode)
{
  return is_file(from) && how->permissions == KH_PERMISSIONS_STRICT && (mode & 027) != 0;
}

/* nothing failed but what the input asked for */
static void check_well(source from, kh_status status, const kh_secret *passphrase)
{
  kh_bytes right = {NULL, 0};
  bool may_be_empty = from == FROM_FILE || from == FROM_FIFO;
  kh_status wanted = expected(may_be_empty, CONTENT_MAX, &right);
  kh_bytes found = kh_secret_bytes(passphrase);
  bool is_regular = from == FROM_FILE || from == FROM_CREDENTIAL;
  if (writer.len > KH_SECRET_STREAM_MAX && !is_regular)
    MUST(status == KH_E_SECRET_TOO_LONG);
  else if (from == FROM_PROGRAM && writer.status != 0)
    check_program_end(status);
  else if (wanted == KH_E_SECRET_TOO_LONG) /* of a file, no more than that is read */
    MUST(status == KH_E_SECRET_TOO_LONG || is_regular);
  else
    MUST(status == wanted);
  if (status == KH_OK && wanted == KH_OK)
    MUST(found.len == right.len && memcmp(found.data, right.data, right.len) == 0);
}

static size_t count_descriptors(void)
{
  size_t count = 0;
  for (int fd = 0; fd < DESCRIPTORS; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void remove_folder(void)
{
  unlink(path);
  rmdir(folder);
}

static void begin_process(void)
{
  MUST(mkdtemp(folder) != NULL);
  snprintf(path, sizeof path, "%s/p", folder);
  MUST(setenv("CREDENTIALS_DIRECTORY", folder, 1) == 0);
  atexit(remove_folder);
}

/* Makes the source, and writes the setting that names it. */
static void make_source(source from, mode_t mode, char *ret_filekey, size_t room)
{
  if (from == FROM_FILE || from == FROM_CREDENTIAL)
    make_file(mode);
  else if (from == FROM_FIFO)
    make_fifo(mode);
  else if (from == FROM_VARIABLE)
    set_variable("KEYHOLD_FUZZ");
  if (is_file(from) && from != FROM_CREDENTIAL)
    snprintf(ret_filekey, room, "FILE:%s", path);
  else if (from == FROM_CREDENTIAL)
    snprintf(ret_filekey, room, "CREDENTIAL:p");
  else if (from == FROM_VARIABLE)
    snprintf(ret_filekey, room, "ENV:KEYHOLD_FUZZ");
  else if (from == FROM_PROGRAM)
    snprintf(ret_filekey, room, "EXEC:/program one  two ");
  else
    snprintf(ret_filekey, room, "SOCKET:/socket");
}

/* any text as a setting: whatever it names is not there, or is the text itself */
static kh_status unlock_by_text(kh_bytes text, const kh_unlock_how *how, const kh_log *log,
                                kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  char setting[256] = "";
  size_t len = text.len < sizeof setting - 1 ? text.len : sizeof setting - 1;
  char doubt[KH_ADVICE_MAX] = "";
  if (len > 0)
    memcpy(setting, text.data, len);
  /* a file or a program of this system is not opened */
  for (char *c = setting; *c != '\0'; c++)
    if (*c == '/' && c != setting && c[-1] == ':')
      *c = '-';
  if (strncmp(setting, "FILE:", 5) == 0)
    return KH_E_SOURCE_SYNTAX;
  bool is_literal = kh_unlock_is_literal(setting);
  MUST(!kh_unlock_doubt_literal(setting, doubt) || doubt[0] != '\0');
  kh_status status = kh_unlock(setting, how, log, ret_passphrase, ret_fault);
  if (is_literal && status == KH_OK && setting[0] != '\0') {
    kh_bytes found = kh_secret_bytes(*ret_passphrase);
    MUST(found.len == strlen(setting) && memcmp(found.data, setting, found.len) == 0);
  }
  return status;
}

static kh_status unlock_from(source from, mode_t mode, const kh_unlock_how *how, const kh_log *log,
                             kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  char filekey[128];
  if (from != FROM_DESCRIPTOR) {
    make_source(from, mode, filekey, sizeof filekey);
    return kh_unlock(filekey, how, log, ret_passphrase, ret_fault);
  }
  int fd = open_pipe();
  kh_status status = kh_unlock_fd(fd, "standard input", log, ret_passphrase, ret_fault);
  close(fd);
  return status;
}

static void unlock(source from, mode_t mode, const kh_unlock_how *how, int failing)
{
  KH_AUTO_SECRET passphrase = NULL;
  kh_fault fault = {0};
  kh_log log = {check_message, NULL};
  calls_to_failure = failing;
  kh_status status = unlock_from(from, mode, how, &log, &passphrase, &fault);
  bool nothing_failed = calls_to_failure == failing && failing < 0;
  calls_to_failure = -1;
  MUST((status == KH_OK) == (passphrase != NULL));
  if (status != KH_OK)
    check_failure(status, &fault, nothing_failed && status != KH_E_SOURCE_TIME);
  if (nothing_failed && is_unsafe(from, how, mode))
    MUST(status == KH_E_FILE_UNSAFE || status == KH_E_SOURCE_TIME ||
         status == KH_E_SECRET_TOO_LONG);
  else if (nothing_failed && status != KH_E_SOURCE_TIME)
    check_well(from, status, passphrase);
  MUST(status != KH_E_SOURCE_TIME || milliseconds >= KH_UNLOCK_WAIT);
  close_writer();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const mode_t modes[] = {0600, 0400, 0640, 0660, 0644, 0606};
  if (size < 3 || size > SIZE_MAX_OF_INPUT)
    return -1;
  if (path[0] == '\0')
    begin_process();
  source from = (source)(data[0] % SOURCES);
  kh_unlock_how how = {.permissions = (kh_permissions)(data[0] / 8 % 2),
                       .bounded_wait = true,
                       .may_be_literal = data[0] >= 128};
  kh_log log = {check_message, NULL};
  memset(&writer, 0, sizeof writer);
  writer.out = -1;
  writer.err = -1;
  writer.pieces = kh_cursor_over((kh_bytes){data + 3, size - 3});
  milliseconds = 0;
  interruptions = data[0] / 16 % 8;
  size_t before = count_descriptors();
  unlink(path);
  if (from == FROM_SETTING) {
    KH_AUTO_SECRET passphrase = NULL;
    kh_fault fault;
    (void)unlock_by_text((kh_bytes){data + 3, size - 3}, &how, &log, &passphrase, &fault);
  } else
    unlock(from, modes[data[1] % 6], &how, data[2] < 64 ? data[2] : -1);
  MUST(count_descriptors() == before);
  return 0;
}
