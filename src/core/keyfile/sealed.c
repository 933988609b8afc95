/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/sealed.h"

#include <string.h>

#include "keyhold/random.h"
#include "sealed_opened.h"
#include "sealed_payload.h"

bool kh_sealed_knows(kh_bytes file)
{
  size_t len = sizeof KH_SEALED_MAGIC - 1;
  if (file.len >= len && memcmp(file.data, KH_SEALED_MAGIC, len) == 0)
    return true;
  return kh_sealed_form_has_end(file);
}

kh_status kh_sealed_list(const char *path, kh_bytes file, kh_sealed_slots *ret_slots,
                         kh_fault *ret_fault)
{
  kh_sealed_form form;
  kh_status status = kh_sealed_form_read(path, file, &form, ret_fault);
  if (status == KH_OK)
    *ret_slots = kh_sealed_form_slots(&form);
  return status;
}

kh_status kh_sealed_open(const char *path, kh_bytes file, kh_bytes passphrase, kh_secret **ret_text,
                         size_t *ret_slot, kh_fault *ret_fault)
{
  KH_AUTO_SEALED opened = {
      .path = path, .file = file, .passphrase = passphrase, .ret_fault = ret_fault};
  kh_status status = kh_sealed_opened_read(&opened);
  if (status == KH_OK)
    status = kh_sealed_opened_unlock(&opened);
  if (status != KH_OK)
    return status;
  *ret_text = opened.text;
  opened.text = NULL;
  if (ret_slot != NULL)
    *ret_slot = opened.slot;
  return KH_OK;
}

kh_status kh_sealed_replace_text(const char *path, kh_bytes file, kh_bytes passphrase,
                                 kh_bytes text, kh_secret **ret_file, kh_fault *ret_fault)
{
  KH_AUTO_SEALED opened = {
      .path = path, .file = file, .passphrase = passphrase, .ret_fault = ret_fault};
  kh_status status = kh_sealed_opened_read(&opened);
  if (status == KH_OK)
    status = kh_sealed_opened_unlock(&opened);
  if (status != KH_OK)
    return status;
  kh_sealed_lines lines = {.count = opened.form.count};
  for (size_t i = 0; i < lines.count; i++)
    lines.at[i] = opened.form.lines[i].text;
  status = kh_random_start();
  if (status == KH_OK)
    status = kh_sealed_payload_write(&lines, opened.file_key, text, ret_file);
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, path, 0);
}

static kh_status check_entries(const char *path, const kh_sealed_entry *entries, size_t count,
                               kh_fault *ret_fault)
{
  kh_sealed_slots slots = {.count = count};
  kh_status status = kh_sealed_slots_check_count(path, count, ret_fault);
  if (status != KH_OK)
    return status;
  for (size_t i = 0; i < count; i++)
    slots.at[i] = entries[i].slot;
  status = kh_sealed_slots_validate(path, &slots, ret_fault);
  for (size_t i = 0; i < count && status == KH_OK; i++)
    status = kh_sealed_entry_check_passphrase(path, &entries[i], ret_fault);
  return status;
}

static kh_status make(kh_bytes text, const kh_sealed_entry *entries, size_t count,
                      kh_secret **ret_file)
{
  KH_AUTO_SECRET file_key = NULL;
  kh_sealed_line_text texts[KH_SEALED_SLOTS_MAX];
  kh_sealed_lines lines = {.count = count};
  kh_status status = kh_sealed_new_key(&file_key);
  for (size_t i = 0; i < count && status == KH_OK; i++) {
    status = kh_sealed_slot_wrap(&entries[i], file_key, &texts[i]);
    lines.at[i] = (kh_bytes){(const uint8_t *)texts[i].text, texts[i].len};
  }
  return status == KH_OK ? kh_sealed_payload_write(&lines, file_key, text, ret_file) : status;
}

kh_status kh_sealed_make(const char *path, kh_bytes text, const kh_sealed_entry *entries,
                         size_t count, kh_secret **ret_file, kh_fault *ret_fault)
{
  kh_status status = check_entries(path, entries, count, ret_fault);
  if (status != KH_OK)
    return status;
  status = make(text, entries, count, ret_file);
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, path, 0);
}
