/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keyfile_change.h"
#include "rewrite.h"
#include "sealed_slot.h"

kh_status kh_keyfile_check_slot(const char *path, const kh_sealed_slots *slots,
                                kh_slot_change change, const kh_sealed_slot *slot,
                                kh_fault *ret_fault)
{
  if (!kh_sealed_label_is_valid(slot->label)) /* and it may be something secret */
    return kh_fault_set(ret_fault, KH_E_SLOT_LABEL, path, 0);
  kh_sealed_slots planned = *slots;
  size_t at = change == KH_SLOT_ADD ? planned.count++ : kh_sealed_slots_find(slots, slot->label);
  if (at == slots->count && change != KH_SLOT_ADD)
    return kh_sealed_slot_fail(ret_fault, KH_E_SLOT_NOT_FOUND, path, slot->label);
  if (change == KH_SLOT_REMOVE)
    return slots->count > 1 ? KH_OK
                            : kh_sealed_slot_fail(ret_fault, KH_E_SLOT_LAST, path, slot->label);
  kh_status status = kh_sealed_slots_check_count(path, planned.count, ret_fault);
  if (status != KH_OK)
    return status;
  planned.at[at] = *slot;
  return kh_sealed_slots_validate(path, &planned, ret_fault);
}

static kh_status make(const kh_opened *opened, kh_slot_change change, const kh_sealed_entry *entry,
                      kh_secret **ret_file)
{
  const char *path = opened->options->path;
  kh_bytes file = kh_secret_bytes(opened->file);
  kh_bytes passphrase = kh_secret_bytes(opened->passphrase);
  switch (change) {
  case KH_SLOT_ADD:
    return kh_sealed_add_slot(path, file, passphrase, entry, ret_file, opened->ret_fault);
  case KH_SLOT_CHANGE:
    return kh_sealed_change_slot(path, file, passphrase, entry, ret_file, opened->ret_fault);
  default:
    return kh_sealed_remove_slot(path, file, passphrase, entry->slot.label, ret_file,
                                 opened->ret_fault);
  }
}

/* with the passphrase that somebody will count on */
static kh_status check(const kh_opened *opened, kh_slot_change change, const kh_sealed_entry *entry,
                       const kh_secret *file)
{
  KH_AUTO_SECRET text = NULL;
  kh_bytes passphrase =
      change == KH_SLOT_REMOVE ? kh_secret_bytes(opened->passphrase) : entry->passphrase;
  kh_status status = kh_sealed_open(opened->options->path, kh_secret_bytes(file), passphrase, &text,
                                    NULL, opened->ret_fault);
  if (status != KH_OK)
    return status;
  kh_bytes before = kh_opened_text(opened);
  kh_bytes after = kh_secret_bytes(text);
  if (before.len != after.len || !kh_is_same_secret(before.data, after.data, before.len))
    return kh_fault_set(opened->ret_fault, KH_E_SEALED_DAMAGED, opened->options->path, 0);
  return KH_OK;
}

static kh_status change_slot(kh_rewrite *rewrite, kh_slot_change change,
                             const kh_sealed_entry *entry)
{
  const kh_opened *opened = &rewrite->opened;
  kh_status status = kh_rewrite_open(rewrite, KH_REPEATS_AS_UPSTREAM);
  if (status == KH_OK)
    status = make(opened, change, entry, &rewrite->file);
  if (status == KH_OK)
    status = check(opened, change, entry, rewrite->file);
  if (status != KH_OK)
    return status;
  return kh_file_replace(opened->options->path, &opened->info.stamp, kh_rewrite_content(rewrite),
                         NULL, opened->ret_fault);
}

kh_status kh_keyfile_change_slot(const kh_keyfile_options *options, const kh_crypt *crypt,
                                 kh_slot_change change, const kh_sealed_entry *entry,
                                 const kh_log *log, kh_fault *ret_fault)
{
  KH_AUTO_REWRITE rewrite = {
      .opened = {.options = options, .crypt = crypt, .log = log, .ret_fault = ret_fault}};
  return change_slot(&rewrite, change, entry);
}
