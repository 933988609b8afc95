/* SPDX-License-Identifier: GPL-2.0-only */
/* A key file that is written anew, from the keys in use. */
#include "keyfile_parts.h"
#include "keyhold/unlock.h"

static void list_versions(const kh_keytable *table, kh_keylist *list)
{
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    *kh_keylist_next(list) = *kh_keytable_at(table, i);
    kh_keylist_commit(list);
  }
}

/* Without the marker of a retired version its number would be given to another key. A key that is
 * still in memory is listed instead: this may be its last copy. */
static kh_status list_retired(const kh_keytable *table, kh_keylist *list)
{
  kh_status status = KH_OK;
  for (size_t i = 0; i < kh_keytable_retired_count(table) && status == KH_OK; i++) {
    const kh_retired *retired = kh_keytable_retired_at(table, i);
    if (kh_keytable_find(table, retired->id, retired->version) == NULL)
      status = kh_keylist_retire(list, retired);
  }
  return status;
}

static kh_status list_keys(const kh_keytable *table, kh_keylist **ret_list)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_status status = kh_keylist_new(kh_keytable_version_count(table), &list);
  if (status != KH_OK)
    return status;
  list_versions(table, list);
  status = list_retired(table, list);
  if (status != KH_OK)
    return status;
  *ret_list = list;
  list = NULL;
  return KH_OK;
}

static void log_returned(const char *path, const kh_keytable *table, const kh_keylist *list,
                         const kh_log *log)
{
  size_t count = kh_keytable_retired_count(table) - kh_keylist_retired_count(list);
  if (count > 0)
    kh_log_write(log, KH_LOG_WARNING,
                 "'%s' has %zu retired key version%s again, which the server still had in memory; "
                 "remove them again: keyhold retire",
                 kh_file_show_absolute(path).text, count, count == 1 ? "" : "s");
}

static kh_status get_form(const kh_keyfile_options *options, const kh_log *log,
                          kh_secret **ret_passphrase, kh_keyfile_form *ret_form,
                          kh_fault *ret_fault)
{
  kh_unlock_how how = {.permissions = options->permissions,
                       .bounded_wait = options->bounded_wait,
                       .may_be_literal = true};
  kh_status status = kh_unlock(options->filekey, &how, log, ret_passphrase, ret_fault);
  if (status != KH_OK)
    return status;
  *ret_form = (kh_keyfile_form){
      .format = *ret_passphrase == NULL ? &kh_keyfile_format_text : &kh_keyfile_format_sealed,
      .passphrase = *ret_passphrase,
      .slot = kh_sealed_slot_default(KH_SEALED_LABEL_DEFAULT, &kh_sealed_argon2id)};
  return KH_OK;
}

/* The copy is on the disk before the file is replaced. */
static kh_status keep_and_replace(const char *path, const char *kept_as, kh_bytes content,
                                  const kh_log *log, kh_fault *ret_fault)
{
  KH_AUTO_LOCKFILE lock = NULL;
  KH_AUTO_SECRET old = NULL;
  kh_file_info info;
  kh_status status = kh_lockfile_take(path, KH_KEYFILE_LOCK_WAIT, &lock, ret_fault);
  if (status == KH_OK)
    status = kh_file_read(path, KH_KEYFILE_MAX + 1, KH_FILE_REGULAR, &old, &info, ret_fault);
  if (status != KH_OK)
    return status;
  if (info.size > KH_KEYFILE_MAX)
    return kh_keyfile_too_large(path, info.size, ret_fault);
  status = kh_file_create(kept_as, kh_secret_bytes(old), ret_fault);
  kh_file_seen seen = {info.stamp, kh_secret_bytes(old)};
  return status == KH_OK ? kh_keyfile_replace(path, &seen, content, log, NULL, NULL, ret_fault)
                         : status;
}

kh_status kh_keyfile_write_anew(const kh_keyfile_options *options, const kh_crypt *crypt,
                                const kh_log *log, const kh_keytable *keys, const char *kept_as,
                                kh_fault *ret_fault)
{
  KH_AUTO_SECRET passphrase = NULL;
  KH_AUTO_KEYLIST list = NULL;
  KH_AUTO_CONTENT content = {.file = NULL};
  kh_keyfile_form form;
  kh_status status = get_form(options, log, &passphrase, &form, ret_fault);
  if (status != KH_OK)
    return status;
  status = list_keys(keys, &list);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, options->path, 0);
  status = kh_content_make(options->path, &form, crypt, list, &content, ret_fault);
  if (status != KH_OK)
    return status;
  kh_bytes bytes = kh_secret_bytes(content.file);
  status = kept_as == NULL ? kh_file_create(options->path, bytes, ret_fault)
                           : keep_and_replace(options->path, kept_as, bytes, log, ret_fault);
  if (status == KH_OK)
    log_returned(options->path, keys, list, log);
  return status;
}
