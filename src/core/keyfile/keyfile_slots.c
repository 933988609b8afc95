/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/lockfile.h"
#include "keyhold/random.h"
#include "opened.h"

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

static kh_status change_slot(kh_opened *opened, kh_slot_change change, const kh_sealed_entry *entry)
{
  KH_AUTO_SECRET file = NULL;
  kh_status status = kh_opened_open(opened, KH_REPEATS_AS_UPSTREAM);
  if (status == KH_OK)
    status = make(opened, change, entry, &file);
  if (status == KH_OK)
    status = check(opened, change, entry, file);
  if (status != KH_OK)
    return status;
  return kh_file_replace(opened->options->path, &opened->info.stamp, kh_secret_bytes(file), NULL,
                         opened->ret_fault);
}

kh_status kh_keyfile_change_slot(const kh_keyfile_options *options, const kh_crypt *crypt,
                                 kh_slot_change change, const kh_sealed_entry *entry,
                                 const kh_log *log, kh_fault *ret_fault)
{
  KH_AUTO_LOCKFILE lock = NULL;
  KH_AUTO_OPENED opened = {.options = options, .crypt = crypt, .log = log, .ret_fault = ret_fault};
  kh_status status = kh_random_start();
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, options->path, 0);
  status = kh_lockfile_take(options->path, KH_ROTATION_LOCK_WAIT, &lock, ret_fault);
  return status == KH_OK ? change_slot(&opened, change, entry) : status;
}
