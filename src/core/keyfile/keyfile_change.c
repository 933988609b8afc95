/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes of a key file in memory, except rotations. */
#include <string.h>

#include "keyfile_parts.h"

/* Begins a change that makes a new text of it, and so a new file. */
static kh_status begin_change_of_keys(kh_keyfile *file, kh_fault *ret_fault)
{
  kh_status status = kh_envelope_prepare(&file->envelope, ret_fault);
  return status == KH_OK ? kh_keyfile_begin_change(file, KH_REPEATS_REFUSED, ret_fault) : status;
}

/* returns the id of the new key */
static kh_status choose_id(const kh_keyfile *file, uint32_t wanted, uint32_t *ret_id,
                           kh_fault *ret_fault)
{
  uint32_t version;
  const kh_keytable *table = file->change.before;
  size_t count = kh_keytable_version_count(table);
  uint32_t highest = kh_keytable_at(table, count - 1)->id; /* key id 1 is there */
  if (highest < KH_KEY_ID_TEMPORARY)
    highest = KH_KEY_ID_TEMPORARY;
  if (wanted == 0 && highest == KH_KEY_ID_MAX)
    return kh_keyfile_fail(file, KH_E_NO_KEY_ID, ret_fault);
  if (wanted != 0 && kh_keytable_latest(table, wanted, &version) == KH_OK)
    return kh_keyfile_fail_for_key(file, KH_E_KEY_EXISTS, &(kh_key){.id = wanted}, ret_fault);
  *ret_id = wanted != 0 ? wanted : highest + 1;
  return KH_OK;
}

kh_status kh_keyfile_add_key(kh_keyfile *file, const kh_keyfile_addition *addition,
                             uint32_t *ret_id, kh_fault *ret_fault)
{
  uint32_t id = 0;
  kh_status status = begin_change_of_keys(file, ret_fault);
  if (status == KH_OK)
    status = choose_id(file, addition->id, &id, ret_fault);
  if (status != KH_OK)
    return status;
  kh_change *change = &file->change;
  kh_keylist_add_random(change->delta, id, KH_KEY_VERSION_MIN, addition->len, &addition->policy);
  status =
      kh_keyfile_add_lines(kh_keyfile_text(file), file->content.keys, change->delta, &change->text);
  if (status != KH_OK)
    return kh_keyfile_fail(file, status, ret_fault);
  *ret_id = id;
  return KH_OK;
}

/* a retired version was removed on purpose */
static bool is_missing(const kh_keyfile *file, const kh_key *key)
{
  const kh_keytable *table = file->change.before;
  return kh_keytable_find(table, key->id, key->version) == NULL &&
         !kh_keytable_is_retired(table, key->id, key->version);
}

/* Replaces the delta, which has room for a few keys only. */
static kh_status note_missing(kh_keyfile *file, const kh_keytable *keys, kh_fault *ret_fault)
{
  kh_change *change = &file->change;
  size_t count = kh_keytable_version_count(keys);
  kh_keylist_free(&change->delta);
  kh_status status = kh_keylist_new(count, &change->delta);
  if (status != KH_OK)
    return kh_keyfile_fail(file, status, ret_fault);
  for (size_t i = 0; i < count; i++) {
    const kh_key *key = kh_keytable_at(keys, i);
    if (!is_missing(file, key))
      continue;
    *kh_keylist_next(change->delta) = *key;
    kh_keylist_commit(change->delta);
  }
  return KH_OK;
}

kh_status kh_keyfile_add_missing(kh_keyfile *file, const kh_keytable *keys,
                                 kh_cipher default_cipher, size_t *ret_added, kh_fault *ret_fault)
{
  kh_change *change = &file->change;
  kh_status status = begin_change_of_keys(file, ret_fault);
  if (status != KH_OK)
    return status;
  status = kh_keytable_check_agrees(change->before, keys, default_cipher, ret_fault);
  if (status != KH_OK) {
    if (ret_fault != NULL)
      ret_fault->path = kh_show_path(file->options.path);
    return status;
  }
  status = note_missing(file, keys, ret_fault);
  if (status != KH_OK)
    return status;
  size_t added = kh_keylist_count(change->delta);
  if (added > 0)
    status = kh_keyfile_add_lines(kh_keyfile_text(file), file->content.keys, change->delta,
                                  &change->text);
  if (status != KH_OK)
    return kh_keyfile_fail(file, status, ret_fault);
  *ret_added = added;
  return KH_OK;
}

/* each must exist, and not be the latest of its key; records it */
static kh_status note_retired(kh_keyfile *file, const kh_keytable *retired, kh_fault *ret_fault)
{
  kh_status status = KH_OK;
  const kh_keytable *before = file->change.before;
  for (size_t i = 0; i < kh_keytable_version_count(retired) && status == KH_OK; i++) {
    uint32_t latest = 0;
    const kh_key *key = kh_keytable_at(retired, i);
    if (kh_keytable_find(before, key->id, key->version) == NULL)
      return kh_keyfile_fail_for_key(file, KH_E_KEY_NOT_FOUND, key, ret_fault);
    if (kh_keytable_latest(before, key->id, &latest) != KH_OK || latest == key->version)
      return kh_keyfile_fail_for_key(file, KH_E_KEY_LATEST, key, ret_fault);
    status = kh_keylist_retire(file->change.delta, &(kh_retired){key->id, key->version, 0});
  }
  return status == KH_OK ? KH_OK : kh_keyfile_fail(file, status, ret_fault);
}

kh_status kh_keyfile_retire_versions(kh_keyfile *file, const kh_keytable *retired,
                                     kh_fault *ret_fault)
{
  kh_status status = begin_change_of_keys(file, ret_fault);
  if (status == KH_OK && !kh_file_is_same(&file->content.stamp, &file->decided))
    return kh_keyfile_fail(file, KH_E_FILE_CHANGED, ret_fault);
  if (status == KH_OK)
    status = note_retired(file, retired, ret_fault);
  if (status != KH_OK)
    return status;
  status = kh_keyfile_retire_lines(kh_keyfile_text(file), file->content.keys, retired,
                                   &file->change.text);
  return status == KH_OK ? KH_OK : kh_keyfile_fail(file, status, ret_fault);
}

kh_status kh_keyfile_set_form(kh_keyfile *file, const kh_keyfile_form *form, kh_fault *ret_fault)
{
  KH_AUTO_ENVELOPE envelope = {.format = NULL};
  kh_status status = kh_envelope_make(form, file->options.path, file->crypt, &envelope, ret_fault);
  if (status == KH_OK)
    status = kh_keyfile_begin_change(file, KH_REPEATS_AS_UPSTREAM, ret_fault);
  if (status == KH_OK)
    file->change.envelope = kh_envelope_take(&envelope);
  return status;
}

/* The slots that the file is to have, and the passphrase that opens them. */
static kh_status change_envelope(kh_envelope *envelope, kh_slot_change change,
                                 const kh_sealed_entry *entry, kh_fault *ret_fault)
{
  kh_sealed_entry whole = *entry;
  if (change == KH_SLOT_REMOVE)
    whole.passphrase = kh_secret_bytes(envelope->passphrase);
  kh_status status = kh_sealed_change_slot(envelope->sealed, change, &whole, ret_fault);
  if (status != KH_OK || change != KH_SLOT_CHANGE)
    return status;
  kh_sealed_slots slots = kh_sealed_slots_of(envelope->sealed);
  const kh_sealed_slot *opened = &slots.at[kh_sealed_opened_slot(envelope->sealed)];
  if (strcmp(opened->label, entry->slot.label) == 0)
    status = kh_envelope_set_passphrase(envelope,
                                        opened->kind->needs_passphrase ? &entry->passphrase : NULL);
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, envelope->options.path, 0);
}

static kh_status plan_slots(const kh_keyfile *file, kh_slot_change change,
                            const kh_sealed_entry *entry, kh_envelope *ret_planned,
                            kh_fault *ret_fault)
{
  KH_AUTO_ENVELOPE planned = {.format = NULL};
  if (file->envelope.sealed == NULL)
    return kh_keyfile_fail(file, KH_E_SEALED_DAMAGED, ret_fault);
  kh_status status = kh_envelope_clone(&file->envelope, &planned);
  if (status != KH_OK)
    return kh_keyfile_fail(file, status, ret_fault);
  status = change_envelope(&planned, change, entry, ret_fault);
  if (status == KH_OK)
    *ret_planned = kh_envelope_take(&planned);
  return status;
}

/* Returns whether the file has the slots that the change was planned for. */
static bool has_slots_of(const kh_keyfile *file, const kh_envelope *base)
{
  return file->envelope.sealed != NULL && kh_sealed_is_same(file->envelope.sealed, base->sealed);
}

kh_status kh_keyfile_change_slot(kh_keyfile *file, kh_slot_change change,
                                 const kh_sealed_entry *entry, kh_fault *ret_fault)
{
  KH_AUTO_ENVELOPE base = {.format = NULL};
  KH_AUTO_ENVELOPE planned = {.format = NULL};
  kh_status status = plan_slots(file, change, entry, &planned, ret_fault);
  if (status != KH_OK)
    return status;
  status = kh_envelope_clone(&file->envelope, &base);
  if (status != KH_OK)
    return kh_keyfile_fail(file, status, ret_fault);
  status = kh_keyfile_begin_change(file, KH_REPEATS_AS_UPSTREAM, ret_fault);
  if (status == KH_OK && file->envelope.sealed == NULL) /* another process has converted it */
    status = kh_keyfile_fail(file, KH_E_FILE_CHANGED, ret_fault);
  if (status == KH_OK && !has_slots_of(file, &base)) {
    kh_envelope_clear(&planned);
    status = plan_slots(file, change, entry, &planned, ret_fault);
  }
  if (status == KH_OK)
    file->change.envelope = kh_envelope_take(&planned);
  return status;
}
