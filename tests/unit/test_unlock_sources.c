/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: waits for programs and sockets that hang */
/* wraps: clock_gettime poll */
/* Time passes faster here: what takes 10 seconds takes half of one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "keyhold/unlock.h"
#include "recorder.h"
#include "threads.h"
#include "unit.h"
#include "wrap.h"

enum { SPEED = 20 };

WRAPS(clock_gettime);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
  int result = __real_clock_gettime(clock, time);
  int64_t now = ((int64_t)time->tv_sec * 1000000000 + time->tv_nsec) * SPEED;
  *time = (struct timespec){.tv_sec = now / 1000000000, .tv_nsec = now % 1000000000};
  return result;
}

WRAPS(poll);
int __wrap_poll(struct pollfd *waited, nfds_t count, int milliseconds)
{
  return __real_poll(waited, count, milliseconds <= 0 ? milliseconds : milliseconds / SPEED + 1);
}

static recorder heard;
static kh_unlock_how how;

/* one call and its results */
struct got {
  kh_status status;
  kh_fault fault;
  char passphrase[KH_SECRET_FILE_MAX + 1];
  char sentence[KH_MESSAGE_MAX];
};

static struct got unlock(const char *prefix, const char *argument)
{
  struct got got = {.status = KH_OK};
  KH_AUTO_SECRET passphrase = NULL;
  char filekey[4096];
  kh_log log = recorder_log(&heard);
  snprintf(filekey, sizeof filekey, "%s%s", prefix, argument);
  got.status = kh_unlock(filekey, &how, &log, &passphrase, &got.fault);
  kh_fault_describe(&got.fault, got.sentence, sizeof got.sentence);
  if (got.status != KH_OK)
    assert_null(passphrase);
  else
    memcpy(got.passphrase, kh_secret_bytes(passphrase).data, kh_secret_bytes(passphrase).len);
  return got;
}

static void assert_passphrase(struct got got, const char *expected)
{
  assert_int_equal(got.status, KH_OK);
  assert_string_equal(got.passphrase, expected);
  assert_false(recorder_has(&heard, expected));
}

/* the argument is not valid for the source; the message has the prefix, not the argument */
static void assert_malformed(const char *prefix, const char *argument)
{
  struct got got = unlock(prefix, argument);
  assert_int_equal(got.status, KH_E_SOURCE_SYNTAX);
  assert_string_equal(got.fault.path.text, prefix);
  assert_non_null(strstr(got.sentence, "must be followed by the "));
  assert_true(recorder_has(&heard, "if this is the passphrase itself, put it into a file"));
  assert_true(recorder_has(&heard, prefix));
  if (strlen(argument) > 2) {
    assert_null(strstr(got.sentence, argument));
    assert_false(recorder_has(&heard, argument));
  }
  how.may_be_literal = false;
  assert_int_equal(unlock(prefix, argument).status, KH_E_SOURCE_SYNTAX);
  assert_int_equal(heard.count[KH_LOG_HINT], 0);
  how.may_be_literal = true;
}

static int before_each(void **state)
{
  (void)state;
  how = (kh_unlock_how){.permissions = KH_PERMISSIONS_WARN, .may_be_literal = true};
  unsetenv("KEYHOLD_PW");
  setenv("CREDENTIALS_DIRECTORY", test_path("credentials"), 1);
  return 0;
}

static struct got from_variable(const char *value)
{
  setenv("KEYHOLD_PW", value, 1);
  return unlock("ENV:", "KEYHOLD_PW");
}

static void a_variable(void **state)
{
  (void)state;
  assert_passphrase(from_variable("secret"), "secret");
  assert_int_equal(heard.count[KH_LOG_WARNING] + heard.count[KH_LOG_HINT], 0);
  assert_passphrase(from_variable("two words\r\n\n"), "two words");
  assert_passphrase(from_variable("\nsec\nret"), "\nsec\nret");
  setenv("_lower9", "secret", 1);
  assert_passphrase(unlock("ENV:", "_lower9"), "secret");
}

static void a_variable_that_is_not_set_or_empty(void **state)
{
  (void)state;
  struct got got = unlock("ENV:", "KEYHOLD_PW");
  assert_int_equal(got.status, KH_E_SOURCE_VARIABLE);
  assert_string_equal(got.sentence,
                      "Environment variable 'KEYHOLD_PW' is not set; set it, or change filekey");
  assert_true(recorder_has(&heard, "filekey begins with 'ENV:' and so names a source"));
  assert_int_equal(from_variable("").status, KH_E_SOURCE_EMPTY);
  assert_int_equal(from_variable("\n\r\n").status, KH_E_SOURCE_EMPTY);
}

static void a_variable_at_the_limits_and_one_past_them(void **state)
{
  (void)state;
  char value[KH_SECRET_STREAM_MAX + 2] = "";
  char expected[KH_SECRET_FILE_MAX + 1] = "";
  memset(expected, 'x', KH_SECRET_FILE_MAX);
  memset(value, '\n', KH_SECRET_STREAM_MAX);
  memset(value, 'x', KH_SECRET_FILE_MAX);
  assert_passphrase(from_variable(value), expected);
  value[KH_SECRET_STREAM_MAX] = '\n';
  assert_int_equal(from_variable(value).status, KH_E_SECRET_TOO_LONG);
  memset(value, 'x', KH_SECRET_FILE_MAX + 1);
  value[KH_SECRET_FILE_MAX + 1] = '\0';
  struct got got = from_variable(value);
  assert_int_equal(got.status, KH_E_SECRET_TOO_LONG);
  assert_string_equal(got.sentence, "Cannot read KEYHOLD_PW, the filekey is too long, max secret "
                                    "size is 256B ");
}

static void names_that_no_variable_has(void **state)
{
  (void)state;
  static const char *const names[] = {"",    "1UP",   "a-b", "two words",    "a=b",
                                      "A\n", "na.me", "$A",  "caf\303\251s", "/etc/passwd"};
  for (size_t i = 0; i < COUNT(names); i++)
    assert_malformed("ENV:", names[i]);
}

static void a_credential(void **state)
{
  (void)state;
  test_text("credentials/pw", "secret\n", 0400);
  assert_passphrase(unlock("CREDENTIAL:", "pw"), "secret");
  assert_int_equal(heard.count[KH_LOG_WARNING], 0);
  test_text("credentials/a b..c", "secret", 0404);
  assert_passphrase(unlock("CREDENTIAL:", "a b..c"), "secret");
  assert_true(recorder_has(&heard, "can be read by other users (mode 0404)"));
}

/* a line end before the NUL belongs to the passphrase */
static void a_credential_is_cut_as_a_file_is(void **state)
{
  (void)state;
  test_run("printf 'secret\\n\\000rest' >'%s'", test_path("credentials/cut"));
  assert_passphrase(unlock("FILE:", test_path("credentials/cut")), "secret\n");
  assert_passphrase(unlock("CREDENTIAL:", "cut"), "secret\n");
}

static void a_credential_that_is_not_there(void **state)
{
  (void)state;
  struct got got = unlock("CREDENTIAL:", "missing");
  assert_int_equal(got.status, KH_E_FILE_NOT_FOUND);
  assert_string_equal(got.fault.path.text, test_path("credentials/missing"));
  test_text("credentials/pw", "\n", 0400);
  assert_int_equal(unlock("CREDENTIAL:", "pw").status, KH_E_SOURCE_EMPTY);
  setenv("CREDENTIALS_DIRECTORY", "", 1);
  assert_int_equal(unlock("CREDENTIAL:", "pw").status, KH_E_SOURCE_CREDENTIAL);
  unsetenv("CREDENTIALS_DIRECTORY");
  got = unlock("CREDENTIAL:", "pw");
  assert_int_equal(got.status, KH_E_SOURCE_CREDENTIAL);
  assert_non_null(strstr(got.sentence, "'pw': CREDENTIALS_DIRECTORY is not set"));
}

static void names_that_no_credential_has(void **state)
{
  (void)state;
  static const char *const names[] = {"", ".", "..", "../pw", ".hidden", "/etc/passwd", "a/pw"};
  for (size_t i = 0; i < COUNT(names); i++)
    assert_malformed("CREDENTIAL:", names[i]);
}

static void a_folder_of_credentials_that_is_too_deep(void **state)
{
  (void)state;
  char folder[4097];
  memset(folder, '/', sizeof folder - 1); /* if it were cut, it would name an existing folder */
  folder[sizeof folder - 1] = '\0';
  setenv("CREDENTIALS_DIRECTORY", folder, 1);
  struct got got = unlock("CREDENTIAL:", "pw");
  assert_int_equal(got.status, KH_E_FILE_OPEN);
  assert_int_equal(got.fault.os_error, ENAMETOOLONG);
}

/* runs a script with these arguments */
static struct got from_script(const char *text, const char *arguments)
{
  char command[1024];
  snprintf(command, sizeof command, "%s%s", test_text("script", text, 0700), arguments);
  return unlock("EXEC:", command);
}

static void a_program(void **state)
{
  (void)state;
  assert_passphrase(from_script("#!/bin/sh\necho secret\n", ""), "secret");
  assert_int_equal(heard.count[KH_LOG_WARNING] + heard.count[KH_LOG_HINT], 0);
  assert_passphrase(from_script("#!/bin/sh\nprintf '<%s>' \"$@\"\n", "  a   'b \"c d\" \\e $F "),
                    "<a><'b><\"c><d\"><\\e><$F>");
  assert_passphrase(from_script("#!/bin/sh\necho $#\n", "    "), "0");
  assert_passphrase(from_script("#!/bin/sh\nprintf 'abc\\0def'\n", ""), "abc");
  assert_true(recorder_has(&heard, "after 3 bytes, at a NUL byte"));
}

static void a_program_that_fails_shows_no_argument(void **state)
{
  (void)state;
  struct got got =
      from_script("#!/bin/sh\necho secret\necho cannot >&2\nexit 3\n", " --token=hidden");
  assert_int_equal(got.status, KH_E_PROGRAM_EXIT);
  assert_string_equal(got.fault.path.text, test_path("script"));
  assert_non_null(
      strstr(got.sentence, "failed with exit status 3; its standard error: \"cannot\""));
  assert_true(recorder_has(&heard, "filekey begins with 'EXEC:' and so names a source"));
  assert_null(strstr(got.sentence, "hidden"));
  assert_null(strstr(got.sentence, "secret"));
  assert_false(recorder_has(&heard, "hidden"));
  assert_false(recorder_has(&heard, "secret"));
}

static void a_program_that_gives_nothing_or_too_much(void **state)
{
  (void)state;
  assert_int_equal(from_script("#!/bin/sh\n", "").status, KH_E_SOURCE_EMPTY);
  assert_int_equal(from_script("#!/bin/sh\necho\n", "").status, KH_E_SOURCE_EMPTY);
  assert_int_equal(from_script("#!/bin/sh\nprintf '%0256d\\n' 0\n", "").status, KH_OK);
  assert_int_equal(from_script("#!/bin/sh\nprintf '%0257d\\n' 0\n", "").status,
                   KH_E_SECRET_TOO_LONG);
  assert_int_equal(from_script("#!/bin/sh\nexec yes\n", "").status, KH_E_SECRET_TOO_LONG);
}

static void a_program_has_ten_seconds(void **state)
{
  (void)state;
  assert_passphrase(from_script("#!/bin/sh\nsleep 0.2\necho secret\n", ""), "secret");
  assert_int_equal(from_script("#!/bin/sh\nexec sleep 100\n", "").status, KH_E_SOURCE_TIME);
}

static void commands_without_a_path(void **state)
{
  (void)state;
  static const char *const commands[] = {"", "sh", "./script", " /bin/echo x", "bin/echo"};
  for (size_t i = 0; i < COUNT(commands); i++)
    assert_malformed("EXEC:", commands[i]);
}

static void set_address(struct sockaddr_un *address, const char *path)
{
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  assert_in_range(strlen(path), 1, sizeof address->sun_path - 1);
  memcpy(address->sun_path, path, strlen(path));
}

static int listen_at(const char *path, int type)
{
  struct sockaddr_un address;
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  set_address(&address, path);
  unlink(path);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
  if (type == SOCK_STREAM)
    assert_int_equal(listen(fd, 0), 0);
  return fd;
}

/* the other end: sends this in pieces, each after a moment, and closes unless it is silent */
struct other_end {
  int listening;
  const char *pieces[4];
  bool keeps_open;
  int connection;
};

static void *serve(void *argument)
{
  struct other_end *end = argument;
  end->connection = accept(end->listening, NULL, NULL);
  for (size_t i = 0; i < COUNT(end->pieces) && end->pieces[i] != NULL; i++) {
    (void)send(end->connection, end->pieces[i], strlen(end->pieces[i]), MSG_NOSIGNAL);
    usleep(10000);
  }
  if (!end->keeps_open)
    close(end->connection);
  return NULL;
}

static struct got from_socket(struct other_end end)
{
  pthread_t thread;
  end.listening = listen_at(test_path("socket"), SOCK_STREAM);
  assert_int_equal(pthread_create(&thread, NULL, serve, &end), 0);
  struct got got = unlock("SOCKET:", test_path("socket"));
  pthread_join(thread, NULL);
  if (end.keeps_open)
    close(end.connection);
  close(end.listening);
  return got;
}

static void a_socket(void **state)
{
  (void)state;
  assert_passphrase(from_socket((struct other_end){.pieces = {"secret\n"}}), "secret");
  assert_passphrase(from_socket((struct other_end){.pieces = {"sec", "r", "et\r", "\n"}}),
                    "secret");
}

static void a_socket_that_never_answers_or_does_not_end(void **state)
{
  (void)state;
  struct got got = from_socket((struct other_end){.keeps_open = true});
  assert_int_equal(got.status, KH_E_SOURCE_TIME);
  assert_int_equal(got.fault.os_error, 0);
  got = from_socket((struct other_end){.pieces = {"secret\n"}, .keeps_open = true});
  assert_int_equal(got.status, KH_E_SOURCE_TIME);
  assert_non_null(strstr(got.sentence, "within 10 seconds"));
}

static void a_socket_that_closes_at_once(void **state)
{
  (void)state;
  assert_int_equal(from_socket((struct other_end){.connection = -1}).status, KH_E_SOURCE_EMPTY);
}

static void a_socket_that_sends_too_much(void **state)
{
  (void)state;
  char much[KH_SECRET_STREAM_MAX + 2] = "";
  memset(much, '\n', KH_SECRET_STREAM_MAX + 1);
  struct other_end end = {.pieces = {much}, .keeps_open = true};
  struct got got = from_socket(end);
  assert_int_equal(got.status, KH_E_SECRET_TOO_LONG);
  assert_int_equal(got.fault.limit, KH_SECRET_FILE_MAX);
  much[KH_SECRET_STREAM_MAX] = '\0';
  memset(much, 'x', KH_SECRET_FILE_MAX);
  end.keeps_open = false;
  assert_int_equal(from_socket(end).status, KH_OK);
}

static void assert_no_socket(const char *path, int error)
{
  struct got got = unlock("SOCKET:", path);
  assert_int_equal(got.status, KH_E_SOCKET);
  assert_int_equal(got.fault.os_error, error);
  assert_true(recorder_has(&heard, "filekey begins with 'SOCKET:' and so names a source"));
}

static void sockets_that_cannot_be_connected_to(void **state)
{
  (void)state;
  char path[2 * sizeof((struct sockaddr_un *)0)->sun_path] = "/";
  assert_no_socket(test_path("missing"), ENOENT);
  assert_no_socket(test_text("file", "secret", 0600), ECONNREFUSED);
  close(listen_at(test_path("left"), SOCK_STREAM));
  assert_no_socket(test_path("left"), ECONNREFUSED);
  int datagrams = listen_at(test_path("datagrams"), SOCK_DGRAM);
  assert_no_socket(test_path("datagrams"), EPROTOTYPE);
  close(datagrams);
  memset(path + 1, 'x', sizeof((struct sockaddr_un *)0)->sun_path - 2);
  assert_no_socket(path, ENOENT);
  path[strlen(path)] = 'x';
  assert_no_socket(path, ENAMETOOLONG);
}

/* the queue is already full, and no one accepts */
static void a_socket_whose_queue_is_full(void **state)
{
  (void)state;
  int waiting[8], count = 0;
  struct sockaddr_un address;
  int listening = listen_at(test_path("busy"), SOCK_STREAM);
  set_address(&address, test_path("busy"));
  do {
    waiting[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  } while (connect(waiting[count++], (struct sockaddr *)&address, sizeof address) == 0 &&
           count < (int)COUNT(waiting));
  assert_int_equal(unlock("SOCKET:", test_path("busy")).status, KH_E_SOURCE_TIME);
  while (count > 0)
    close(waiting[--count]);
  close(listening);
}

static void sockets_without_a_path(void **state)
{
  (void)state;
  static const char *const paths[] = {"", "door", "./door", "@abstract"};
  for (size_t i = 0; i < COUNT(paths); i++)
    assert_malformed("SOCKET:", paths[i]);
}

static void a_literal_is_warned_of_and_nothing_else_is(void **state)
{
  (void)state;
  assert_passphrase(unlock("", "hunter2"), "hunter2");
  assert_int_equal(heard.count[KH_LOG_WARNING], 1);
  assert_true(recorder_has(&heard, "SHOW VARIABLES shows it"));
  assert_true(recorder_has(&heard, "use FILE:, CREDENTIAL:, EXEC:, SOCKET: or ENV:"));
  assert_passphrase(unlock("FILE:", test_text("pw", "secret", 0600)), "secret");
  assert_int_equal(heard.count[KH_LOG_WARNING], 0);
}

static const char *fifo(void)
{
  test_run("rm -f '%s' && mkfifo -m 0600 '%s'", test_path("fifo"), test_path("fifo"));
  return test_path("fifo");
}

static void a_fifo_is_waited_for(void **state)
{
  (void)state;
  for (int bounded_wait = 0; bounded_wait < 2; bounded_wait++) {
    how.bounded_wait = bounded_wait;
    test_run("(printf 'sec'; printf 'ret\\n') > '%s' &", fifo());
    assert_passphrase(unlock("FILE:", test_path("fifo")), "secret");
    assert_int_equal(heard.count[KH_LOG_WARNING], 0);
  }
}

static void a_fifo_has_ten_seconds_where_there_is_a_limit(void **state)
{
  (void)state;
  how.bounded_wait = true;
  struct got got = unlock("FILE:", fifo()); /* no process opens it */
  assert_int_equal(got.status, KH_E_SOURCE_TIME);
  assert_string_equal(got.fault.path.text, test_path("fifo"));
  int fd = open(test_path("fifo"), O_RDWR); /* a process opens it, and does not close it */
  assert_int_equal(write(fd, "secret", 6), 6);
  assert_int_equal(unlock("FILE:", test_path("fifo")).status, KH_E_SOURCE_TIME);
  close(fd);
}

static void a_fifo_follows_the_same_rules(void **state)
{
  (void)state;
  how.bounded_wait = true;
  test_run("printf '%%300d' 1 > '%s' &", fifo());
  assert_int_equal(unlock("FILE:", test_path("fifo")).status, KH_E_SECRET_TOO_LONG);
  assert_int_equal(unlock("FILE:", "/dev/zero").status, KH_E_SECRET_TOO_LONG);
  assert_int_equal(unlock("FILE:", "/dev/null").status, KH_OK); /* the empty one */
  test_run("chmod 0604 '%s'; (printf secret > '%s') &", fifo(), test_path("fifo"));
  assert_passphrase(unlock("FILE:", test_path("fifo")), "secret");
  assert_true(recorder_has(&heard, "can be read by other users (mode 0604)"));
  how.permissions = KH_PERMISSIONS_STRICT;
  test_run("(printf secret > '%s') &", test_path("fifo"));
  assert_int_equal(unlock("FILE:", test_path("fifo")).status, KH_E_FILE_UNSAFE);
}

static void files_that_cannot_be_read_with_a_limit(void **state)
{
  (void)state;
  how.bounded_wait = true;
  assert_int_equal(unlock("FILE:", test_path("missing")).status, KH_E_FILE_NOT_FOUND);
  assert_int_equal(unlock("FILE:", "/").status, KH_E_FILE_DIRECTORY);
  assert_passphrase(unlock("FILE:", test_text("plain", "secret\n", 0600)), "secret");
}

/* modes that pass, and those that do not */
static void strict_permissions_refuse_files_that_others_may_touch(void **state)
{
  (void)state;
  static const struct {
    mode_t mode;
    kh_status status;
  } cases[] = {{0600, KH_OK},
               {0400, KH_OK},
               {0640, KH_OK},
               {0700, KH_OK},
               {0660, KH_E_FILE_UNSAFE},
               {0604, KH_E_FILE_UNSAFE},
               {0602, KH_E_FILE_UNSAFE},
               {0601, KH_E_FILE_UNSAFE}};
  how.permissions = KH_PERMISSIONS_STRICT;
  for (size_t i = 0; i < COUNT(cases); i++) {
    test_text("credentials/pw", "secret", cases[i].mode);
    struct got got = unlock("FILE:", test_path("credentials/pw"));
    assert_int_equal(got.status, cases[i].status);
    assert_int_equal(unlock("CREDENTIAL:", "pw").status, cases[i].status);
    if (got.status == KH_OK)
      continue;
    assert_int_equal(got.fault.mode & 0777, cases[i].mode);
    assert_int_equal(got.fault.owner, geteuid());
    assert_string_equal(got.fault.path.text, test_path("credentials/pw"));
  }
}

enum { THREADS = 8, ROUNDS = 5 };

static bool unlock_many(void *unused, size_t number)
{
  (void)unused;
  char filekey[64], expected[16];
  for (int i = 0; i < ROUNDS; i++) {
    KH_AUTO_SECRET passphrase = NULL;
    int len = snprintf(expected, sizeof expected, "%zu.%d", number, i);
    snprintf(filekey, sizeof filekey, "EXEC:/bin/echo %s", expected);
    if (kh_unlock(filekey, &how, NULL, &passphrase, NULL) != KH_OK ||
        kh_secret_bytes(passphrase).len != (size_t)len ||
        memcmp(kh_secret_bytes(passphrase).data, expected, (size_t)len) != 0)
      return false;
  }
  return true;
}

static void many_threads_at_once(void **state)
{
  (void)state;
  threads_run(THREADS, unlock_many, NULL);
}

#define CASE(test) cmocka_unit_test_setup(test, before_each)

int main(void)
{
  const struct CMUnitTest tests[] = {
      CASE(a_variable),
      CASE(a_variable_that_is_not_set_or_empty),
      CASE(a_variable_at_the_limits_and_one_past_them),
      CASE(names_that_no_variable_has),
      CASE(a_credential),
      CASE(a_credential_is_cut_as_a_file_is),
      CASE(a_credential_that_is_not_there),
      CASE(names_that_no_credential_has),
      CASE(a_folder_of_credentials_that_is_too_deep),
      CASE(a_program),
      CASE(a_program_that_fails_shows_no_argument),
      CASE(a_program_that_gives_nothing_or_too_much),
      CASE(a_program_has_ten_seconds),
      CASE(commands_without_a_path),
      CASE(a_socket),
      CASE(a_socket_that_never_answers_or_does_not_end),
      CASE(a_socket_that_closes_at_once),
      CASE(a_socket_that_sends_too_much),
      CASE(sockets_that_cannot_be_connected_to),
      CASE(a_socket_whose_queue_is_full),
      CASE(sockets_without_a_path),
      CASE(a_literal_is_warned_of_and_nothing_else_is),
      CASE(a_fifo_is_waited_for),
      CASE(a_fifo_has_ten_seconds_where_there_is_a_limit),
      CASE(a_fifo_follows_the_same_rules),
      CASE(files_that_cannot_be_read_with_a_limit),
      CASE(strict_permissions_refuse_files_that_others_may_touch),
      CASE(many_threads_at_once),
  };
  test_run("mkdir '%s'", test_path("credentials"));
  return cmocka_run_group_tests(tests, NULL, NULL);
}
