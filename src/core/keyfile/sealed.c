/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/sealed.h"

#include <stdlib.h>
#include <string.h>

#include "keyhold/random.h"
#include "sealed_payload.h"

struct kh_sealed {
  const char *path; /* for messages; the caller's */
  kh_sealed_lines *lines;
  kh_secret *file_key;
  size_t opened; /* index of the slot that the passphrase opened */
};

static kh_status fail_sealed(const kh_sealed *sealed, kh_status status, kh_fault *ret_fault)
{
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, sealed->path, 0);
}

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
  KH_AUTO_SEALED_FORM form;
  kh_status status = kh_sealed_form_read(path, file, &form, ret_fault);
  if (status == KH_OK)
    *ret_slots = kh_sealed_lines_slots(form.lines);
  return status;
}

/* with room for a file key; `lines` are taken over, and freed on failure */
static kh_status allocate_sealed(const char *path, kh_sealed_lines *lines, kh_sealed **ret_sealed)
{
  KH_AUTO_SEALED sealed = calloc(1, sizeof *sealed);
  if (sealed == NULL || lines == NULL) {
    free(lines);
    return KH_E_NO_MEMORY;
  }
  sealed->lines = lines;
  kh_status status = kh_secret_new(KH_SEALED_KEY_SIZE, &sealed->file_key);
  if (status != KH_OK)
    return status;
  sealed->path = path;
  *ret_sealed = sealed;
  sealed = NULL;
  return KH_OK;
}

void kh_sealed_free(kh_sealed **sealed)
{
  if (sealed == NULL || *sealed == NULL)
    return;
  kh_secret_free(&(*sealed)->file_key);
  free((*sealed)->lines);
  free(*sealed);
  *sealed = NULL;
}

static void copy_file_key(kh_secret *to, const kh_secret *from)
{
  memcpy(kh_secret_data(to), kh_secret_bytes(from).data, KH_SEALED_KEY_SIZE);
  kh_secret_set_len(to, KH_SEALED_KEY_SIZE);
}

kh_status kh_sealed_clone(const kh_sealed *sealed, kh_sealed **ret_clone)
{
  kh_sealed *clone = NULL;
  kh_status status = allocate_sealed(sealed->path, kh_sealed_lines_new(), &clone);
  if (status != KH_OK)
    return status;
  copy_file_key(clone->file_key, sealed->file_key);
  clone->lines->count = sealed->lines->count;
  memcpy(clone->lines->at, sealed->lines->at, sealed->lines->count * sizeof sealed->lines->at[0]);
  clone->opened = sealed->opened;
  *ret_clone = clone;
  return KH_OK;
}

kh_sealed_slots kh_sealed_slots_of(const kh_sealed *sealed)
{
  return kh_sealed_lines_slots(sealed->lines);
}

size_t kh_sealed_opened_slot(const kh_sealed *sealed)
{
  return sealed->opened;
}

static bool is_same_line(const kh_sealed_line *a, const kh_sealed_line *b)
{
  return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static bool has_same_lines(const kh_sealed_lines *a, const kh_sealed_lines *b)
{
  size_t i = 0;
  while (i < a->count && i < b->count && is_same_line(&a->at[i], &b->at[i]))
    i++;
  return i == a->count && i == b->count;
}

bool kh_sealed_is_same(const kh_sealed *a, const kh_sealed *b)
{
  return has_same_lines(a->lines, b->lines);
}

/* Tries a passphrase in the slots from `first` on; KH_E_WRONG_PASSPHRASE: it opens none of them.
 * The service that holds the key of a slot without a passphrase may not be reachable: the other
 * slots are tried anyway. */
static kh_status try_slots(const kh_sealed_lines *lines, size_t first, kh_bytes passphrase,
                           kh_secret *ret_file_key, size_t *ret_slot)
{
  kh_status answer = KH_E_WRONG_PASSPHRASE;
  for (size_t i = first; i < lines->count; i++) {
    const kh_sealed_line *line = &lines->at[i];
    const kh_sealed_kind *kind = line->slot.kind;
    if (kind->needs_passphrase && passphrase.len == 0)
      continue;
    kh_status status = kind->functions->unwrap(line, passphrase, ret_file_key);
    if (status == KH_OK)
      *ret_slot = i;
    if (status == KH_OK || (kind->needs_passphrase && status != KH_E_WRONG_PASSPHRASE))
      return status;
    answer = answer == KH_E_WRONG_PASSPHRASE ? status : answer;
  }
  return answer;
}

kh_status kh_sealed_open(const char *path, kh_bytes file, kh_bytes passphrase,
                         kh_sealed **ret_sealed, kh_secret **ret_text, kh_fault *ret_fault)
{
  KH_AUTO_SEALED sealed = NULL;
  KH_AUTO_SEALED_FORM form;
  kh_status status = kh_sealed_form_read(path, file, &form, ret_fault);
  if (status != KH_OK)
    return status;
  status = allocate_sealed(path, form.lines, &sealed);
  form.lines = NULL;
  if (status == KH_OK)
    status = try_slots(sealed->lines, 0, passphrase, sealed->file_key, &sealed->opened);
  if (status == KH_OK)
    status = kh_sealed_payload_open(&form, sealed->file_key, ret_text);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, path, 0);
  *ret_sealed = sealed;
  sealed = NULL;
  return KH_OK;
}

kh_status kh_sealed_write(const kh_sealed *sealed, kh_bytes text, kh_secret **ret_file,
                          kh_fault *ret_fault)
{
  kh_status status = kh_random_start();
  if (status == KH_OK)
    status = kh_sealed_payload_write(sealed->lines, sealed->file_key, text, ret_file);
  return fail_sealed(sealed, status, ret_fault);
}

kh_status kh_sealed_read_back(const kh_sealed *sealed, kh_bytes file, kh_secret **ret_text,
                              kh_fault *ret_fault)
{
  KH_AUTO_SEALED_FORM form;
  kh_status status = kh_sealed_form_read(sealed->path, file, &form, ret_fault);
  if (status != KH_OK)
    return status;
  status = has_same_lines(form.lines, sealed->lines)
               ? kh_sealed_payload_open(&form, sealed->file_key, ret_text)
               : KH_E_SEALED_DAMAGED;
  return fail_sealed(sealed, status, ret_fault);
}

kh_status kh_sealed_follow(kh_sealed *sealed, kh_bytes file, kh_secret **ret_text,
                           kh_fault *ret_fault)
{
  KH_AUTO_SEALED_FORM form;
  kh_status status = kh_sealed_form_read(sealed->path, file, &form, ret_fault);
  if (status != KH_OK)
    return status;
  const kh_sealed_line *opened = &sealed->lines->at[sealed->opened];
  size_t at = 0;
  while (at < form.lines->count && !is_same_line(&form.lines->at[at], opened))
    at++;
  status = at < form.lines->count ? kh_sealed_payload_open(&form, sealed->file_key, ret_text)
                                  : KH_E_WRONG_PASSPHRASE;
  if (status != KH_OK)
    return fail_sealed(sealed, status, ret_fault);
  free(sealed->lines);
  sealed->lines = form.lines;
  form.lines = NULL;
  sealed->opened = at;
  return KH_OK;
}

static kh_status make_file_key(kh_secret *ret_file_key)
{
  kh_status status = kh_random_start();
  if (status != KH_OK)
    return status;
  kh_random_bytes(kh_secret_data(ret_file_key), KH_SEALED_KEY_SIZE);
  kh_secret_set_len(ret_file_key, KH_SEALED_KEY_SIZE);
  return KH_OK;
}

/* Makes a slot, and opens its line again with the passphrase to prove that it works. */
static kh_status make_line(const kh_sealed_entry *entry, const kh_secret *file_key,
                           kh_sealed_line *ret_line)
{
  kh_status status = kh_sealed_slot_wrap(entry, file_key, ret_line);
  if (status == KH_OK)
    status = kh_sealed_form_read_line(ret_line);
  return status == KH_OK ? kh_sealed_slot_prove(ret_line, entry->passphrase, file_key) : status;
}

static kh_status check_entries(const char *path, const kh_sealed_entry *entries, size_t count,
                               kh_fault *ret_fault)
{
  kh_sealed_slots slots = {.count = count};
  for (size_t i = 0; i < count && i < KH_SEALED_SLOTS_MAX; i++)
    slots.at[i] = entries[i].slot;
  kh_status status = kh_sealed_slots_validate(path, &slots, ret_fault);
  for (size_t i = 0; i < count && status == KH_OK; i++)
    status = kh_sealed_entry_check_passphrase(path, &entries[i], ret_fault);
  return status;
}

kh_status kh_sealed_new(const char *path, const kh_sealed_entry *entries, size_t count,
                        kh_sealed **ret_sealed, kh_fault *ret_fault)
{
  KH_AUTO_SEALED sealed = NULL;
  kh_status status = check_entries(path, entries, count, ret_fault);
  if (status != KH_OK)
    return status;
  status = allocate_sealed(path, kh_sealed_lines_new(), &sealed);
  if (status == KH_OK)
    status = make_file_key(sealed->file_key);
  for (size_t i = 0; i < count && status == KH_OK; i++)
    status = make_line(&entries[i], sealed->file_key, &sealed->lines->at[sealed->lines->count++]);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, path, 0);
  *ret_sealed = sealed;
  sealed = NULL;
  return KH_OK;
}

/* Makes the line at a place, with a new file key when it is the only one. */
static kh_status remake_line(kh_sealed *sealed, size_t at, const kh_sealed_entry *entry)
{
  kh_status status = sealed->lines->count > 1 ? kh_random_start() : make_file_key(sealed->file_key);
  return status == KH_OK ? make_line(entry, sealed->file_key, &sealed->lines->at[at]) : status;
}

/* after kh_sealed_check_change() */
static kh_status remove_line(kh_sealed *sealed, size_t at, kh_bytes passphrase)
{
  kh_sealed_lines *lines = sealed->lines;
  kh_status status = KH_OK;
  if (sealed->opened == at)
    status = try_slots(lines, at + 1, passphrase, sealed->file_key, &sealed->opened);
  if (status != KH_OK)
    return status;
  sealed->opened -= sealed->opened > at;
  lines->count--;
  memmove(&lines->at[at], &lines->at[at + 1], (lines->count - at) * sizeof lines->at[0]);
  if (lines->count > 1)
    return KH_OK;
  kh_sealed_entry left = {lines->at[0].slot, passphrase};
  return remake_line(sealed, 0, &left);
}

static kh_status change_lines(kh_sealed *sealed, kh_slot_change change,
                              const kh_sealed_entry *entry)
{
  kh_sealed_slots slots = kh_sealed_slots_of(sealed);
  size_t at = kh_sealed_slots_find(&slots, entry->slot.label); /* of one that is added: the end */
  if (change == KH_SLOT_REMOVE)
    return remove_line(sealed, at, entry->passphrase);
  sealed->lines->count += change == KH_SLOT_ADD;
  return remake_line(sealed, at, entry);
}

kh_status kh_sealed_change_slot(kh_sealed *sealed, kh_slot_change change,
                                const kh_sealed_entry *entry, kh_fault *ret_fault)
{
  KH_AUTO_SEALED changed = NULL;
  kh_sealed_slots slots = kh_sealed_slots_of(sealed);
  kh_status status = kh_sealed_check_change(sealed->path, &slots, change, &entry->slot, ret_fault);
  if (status == KH_OK && change != KH_SLOT_REMOVE)
    status = kh_sealed_entry_check_passphrase(sealed->path, entry, ret_fault);
  if (status != KH_OK)
    return status;
  status = kh_sealed_clone(sealed, &changed);
  if (status == KH_OK)
    status = change_lines(changed, change, entry);
  if (status != KH_OK)
    return fail_sealed(sealed, status, ret_fault);
  kh_sealed unchanged = *sealed;
  *sealed = *changed;
  *changed = unchanged; /* is freed */
  return KH_OK;
}
