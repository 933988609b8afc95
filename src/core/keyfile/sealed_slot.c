/* SPDX-License-Identifier: GPL-2.0-only */
#include "sealed_slot.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "keyhold/hex.h"
#include "keyhold/random.h"
#include "text.h"

bool kh_sealed_is_label(int byte)
{
  return kh_text_is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         byte == '.' || byte == '_' || byte == '-';
}

kh_sealed_slot kh_sealed_slot_default(const char *label, kh_sealed_kdf kdf)
{
  kh_sealed_slot slot = {.kdf = kdf};
  if (strlen(label) <= KH_SEALED_LABEL_MAX) /* else it stays empty */
    memcpy(slot.label, label, strlen(label));
  for (const kh_sealed_cost *cost = kh_sealed_derivation_of(kdf)->costs; cost->name != NULL; cost++)
    kh_sealed_cost_set(cost, &slot, cost->usual);
  return slot;
}

kh_status kh_sealed_slot_fail(kh_fault *ret_fault, kh_status status, const char *path,
                              const char *label)
{
  kh_fault_set(ret_fault, status, path, 0);
  if (ret_fault != NULL)
    snprintf(ret_fault->name, sizeof ret_fault->name, "%.*s", (int)KH_SEALED_LABEL_MAX, label);
  return status;
}

static kh_status fail_cost(kh_fault *ret_fault, const char *path, const kh_sealed_slot *slot,
                           uint64_t size, uint64_t limit)
{
  kh_sealed_slot_fail(ret_fault, KH_E_SLOT_COST, path, slot->label);
  if (ret_fault != NULL) {
    ret_fault->size = size;
    ret_fault->limit = limit;
  }
  return KH_E_SLOT_COST;
}

bool kh_sealed_label_is_valid(const char *label)
{
  size_t len = strnlen(label, KH_SEALED_LABEL_MAX + 1);
  size_t good = 0;
  while (good < len && kh_sealed_is_label((unsigned char)label[good]))
    good++;
  return len >= 1 && len <= KH_SEALED_LABEL_MAX && good == len;
}

static kh_status validate(const char *path, const kh_sealed_slot *slot, kh_fault *ret_fault)
{
  if (!kh_sealed_label_is_valid(slot->label))
    return kh_fault_set(ret_fault, KH_E_SLOT_LABEL, path, 0);
  const kh_sealed_cost *cost = kh_sealed_derivation_of(slot->kdf)->costs;
  for (; cost->name != NULL; cost++) {
    uint32_t value = kh_sealed_cost_get(cost, slot);
    if (value < cost->least || value > cost->most)
      return fail_cost(ret_fault, path, slot, value,
                       value < cost->least ? cost->least : cost->most);
  }
  return KH_OK;
}

size_t kh_sealed_slots_find(const kh_sealed_slots *slots, const char *label)
{
  size_t i = 0;
  while (i < slots->count && strcmp(slots->at[i].label, label) != 0)
    i++;
  return i;
}

kh_status kh_sealed_slots_check_count(const char *path, size_t count, kh_fault *ret_fault)
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
  if (len >= 1 && len <= KH_SECRET_LITERAL_MAX)
    return KH_OK;
  kh_status status = len == 0 ? KH_E_NO_PASSPHRASE : KH_E_SECRET_TOO_LONG;
  kh_sealed_slot_fail(ret_fault, status, path, entry->slot.label);
  if (ret_fault != NULL && len > 0)
    ret_fault->limit = KH_SECRET_LITERAL_MAX;
  return status;
}

kh_status kh_sealed_slots_validate(const char *path, const kh_sealed_slots *slots,
                                   kh_fault *ret_fault)
{
  uint64_t work = 0;
  for (size_t i = 0; i < slots->count; i++) {
    const kh_sealed_slot *slot = &slots->at[i];
    kh_status status = validate(path, slot, ret_fault);
    if (status != KH_OK)
      return status;
    if (kh_sealed_slots_find(slots, slot->label) < i)
      return kh_sealed_slot_fail(ret_fault, KH_E_SLOT_EXISTS, path, slot->label);
    work += kh_sealed_derivation_of(slot->kdf)->work(slot);
    if (work > KH_SEALED_WORK_MAX)
      return fail_cost(ret_fault, path, slot, work, KH_SEALED_WORK_MAX);
  }
  return KH_OK;
}

kh_status kh_sealed_slot_validate(const kh_sealed_slot *slot, kh_fault *ret_fault)
{
  kh_sealed_slots alone = {.at = {*slot}, .count = 1};
  return kh_sealed_slots_validate(NULL, &alone, ret_fault);
}

static kh_status derive(const kh_sealed_slot *slot, kh_bytes passphrase, const uint8_t *salt,
                        kh_secret **ret_key)
{
  KH_AUTO_SECRET key = NULL;
  kh_status status = kh_secret_new(KH_SEALED_KEY_SIZE, &key);
  if (status == KH_OK)
    status = kh_sealed_derivation_of(slot->kdf)->derive(slot, passphrase, salt, key);
  if (status != KH_OK)
    return status;
  *ret_key = key;
  key = NULL;
  return KH_OK;
}

__attribute__((format(printf, 2, 3))) static void put(kh_sealed_line_text *line, const char *format,
                                                      ...)
{
  va_list arguments;
  va_start(arguments, format);
  int len = vsnprintf(line->text + line->len, sizeof line->text - line->len, format, arguments);
  va_end(arguments);
  line->len += (size_t)len;
  assert(line->len < sizeof line->text);
}

static void put_hex(kh_sealed_line_text *line, const uint8_t *data, size_t len)
{
  assert(line->len + 2 * len < sizeof line->text);
  kh_hex_encode((kh_bytes){data, len}, (uint8_t *)line->text + line->len);
  line->len += 2 * len;
}

/* all of the line that the wrapped key is bound to */
static void put_bound(kh_sealed_line_text *line, const kh_sealed_slot *slot, const uint8_t *salt,
                      const uint8_t *nonce)
{
  const kh_sealed_derivation *derivation = kh_sealed_derivation_of(slot->kdf);
  put(line, "slot %s %s", slot->label, derivation->name);
  for (const kh_sealed_cost *cost = derivation->costs; cost->name != NULL; cost++)
    put(line, " %s=%u", cost->name, kh_sealed_cost_get(cost, slot));
  put(line, " salt=");
  put_hex(line, salt, KH_SEALED_SALT_SIZE);
  put(line, " nonce=");
  put_hex(line, nonce, KH_AEAD_NONCE_SIZE);
  put(line, " key=");
}

kh_status kh_sealed_slot_wrap(const kh_sealed_entry *entry, const kh_secret *file_key,
                              kh_sealed_line_text *ret_line)
{
  uint8_t salt[KH_SEALED_SALT_SIZE];
  uint8_t nonce[KH_AEAD_NONCE_SIZE];
  uint8_t wrapped[KH_SEALED_WRAPPED_SIZE];
  KH_AUTO_SECRET key = NULL;
  kh_random_bytes(salt, sizeof salt);
  kh_random_bytes(nonce, sizeof nonce);
  kh_status status = derive(&entry->slot, entry->passphrase, salt, &key);
  if (status != KH_OK)
    return status;
  ret_line->len = 0;
  put_bound(ret_line, &entry->slot, salt, nonce);
  kh_aead_input input = {
      kh_secret_bytes(key).data, nonce, {(const uint8_t *)ret_line->text, ret_line->len}};
  kh_aead_seal(&input, kh_secret_bytes(file_key), wrapped);
  put_hex(ret_line, wrapped, sizeof wrapped);
  put(ret_line, "\n");
  return KH_OK;
}

kh_status kh_sealed_slot_unwrap(const kh_sealed_line *line, kh_bytes passphrase,
                                kh_secret *ret_file_key)
{
  KH_AUTO_SECRET key = NULL;
  kh_status status = derive(&line->slot, passphrase, line->salt, &key);
  if (status != KH_OK)
    return status;
  kh_aead_input input = {kh_secret_bytes(key).data, line->nonce, line->bound};
  if (!kh_aead_open(&input, (kh_bytes){line->wrapped, sizeof line->wrapped},
                    kh_secret_data(ret_file_key)))
    return KH_E_WRONG_PASSPHRASE;
  kh_secret_set_len(ret_file_key, KH_SEALED_KEY_SIZE);
  return KH_OK;
}
