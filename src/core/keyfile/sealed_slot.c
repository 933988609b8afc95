/* SPDX-License-Identifier: GPL-2.0-only */
#include "sealed_slot.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "keyhold/hex.h"
#include "text.h"

bool kh_sealed_is_label(int byte)
{
  return kh_text_is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         byte == '.' || byte == '_' || byte == '-';
}

bool kh_sealed_is_text(int byte)
{
  return kh_sealed_is_label(byte) || (byte > 0 && strchr("%&*+,/:;=?@~", byte) != NULL);
}

static kh_status fail_slot(kh_fault *ret_fault, kh_status status, const char *path,
                           const char *label)
{
  kh_fault_set(ret_fault, status, path, 0);
  if (ret_fault != NULL)
    snprintf(ret_fault->name, sizeof ret_fault->name, "%.*s", (int)KH_SEALED_LABEL_MAX, label);
  return status;
}

static kh_status fail_size(kh_fault *ret_fault, kh_status status, uint64_t size, uint64_t limit)
{
  if (ret_fault != NULL) {
    ret_fault->size = size;
    ret_fault->limit = limit;
  }
  return status;
}

static kh_status fail_cost(kh_fault *ret_fault, const char *path, const kh_sealed_slot *slot,
                           uint64_t size, uint64_t limit)
{
  fail_slot(ret_fault, KH_E_SLOT_COST, path, slot->label);
  return fail_size(ret_fault, KH_E_SLOT_COST, size, limit);
}

/* returns whether it ends within `most`, has at least `least` characters, and only valid ones */
static bool has_only(const char *text, size_t least, size_t most, bool (*is_allowed)(int))
{
  size_t len = strnlen(text, most + 1);
  size_t good = 0;
  while (good < len && is_allowed((unsigned char)text[good]))
    good++;
  return len >= least && len <= most && good == len;
}

static bool is_valid_label(const char *label)
{
  return has_only(label, 1, KH_SEALED_LABEL_MAX, kh_sealed_is_label);
}

static kh_status validate_parameter(const char *path, const kh_sealed_slot *slot, size_t at,
                                    kh_fault *ret_fault)
{
  const kh_sealed_parameter *parameter = &slot->kind->parameters[at];
  uint32_t least = parameter->least;
  uint32_t most = parameter->most;
  uint32_t value = slot->values[at];
  if (parameter->is_text)
    return has_only(slot->texts[at], least, most, kh_sealed_is_text)
               ? KH_OK
               : fail_slot(ret_fault, KH_E_SLOT_TEXT, path, slot->label);
  return value >= least && value <= most
             ? KH_OK
             : fail_cost(ret_fault, path, slot, value, value < least ? least : most);
}

static kh_status validate_slot(const char *path, const kh_sealed_slot *slot, kh_fault *ret_fault)
{
  if (!is_valid_label(slot->label)) /* and it may be a secret that was entered in the wrong place */
    return kh_fault_set(ret_fault, KH_E_SLOT_LABEL, path, 0);
  kh_status status = KH_OK;
  for (size_t i = 0; status == KH_OK && slot->kind->parameters[i].name != NULL; i++)
    status = validate_parameter(path, slot, i, ret_fault);
  return status;
}

size_t kh_sealed_slots_find(const kh_sealed_slots *slots, const char *label)
{
  size_t i = 0;
  while (i < slots->count && strcmp(slots->at[i].label, label) != 0)
    i++;
  return i;
}

static kh_status check_count(const char *path, size_t count, kh_fault *ret_fault)
{
  if (count >= 1 && count <= KH_SEALED_SLOTS_MAX)
    return KH_OK;
  kh_fault_set(ret_fault, KH_E_SLOT_COUNT, path, 0);
  if (ret_fault != NULL)
    ret_fault->limit = KH_SEALED_SLOTS_MAX;
  return KH_E_SLOT_COUNT;
}

kh_status kh_sealed_entry_check_passphrase(const char *path, const kh_sealed_entry *entry,
                                           kh_fault *ret_fault)
{
  size_t len = entry->passphrase.len;
  size_t least = entry->slot.kind->needs_passphrase ? 1 : 0;
  if (len >= least && len <= KH_SECRET_LITERAL_MAX)
    return KH_OK;
  kh_status status = len == 0 ? KH_E_NO_PASSPHRASE : KH_E_SECRET_TOO_LONG;
  fail_slot(ret_fault, status, path, entry->slot.label);
  if (ret_fault != NULL && len > 0)
    ret_fault->limit = KH_SECRET_LITERAL_MAX;
  return status;
}

kh_status kh_sealed_slots_validate(const char *path, const kh_sealed_slots *slots,
                                   kh_fault *ret_fault)
{
  uint64_t work = 0;
  kh_status status = check_count(path, slots->count, ret_fault);
  for (size_t i = 0; i < slots->count && status == KH_OK; i++) {
    const kh_sealed_slot *slot = &slots->at[i];
    status = validate_slot(path, slot, ret_fault);
    if (status != KH_OK)
      return status;
    if (kh_sealed_slots_find(slots, slot->label) < i)
      return fail_slot(ret_fault, KH_E_SLOT_EXISTS, path, slot->label);
    work += slot->kind->functions->work(slot);
    if (work > KH_SEALED_WORK_MAX)
      return fail_cost(ret_fault, path, slot, work, KH_SEALED_WORK_MAX);
  }
  return status;
}

uint64_t kh_sealed_work(const kh_sealed_slots *slots)
{
  uint64_t work = 0;
  for (size_t i = 0; i < slots->count; i++)
    work += slots->at[i].kind->functions->work(&slots->at[i]);
  return work;
}

kh_status kh_sealed_check_limits(const char *path, const kh_sealed_slots *slots,
                                 const kh_sealed_limits *limits, kh_fault *ret_fault)
{
  uint64_t work = kh_sealed_work(slots);
  for (size_t i = 0; i < slots->count; i++) {
    uint32_t memory = kh_sealed_slot_get(&slots->at[i], "memory");
    if (memory <= limits->memory)
      continue;
    fail_slot(ret_fault, KH_E_SEALED_MEMORY, path, slots->at[i].label);
    return fail_size(ret_fault, KH_E_SEALED_MEMORY, memory, limits->memory);
  }
  if (work <= limits->work)
    return KH_OK;
  kh_fault_set(ret_fault, KH_E_SEALED_WORK, path, 0);
  return fail_size(ret_fault, KH_E_SEALED_WORK, work, limits->work);
}

kh_status kh_sealed_slot_validate(const kh_sealed_slot *slot, kh_fault *ret_fault)
{
  kh_sealed_slots alone = {.at = {*slot}, .count = 1};
  return kh_sealed_slots_validate(NULL, &alone, ret_fault);
}

kh_status kh_sealed_check_change(const char *path, const kh_sealed_slots *slots,
                                 kh_slot_change change, const kh_sealed_slot *slot,
                                 kh_fault *ret_fault)
{
  if (!is_valid_label(slot->label))
    return kh_fault_set(ret_fault, KH_E_SLOT_LABEL, path, 0);
  kh_sealed_slots planned = *slots;
  size_t at = change == KH_SLOT_ADD ? planned.count++ : kh_sealed_slots_find(slots, slot->label);
  if (at == slots->count && change != KH_SLOT_ADD)
    return fail_slot(ret_fault, KH_E_SLOT_NOT_FOUND, path, slot->label);
  if (change == KH_SLOT_REMOVE)
    return slots->count > 1 ? KH_OK : fail_slot(ret_fault, KH_E_SLOT_LAST, path, slot->label);
  if (at < KH_SEALED_SLOTS_MAX)
    planned.at[at] = *slot;
  return kh_sealed_slots_validate(path, &planned, ret_fault);
}

__attribute__((format(printf, 2, 3))) static void print_to_line(kh_sealed_line *line,
                                                                const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  int len = vsnprintf(line->text + line->len, sizeof line->text - line->len, format, arguments);
  va_end(arguments);
  line->len += (size_t)len;
  assert(line->len < sizeof line->text);
}

void kh_sealed_line_put_digits(kh_sealed_line *line, kh_bytes bytes)
{
  size_t room = sizeof line->text - line->len - sizeof "\n"; /* the line's end follows */
  if (2 * bytes.len > room)
    return;
  kh_hex_encode(bytes, (uint8_t *)line->text + line->len);
  line->len += 2 * bytes.len;
}

void kh_sealed_line_begin_field(kh_sealed_line *line, const char *name)
{
  print_to_line(line, " %s=", name);
  line->bound_len = line->len;
}

void kh_sealed_line_put_field(kh_sealed_line *line, const char *name, kh_bytes bytes)
{
  kh_sealed_line_begin_field(line, name);
  kh_sealed_line_put_digits(line, bytes);
}

kh_bytes kh_sealed_line_field(const kh_sealed_line *line, size_t index)
{
  size_t at = 0;
  for (size_t i = 0; i < index; i++)
    at += line->field_lens[i];
  return (kh_bytes){line->fields + at, line->field_lens[index]};
}

kh_bytes kh_sealed_line_bound(const kh_sealed_line *line)
{
  return (kh_bytes){(const uint8_t *)line->text, line->bound_len};
}

static void put_parameter(kh_sealed_line *line, size_t at)
{
  const kh_sealed_parameter *parameter = &line->slot.kind->parameters[at];
  if (parameter->is_text)
    print_to_line(line, " %s=%s", parameter->name, line->slot.texts[at]);
  else
    print_to_line(line, " %s=%u", parameter->name, line->slot.values[at]);
}

kh_status kh_sealed_slot_wrap(const kh_sealed_entry *entry, const kh_secret *file_key,
                              kh_sealed_line *ret_line)
{
  const kh_sealed_kind *kind = entry->slot.kind;
  *ret_line = (kh_sealed_line){.slot = entry->slot};
  print_to_line(ret_line, "slot %s %s", entry->slot.label, kind->name);
  for (size_t i = 0; kind->parameters[i].name != NULL; i++)
    put_parameter(ret_line, i);
  kh_status status = kind->functions->wrap(ret_line, entry->passphrase, file_key);
  print_to_line(ret_line, "\n");
  return status;
}

kh_status kh_sealed_slot_prove(const kh_sealed_line *line, kh_bytes passphrase,
                               const kh_secret *file_key)
{
  KH_AUTO_SECRET found = NULL;
  kh_status status = kh_secret_new(KH_SEALED_KEY_SIZE, &found);
  if (status == KH_OK)
    status = line->slot.kind->functions->unwrap(line, passphrase, found);
  if (status != KH_OK)
    return status;
  return kh_is_same_secret(kh_secret_bytes(found).data, kh_secret_bytes(file_key).data,
                           KH_SEALED_KEY_SIZE)
             ? KH_OK
             : KH_E_WRONG_PASSPHRASE;
}
