/* SPDX-License-Identifier: GPL-2.0-only */
#include "sealed_opened.h"

#include <string.h>

#include "keyhold/random.h"
#include "sealed_payload.h"

static bool is_skipped(const kh_sealed_opened *opened, const kh_sealed_line *line)
{
  return opened->except != NULL && strcmp(line->slot.label, opened->except) == 0;
}

static kh_status open_slots(kh_sealed_opened *opened)
{
  kh_status status = kh_secret_new(KH_SEALED_KEY_SIZE, &opened->file_key);
  if (status != KH_OK)
    return status;
  status = KH_E_WRONG_PASSPHRASE;
  for (size_t i = 0; i < opened->form.count && status == KH_E_WRONG_PASSPHRASE; i++) {
    const kh_sealed_line *line = &opened->form.lines[i];
    if (is_skipped(opened, line))
      continue;
    status = kh_sealed_slot_unwrap(line, opened->passphrase, opened->file_key);
    opened->slot = i;
  }
  return status;
}

kh_status kh_sealed_opened_read(kh_sealed_opened *opened)
{
  return kh_sealed_form_read(opened->path, opened->file, &opened->form, opened->ret_fault);
}

kh_status kh_sealed_opened_unlock(kh_sealed_opened *opened)
{
  kh_status status = open_slots(opened);
  if (status == KH_OK)
    status = kh_sealed_payload_open(&opened->form, opened->file_key, &opened->text);
  return status == KH_OK ? KH_OK : kh_fault_set(opened->ret_fault, status, opened->path, 0);
}

kh_status kh_sealed_new_key(kh_secret **ret_file_key)
{
  kh_secret *key = NULL;
  kh_status status = kh_random_start();
  if (status == KH_OK)
    status = kh_secret_new(KH_SEALED_KEY_SIZE, &key);
  if (status != KH_OK)
    return status;
  kh_random_bytes(kh_secret_data(key), KH_SEALED_KEY_SIZE);
  kh_secret_set_len(key, KH_SEALED_KEY_SIZE);
  *ret_file_key = key;
  return KH_OK;
}

void kh_sealed_opened_cleanup(kh_sealed_opened *opened)
{
  kh_secret_free(&opened->file_key);
  kh_secret_free(&opened->text);
}
