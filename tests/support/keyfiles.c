/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyfiles.h"

#include <string.h>

#include "engines.h"
#include "unit.h"

const kh_keyfile_format *const keyfiles_formats[FORMATS] = {
    &kh_keyfile_format_text, &kh_keyfile_format_openssl, &kh_keyfile_format_sealed};

kh_secret *keyfiles_passphrase;

kh_secret *keyfiles_secret(const char *text)
{
  kh_secret *secret = NULL;
  assert_int_equal(kh_secret_new(strlen(text), &secret), KH_OK);
  memcpy(kh_secret_data(secret), text, strlen(text));
  kh_secret_set_len(secret, strlen(text));
  return secret;
}

int keyfiles_prepare(void **state)
{
  keyfiles_passphrase = keyfiles_secret("the passphrase");
  return test_engines_open_openssl(state);
}

int keyfiles_clean(void **state)
{
  kh_secret_free(&keyfiles_passphrase);
  return test_engines_close(state);
}

kh_keyfile_form keyfiles_form(const kh_keyfile_format *format)
{
  bool is_text = format == TEXT_FILE;
  kh_keyfile_form form = {.format = format,
                          .passphrase = is_text ? NULL : keyfiles_passphrase,
                          .digest = KH_DIGEST_SHA384,
                          .pbkdf2_iterations = 3,
                          .slot = kh_sealed_slot_default("mine", &kh_sealed_argon2id)};
  kh_sealed_slot_set(&form.slot, "memory", KH_ARGON2_MEMORY_MIN);
  kh_sealed_slot_set(&form.slot, "passes", KH_ARGON2_PASSES_MIN);
  return form;
}

static kh_keyfile_options keyfiles_options(const char *path, const kh_keyfile_format *format)
{
  kh_keyfile_form form = keyfiles_form(format);
  return (kh_keyfile_options){.path = path,
                              .passphrase = form.passphrase,
                              .digest = form.digest,
                              .pbkdf2_iterations = form.pbkdf2_iterations};
}

kh_keyfile *keyfiles_open(const char *path, const kh_keyfile_format *format)
{
  kh_keyfile *file = NULL;
  kh_fault fault = {.status = KH_OK};
  kh_keyfile_options options = keyfiles_options(path, format);
  kh_status status = kh_keyfile_open(&options, test_engines, NULL, &file, &fault);
  if (status != KH_OK)
    print_message("%s\n", status_name(status));
  assert_int_equal(status, KH_OK);
  assert_ptr_equal(kh_keyfile_format_of(file), format);
  return file;
}

kh_status keyfiles_convert(const char *path, const kh_keyfile_format *from,
                           const kh_keyfile_format *format, const char *to)
{
  kh_fault fault = {.status = KH_OK};
  KH_AUTO_KEYFILE file = keyfiles_open(path, from);
  kh_keyfile_form form = keyfiles_form(format);
  kh_status status = to != NULL ? kh_keyfile_save_as(file, &form, to, &fault)
                                : kh_keyfile_set_form(file, &form, &fault);
  if (status == KH_OK && to == NULL)
    status = kh_keyfile_save(file, &fault);
  assert_int_equal(fault.status, status);
  assert_ptr_equal(kh_keyfile_format_of(file), status == KH_OK && to == NULL ? format : from);
  return status;
}

kh_sealed_slots keyfiles_slots(const char *path)
{
  kh_secret *file = NULL;
  kh_sealed_slots slots;
  assert_int_equal(kh_file_read(path, 1 << 20, KH_FILE_REGULAR, &file, NULL, NULL), KH_OK);
  assert_int_equal(kh_sealed_list(path, kh_secret_bytes(file), &slots, NULL), KH_OK);
  kh_secret_free(&file);
  return slots;
}

/* field by field: the bytes between them have no value */
void keyfiles_expect_policy(const kh_policy *a, const kh_policy *b)
{
  assert_int_equal(a->created, b->created);
  assert_int_equal(a->rotate, b->rotate);
  assert_int_equal(a->bits, b->bits);
  assert_int_equal(a->cipher, b->cipher);
}
