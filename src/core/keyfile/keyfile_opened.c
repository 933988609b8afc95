/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/unlock.h"
#include "opened.h"
#include "text.h"

static kh_status fail(const kh_opened *opened, kh_status status)
{
  return kh_fault_set(opened->ret_fault, status, opened->options->path, 0);
}

kh_status kh_opened_too_large(const kh_opened *opened, uint64_t size)
{
  fail(opened, KH_E_FILE_TOO_LARGE);
  if (opened->ret_fault != NULL) {
    opened->ret_fault->size = size;
    opened->ret_fault->limit = KH_KEYFILE_MAX;
  }
  return KH_E_FILE_TOO_LARGE;
}

kh_status kh_opened_read(kh_opened *opened)
{
  const char *path = opened->options->path;
  kh_file_info info;
  kh_status status = kh_file_read(path, KH_KEYFILE_MAX + 1, KH_FILE_REGULAR, &opened->file, &info,
                                  opened->ret_fault);
  if (status == KH_OK)
    status =
        kh_file_check_permissions(path, &info, opened->options->permissions, opened->ret_fault);
  if (status != KH_OK)
    return status;
  if (kh_secret_bytes(opened->file).len > KH_KEYFILE_MAX)
    return kh_opened_too_large(opened, info.size);
  if (opened->options->permissions != KH_PERMISSIONS_SEEN)
    kh_file_warn_of_mode(opened->log, "key", path, info.mode);
  opened->info.stamp = info.stamp;
  opened->format = kh_keyfile_format_of(kh_secret_bytes(opened->file));
  return KH_OK;
}

static kh_status decrypt(kh_opened *opened)
{
  kh_bytes file = kh_secret_bytes(opened->file);
  const kh_keyfile_format *format = opened->format;
  if (format->is_encrypted && opened->passphrase == NULL)
    return fail(opened, KH_E_NO_PASSPHRASE);
  if (!format->is_encrypted && opened->passphrase != NULL)
    return fail(opened, KH_E_NOT_ENCRYPTED);
  return format->open(opened->options, opened->crypt, file, kh_secret_bytes(opened->passphrase),
                      &opened->decrypted, opened->ret_fault);
}

static bool has_only_text(kh_bytes text)
{
  for (size_t i = 0; i < text.len; i++) {
    uint8_t byte = text.data[i];
    if ((byte < ' ' && (byte < '\t' || byte > '\r')) || byte == 0x7f)
      return false;
  }
  return true;
}

/*
 * A wrong passphrase that is not seen gives random bytes, which read as a syntax error or as an
 * empty file. Among random bytes there are control characters, in a key file there are none.
 */
static kh_status parse(kh_opened *opened, kh_repeats repeats)
{
  kh_bytes text = kh_opened_text(opened);
  kh_status status = kh_keyfile_parse_text(opened->options->path, text, repeats, opened->log,
                                           &opened->list, opened->ret_fault);
  if (status == KH_OK || !opened->format->hides_wrong_passphrase || has_only_text(text))
    return status;
  return fail(opened, KH_E_WRONG_PASSPHRASE);
}

static void fill_info(kh_opened *opened)
{
  kh_keyfile_info *info = &opened->info;
  info->format = opened->format->name;
  info->ends_line = opened->format->is_encrypted || kh_text_ends_line(kh_opened_text(opened));
  info->locked = kh_secret_is_locked(opened->passphrase) && kh_secret_is_locked(opened->file) &&
                 kh_secret_is_locked(opened->decrypted) && kh_keylist_is_locked(opened->list);
}

static kh_status get_passphrase(kh_opened *opened)
{
  const kh_keyfile_options *options = opened->options;
  kh_unlock_how how = {.permissions = options->permissions,
                       .bounded_wait = options->waits_shortly,
                       .may_be_literal = true};
  if (options->passphrase == NULL)
    return kh_unlock(options->filekey, &how, opened->log, &opened->passphrase, opened->ret_fault);
  kh_bytes given = kh_secret_bytes(options->passphrase);
  kh_status status = kh_secret_new(given.len, &opened->passphrase);
  if (status != KH_OK)
    return fail(opened, status);
  memcpy(kh_secret_data(opened->passphrase), given.data, given.len);
  kh_secret_set_len(opened->passphrase, given.len);
  return KH_OK;
}

kh_status kh_opened_unlock(kh_opened *opened)
{
  if (opened->has_asked)
    return KH_OK;
  kh_status status = get_passphrase(opened);
  opened->has_asked = status == KH_OK;
  return status;
}

kh_status kh_opened_open(kh_opened *opened, kh_repeats repeats)
{
  const kh_keyfile_options *options = opened->options;
  kh_status status = kh_opened_unlock(opened);
  if (status == KH_OK)
    status = kh_opened_read(opened);
  if (status == KH_OK)
    status = decrypt(opened);
  if (status == KH_OK)
    status = parse(opened, repeats);
  if (status == KH_E_WRONG_PASSPHRASE)
    opened->format->hint_what_was_tried(options, opened->log);
  if (status == KH_OK)
    fill_info(opened);
  return status;
}

kh_bytes kh_opened_text(const kh_opened *opened)
{
  return kh_secret_bytes(opened->decrypted != NULL ? opened->decrypted : opened->file);
}

void kh_opened_cleanup(kh_opened *opened)
{
  kh_secret_free(&opened->passphrase);
  kh_secret_free(&opened->file);
  kh_secret_free(&opened->decrypted);
  kh_keylist_free(&opened->list);
}
