/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: kh_file_read_reporting kh_unlock inotify_init1 */
/* slow: pauses where the file changes while it is read */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engines.h"
#include "files.h"
#include "keyhold/keyfile_text.h"
#include "keyhold/keytable.h"
#include "keyhold/store_file.h"
#include "unit.h"
#include "wrap.h"
#include "wrapped_unlock.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f"
#define KEY_B "101112131415161718191a1b1c1d1e1f"

static kh_store store;
static char path[1024];

static unsigned loads;
static unsigned changes_left; /* how many loads find that the file changed while it was read */

WRAPS(kh_file_read_reporting);
kh_status __wrap_kh_file_read_reporting(const char *name, size_t most, kh_file_kind kind,
                                        const kh_log *log, kh_secret **ret_secret,
                                        kh_file_info *ret_info, kh_fault *ret_fault)
{
  loads++;
  if (changes_left == 0)
    return __real_kh_file_read_reporting(name, most, kind, log, ret_secret, ret_info, ret_fault);
  changes_left--;
  return kh_fault_set(ret_fault, KH_E_FILE_CHANGED, name, 0);
}

static bool no_inotify;

WRAPS(inotify_init1);
int __wrap_inotify_init1(int flags)
{
  errno = EMFILE;
  return no_inotify ? -1 : __real_inotify_init1(flags);
}

static void write_keys(const char *text)
{
  snprintf(path, sizeof path, "%s", test_text("keys.txt", text, 0600));
}

/* a store over a file with this text */
static void open_store(const char *text)
{
  kh_log nothing = {0};
  write_keys(text);
  kh_keyfile_options options = {.path = path, .filekey = ""};
  assert_int_equal(kh_store_file_new(&options, test_engines, &nothing, &store), KH_OK);
}

static int close_store(void **state)
{
  (void)state;
  kh_store_free(&store);
  assert_null(store.ops);
  kh_store_free(&store);
  loads = changes_left = 0;
  no_inotify = false;
  return 0;
}

static kh_store_content load(void)
{
  kh_store_content content = {0};
  assert_int_equal(store.ops->load(store.self, KH_STORE_REQUESTED, &content, NULL), KH_OK);
  return content;
}

static kh_store_mark mark_now(void)
{
  kh_store_mark mark;
  kh_fault fault;
  assert_int_equal(store.ops->mark(store.self, &mark, &fault), KH_OK);
  return mark;
}

static void it_has_a_name(void **state)
{
  (void)state;
  open_store("1;" KEY_A "\n");
  kh_store_name name = store.ops->name(store.self);
  assert_string_equal(name.noun, "the key file");
  assert_string_equal(name.place, path);
}

static void it_loads_and_marks_what_it_loaded(void **state)
{
  (void)state;
  open_store("1;" KEY_A "\n2;3;" KEY_B "\n");
  kh_store_content content = load();
  kh_store_mark now = mark_now();
  assert_int_equal(kh_keylist_count(content.list), 2);
  assert_string_equal(content.format, "text");
  assert_int_equal(content.doubt, KH_OK);
  assert_true(kh_store_is_same(&content.mark, &now));
  write_keys("1;" KEY_A "\n");
  now = mark_now();
  assert_false(kh_store_is_same(&content.mark, &now));
  kh_store_content_free(&content);
}

static void a_text_without_its_last_line_end_is_doubted(void **state)
{
  (void)state;
  open_store("1;" KEY_A);
  kh_store_content content = load();
  assert_int_equal(content.doubt, KH_E_FILE_UNFINISHED);
  kh_store_content_free(&content);
}

static void a_file_that_changes_is_read_again(void **state)
{
  (void)state;
  kh_store_content content = {0};
  kh_fault fault = {0};
  open_store("1;" KEY_A "\n");
  changes_left = 4;
  assert_int_equal(store.ops->load(store.self, KH_STORE_REQUESTED, &content, &fault), KH_OK);
  assert_int_equal(fault.status, KH_OK);
  assert_int_equal(loads, 5);
  kh_store_content_free(&content);
  changes_left = 5;
  assert_int_equal(store.ops->load(store.self, KH_STORE_REQUESTED, &content, &fault),
                   KH_E_FILE_CHANGED);
  assert_int_equal(loads, 10);
  assert_null(content.list);
}

/* a start may wait for a person who types the passphrase; a later wait blocks other sessions */
static void only_the_first_load_waits_without_limit(void **state)
{
  (void)state;
  kh_store_content content = {0};
  open_store("nonsense");
  unlock_was_limited = true;
  assert_int_equal(store.ops->load(store.self, KH_STORE_REQUESTED, &content, NULL), KH_E_SYNTAX);
  assert_false(unlock_was_limited);
  write_keys("1;" KEY_A "\n");
  unlock_was_limited = true;
  for (int i = 0; i < 2; i++) {
    content = load();
    assert_int_equal(unlock_was_limited, i > 0);
    kh_store_content_free(&content);
  }
}

static void a_failed_load_names_the_file(void **state)
{
  (void)state;
  kh_store_content content = {0};
  kh_store_mark mark = {{7}};
  kh_fault fault;
  open_store("1;" KEY_A "\n");
  assert_int_equal(unlink(path), 0);
  assert_int_equal(store.ops->load(store.self, KH_STORE_REQUESTED, &content, &fault),
                   KH_E_FILE_NOT_FOUND);
  assert_string_equal(fault.path.text, path);
  assert_int_equal(store.ops->mark(store.self, &mark, &fault), KH_E_FILE_NOT_FOUND);
  assert_int_equal(mark.words[0], 7);
}

static void what_changed_since_cannot_be_settled(void **state)
{
  (void)state;
  kh_fault fault;
  open_store("1;" KEY_A "\n");
  kh_store_mark mark = mark_now();
  assert_int_equal(kh_store_settle(&store, &mark, &fault), KH_OK);
  write_keys("1;" KEY_B "\n");
  assert_int_equal(kh_store_settle(&store, &mark, &fault), KH_E_FILE_CHANGED);
}

static void new_versions_are_in_the_file(void **state)
{
  (void)state;
  kh_fault fault;
  kh_keytable *known = NULL;
  open_store("1;" KEY_A "\n2;" KEY_B "\n");
  kh_store_content content = load();
  assert_int_equal(kh_keytable_new(content.list, &known), KH_OK);
  kh_store_mark loaded = content.mark;
  kh_store_content_free(&content);
  kh_store_rotation rotation = {.known = known,
                                .loaded = &loaded,
                                .id = 2,
                                .now = 1000000000,
                                .default_cipher = KH_CIPHER_AES_CBC};
  kh_store_rotated rotated = {0};
  assert_int_equal(kh_store_make_versions(&store, &rotation, &content, &rotated, &fault), KH_OK);
  assert_int_equal(rotated.made, 1);
  assert_int_equal(rotated.taken, 0);
  assert_int_equal(kh_keylist_count(content.list), 3);
  kh_store_mark now = mark_now();
  assert_true(kh_store_is_same(&content.mark, &now));
  kh_store_content_free(&content);

  rotation.id = 9;
  rotated.made = 77;
  assert_int_equal(kh_store_make_versions(&store, &rotation, &content, &rotated, &fault),
                   KH_E_KEY_NOT_FOUND);
  assert_null(content.list);
  assert_int_equal(rotated.made, 77);
  kh_keytable_free(&known);
}

static bool is_readable(int descriptor)
{
  struct pollfd fd = {.fd = descriptor, .events = POLLIN};
  return poll(&fd, 1, 1000) > 0;
}

/* The FIFO must not be read for a rotation either: its writer would be ended. */
static void a_fifo_is_loaded_and_not_rotated(void **state)
{
  (void)state;
  struct stat st;
  kh_fault fault;
  kh_keytable *known = NULL;
  open_store("");
  assert_int_equal(unlink(path), 0);
  assert_int_equal(mkfifo(path, 0600), 0);
  test_run("(printf '1;" KEY_A "\n' > '%s') &", path);
  kh_store_content content = load();
  kh_store_mark loaded = content.mark;
  assert_int_equal(kh_keytable_new(content.list, &known), KH_OK);
  kh_store_content_free(&content);
  assert_int_equal(kh_store_settle(&store, &loaded, NULL), KH_OK);
  kh_store_mark now = mark_now();
  assert_memory_equal(&now, &loaded, sizeof now); /* or auto_reload would read it */

  kh_store_rotation rotation = {.known = known,
                                .loaded = &loaded,
                                .id = 1,
                                .now = 1000000000,
                                .default_cipher = KH_CIPHER_AES_CBC};
  kh_store_rotated rotated = {0};
  assert_int_equal(kh_store_make_versions(&store, &rotation, &content, &rotated, &fault),
                   KH_E_FILE_FIFO);
  assert_int_equal(stat(path, &st), 0);
  assert_true(S_ISFIFO(st.st_mode));
  kh_keytable_free(&known);
}

/* A FIFO that a test writes to and reads from, with these bytes in it. */
static int open_fifo(const char *name, const char *bytes)
{
  (void)unlink(name);
  assert_int_equal(mkfifo(name, 0600), 0);
  int fd = open(name, O_RDWR | O_NONBLOCK);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
  return fd;
}

static void expect_unread(int fd, const char *bytes)
{
  char content[256] = "";
  assert_int_equal(read(fd, content, sizeof content), strlen(bytes));
  assert_memory_equal(content, bytes, strlen(bytes));
  close(fd);
}

static void a_comparison_reads_no_fifo(void **state)
{
  (void)state;
  kh_fault fault;
  kh_store_content content = {0};
  char filekey[1100];
  open_store("1;" KEY_A "\n");
  content = load(); /* so that later ones have a limit */
  kh_store_content_free(&content);
  int fd = open_fifo(path, "1;" KEY_A "\n");
  assert_int_equal(store.ops->load(store.self, KH_STORE_COMPARED, &content, &fault),
                   KH_E_STORE_FIFO);
  assert_int_equal(fault.status, KH_E_STORE_FIFO);
  assert_string_equal(fault.path.text, path);
  expect_unread(fd, "1;" KEY_A "\n");
  kh_store_free(&store);

  const char *pass = test_path("pass");
  snprintf(filekey, sizeof filekey, "FILE:%s", pass);
  fd = open_fifo(pass, "secret\n");
  assert_int_equal(unlink(path), 0);
  write_keys("1;" KEY_A "\n");
  kh_keyfile_options options = {.path = path, .filekey = filekey};
  kh_log nothing = {0};
  assert_int_equal(kh_store_file_new(&options, test_engines, &nothing, &store), KH_OK);
  assert_int_equal(store.ops->load(store.self, KH_STORE_COMPARED, &content, &fault),
                   KH_E_STORE_FIFO);
  assert_string_equal(fault.path.text, pass);
  expect_unread(fd, "secret\n");
}

static kh_status save(const char *known, bool replaces, kh_store_saved *ret_saved)
{
  KH_AUTO_KEYLIST list = NULL;
  KH_AUTO_KEYTABLE table = NULL;
  kh_bytes text = {(const uint8_t *)known, strlen(known)};
  kh_store_content content = {0};
  kh_fault fault = {.status = KH_OK};
  assert_int_equal(kh_keyfile_parse_text("k", text, KH_REPEATS_REFUSED, NULL, &list, NULL), KH_OK);
  assert_int_equal(kh_keytable_new(list, &table), KH_OK);
  kh_store_saving saving = {
      .known = table, .replaces = replaces, .now = 1000000000, .default_cipher = KH_CIPHER_AES_CBC};
  kh_status status = kh_store_save(&store, &saving, &content, ret_saved, &fault);
  assert_int_equal(fault.status, status);
  if (status == KH_OK) {
    kh_store_mark now = mark_now();
    assert_true(kh_store_is_same(&content.mark, &now));
  }
  kh_store_content_free(&content);
  return status;
}

static void what_the_file_lacks_is_saved(void **state)
{
  (void)state;
  kh_store_saved saved;
  open_store("# mine\n1;" KEY_A "\n");
  assert_int_equal(save("1;" KEY_A "\n1;3;" KEY_B "\n", false, &saved), KH_OK);
  assert_int_equal(saved.written, 1);
  assert_false(saved.is_new);
  assert_string_equal(saved.kept_as.text, "");
  test_expect_content(path, "# mine\n1;" KEY_A "\n1;3;" KEY_B "\n");
  assert_int_equal(save("1;" KEY_A "\n", false, &saved), KH_OK);
  assert_int_equal(saved.written, 0);
  assert_int_equal(save("1;" KEY_B "\n", false, &saved), KH_E_KEY_CHANGED);
}

static void a_file_that_is_gone_is_written_anew(void **state)
{
  (void)state;
  kh_store_saved saved;
  open_store("1;" KEY_A "\n");
  for (int replaces = 0; replaces < 2; replaces++) {
    assert_int_equal(unlink(path), 0);
    assert_int_equal(save("3;" KEY_B "\n1;" KEY_A "\n", replaces != 0, &saved), KH_OK);
    assert_int_equal(saved.written, 2);
    assert_true(saved.is_new);
    assert_string_equal(saved.kept_as.text, "");
    test_expect_content(path, "1;" KEY_A "\n3;" KEY_B "\n");
  }
}

static void a_new_file_marks_what_was_retired(void **state)
{
  (void)state;
  kh_store_saved saved;
  open_store("1;" KEY_A "\n");
  for (int replaces = 0; replaces < 2; replaces++) {
    if (replaces)
      write_keys("this is not a key file\n");
    else
      assert_int_equal(unlink(path), 0);
    assert_int_equal(save("3;9;retired\n3;" KEY_B "\n1;3;" KEY_A "\n1;1;retired\n2;retired\n",
                          replaces != 0, &saved),
                     KH_OK);
    assert_int_equal(saved.written, 2);
    test_expect_content(path, "1;3;" KEY_A "\n3;" KEY_B "\n1;1;retired\n2;1;retired\n"
                              "3;9;retired\n");
  }
  test_run("rm '%s'.kept-*", path);
}

/* its key may be nowhere else any more */
static void a_retired_key_that_is_in_memory_is_written_again(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST list = NULL;
  KH_AUTO_KEYTABLE before = NULL;
  KH_AUTO_KEYTABLE known = NULL;
  kh_store_content content = {0};
  kh_store_saved saved;
  static const char old[] = "1;" KEY_A "\n1;3;" KEY_B "\n";
  static const char text[] = "1;1;retired\n1;3;" KEY_B "\n";
  open_store(old);
  kh_store_content loaded = load();
  assert_int_equal(kh_keytable_new(loaded.list, &before), KH_OK);
  kh_store_content_free(&loaded);
  assert_int_equal(kh_keyfile_parse_text("k", (kh_bytes){(const uint8_t *)text, strlen(text)},
                                         KH_REPEATS_REFUSED, NULL, &list, NULL),
                   KH_OK);
  assert_int_equal(kh_keytable_new_after(list, before, &known), KH_OK);
  assert_int_equal(unlink(path), 0);
  kh_store_saving saving = {.known = known, .now = 1000000000, .default_cipher = KH_CIPHER_AES_CBC};
  assert_int_equal(kh_store_save(&store, &saving, &content, &saved, NULL), KH_OK);
  kh_store_content_free(&content);
  assert_int_equal(saved.written, 2);
  test_expect_content(path, old);
}

static void only_a_file_that_does_not_open_is_replaced(void **state)
{
  (void)state;
  char kept[1100];
  kh_store_saved saved;
  open_store("1;" KEY_A "\n");
  assert_int_equal(save("1;" KEY_A "\n", true, &saved), KH_E_STORE_OPENS);
  write_keys("this is not a key file\n");
  assert_int_equal(save("1;" KEY_A "\n", false, &saved), KH_E_SYNTAX);
  assert_int_equal(save("1;" KEY_A "\n", true, &saved), KH_OK);
  assert_true(saved.is_new);
  snprintf(kept, sizeof kept, "%s.kept-20010909T014640Z", path);
  test_expect_content(kept, "this is not a key file\n");
  test_expect_content(path, "1;" KEY_A "\n");
  write_keys("what is this\n");
  assert_int_equal(save("1;" KEY_A "\n", true, &saved), KH_OK); /* in the same second */
  test_expect_content(path, "1;" KEY_A "\n");
  test_expect_content(kept, "this is not a key file\n");
  snprintf(kept, sizeof kept, "%s.kept-20010909T014640Z-2", path);
  test_expect_content(kept, "what is this\n");
}

static void a_change_wakes_who_watches(void **state)
{
  (void)state;
  kh_fault fault;
  open_store("1;" KEY_A "\n");
  assert_int_equal(store.ops->watch_descriptor(store.self), -1);
  assert_int_equal(store.ops->watch_begin(store.self, &fault), KH_OK);
  for (int i = 0; i < 2; i++) {
    write_keys("1;" KEY_A "\n");
    assert_true(is_readable(store.ops->watch_descriptor(store.self)));
    store.ops->watch_drain(store.self);
  }
  store.ops->watch_end(store.self);
  assert_int_equal(store.ops->watch_descriptor(store.self), -1);
}

static void a_file_that_cannot_be_watched_is_logged(void **state)
{
  (void)state;
  kh_fault fault;
  open_store("1;" KEY_A "\n");
  no_inotify = true;
  assert_int_equal(store.ops->watch_begin(store.self, &fault), KH_E_FILE_WATCH);
  assert_int_equal(fault.os_error, EMFILE);
  assert_int_equal(store.ops->watch_descriptor(store.self), -1);
  store.ops->watch_drain(store.self);
  store.ops->watch_end(store.self);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(it_has_a_name, close_store),
      cmocka_unit_test_teardown(it_loads_and_marks_what_it_loaded, close_store),
      cmocka_unit_test_teardown(a_text_without_its_last_line_end_is_doubted, close_store),
      cmocka_unit_test_teardown(a_file_that_changes_is_read_again, close_store),
      cmocka_unit_test_teardown(only_the_first_load_waits_without_limit, close_store),
      cmocka_unit_test_teardown(a_failed_load_names_the_file, close_store),
      cmocka_unit_test_teardown(what_changed_since_cannot_be_settled, close_store),
      cmocka_unit_test_teardown(new_versions_are_in_the_file, close_store),
      cmocka_unit_test_teardown(a_fifo_is_loaded_and_not_rotated, close_store),
      cmocka_unit_test_teardown(a_comparison_reads_no_fifo, close_store),
      cmocka_unit_test_teardown(what_the_file_lacks_is_saved, close_store),
      cmocka_unit_test_teardown(a_file_that_is_gone_is_written_anew, close_store),
      cmocka_unit_test_teardown(a_new_file_marks_what_was_retired, close_store),
      cmocka_unit_test_teardown(a_retired_key_that_is_in_memory_is_written_again, close_store),
      cmocka_unit_test_teardown(only_a_file_that_does_not_open_is_replaced, close_store),
      cmocka_unit_test_teardown(a_change_wakes_who_watches, close_store),
      cmocka_unit_test_teardown(a_file_that_cannot_be_watched_is_logged, close_store),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
