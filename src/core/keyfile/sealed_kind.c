/* SPDX-License-Identifier: GPL-2.0-only */
#include "sealed_kind.h"

#include <string.h>

static const kh_sealed_kind *const kinds[] = {
    &kh_sealed_argon2id,
    &kh_sealed_pbkdf2_hmac_sha512,
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const kh_sealed_kind *kh_sealed_kind_at(size_t index)
{
  return index < KINDS ? kinds[index] : NULL;
}

const kh_sealed_kind *kh_sealed_kind_by_name(kh_bytes name)
{
  for (size_t i = 0; i < KINDS; i++)
    if (strlen(kinds[i]->name) == name.len && memcmp(kinds[i]->name, name.data, name.len) == 0)
      return kinds[i];
  return NULL;
}

bool kh_sealed_needs_passphrase(const kh_sealed_slots *slots)
{
  for (size_t i = 0; i < slots->count; i++)
    if (!slots->at[i].kind->needs_passphrase)
      return false;
  return true;
}

kh_sealed_slot kh_sealed_slot_default(const char *label, const kh_sealed_kind *kind)
{
  kh_sealed_slot slot = {.kind = kind};
  if (strlen(label) <= KH_SEALED_LABEL_MAX) /* else it stays empty */
    memcpy(slot.label, label, strlen(label));
  for (size_t i = 0; kind->parameters[i].name != NULL; i++)
    slot.values[i] = kind->parameters[i].usual;
  return slot;
}

/* returns false when no number, or no text, has that name */
static bool find_parameter(const kh_sealed_kind *kind, const char *name, bool is_text,
                           size_t *ret_at)
{
  size_t i = 0;
  while (kind->parameters[i].name != NULL && strcmp(kind->parameters[i].name, name) != 0)
    i++;
  if (kind->parameters[i].name == NULL || kind->parameters[i].is_text != is_text)
    return false;
  *ret_at = i;
  return true;
}

uint32_t kh_sealed_slot_get(const kh_sealed_slot *slot, const char *parameter)
{
  size_t at;
  return find_parameter(slot->kind, parameter, false, &at) ? slot->values[at] : 0;
}

bool kh_sealed_slot_set(kh_sealed_slot *slot, const char *parameter, uint32_t value)
{
  size_t at;
  if (!find_parameter(slot->kind, parameter, false, &at))
    return false;
  slot->values[at] = value;
  return true;
}

const char *kh_sealed_slot_get_text(const kh_sealed_slot *slot, const char *parameter)
{
  size_t at;
  return find_parameter(slot->kind, parameter, true, &at) ? slot->texts[at] : "";
}

bool kh_sealed_slot_set_text(kh_sealed_slot *slot, const char *parameter, const char *text)
{
  size_t at;
  if (!find_parameter(slot->kind, parameter, true, &at) || strlen(text) > KH_SEALED_TEXT_MAX)
    return false;
  memset(slot->texts[at], 0, sizeof slot->texts[at]);
  memcpy(slot->texts[at], text, strlen(text));
  return true;
}
