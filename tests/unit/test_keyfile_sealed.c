/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: writes files of the largest size */
/* wraps: kh_aead_open kh_aead_seal */
/* The sealed format as a format of key files: loaded and rotated like the others. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "keyhold/aead.h"
#include "keyhold/keyfile_text.h"
#include "memory.h"
#include "recorder.h"
#include "rotation.h"
#include "sealed.h"
#include "unit.h"
#include "wrap.h"

#define A16 "770A8A65DA156D24EE2A093277530142"
#define A32 "966050D7777350B6FD5CCB3E5F648DA45C63BEFB6DEDDFA13443F156B7D35C84"
#define TEXT                                                                                       \
  "# comment\r\n1;" A16 "\n2;5;" A32 ";cipher=aes256-ctr;created=2026-11-22;rotate=90d;bits=256\n" \
  "7;" A16 ";rotate=1d # mine"

/* 2026-11-22T00:00:00Z */
#define NOW 1795305600u

static recorder heard;

/* the keys that kh_aead_open() was given, under a mask */
static struct masked seen[4];
static size_t seen_count;

WRAPS(kh_aead_open);
bool __wrap_kh_aead_open(const kh_aead_input *input, kh_bytes sealed, uint8_t *ret_text)
{
  if (seen_count < COUNT(seen)) {
    seen[seen_count].len = KH_AEAD_KEY_SIZE;
    for (size_t i = 0; i < KH_AEAD_KEY_SIZE; i++)
      seen[seen_count].bytes[i] = input->key[i] ^ MEMORY_MASK;
    seen_count++;
  }
  return __real_kh_aead_open(input, sealed, ret_text);
}

/* damages what is written */
static bool spoil;
WRAPS(kh_aead_seal);
void __wrap_kh_aead_seal(const kh_aead_input *input, kh_bytes text, uint8_t *ret_sealed)
{
  __real_kh_aead_seal(input, text, ret_sealed);
  ret_sealed[0] ^= spoil;
}

static const char *write_sealed(const char *text)
{
  kh_secret *file = sealed_file(text);
  kh_bytes bytes = kh_secret_bytes(file);
  const char *path = test_file("sealed.keys", bytes.data, bytes.len, 0600);
  kh_secret_free(&file);
  return path;
}

static kh_status load(const char *path, const char *filekey, kh_keyfile **ret_file)
{
  kh_log log = recorder_log(&heard);
  kh_keyfile_options options = {/* the last two calls must not count */
                                .path = path,
                                .filekey = filekey,
                                .digest = KH_DIGEST_SHA224,
                                .pbkdf2_iterations = 77};
  kh_fault fault = {.status = KH_OK};
  kh_status status = kh_keyfile_open(&options, test_engines, &log, ret_file, &fault);
  assert_int_equal(fault.status, status);
  return status;
}

static void hear_hint(void *user, const kh_fault *fault)
{
  kh_log_write(user, KH_LOG_WARNING, "%s", fault->quote);
}

static void every_fault_of_the_text_is_told(void **state)
{
  (void)state;
  kh_log log = recorder_log(&heard);
  kh_faults faults = {.add = hear_hint, .user = &log};
  kh_keyfile_options options = {.path = write_sealed("\xef\xbb\xbf"
                                                     "1;" A16 "\n2; " A16 "\n"),
                                .filekey = "first",
                                .faults = &faults};
  kh_keyfile *file = NULL;
  kh_fault fault;
  assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &file, &fault), KH_E_SYNTAX);
  assert_int_equal(fault.line, 1);
  assert_int_equal(faults.count, 2);
  assert_true(recorder_has(&heard, "found a byte order mark"));
  assert_true(recorder_has(&heard, "found white space after the semicolon"));
}

static void expect_same_keys(const kh_keylist *list, const char *text)
{
  KH_AUTO_KEYLIST expected = NULL;
  assert_int_equal(
      kh_keyfile_parse_text("x", bytes_of(text), KH_REPEATS_REFUSED, NULL, &expected, NULL), KH_OK);
  assert_int_equal(kh_keylist_count(list), kh_keylist_count(expected));
  for (size_t i = 0; i < kh_keylist_count(list); i++) {
    const kh_key *a = kh_keylist_at(list, i);
    const kh_key *b = kh_keylist_at(expected, i);
    assert_true(kh_key_is_same_version(a, b) && kh_key_is_same_secret(a, b));
    assert_int_equal(a->policy.cipher, b->policy.cipher);
    assert_int_equal(a->policy.created, b->policy.created);
    assert_int_equal(a->policy.rotate, b->policy.rotate);
    assert_int_equal(a->policy.bits, b->policy.bits);
    assert_int_equal(a->line, b->line);
  }
}

static void every_key_and_attribute_is_loaded(void **state)
{
  (void)state;
  static const char *const filekeys[] = {"first", "second"};
  const char *path = write_sealed(TEXT);
  for (size_t i = 0; i < COUNT(filekeys); i++) {
    KH_AUTO_KEYFILE file = NULL;
    assert_int_equal(load(path, filekeys[i], &file), KH_OK);
    assert_ptr_equal(kh_keyfile_format_of(file), &kh_keyfile_format_sealed);
    assert_true(kh_keyfile_ends_line(file));
    assert_int_equal(kh_keyfile_slots(file).count, 2);
    assert_int_equal(heard.count[KH_LOG_HINT], 0);
    expect_same_keys(kh_keyfile_keys(file), TEXT);
  }
}

static void a_passphrase_of_a_file(void **state)
{
  (void)state;
  KH_AUTO_KEYFILE file = NULL;
  char filekey[1024];
  const char *path = write_sealed(TEXT);
  snprintf(filekey, sizeof filekey, "FILE:%s", test_text("pass", "second\n", 0600));
  assert_int_equal(load(path, filekey, &file), KH_OK);
}

static void each_failure_has_its_status(void **state)
{
  (void)state;
  kh_keyfile *file = NULL;
  const char *path = write_sealed(TEXT);
  assert_int_equal(load(path, NULL, &file), KH_E_NO_PASSPHRASE);
  assert_int_equal(load(path, "", &file), KH_E_NO_PASSPHRASE);
  assert_int_equal(heard.count[KH_LOG_HINT], 0);
  assert_int_equal(load(path, "wrong", &file), KH_E_WRONG_PASSPHRASE);
  assert_int_equal(heard.count[KH_LOG_HINT], 1);
  assert_true(recorder_has(&heard, "each of its slots"));
  path = test_text("keys", "keyhold-sealed 1\nslot", 0600);
  assert_int_equal(load(path, "first", &file), KH_E_SEALED_DAMAGED);
  assert_int_equal(heard.count[KH_LOG_HINT], 0);
  path = write_sealed("2;" A16 "\n");
  assert_int_equal(load(path, "first", &file), KH_E_NO_SYSTEM_KEY);
  path = write_sealed("1;not hex\n");
  assert_int_equal(load(path, "first", &file), KH_E_KEY_HEX);
  assert_null(file);
}

static void rotate(const char *path, const char *filekey, rotation_run *run)
{
  run->path = path;
  run->filekey = filekey;
  run->known = rotation_table_of(TEXT);
  run->what.now = NOW;
  kh_status status = rotation_run_it(run);
  kh_keytable_free(&run->known);
  assert_int_equal(status, KH_OK);
}

/* the lines of the slots as they are on the disk */
static size_t read_slots(const char *path, char *slots)
{
  char content[8192];
  size_t len = test_read_content(path, content, sizeof content);
  kh_bytes file = {(const uint8_t *)content, len};
  kh_bytes payload = sealed_line(file, 4);
  size_t head = (size_t)(payload.data - file.data);
  memcpy(slots, content, head);
  return head;
}

static void a_rotation_keeps_the_slots(void **state)
{
  (void)state;
  static const char *const filekeys[] = {"first", "second"};
  for (size_t i = 0; i < COUNT(filekeys); i++) {
    rotation_run run = {.path = NULL};
    char before[8192];
    char after[8192];
    const char *path = write_sealed(TEXT);
    size_t len = read_slots(path, before);
    rotate(path, filekeys[i], &run);
    assert_int_equal(run.rotated.made, 3);
    assert_ptr_equal(kh_keyfile_format_of(run.file), &kh_keyfile_format_sealed);
    assert_int_equal(read_slots(path, after), len);
    assert_memory_equal(before, after, len);
    for (size_t k = 0; k < COUNT(filekeys); k++) {
      KH_AUTO_KEYFILE file = NULL;
      assert_int_equal(load(path, filekeys[k], &file), KH_OK);
      assert_int_equal(kh_keylist_count(kh_keyfile_keys(file)), 6);
    }
    rotation_free(&run);
  }
}

static void a_rotation_adds_lines_and_changes_none(void **state)
{
  (void)state;
  rotation_run run = {.path = NULL};
  char expected[2048];
  const char *path = write_sealed(TEXT);
  rotate(path, "second", &run);
  snprintf(expected, sizeof expected,
           "# comment\r\n1;" A16 "\n1;3;%s;created=2026-11-22T00:00:00Z\n"
           "2;5;" A32 ";cipher=aes256-ctr;created=2026-11-22;rotate=90d;bits=256\n"
           "2;7;%s;cipher=aes256-ctr;created=2026-11-22T00:00:00Z;rotate=90d;bits=256\n"
           "7;" A16 ";rotate=1d # mine\n7;3;%s;created=2026-11-22T00:00:00Z;rotate=1d\n",
           rotation_hex(rotation_key(&run, 1, 3)).text, rotation_hex(rotation_key(&run, 2, 7)).text,
           rotation_hex(rotation_key(&run, 7, 3)).text);
  char content[8192];
  size_t len = test_read_content(path, content, sizeof content);
  assert_int_equal(sealed_open((kh_bytes){(const uint8_t *)content, len}, "first", expected, NULL),
                   KH_OK);
  rotation_free(&run);
}

static void a_rotation_that_cannot_open_changes_nothing(void **state)
{
  (void)state;
  char before[8192];
  const char *path = write_sealed(TEXT);
  test_read_content(path, before, sizeof before);
  rotation_run run = {.path = path, .filekey = "wrong", .known = rotation_table_of(TEXT)};
  assert_int_equal(rotation_run_it(&run), KH_E_WRONG_PASSPHRASE);
  spoil = true;
  run.filekey = "first";
  assert_int_equal(rotation_run_it(&run), KH_E_SEALED_CHANGED);
  spoil = false;
  kh_keytable_free(&run.known);
  test_expect_content(path, before);
  assert_false(rotation_has_temporary(path));
}

/* A sealed file is a third longer than its text: this one grows by the few lines that are too many.
 */
static void the_size_limit(void **state)
{
  (void)state;
  enum { LINES = KH_KEYFILE_MAX / 65 - 9, TEXT_MAX = 48 * LINES };
  char *text = malloc(TEXT_MAX + 1);
  size_t len = (size_t)snprintf(text, TEXT_MAX, "1;%s\n#", A16);
  memset(text + len, 'x', TEXT_MAX - len);
  text[TEXT_MAX - 1] = '\n';
  text[TEXT_MAX] = '\0';
  rotation_run run = {
      .path = write_sealed(text), .filekey = "first", .known = rotation_table_of("1;" A16)};
  assert_int_equal(rotation_run_it(&run), KH_E_FILE_TOO_LARGE);
  assert_int_equal(run.fault.limit, KH_KEYFILE_MAX);
  assert_in_range(run.fault.size, KH_KEYFILE_MAX + 1, KH_KEYFILE_MAX + 130);
  kh_keytable_free(&run.known);
  free(text);
}

/* A thread whose stack remains readable after its end. */
static _Alignas(4096) uint8_t stack[1 << 20];
static const char *thread_path;
static kh_status thread_status;

static void *load_in_thread(void *unused)
{
  kh_keyfile_options options = {.path = thread_path, .filekey = "second"};
  kh_keyfile *file = NULL;
  thread_status = kh_keyfile_open(&options, test_engines, NULL, &file, NULL);
  kh_keyfile_free(&file);
  return unused;
}

static void load_on_stack(void)
{
  pthread_attr_t attributes;
  pthread_t thread;
  assert_int_equal(pthread_attr_init(&attributes), 0);
  assert_int_equal(pthread_attr_setstack(&attributes, stack, sizeof stack), 0);
  assert_int_equal(pthread_create(&thread, &attributes, load_in_thread, NULL), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  pthread_attr_destroy(&attributes);
}

/* neither of a slot nor of the file, nor on the stack */
static void no_key_stays_in_memory(void **state)
{
  (void)state;
  thread_path = write_sealed(TEXT);
  seen_count = 0;
  load_on_stack();
  assert_int_equal(thread_status, KH_OK);
  assert_int_equal(seen_count, 3); /* two slots and the payload */
  for (size_t i = 0; i < seen_count; i++) {
    assert_int_equal(memory_count(&seen[i], MEMORY_DUMPED), 0);
    assert_int_equal(memory_count(&seen[i], MEMORY_NOT_DUMPED), 0);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_key_and_attribute_is_loaded),
      cmocka_unit_test(every_fault_of_the_text_is_told),
      cmocka_unit_test(a_passphrase_of_a_file),
      cmocka_unit_test(each_failure_has_its_status),
      cmocka_unit_test(a_rotation_keeps_the_slots),
      cmocka_unit_test(a_rotation_adds_lines_and_changes_none),
      cmocka_unit_test(a_rotation_that_cannot_open_changes_nothing),
      cmocka_unit_test(no_key_stays_in_memory),
      cmocka_unit_test(the_size_limit),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
