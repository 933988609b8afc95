/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Searches this process's own memory for keys and passphrases: while the plugin runs they may be
 * only in memory that core dumps leave out; after its end they must not be in memory.
 *
 * This program keeps the secrets that it searches for only under a mask, so that it does not find
 * its own copies.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "keyhold/secret.h"
#include "memory.h"
#include "plugin.h"
#include "secret_files.h"
#include "unit.h"

static test_plugin loaded;
static struct masked key_digits, key_bytes, passphrase;

static void assert_hidden(const struct masked *secret)
{
  assert_int_equal(memory_count(secret, MEMORY_DUMPED), 0);
}

static void assert_gone(const struct masked *secret)
{
  assert_hidden(secret);
  assert_int_equal(memory_count(secret, MEMORY_NOT_DUMPED), 0);
}

static void the_search_finds_what_is_there(void **state)
{
  (void)state;
  char *copy = malloc(MEMORY_SECRET_MAX);
  assert_non_null(copy);
  assert_hidden(&key_digits);
  for (size_t i = 0; i < key_digits.len; i++)
    ((volatile char *)copy)[i] = (char)(key_digits.bytes[i] ^ MEMORY_MASK);
  assert_in_range(memory_count(&key_digits, MEMORY_DUMPED), 1, 2);
  kh_wipe(copy, MEMORY_SECRET_MAX);
  assert_hidden(&key_digits);
  free(copy);
}

/* Calls get_key deep in the stack, where the search does not overwrite the traces of the call. */
__attribute__((noinline)) static unsigned get_key_into(kh_secret *key)
{
  volatile unsigned char depth[1 << 15] = {0};
  unsigned length = 32;
  unsigned result = loaded.methods->get_key(1, 1, kh_secret_data(key), &length);
  return result + depth[length];
}

/* The server's buffer has the key after it; nothing else that get_key used is in memory. */
static void get_key_leaves_no_copy(void)
{
  kh_secret *key = NULL;
  assert_int_equal(kh_secret_new(32, &key), KH_OK);
  assert_int_equal(get_key_into(key), 0);
  assert_hidden(&key_bytes);
  kh_secret_free(&key);
}

/* Calls the SQL function deep in the stack, as get_key_into() does. */
__attribute__((noinline)) static my_bool make_inventory(void)
{
  volatile unsigned char depth[1 << 15] = {0};
  my_bool (*init)(UDF_INIT *, UDF_ARGS *, char *);
  char *(*call)(UDF_INIT *, UDF_ARGS *, char *, unsigned long *, char *, char *);
  void (*deinit)(UDF_INIT *);
  char message[MYSQL_ERRMSG_SIZE], is_null = 0, error = 0;
  unsigned long len = 0;
  UDF_INIT statement = {0};
  UDF_ARGS none = {0};
  *(void **)&init = dlsym(loaded.so, "file_key_management_keys_init");
  *(void **)&call = dlsym(loaded.so, "file_key_management_keys");
  *(void **)&deinit = dlsym(loaded.so, "file_key_management_keys_deinit");
  if (init(&statement, &none, message) != 0 ||
      call(&statement, &none, message, &len, &is_null, &error) == NULL)
    return 1;
  deinit(&statement);
  return (my_bool)(error || depth[len % sizeof depth]);
}

static struct masked exclusive_or(const struct masked *secret, unsigned char pad)
{
  struct masked masked = *secret;
  for (size_t i = 0; i < masked.len; i++)
    masked.bytes[i] ^= pad;
  return masked;
}

/* HMAC works with the key as it is and with both of its pads (RFC 2104). */
static void the_inventory_leaves_no_copy(void)
{
  struct masked inner = exclusive_or(&key_bytes, 0x36);
  struct masked outer = exclusive_or(&key_bytes, 0x5c);
  assert_int_equal(make_inventory(), 0);
  assert_hidden(&key_bytes);
  assert_gone(&inner);
  assert_gone(&outer);
}

static void assert_all_hidden(const struct secrets *secrets)
{
  assert_hidden(&secrets->digits);
  assert_hidden(&secrets->bytes);
  assert_hidden(&secrets->passphrase);
  if (secrets->file_key.len == 0)
    return;
  assert_hidden(&secrets->slot_key);
  assert_hidden(&secrets->file_key);
}

/* A running plugin has each key in memory once, and no longer what it read the keys with. */
static void assert_only_the_key(const struct secrets *secrets)
{
  assert_all_hidden(secrets);
  assert_int_equal(memory_count(&secrets->bytes, MEMORY_NOT_DUMPED), 1);
  assert_gone(&secrets->digits);
  assert_gone(&secrets->passphrase);
  if (secrets->file_key.len == 0)
    return;
  assert_gone(&secrets->slot_key);
  assert_gone(&secrets->file_key);
}

static void run_and_search(enum secret_form form, const char *filekey)
{
  plugin_run_file(&loaded, secret_file(form), filekey, 0);
  get_key_leaves_no_copy();
  the_inventory_leaves_no_copy();
  assert_only_the_key(secrets_of(form));
  plugin_close(&loaded, true);
  assert_gone(&key_bytes);
}

static void every_form_of_key_file(void **state)
{
  (void)state;
  for (enum secret_form form = 0; form < SECRET_FORMS; form++)
    run_and_search(form, secret_filekey(form));
}

/* Reads and writes the file again, with the passphrase and all that is derived from it. */
static void a_rotation_and_a_reload(void **state)
{
  (void)state;
  for (enum secret_form form = 0; form < SECRET_FORMS; form++) {
    plugin_run_file(&loaded, secret_file(form), secret_filekey(form), 0);
    assert_true(plugin_set_checked(&loaded, "rotate_key", NULL, 1, false));
    assert_true(plugin_set_checked(&loaded, "reload", NULL, 1, false));
    struct masked digits = secret_rotated_digits(form);
    struct masked bytes = memory_unhex(&digits);
    assert_only_the_key(secrets_of(form));
    assert_gone(&digits);
    assert_hidden(&bytes);
    assert_int_equal(memory_count(&bytes, MEMORY_NOT_DUMPED), 1);
    plugin_close(&loaded, true);
    assert_gone(&bytes);
  }
}

static void a_passphrase_from_a_credential(void **state)
{
  (void)state;
  char folder[1024];
  snprintf(folder, sizeof folder, "%s", test_path("pass"));
  *strrchr(folder, '/') = '\0';
  setenv("CREDENTIALS_DIRECTORY", folder, 1);
  run_and_search(SECRET_ARGON2, "CREDENTIAL:pass");
}

static void a_passphrase_from_a_program(void **state)
{
  (void)state;
  char filekey[1024];
  snprintf(filekey, sizeof filekey, "EXEC:/bin/cat %s", test_path("pass"));
  run_and_search(SECRET_ARGON2, filekey);
}

/* another process listens, since the passphrase is in its memory */
static void serve_passphrase(int listening)
{
  char content[64];
  int fd = open(test_path("pass"), O_RDONLY | O_CLOEXEC);
  int connection = accept(listening, NULL, NULL);
  ssize_t len = read(fd, content, sizeof content);
  _exit(len > 0 && write(connection, content, (size_t)len) == len ? 0 : 1);
}

static void a_passphrase_from_a_socket(void **state)
{
  (void)state;
  char filekey[1024];
  int how = -1;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", test_path("socket"));
  assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(listening, 1), 0);
  pid_t other = fork();
  if (other == 0)
    serve_passphrase(listening);
  snprintf(filekey, sizeof filekey, "SOCKET:%s", address.sun_path);
  run_and_search(SECRET_ARGON2, filekey);
  assert_int_equal(waitpid(other, &how, 0), other);
  assert_int_equal(how, 0);
  close(listening);
}

/* the passphrase is in the environment and stays there; the plugin makes no further copy */
static void a_passphrase_from_a_variable(void **state)
{
  (void)state;
  char *setting = calloc(1, 16 + MEMORY_SECRET_MAX);
  size_t name_len = (size_t)snprintf(setting, 16, "KEYHOLD_PW=");
  for (size_t i = 0; i < passphrase.len; i++)
    setting[name_len + i] = (char)(passphrase.bytes[i] ^ MEMORY_MASK);
  putenv(setting); /* makes no copy */
  plugin_run_file(&loaded, secret_file(SECRET_ARGON2), "ENV:KEYHOLD_PW", 0);
  assert_int_equal(memory_count(&passphrase, MEMORY_DUMPED), 1);
  assert_int_equal(memory_count(&passphrase, MEMORY_NOT_DUMPED), 0);
  plugin_close(&loaded, true);
  unsetenv("KEYHOLD_PW");
  kh_wipe(setting, 16 + MEMORY_SECRET_MAX);
  free(setting);
  assert_gone(&passphrase);
}

static void a_program_that_fails_leaves_no_secret(void **state)
{
  (void)state;
  static const char *const ends[] = {"exit 3", "kill -KILL $$", "cat /dev/zero",
                                     "echo >&2; exit 1"};
  char filekey[1024], script[1024];
  plugin_open(&loaded, "file");
  plugin_set_string(&loaded, "filename", secret_file(SECRET_ARGON2));
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    snprintf(script, sizeof script, "#!/bin/sh\ncat '%s'\n%s\n", test_path("pass"), ends[i]);
    snprintf(filekey, sizeof filekey, "EXEC:%s", test_text("script", script, 0700));
    plugin_set_string(&loaded, "filekey", filekey);
    assert_false(plugin_start(&loaded));
    assert_true(plugin_must_say(i == 2 ? "too long" : "script' "));
    assert_gone(&passphrase);
  }
  plugin_close(&loaded, false);
}

static void failures_leave_no_secret(void **state)
{
  (void)state;
  char filekey[1024];
  snprintf(filekey, sizeof filekey, "FILE:%s", test_path("pass"));
  plugin_open(&loaded, "file");
  plugin_set_string(&loaded, "filename", test_path("bad"));
  assert_false(plugin_start(&loaded));
  assert_true(plugin_must_say("Syntax error"));
  assert_gone(&key_digits);
  assert_gone(&key_bytes);
  plugin_set_string(&loaded, "filename", secret_file(SECRET_TEXT));
  plugin_set_string(&loaded, "filekey", filekey);
  assert_false(plugin_start(&loaded));
  assert_true(plugin_must_say("Not encrypted"));
  assert_gone(&key_digits);
  assert_gone(&passphrase);
  plugin_close(&loaded, false);
}

static void assert_fails(const char *filename, const char *filekey, const char *message)
{
  plugin_quiet();
  plugin_set_string(&loaded, "filename", filename);
  plugin_set_string(&loaded, "filekey", filekey);
  assert_false(plugin_start(&loaded));
  assert_true(plugin_must_say(message));
}

/* the slot opens, and the payload does not */
static const char *change_payload(enum secret_form form)
{
  const char *changed = test_path("changed");
  test_run("sed '/^end /d; /^payload /{n; s/^A/B/; t; s/^./A/}' '%s' > '%s'", secret_file(form),
           changed);
  test_run("umask 077; { cat '%s'; printf 'end '; sha256sum < '%s' | cut -c1-64; } > '%s.whole'",
           changed, changed, changed);
  return test_path("changed.whole");
}

static void sealed_files_that_do_not_open_leave_no_secret(void **state)
{
  (void)state;
  char wrong[1024], right[1024];
  plugin_open(&loaded, "file");
  for (enum secret_form form = SECRET_ARGON2; form <= SECRET_PBKDF2; form++) {
    const struct secrets *secrets = secrets_of(form);
    snprintf(right, sizeof right, "FILE:%s", test_path("pass"));
    snprintf(wrong, sizeof wrong, "FILE:%s", test_path("wrong"));
    struct masked other = memory_mask_file(test_path("wrong"), 0, secrets->passphrase.len);
    assert_fails(secret_file(form), wrong, "Wrong key?");
    assert_gone(&other);
    assert_fails(change_payload(form), right, "changed without the key");
    assert_gone(&secrets->passphrase);
    assert_gone(&secrets->slot_key);
    assert_gone(&secrets->file_key);
  }
  plugin_close(&loaded, false);
}

/* Crypts a message of every form, in both directions, with a key that is on this stack only for
 * that time.
 */
static void use_key(int other)
{
  unsigned char key[32], iv[16] = {0}, in[48] = "in", out[64], back[64];
  unsigned made = 0, again = 0;
  for (size_t i = 0; i < sizeof key; i++)
    key[i] = (unsigned char)(other ? i : key_bytes.bytes[i] ^ MEMORY_MASK);
  for (int flags = 0; flags <= ENCRYPTION_FLAG_NOPAD; flags += ENCRYPTION_FLAG_NOPAD) {
    assert_int_equal(
        plugin_crypt(&loaded, in, 41, out, &made, key, 32, iv, flags | ENCRYPTION_FLAG_ENCRYPT), 0);
    assert_int_equal(plugin_crypt(&loaded, out, made, back, &again, key, 32, iv, flags), 0);
    assert_memory_equal(in, back, 41);
  }
  kh_wipe(key, sizeof key);
}

/* a thread caches key schedules, which begin with the key, for some time */
static void a_key_that_is_no_longer_used_is_wiped(void **state)
{
  (void)state;
  for (unsigned long algorithm = 0; algorithm < 2; algorithm++) {
    plugin_run_file(&loaded, secret_file(SECRET_TEXT), "", algorithm);
    use_key(0);
    assert_int_not_equal(memory_count(&key_bytes, MEMORY_DUMPED),
                         0); /* the key is in the cache now, so the next line can fail */
    for (unsigned i = 0; i < 1024 + 256; i++)
      use_key(1);
    assert_hidden(&key_bytes);
    use_key(0);
    plugin_close(&loaded, true);
    assert_gone(&key_bytes);
  }
}

static int make_files(void **state)
{
  (void)state;
  secret_files_make();
  test_run("umask 077; { cat '%s'; echo bad; } > '%s'", secret_file(SECRET_TEXT), test_path("bad"));
  test_run("umask 077; openssl rand -hex 24 > '%s'", test_path("wrong"));
  const struct secrets *secrets = secrets_of(SECRET_TEXT);
  key_digits = secrets->digits;
  key_bytes = secrets->bytes;
  passphrase = secrets->passphrase;
  return 0;
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_search_finds_what_is_there),
      cmocka_unit_test(every_form_of_key_file),
      cmocka_unit_test(a_passphrase_from_a_credential),
      cmocka_unit_test(a_passphrase_from_a_program),
      cmocka_unit_test(a_passphrase_from_a_socket),
      cmocka_unit_test(a_passphrase_from_a_variable),
      cmocka_unit_test(a_program_that_fails_leaves_no_secret),
      cmocka_unit_test(a_key_that_is_no_longer_used_is_wiped),
      cmocka_unit_test(failures_leave_no_secret),
      cmocka_unit_test(sealed_files_that_do_not_open_leave_no_secret),
      cmocka_unit_test(a_rotation_and_a_reload),
  };
  return cmocka_run_group_tests(tests, make_files, NULL);
}
