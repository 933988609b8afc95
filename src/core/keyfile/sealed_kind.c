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

kh_sealed_slot kh_sealed_slot_default(const char *label, const kh_sealed_kind *kind)
{
  kh_sealed_slot slot = {.kind = kind};
  if (strlen(label) <= KH_SEALED_LABEL_MAX) /* else it stays empty */
    memcpy(slot.label, label, strlen(label));
  for (size_t i = 0; kind->parameters[i].name != NULL; i++)
    slot.values[i] = kind->parameters[i].usual;
  return slot;
}

/* the place of a parameter, or that of the end */
static size_t find_parameter(const kh_sealed_kind *kind, const char *name)
{
  size_t i = 0;
  while (kind->parameters[i].name != NULL && strcmp(kind->parameters[i].name, name) != 0)
    i++;
  return i;
}

uint32_t kh_sealed_slot_get(const kh_sealed_slot *slot, const char *parameter)
{
  size_t at = find_parameter(slot->kind, parameter);
  return slot->kind->parameters[at].name == NULL ? 0 : slot->values[at];
}

bool kh_sealed_slot_set(kh_sealed_slot *slot, const char *parameter, uint32_t value)
{
  size_t at = find_parameter(slot->kind, parameter);
  if (slot->kind->parameters[at].name == NULL)
    return false;
  slot->values[at] = value;
  return true;
}
