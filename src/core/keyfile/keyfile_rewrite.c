/* SPDX-License-Identifier: GPL-2.0-only */
#include "attributes.h"
#include "keyhold/keyfile_change.h"
#include "keyhold/random.h"
#include "rewrite.h"

kh_status kh_rewrite_fail(const kh_rewrite *rewrite, kh_status status)
{
  return kh_fault_set(rewrite->opened.ret_fault, status, rewrite->opened.options->path, 0);
}

kh_status kh_rewrite_fail_for_key(const kh_rewrite *rewrite, kh_status status, uint32_t id,
                                  uint32_t version)
{
  kh_fault *ret_fault = rewrite->opened.ret_fault;
  kh_rewrite_fail(rewrite, status);
  if (ret_fault != NULL) {
    ret_fault->key_id = id;
    ret_fault->key_version = version;
  }
  return status;
}

static kh_status take_lock(kh_rewrite *rewrite)
{
  const kh_opened *opened = &rewrite->opened;
  return rewrite->is_left ? KH_OK
                          : kh_lockfile_take(opened->options->path, KH_KEYFILE_LOCK_WAIT,
                                             &rewrite->lock, opened->ret_fault);
}

kh_status kh_rewrite_open(kh_rewrite *rewrite, kh_repeats repeats)
{
  kh_status status = kh_random_start();
  if (status != KH_OK)
    return kh_rewrite_fail(rewrite, status);
  status = kh_opened_unlock(&rewrite->opened);
  if (status == KH_OK)
    status = take_lock(rewrite);
  if (status == KH_OK)
    status = kh_opened_open(&rewrite->opened, repeats);
  if (status != KH_OK)
    return status;
  status = kh_keytable_new(rewrite->opened.list, &rewrite->table);
  return status == KH_OK ? KH_OK : kh_rewrite_fail(rewrite, status);
}

kh_rewrite_form kh_rewrite_same_form(const kh_rewrite *rewrite)
{
  const kh_opened *opened = &rewrite->opened;
  return (kh_rewrite_form){.format = opened->format,
                           .options = *opened->options,
                           .passphrase = kh_secret_bytes(opened->passphrase),
                           .old = kh_secret_bytes(opened->file)};
}

static kh_bytes text_of(const kh_rewrite *rewrite)
{
  return rewrite->text != NULL ? kh_secret_bytes(rewrite->text) : kh_opened_text(&rewrite->opened);
}

kh_bytes kh_rewrite_content(const kh_rewrite *rewrite)
{
  return rewrite->file != NULL ? kh_secret_bytes(rewrite->file) : text_of(rewrite);
}

static kh_status make_content(kh_rewrite *rewrite, const kh_rewrite_form *form)
{
  kh_fault *ret_fault = rewrite->opened.ret_fault;
  kh_keyfile_content content = {text_of(rewrite), form->passphrase, form->old, form->slot};
  kh_status status = form->format->make(&form->options, rewrite->opened.crypt, &content,
                                        &rewrite->file, ret_fault);
  if (status != KH_OK || kh_rewrite_content(rewrite).len <= KH_KEYFILE_MAX)
    return status;
  return kh_opened_too_large(&rewrite->opened, kh_rewrite_content(rewrite).len);
}

/* Opens the new content as if it had been read from the file. */
static kh_status read_back(kh_rewrite *rewrite, const kh_rewrite_form *form, kh_repeats repeats)
{
  kh_opened *opened = &rewrite->opened;
  KH_AUTO_SECRET decrypted = NULL;
  kh_bytes content = kh_rewrite_content(rewrite);
  kh_status status = form->format->open(&form->options, opened->crypt, content, form->passphrase,
                                        &decrypted, opened->ret_fault);
  if (status != KH_OK)
    return status;
  opened->info.locked = opened->info.locked && kh_secret_is_locked(decrypted);
  return kh_keyfile_parse_text(form->options.path,
                               decrypted != NULL ? kh_secret_bytes(decrypted) : content, repeats,
                               opened->log, &rewrite->list, opened->ret_fault);
}

kh_status kh_rewrite_make(kh_rewrite *rewrite, const kh_rewrite_form *form, kh_repeats repeats)
{
  kh_status status = make_content(rewrite, form);
  return status == KH_OK ? read_back(rewrite, form, repeats) : status;
}

static kh_status check_key(const kh_rewrite *rewrite, const kh_keytable *table,
                           const kh_key *expected)
{
  const kh_key *key = kh_keytable_find(table, expected->id, expected->version);
  if (key == NULL)
    return kh_rewrite_fail_for_key(rewrite, KH_E_KEY_LOST, expected->id, expected->version);
  if (!kh_key_is_same_secret(key, expected) ||
      !kh_attributes_are_same(&key->policy, &expected->policy))
    return kh_rewrite_fail_for_key(rewrite, KH_E_KEY_CHANGED, expected->id, expected->version);
  return KH_OK;
}

/* nothing but the versions `retired` may become so, and what was stays so */
static bool are_retired(const kh_keytable *table, const kh_keytable *before,
                        const kh_keytable *retired)
{
  size_t more = retired == NULL ? 0 : kh_keytable_version_count(retired);
  for (size_t i = 0; i < more; i++) {
    const kh_key *key = kh_keytable_at(retired, i);
    if (!kh_keytable_is_retired(table, key->id, key->version))
      return false;
  }
  return kh_keytable_retired_count(table) == kh_keytable_retired_count(before) + more;
}

/* counts the keys that must be there */
static kh_status check_kept(const kh_rewrite *rewrite, const kh_keytable *table,
                            const kh_keytable *before, const kh_keytable *retired, size_t *count)
{
  kh_status status = KH_OK;
  for (size_t i = 0; i < kh_keytable_version_count(before) && status == KH_OK; i++) {
    const kh_key *key = kh_keytable_at(before, i);
    if (retired != NULL && kh_keytable_find(retired, key->id, key->version) != NULL)
      continue;
    status = check_key(rewrite, table, key);
    (*count)++;
  }
  return status;
}

kh_status kh_rewrite_check(const kh_rewrite *rewrite, const kh_keytable *before,
                           const kh_keytable *retired, const kh_keylist *added)
{
  kh_keytable *table = NULL;
  kh_status status = kh_keytable_new(rewrite->list, &table);
  if (status != KH_OK)
    return kh_rewrite_fail(rewrite, status);
  size_t count = added == NULL ? 0 : kh_keylist_count(added);
  if (before != NULL)
    status = check_kept(rewrite, table, before, retired, &count);
  for (size_t i = 0; added != NULL && i < kh_keylist_count(added) && status == KH_OK; i++)
    status = check_key(rewrite, table, kh_keylist_at(added, i));
  if (status == KH_OK && before != NULL && !are_retired(table, before, retired))
    status = kh_rewrite_fail(rewrite, KH_E_KEY_CHANGED);
  if (status == KH_OK && kh_keytable_version_count(table) != count)
    status = kh_rewrite_fail(rewrite, KH_E_KEY_CHANGED);
  kh_keytable_free(&table);
  return status;
}

kh_status kh_rewrite_replace(kh_rewrite *rewrite)
{
  kh_keyfile_info *info = &rewrite->opened.info;
  kh_status status =
      kh_file_replace(rewrite->opened.options->path, &info->stamp, kh_rewrite_content(rewrite),
                      &info->stamp, rewrite->opened.ret_fault);
  if (status != KH_OK)
    return status;
  info->ends_line = true;
  info->locked = info->locked && kh_secret_is_locked(rewrite->text) &&
                 kh_secret_is_locked(rewrite->file) && kh_keylist_is_locked(rewrite->list);
  return KH_OK;
}

kh_status kh_rewrite_finish(kh_rewrite *rewrite, const kh_keytable *retired,
                            const kh_keylist *added)
{
  kh_rewrite_form form = kh_rewrite_same_form(rewrite);
  kh_status status = kh_rewrite_make(rewrite, &form, KH_REPEATS_REFUSED);
  if (status == KH_OK)
    status = kh_rewrite_check(rewrite, rewrite->table, retired, added);
  return status == KH_OK ? kh_rewrite_replace(rewrite) : status;
}

void kh_rewrite_cleanup(kh_rewrite *rewrite)
{
  kh_opened_cleanup(&rewrite->opened);
  kh_keytable_free(&rewrite->table);
  kh_secret_free(&rewrite->text);
  kh_secret_free(&rewrite->file);
  kh_keylist_free(&rewrite->list);
  kh_lockfile_release(&rewrite->lock);
}
