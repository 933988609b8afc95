/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: read fstat geteuid poll */
/* read(), fstat() and poll() are wrapped, to make rare events happen. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "files.h"
#include "keyhold/file.h"
#include "recorder.h"
#include "unit.h"
#include "wrap.h"

static struct {
  int read_error;    /* errno of the next read, 0 for none */
  size_t most;       /* bytes a read gives at most, 0 for no limit */
  int fstat_error;   /* errno of the next fstat */
  long hidden_bytes; /* how many bytes fewer fstat reports than the file has: it grew afterwards */
  void (*meanwhile)(int fd); /* called once, before the next read */
  bool time_passes;          /* poll ends without an event */
  int interruptions;         /* of poll */
} inject;
static int poll_timeout; /* of the last one, in milliseconds */

WRAPS(read);
WRAPS(fstat);
WRAPS(poll);

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
  poll_timeout = timeout;
  if (inject.interruptions > 0) {
    inject.interruptions--;
    errno = EINTR;
    return -1;
  }
  return inject.time_passes ? 0 : __real_poll(fds, count, timeout);
}

ssize_t __wrap_read(int fd, void *data, size_t size)
{
  void (*meanwhile)(int fd) = inject.meanwhile;
  inject.meanwhile = NULL;
  if (meanwhile != NULL)
    meanwhile(fd);
  if (inject.read_error != 0) {
    errno = inject.read_error;
    inject.read_error = 0;
    return -1;
  }
  return __real_read(fd, data, inject.most != 0 && inject.most < size ? inject.most : size);
}

int __wrap_fstat(int fd, struct stat *st)
{
  if (inject.fstat_error != 0) {
    errno = inject.fstat_error;
    return -1;
  }
  int result = __real_fstat(fd, st);
  st->st_size -= inject.hidden_bytes;
  return result;
}

static int reset(void **state)
{
  (void)state;
  memset(&inject, 0, sizeof inject);
  return 0;
}

static kh_status read_to(const char *path, size_t most, kh_file_kind kind, kh_secret **content)
{
  kh_fault fault;
  kh_status status = kh_file_read(path, most, kind, content, NULL, &fault);
  if (status != KH_OK) {
    assert_int_equal(fault.status, status);
    assert_string_equal(fault.path.text, path);
  }
  return status;
}

static void a_file_is_read_whole(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  kh_file_info info;
  const char *path = test_text("whole", "hello", 0640);
  assert_int_equal(kh_file_read(path, 100, KH_FILE_REGULAR, &content, &info, NULL), KH_OK);
  assert_int_equal(kh_secret_bytes(content).len, 5);
  assert_memory_equal(kh_secret_bytes(content).data, "hello", 5);
  assert_int_equal(info.size, 5);
  assert_int_equal(info.mode & 07777, 0640);
  kh_secret_free(&content);
}

static void an_empty_file_is_not_an_error(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  assert_int_equal(read_to(test_text("empty", "", 0600), 100, KH_FILE_REGULAR, &content), KH_OK);
  assert_int_equal(kh_secret_bytes(content).len, 0);
  kh_secret_free(&content);
}

static void no_more_than_asked_for_is_read(void **state)
{
  (void)state;
  for (size_t most = 3; most <= 7; most++) {
    kh_secret *content = NULL;
    assert_int_equal(read_to(test_text("long", "hello", 0600), most, KH_FILE_REGULAR, &content),
                     KH_OK);
    assert_int_equal(kh_secret_bytes(content).len, most < 5 ? most : 5);
    kh_secret_free(&content);
  }
}

static void names_that_lead_nowhere(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  test_text("plain", "x", 0600);
  assert_int_equal(read_to(test_path("missing"), 10, KH_FILE_REGULAR, &content),
                   KH_E_FILE_NOT_FOUND);
  assert_int_equal(read_to(test_path("plain/below"), 10, KH_FILE_REGULAR, &content),
                   KH_E_FILE_OPEN);
  assert_int_equal(read_to("", 10, KH_FILE_REGULAR, &content), KH_E_FILE_NOT_FOUND);
  assert_null(content);
}

static void a_file_without_permission(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  if (geteuid() == 0)
    skip(); /* root may read everything */
  assert_int_equal(read_to(test_text("secret", "x", 0), 10, KH_FILE_REGULAR, &content),
                   KH_E_FILE_OPEN);
}

static void make_socket(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_true(fd >= 0 && strlen(path) < sizeof address.sun_path);
  strcpy(address.sun_path, path);
  assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
  close(fd);
}

static void directories_and_special_files(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  mkdir(test_path("folder"), 0700);
  assert_int_equal(read_to(test_path("folder"), 10, KH_FILE_REGULAR, &content),
                   KH_E_FILE_DIRECTORY);
  assert_int_equal(read_to(test_path("folder"), 10, KH_FILE_ANY, &content), KH_E_FILE_DIRECTORY);
  mkfifo(test_path("fifo"), 0600); /* must not be waited for: no process writes to it */
  assert_int_equal(read_to(test_path("fifo"), 10, KH_FILE_REGULAR, &content), KH_E_FILE_FIFO);
  make_socket(test_path("socket"));
  assert_int_equal(read_to(test_path("socket"), 10, KH_FILE_REGULAR, &content), KH_E_FILE_SPECIAL);
  assert_int_equal(read_to("/dev/null", 10, KH_FILE_REGULAR, &content), KH_E_FILE_SPECIAL);
  assert_null(content);
  assert_int_equal(read_to("/dev/zero", 10, KH_FILE_ANY, &content), KH_OK);
  assert_int_equal(kh_secret_bytes(content).len, 10);
  kh_secret_free(&content);
}

static void a_fifo_gives_what_is_written(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  mkfifo(test_path("pipe"), 0600);
  test_run("(printf abc > '%s') &", test_path("pipe"));
  assert_int_equal(read_to(test_path("pipe"), 10, KH_FILE_ANY, &content), KH_OK);
  assert_memory_equal(kh_secret_bytes(content).data, "abc", 3);
  kh_secret_free(&content);
}

static const kh_file_kind fifo_kinds[] = {KH_FILE_OR_FIFO, KH_FILE_OR_FIFO_SOON};

/* more than a pipe holds, in pieces, with pauses */
static void a_fifo_that_is_allowed_is_waited_for(void **state)
{
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    kh_secret *content = NULL;
    kh_file_info info;
    kh_file_stamp stamp;
    mkfifo(test_path("pipe"), 0600);
    inject.interruptions = 1;
    test_run("(sleep 0.1; printf abc; sleep 0.1; printf '%%199997d' 1) > '%s' &",
             test_path("pipe"));
    assert_int_equal(kh_file_read(test_path("pipe"), 1 << 20, fifo_kinds[i], &content, &info, NULL),
                     KH_OK);
    assert_int_equal(kh_secret_bytes(content).len, 200000);
    assert_memory_equal(kh_secret_bytes(content).data, "abc   ", 6);
    assert_in_range(kh_secret_capacity(content), 200000, 400000); /* not all that is allowed */
    kh_secret_free(&content);
    /* memory for what came, not for the most that may come */
    test_run("printf abc > '%s' &", test_path("pipe"));
    assert_int_equal(read_to(test_path("pipe"), 1 << 20, fifo_kinds[i], &content), KH_OK);
    assert_in_range(kh_secret_capacity(content), 3, 1 << 16);
    kh_secret_free(&content);
    /* it is the same FIFO, whatever went through it */
    assert_int_equal(kh_file_stamp_of(test_path("pipe"), &stamp, NULL), KH_OK);
    assert_true(kh_file_is_same(&stamp, &info.stamp));
    assert_int_equal(kh_file_flush(test_path("pipe"), &stamp, NULL), KH_OK);
  }
}

static void no_more_than_is_allowed_comes_out_of_a_fifo(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  mkfifo(test_path("large"), 0600);
  test_run("printf '%%100000d' 1 > '%s' &", test_path("large"));
  assert_int_equal(read_to(test_path("large"), 80000, KH_FILE_OR_FIFO, &content), KH_OK);
  assert_int_equal(kh_secret_bytes(content).len, 80000);
  kh_secret_free(&content);
}

/* An open for reading that is closed again would end the process that waits to write. */
static void a_fifo_that_is_not_read_keeps_its_writer(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  kh_file_stamp stamp;
  mkfifo(test_path("pipe"), 0600);
  test_run("(printf abc > '%s') & sleep 0.3", test_path("pipe"));
  assert_int_equal(read_to(test_path("pipe"), 10, KH_FILE_REGULAR, &content), KH_E_FILE_FIFO);
  assert_int_equal(kh_file_stamp_of(test_path("pipe"), &stamp, NULL), KH_OK);
  assert_int_equal(kh_file_flush(test_path("pipe"), &stamp, NULL), KH_OK);
  test_run("sleep 0.1"); /* a writer that has begun would end now */
  assert_int_equal(read_to(test_path("pipe"), 10, KH_FILE_OR_FIFO_SOON, &content), KH_OK);
  assert_memory_equal(kh_secret_bytes(content).data, "abc", 3);
  kh_secret_free(&content);
}

static void a_fifo_has_ten_seconds_where_there_is_a_limit(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  kh_fault fault;
  mkfifo(test_path("idle"), 0600);
  inject.time_passes = true;
  assert_int_equal(
      kh_file_read(test_path("idle"), 10, KH_FILE_OR_FIFO_SOON, &content, NULL, &fault),
      KH_E_FILE_TIME);
  assert_null(content);
  assert_string_equal(fault.path.text, test_path("idle"));
  assert_in_range(poll_timeout, 9000, 10000);
  test_run("(printf abc > '%s') &", test_path("idle"));
  inject.time_passes = false;
  assert_int_equal(read_to(test_path("idle"), 10, KH_FILE_OR_FIFO, &content), KH_OK);
  assert_in_range(poll_timeout, 1, 1000); /* in which a signal is noticed */
  kh_secret_free(&content);
}

/* A server blocks SIGTERM until it has started. */
static void sigterm_ends_a_wait_without_a_limit(void **state)
{
  (void)state;
  static const kh_file_kind kinds[] = {KH_FILE_OR_FIFO, KH_FILE_ANY};
  sigset_t term;
  int taken = 0;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  assert_int_equal(pthread_sigmask(SIG_BLOCK, &term, NULL), 0);
  for (size_t i = 0; i < 2; i++) {
    kh_secret *content = NULL;
    kh_fault fault;
    mkfifo(test_path("idle"), 0600);
    test_run("(sleep 0.2; kill %d) &", (int)getpid());
    assert_int_equal(kh_file_read(test_path("idle"), 10, kinds[i], &content, NULL, &fault),
                     KH_E_FILE_WAIT_ENDED);
    assert_null(content);
    assert_string_equal(fault.path.text, test_path("idle"));
    assert_int_equal(sigwait(&term, &taken), 0); /* it is still there for the server */
    assert_int_equal(taken, SIGTERM);
  }
  assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &term, NULL), 0);
}

static void a_long_wait_without_a_limit_is_reported_once(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  recorder rec;
  kh_log log = recorder_log(&rec);
  mkfifo(test_path("idle"), 0600);
  test_run("(sleep 8; printf abc > '%s') &", test_path("idle"));
  assert_int_equal(
      kh_file_read_reporting(test_path("idle"), 10, KH_FILE_OR_FIFO, &log, &content, NULL, NULL),
      KH_OK);
  assert_memory_equal(kh_secret_bytes(content).data, "abc", 3);
  kh_secret_free(&content);
  assert_int_equal(rec.count[KH_LOG_WARNING], 1);
  assert_non_null(strstr(rec.text, "waiting for a process to write to FIFO '"));
  assert_non_null(strstr(rec.text, "/idle'"));
}

static void where_a_fifo_is_allowed_devices_are_not(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(read_to("/dev/null", 10, fifo_kinds[i], &content), KH_E_FILE_SPECIAL);
    assert_int_equal(read_to("/", 10, fifo_kinds[i], &content), KH_E_FILE_DIRECTORY);
    assert_int_equal(read_to(test_text("plain", "hello", 0600), 10, fifo_kinds[i], &content),
                     KH_OK);
    assert_int_equal(kh_secret_bytes(content).len, 5);
    kh_secret_free(&content);
  }
}

static void interrupted_and_short_reads_go_on(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  inject.read_error = EINTR;
  inject.most = 1;
  assert_int_equal(read_to(test_text("slow", "hello", 0600), 100, KH_FILE_REGULAR, &content),
                   KH_OK);
  assert_int_equal(kh_secret_bytes(content).len, 5);
  kh_secret_free(&content);
}

static void errors_of_the_system_are_reported(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  kh_fault fault;
  inject.read_error = EIO;
  assert_int_equal(
      kh_file_read(test_text("bad", "hello", 0600), 100, KH_FILE_REGULAR, &content, NULL, &fault),
      KH_E_FILE_READ);
  assert_int_equal(fault.os_error, EIO);
  inject.fstat_error = EOVERFLOW;
  assert_int_equal(
      kh_file_read(test_text("bad", "hello", 0600), 100, KH_FILE_REGULAR, &content, NULL, &fault),
      KH_E_FILE_READ);
  assert_int_equal(fault.os_error, EOVERFLOW);
  assert_null(content);
}

/* long ago, so that a write is noticed however coarse the file system's clock is */
static const char *written_before(const char *name, const char *text)
{
  const char *path = test_text(name, text, 0600);
  struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
  return path;
}

static void cut_it(int fd)
{
  (void)fd;
  assert_int_equal(truncate(test_path("written"), 3), 0);
}

static void write_it_again(int fd)
{
  (void)fd;
  test_run("printf HELLO | dd of='%s' conv=notrunc 2>/dev/null", test_path("written"));
}

static void cannot_stat(int fd)
{
  (void)fd;
  inject.fstat_error = EIO;
}

static void chmod_it(int fd)
{
  assert_int_equal(fchmod(fd, 0640), 0);
}

static void a_file_that_is_written_meanwhile_is_refused(void **state)
{
  (void)state;
  static const struct {
    void (*meanwhile)(int fd);
    kh_status status;
  } cases[] = {{cut_it, KH_E_FILE_CHANGED},
               {write_it_again, KH_E_FILE_CHANGED},
               {cannot_stat, KH_E_FILE_READ},
               {chmod_it, KH_OK}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    kh_secret *content = NULL;
    reset(NULL);
    const char *path = written_before("written", "hello");
    inject.meanwhile = cases[i].meanwhile;
    assert_int_equal(read_to(path, 100, KH_FILE_REGULAR, &content), cases[i].status);
    kh_secret_free(&content);
  }
}

static void a_file_that_grows_is_refused(void **state)
{
  (void)state;
  kh_secret *content = NULL;
  inject.hidden_bytes = 2;
  assert_int_equal(read_to(test_text("growing", "hello", 0600), 100, KH_FILE_REGULAR, &content),
                   KH_E_FILE_CHANGED);
  assert_null(content);
}

enum { ROOT = 0, USER = 4711, NOBODY = -1 };
static uid_t pretended_user = (uid_t)NOBODY; /* the real one */

WRAPS(geteuid);
uid_t __wrap_geteuid(void)
{
  return pretended_user == (uid_t)NOBODY ? __real_geteuid() : pretended_user;
}

static kh_status check_as(uid_t user, kh_permissions permissions, mode_t mode, uid_t owner,
                          kh_fault *fault)
{
  kh_file_info info = {.mode = mode, .owner = owner};
  pretended_user = user;
  kh_status status = kh_file_check_permissions("/k", &info, permissions, fault);
  pretended_user = (uid_t)NOBODY;
  return status;
}

static kh_status check_strict(mode_t mode, uid_t owner, kh_fault *fault)
{
  return check_as(USER, KH_PERMISSIONS_STRICT, mode, owner, fault);
}

static void strict_files_belong_to_root_or_this_user(void **state)
{
  (void)state;
  kh_fault fault;
  assert_int_equal(check_strict(S_IFREG | 0600, 0, NULL), KH_OK);
  assert_int_equal(check_strict(S_IFREG | 0600, USER, NULL), KH_OK);
  assert_int_equal(check_strict(S_IFREG | 0600, USER + 1, &fault), KH_E_FILE_UNSAFE);
  assert_int_equal(fault.owner, USER + 1);
  assert_int_equal(fault.mode, S_IFREG | 0600);
  assert_string_equal(fault.path.text, "/k");
}

static void root_reads_for_a_server_of_any_user(void **state)
{
  (void)state;
  const kh_permissions how = KH_PERMISSIONS_STRICT_FOR_SERVER;
  assert_int_equal(check_as(ROOT, how, S_IFREG | 0600, USER, NULL), KH_OK);
  assert_int_equal(check_as(ROOT, how, S_IFREG | 0604, USER, NULL), KH_E_FILE_UNSAFE);
  assert_int_equal(check_as(ROOT, how, S_IFREG | 0620, USER, NULL), KH_E_FILE_UNSAFE);
  assert_int_equal(check_as(USER, how, S_IFREG | 0600, USER, NULL), KH_OK);
  assert_int_equal(check_as(USER, how, S_IFREG | 0600, USER + 1, NULL), KH_E_FILE_UNSAFE);
  assert_int_equal(check_as(ROOT, KH_PERMISSIONS_STRICT, S_IFREG | 0600, USER, NULL),
                   KH_E_FILE_UNSAFE);
  assert_int_equal(check_as(USER, KH_PERMISSIONS_WARN, S_IFREG | 0666, USER + 1, NULL), KH_OK);
  assert_int_equal(check_as(USER, KH_PERMISSIONS_SEEN, S_IFREG | 0666, USER + 1, NULL), KH_OK);
}

static void strict_files_are_closed_to_others(void **state)
{
  (void)state;
  for (mode_t mode = 0; mode <= 07777; mode++)
    assert_int_equal(check_strict(S_IFREG | mode, 0, NULL),
                     (mode & 0027) == 0 ? KH_OK : KH_E_FILE_UNSAFE);
  assert_int_equal(check_strict(S_IFCHR | 0666, 0, NULL), KH_E_FILE_UNSAFE);
}

static void modes_that_are_open_to_others(void **state)
{
  (void)state;
  assert_false(kh_file_is_open_to_others(S_IFREG | 0600));
  assert_false(kh_file_is_open_to_others(S_IFREG | 0660));
  assert_false(kh_file_is_open_to_others(S_IFREG | 0601));
  assert_true(kh_file_is_open_to_others(S_IFREG | 0604));
  assert_true(kh_file_is_open_to_others(S_IFREG | 0602));
  assert_true(kh_file_is_open_to_others(S_IFIFO | 0666));
  assert_false(kh_file_is_open_to_others(S_IFCHR | 0666));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_file_is_read_whole, reset),
      cmocka_unit_test_setup(an_empty_file_is_not_an_error, reset),
      cmocka_unit_test_setup(no_more_than_asked_for_is_read, reset),
      cmocka_unit_test_setup(names_that_lead_nowhere, reset),
      cmocka_unit_test_setup(a_file_without_permission, reset),
      cmocka_unit_test_setup(directories_and_special_files, reset),
      cmocka_unit_test_setup(a_fifo_gives_what_is_written, reset),
      cmocka_unit_test_setup(a_fifo_that_is_allowed_is_waited_for, reset),
      cmocka_unit_test_setup(no_more_than_is_allowed_comes_out_of_a_fifo, reset),
      cmocka_unit_test_setup(a_fifo_that_is_not_read_keeps_its_writer, reset),
      cmocka_unit_test_setup(a_fifo_has_ten_seconds_where_there_is_a_limit, reset),
      cmocka_unit_test_setup(sigterm_ends_a_wait_without_a_limit, reset),
      cmocka_unit_test_setup(a_long_wait_without_a_limit_is_reported_once, reset),
      cmocka_unit_test_setup(where_a_fifo_is_allowed_devices_are_not, reset),
      cmocka_unit_test_setup(interrupted_and_short_reads_go_on, reset),
      cmocka_unit_test_setup(errors_of_the_system_are_reported, reset),
      cmocka_unit_test_setup(a_file_that_grows_is_refused, reset),
      cmocka_unit_test_setup(a_file_that_is_written_meanwhile_is_refused, reset),
      cmocka_unit_test_setup(strict_files_belong_to_root_or_this_user, reset),
      cmocka_unit_test_setup(root_reads_for_a_server_of_any_user, reset),
      cmocka_unit_test_setup(strict_files_are_closed_to_others, reset),
      cmocka_unit_test_setup(modes_that_are_open_to_others, reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
