/* SPDX-License-Identifier: GPL-2.0-only */
/* Slots of a file that is there: added, changed, removed. */
#include <string.h>

#include "keyhold/random.h"
#include "sealed_opened.h"
#include "sealed_payload.h"

/* The slots that the new file is to have. */
struct plan {
  kh_sealed_lines lines;
  kh_sealed_slots slots;
  const kh_sealed_entry *made; /* what one of them is made of; NULL: all stay as they are */
  size_t made_at;              /* which one */
  kh_sealed_line_text text;    /* its line */
};

static void keep(struct plan *plan, const kh_sealed_line *line)
{
  plan->lines.at[plan->lines.count++] = line->text;
  plan->slots.at[plan->slots.count++] = line->slot;
}

/* Plans a slot in the place of one that was kept, or behind all of them. */
static void make_at(struct plan *plan, size_t at, const kh_sealed_entry *entry)
{
  plan->made = entry;
  plan->made_at = at;
  plan->slots.at[at] = entry->slot;
  if (at == plan->slots.count)
    plan->lines.count = ++plan->slots.count;
}

static kh_status wrap_made(struct plan *plan, kh_sealed_opened *opened)
{
  kh_status status = KH_OK;
  if (plan->made == NULL)
    return KH_OK;
  if (plan->slots.count == 1) { /* nobody else needs the old file key */
    kh_secret_free(&opened->file_key);
    status = kh_sealed_new_key(&opened->file_key);
  }
  if (status == KH_OK)
    status = kh_sealed_slot_wrap(plan->made, opened->file_key, &plan->text);
  plan->lines.at[plan->made_at] = (kh_bytes){(const uint8_t *)plan->text.text, plan->text.len};
  return status;
}

static kh_status carry_out(struct plan *plan, kh_sealed_opened *opened, kh_secret **ret_file)
{
  kh_status status = kh_sealed_slots_validate(opened->path, &plan->slots, opened->ret_fault);
  if (status == KH_OK)
    status = kh_sealed_opened_unlock(opened);
  if (status != KH_OK)
    return status;
  status = kh_random_start();
  if (status == KH_OK)
    status = wrap_made(plan, opened);
  if (status == KH_OK)
    status = kh_sealed_payload_write(&plan->lines, opened->file_key, kh_secret_bytes(opened->text),
                                     ret_file);
  return status == KH_OK ? KH_OK : kh_fault_set(opened->ret_fault, status, opened->path, 0);
}

/* Reads the form, and finds a slot in it. */
static kh_status find(kh_sealed_opened *opened, const char *label, size_t *ret_at)
{
  if (!kh_sealed_label_is_valid(label)) /* and it may be something secret in the wrong place */
    return kh_fault_set(opened->ret_fault, KH_E_SLOT_LABEL, opened->path, 0);
  kh_status status = kh_sealed_opened_read(opened);
  if (status != KH_OK)
    return status;
  size_t i = 0;
  while (i < opened->form.count && strcmp(opened->form.lines[i].slot.label, label) != 0)
    i++;
  if (i == opened->form.count)
    return kh_sealed_slot_fail(opened->ret_fault, KH_E_SLOT_NOT_FOUND, opened->path, label);
  *ret_at = i;
  return KH_OK;
}

kh_status kh_sealed_add_slot(const char *path, kh_bytes file, kh_bytes passphrase,
                             const kh_sealed_entry *added, kh_secret **ret_file,
                             kh_fault *ret_fault)
{
  struct plan plan = {.made = NULL};
  KH_AUTO_SEALED opened = {
      .path = path, .file = file, .passphrase = passphrase, .ret_fault = ret_fault};
  kh_status status = kh_sealed_entry_check_passphrase(path, added, ret_fault);
  if (status == KH_OK)
    status = kh_sealed_opened_read(&opened);
  if (status == KH_OK)
    status = kh_sealed_slots_check_count(path, opened.form.count + 1, ret_fault);
  if (status != KH_OK)
    return status;
  for (size_t i = 0; i < opened.form.count; i++)
    keep(&plan, &opened.form.lines[i]);
  make_at(&plan, opened.form.count, added);
  return carry_out(&plan, &opened, ret_file);
}

kh_status kh_sealed_change_slot(const char *path, kh_bytes file, kh_bytes passphrase,
                                const kh_sealed_entry *changed, kh_secret **ret_file,
                                kh_fault *ret_fault)
{
  struct plan plan = {.made = NULL};
  KH_AUTO_SEALED opened = {
      .path = path, .file = file, .passphrase = passphrase, .ret_fault = ret_fault};
  size_t at = 0;
  kh_status status = kh_sealed_entry_check_passphrase(path, changed, ret_fault);
  if (status == KH_OK)
    status = find(&opened, changed->slot.label, &at);
  if (status != KH_OK)
    return status;
  for (size_t i = 0; i < opened.form.count; i++)
    keep(&plan, &opened.form.lines[i]);
  make_at(&plan, at, changed);
  return carry_out(&plan, &opened, ret_file);
}

kh_status kh_sealed_remove_slot(const char *path, kh_bytes file, kh_bytes passphrase,
                                const char *label, kh_secret **ret_file, kh_fault *ret_fault)
{
  struct plan plan = {.made = NULL};
  KH_AUTO_SEALED opened = {.path = path,
                           .file = file,
                           .passphrase = passphrase,
                           .except = label,
                           .ret_fault = ret_fault};
  size_t at = 0;
  kh_status status = find(&opened, label, &at);
  if (status != KH_OK)
    return status;
  if (opened.form.count == 1)
    return kh_sealed_slot_fail(ret_fault, KH_E_SLOT_LAST, path, label);
  for (size_t i = 0; i < opened.form.count; i++)
    if (i != at)
      keep(&plan, &opened.form.lines[i]);
  kh_sealed_entry left = {plan.slots.at[0], passphrase};
  if (plan.slots.count == 1)
    make_at(&plan, 0, &left);
  return carry_out(&plan, &opened, ret_file);
}
