/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sealed key file. The first byte of the input says what the rest is: a file as it is, a file
 * without its last line, which is computed here, or a text, which is sealed, and changes of some
 * bytes of that file. The second byte chooses what is done with the file, and which library call
 * fails. Keys are derived by a few instructions instead of what the slots say.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "fail.h"
#include "keyhold/argon2.h"
#include "keyhold/cursor.h"
#include "keyhold/hex.h"
#include "keyhold/sealed.h"
#include "keyhold/sha256.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { END_LINE = 69, SIZE_MAX_OF_INPUT = 1 << 14 };

WRAPS(kh_argon2id);
WRAPS(kh_kdf_pbkdf2);
WRAP_SODIUM_MALLOC(call_fails)

/* another key for another passphrase or salt */
static kh_status derive(kh_bytes passphrase, kh_bytes salt, kh_secret *ret_derived)
{
  if (call_fails("derive"))
    return KH_E_NO_MEMORY;
  uint8_t *key = kh_secret_data(ret_derived);
  size_t len = kh_secret_capacity(ret_derived);
  for (size_t i = 0; i < len; i++)
    key[i] = (uint8_t)(salt.data[i % salt.len] + (passphrase.len > 0 ? passphrase.data[0] : 0));
  kh_secret_set_len(ret_derived, len);
  return KH_OK;
}

kh_status __wrap_kh_argon2id(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                             kh_secret *ret_derived)
{
  MUST(cost->memory >= KH_ARGON2_MEMORY_MIN && cost->memory <= KH_ARGON2_MEMORY_MAX);
  MUST(cost->passes >= KH_ARGON2_PASSES_MIN && cost->passes <= KH_ARGON2_PASSES_MAX);
  return derive(passphrase, (kh_bytes){salt, KH_ARGON2_SALT_SIZE}, ret_derived);
}

kh_status __wrap_kh_kdf_pbkdf2(kh_bytes passphrase, kh_bytes salt, kh_digest digest,
                               uint32_t iterations, kh_secret *ret_derived)
{
  MUST(digest == KH_DIGEST_SHA512 && iterations >= KH_PBKDF2_ITERATIONS_MIN);
  MUST(iterations <= KH_PBKDF2_ITERATIONS_MAX);
  return derive(passphrase, salt, ret_derived);
}

static const kh_bytes passphrase = {(const uint8_t *)"p", 1};

static kh_sealed_entry entry(const char *label, const kh_sealed_kind *kind)
{
  return (kh_sealed_entry){kh_sealed_slot_default(label, kind), passphrase};
}

static kh_secret *make(kh_bytes text)
{
  kh_sealed_entry entries[] = {entry("one", &kh_sealed_argon2id),
                               entry("two", &kh_sealed_pbkdf2_hmac_sha512)};
  static const kh_bytes other = {(const uint8_t *)"q", 1};
  kh_secret *file = NULL;
  KH_AUTO_SEALED sealed = NULL;
  entries[1].passphrase = other;
  MUST(kh_sealed_new("f", entries, 2, &sealed, NULL) == KH_OK);
  MUST(kh_sealed_write(sealed, text, &file, NULL) == KH_OK);
  return file;
}

/* Gives a file the right last line. */
static kh_secret *mend(kh_bytes head)
{
  kh_secret *file = NULL;
  uint8_t digest[KH_SHA256_SIZE];
  MUST(kh_secret_new(head.len + END_LINE, &file) == KH_OK);
  uint8_t *data = kh_secret_data(file);
  if (head.len > 0)
    memcpy(data, head.data, head.len);
  kh_sha256(head, digest);
  memcpy(data + head.len, "end ", 4);
  kh_hex_encode((kh_bytes){digest, sizeof digest}, data + head.len + 4);
  data[head.len + END_LINE - 1] = '\n';
  kh_secret_set_len(file, head.len + END_LINE);
  return file;
}

/* Asserts that success gives an output and no fault, and failure a fault with a sentence. */
static void check(kh_status status, const kh_secret *out, const kh_fault *fault)
{
  char sentence[KH_MESSAGE_MAX];
  MUST((status == KH_OK) == (out != NULL));
  MUST(fault->status == status);
  kh_fault_describe(fault, sentence, sizeof sentence);
  MUST(sentence[0] != '\0');
}

static bool opens(kh_bytes file, kh_bytes expected)
{
  KH_AUTO_SECRET text = NULL;
  KH_AUTO_SEALED sealed = NULL;
  kh_fault fault = {0};
  check(kh_sealed_open("f", file, passphrase, &sealed, &text, &fault), text, &fault);
  MUST((sealed != NULL) == (text != NULL));
  kh_bytes found = kh_secret_bytes(text);
  if (text != NULL && expected.data != NULL)
    MUST(found.len == expected.len && memcmp(found.data, expected.data, found.len) == 0);
  return text != NULL;
}

/* What is listed could be made again. */
static void list(kh_bytes file)
{
  kh_sealed_slots slots;
  kh_fault fault = {0};
  if (kh_sealed_list("f", file, &slots, &fault) != KH_OK)
    return;
  MUST(kh_sealed_knows(file) && slots.count >= 1 && slots.count <= KH_SEALED_SLOTS_MAX);
  for (size_t i = 0; i < slots.count; i++)
    MUST(kh_sealed_slot_validate(&slots.at[i], NULL) == KH_OK);
}

/* Makes one change of slots, or none. */
static kh_status change(kh_sealed *sealed, uint8_t what, kh_fault *ret_fault)
{
  kh_sealed_entry added = entry("new", &kh_sealed_pbkdf2_hmac_sha512);
  kh_sealed_entry changed = entry("one", &kh_sealed_argon2id);
  kh_sealed_entry removed = entry("two", &kh_sealed_argon2id);
  switch (what % 4) {
  case 0:
    return KH_OK;
  case 1:
    return kh_sealed_change_slot(sealed, KH_SLOT_ADD, &added, ret_fault);
  case 2:
    return kh_sealed_change_slot(sealed, KH_SLOT_CHANGE, &changed, ret_fault);
  default:
    return kh_sealed_change_slot(sealed, KH_SLOT_REMOVE, &removed, ret_fault);
  }
}

/* What was written is read back, and followed by another process. */
static void read_back(const kh_sealed *sealed, kh_sealed *other, const kh_secret *file)
{
  KH_AUTO_SECRET back = NULL;
  KH_AUTO_SECRET followed = NULL;
  MUST(kh_sealed_read_back(sealed, kh_secret_bytes(file), &back, NULL) == KH_OK);
  kh_status status = kh_sealed_follow(other, kh_secret_bytes(file), &followed, NULL);
  MUST(status == KH_OK || status == KH_E_WRONG_PASSPHRASE || status == KH_E_SEALED_CHANGED);
  if (status == KH_OK)
    MUST(kh_sealed_is_same(sealed, other));
}

/* Asserts that whatever a change makes of a file opens too. */
static kh_secret *work(kh_bytes file, uint8_t what, kh_fault *ret_fault)
{
  static const kh_bytes other = {(const uint8_t *)"text", 4};
  KH_AUTO_SECRET text = NULL;
  KH_AUTO_SEALED sealed = NULL;
  KH_AUTO_SEALED before = NULL;
  kh_secret *made = NULL;
  kh_status status = kh_sealed_open("f", file, passphrase, &sealed, &text, ret_fault);
  if (status == KH_OK && kh_sealed_clone(sealed, &before) != KH_OK)
    return NULL;
  if (status == KH_OK)
    status = change(sealed, what, ret_fault);
  if (status == KH_OK)
    status =
        kh_sealed_write(sealed, what % 4 == 0 ? other : kh_secret_bytes(text), &made, ret_fault);
  calls_to_failure = -1;
  check(status, made, ret_fault);
  if (made != NULL)
    read_back(sealed, before, made);
  return made;
}

static void open_and_change(kh_bytes file, uint8_t what)
{
  kh_fault fault = {0};
  list(file);
  calls_to_failure = what < 128 ? what / 4 : -1;
  (void)opens(file, (kh_bytes){NULL, 0});
  calls_to_failure = what < 128 ? what / 4 : -1;
  KH_AUTO_SECRET made = work(file, what, &fault);
  calls_to_failure = -1;
  if (made != NULL)
    MUST(opens(kh_secret_bytes(made), (kh_bytes){NULL, 0}));
}

/* A file of the text, which opens; and that file with one byte changed and the right last line,
 * which must not open. */
static void make_and_spoil(kh_bytes text, uint8_t what)
{
  kh_secret *file = make(text);
  kh_bytes bytes = kh_secret_bytes(file);
  MUST(opens(bytes, text));
  open_and_change(bytes, what);
  if (text.len >= 3 && text.data[2] != 0) {
    size_t at = (text.data[0] * 256u + text.data[1]) % (bytes.len - END_LINE);
    kh_secret_data(file)[at] ^= text.data[2];
    KH_AUTO_SECRET spoilt = mend((kh_bytes){bytes.data, bytes.len - END_LINE});
    MUST(!opens(kh_secret_bytes(spoilt), (kh_bytes){NULL, 0}));
  }
  kh_secret_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 2 || size > SIZE_MAX_OF_INPUT)
    return -1;
  kh_bytes rest = {data + 2, size - 2};
  if (data[0] % 3 == 0)
    open_and_change(rest, data[1]);
  else if (data[0] % 3 == 1) {
    KH_AUTO_SECRET file = mend(rest);
    open_and_change(kh_secret_bytes(file), data[1]);
  } else
    make_and_spoil(rest, data[1]);
  return 0;
}
