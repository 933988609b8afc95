/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole key file, loaded as the plugin does, or rotated. The first bytes of the input choose
 * digest, iterations, whether the rest is the file itself or the text that is encrypted into one,
 * by which format, what is done, and which call of a library fails.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "fail.h"
#include "keyhold/cursor.h"
#include "keyhold/keyfile_openssl.h"
#include "keyhold/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

WRAP_SODIUM_MALLOC(call_fails)
WRAP_EVP_CIPHER_CTX_NEW(call_fails)
WRAP_EVP_CIPHERINIT_EX2(call_fails)
WRAP_EVP_MD_FETCH(call_fails)
WRAP_READ(call_fails)
WRAP_WRITE(call_fails)
WRAPS(fsync);

int __wrap_fsync(int fd) /* does nothing: for speed */
{
  (void)fd;
  return call_fails("fsync") ? -1 : 0;
}

static char folder[] = "/tmp/keyhold-fuzz-XXXXXX";
static char path[64];

static void remove_folder(void)
{
  static const char *const names[] = {"keys", "keys.lock", ".keys.keyhold-new"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s/%s", folder, names[i]);
    unlink(name);
  }
  rmdir(folder);
}

static void write_file(kh_bytes file)
{
  if (path[0] == '\0') {
    MUST(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/keys", folder);
    atexit(remove_folder);
  }
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  MUST(fd >= 0 && __real_write(fd, file.data, file.len) == (ssize_t)file.len && close(fd) == 0);
}

static kh_keyfile *load(const kh_crypt *crypt, const kh_keyfile_options *options)
{
  kh_keyfile *file = NULL;
  kh_fault fault = {0};
  kh_status status = kh_keyfile_open(options, crypt, NULL, &file, &fault);
  check_outcome(status, file == NULL ? NULL : kh_keyfile_keys(file), &fault);
  return file;
}

/* Rotates and saves, with a call that fails. Returns how many versions were made. */
static size_t rotate_and_save(kh_keyfile *file, const kh_keytable *known, int failing)
{
  kh_fault fault = {0};
  kh_rotated rotated = {0};
  kh_rotation rotation = {.known = known, .now = 1};
  calls_to_failure = failing;
  kh_status status = kh_keyfile_rotate(file, &rotation, &rotated, &fault);
  if (status == KH_OK)
    status = kh_keyfile_save(file, &fault);
  calls_to_failure = -1;
  check_outcome(status, status == KH_OK ? kh_keyfile_keys(file) : NULL, &fault);
  return status == KH_OK ? rotated.made : 0;
}

/* Rotates with a call that fails. Whatever fails, the keys of the file must still be in it. */
static void rotate(const kh_crypt *crypt, const kh_keyfile_options *options, int failing)
{
  KH_AUTO_KEYFILE file = load(crypt, options);
  if (file == NULL)
    return;
  kh_keytable *known = table_of(kh_keyfile_keys(file));
  size_t before = kh_keylist_count(kh_keyfile_keys(file));
  size_t made = rotate_and_save(file, known, failing);
  MUST(kh_keylist_count(kh_keyfile_keys(file)) == before + made);

  KH_AUTO_KEYFILE after = load(crypt, options);
  MUST(after != NULL);
  kh_keytable *now = table_of(kh_keyfile_keys(after));
  MUST(kh_keytable_check_follows(now, known, KH_CIPHER_AES_CBC, NULL) == KH_OK);
  kh_keytable_free(&now);
  kh_keytable_free(&known);
}

static const kh_bytes passphrase = {(const uint8_t *)"p", 1};

/* Seals a text with the lowest costs. */
static kh_secret *seal(kh_bytes text)
{
  kh_secret *file = NULL;
  KH_AUTO_SEALED sealed = NULL;
  kh_sealed_entry entry = {kh_sealed_slot_default("s", &kh_sealed_argon2id), passphrase};
  MUST(kh_sealed_slot_set(&entry.slot, "memory", KH_ARGON2_MEMORY_MIN));
  MUST(kh_sealed_slot_set(&entry.slot, "passes", KH_ARGON2_PASSES_MIN));
  MUST(kh_sealed_new("f", &entry, 1, &sealed, NULL) == KH_OK);
  MUST(kh_sealed_write(sealed, text, &file, NULL) == KH_OK);
  return file;
}

/* Encrypts a text as `openssl enc` would. */
static kh_secret *wrap(const kh_crypt *crypt, const kh_keyfile_options *options, kh_bytes text)
{
  kh_secret *file = NULL;
  KH_AUTO_SECRET back = NULL;
  MUST(kh_keyfile_encrypt_openssl(options, crypt, text, passphrase, &file, NULL) == KH_OK);
  MUST(kh_keyfile_decrypt_openssl(options, crypt, kh_secret_bytes(file), passphrase, &back, NULL) ==
       KH_OK);
  kh_bytes decrypted = kh_secret_bytes(back);
  MUST(decrypted.len == text.len &&
       (text.len == 0 || memcmp(decrypted.data, text.data, text.len) == 0));
  return file;
}

/* The second byte: below 64 the call that fails while loading, below 127 the call that fails while
 * rotating; 127 rotates and all others load without a failure. */
enum { ROTATE = 64, ROTATE_WELL = 127 };

static void load_or_rotate(const kh_crypt *crypt, const kh_keyfile_options *options, uint8_t what)
{
  if (what >= ROTATE && what <= ROTATE_WELL) {
    rotate(crypt, options, what == ROTATE_WELL ? -1 : what - ROTATE);
    return;
  }
  calls_to_failure = what < ROTATE ? what : -1;
  kh_keyfile *file = load(crypt, options);
  calls_to_failure = -1;
  kh_keyfile_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static kh_crypt *crypt;
  if (size < 2 || size > (1 << 16))
    return -1;
  if (crypt == NULL)
    MUST(kh_crypt_new(KH_ENGINE_AUTO, &crypt) == KH_OK);
  kh_keyfile_options options = {
      .path = path,
      .filekey = (data[0] & 1) != 0 ? "p" : NULL,
      .digest = (kh_digest)(data[0] / 8 % KH_DIGEST_MD5),
      .pbkdf2_iterations = (data[0] & 2) != 0 ? 1 : 0,
  };
  KH_AUTO_SECRET wrapped = NULL;
  kh_bytes file = {data + 2, size - 2};
  if ((data[0] & 4) != 0) {
    wrapped = (data[0] & 128) != 0 ? seal(file) : wrap(crypt, &options, file);
    file = kh_secret_bytes(wrapped);
  }
  write_file(file);
  load_or_rotate(crypt, &options, data[1]);
  return 0;
}
