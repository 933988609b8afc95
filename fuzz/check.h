/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file check.h
 * What must hold after every load of a key file, whatever was in it.
 */
#ifndef KEYHOLD_FUZZ_CHECK_H
#define KEYHOLD_FUZZ_CHECK_H

#include <stdlib.h>

#include "keyhold/keyfile.h"
#include "keyhold/keytable.h"

#define MUST(condition) ((condition) ? (void)0 : abort())

/* Returns the table of a list; NULL only when a library call was made to fail. */
static inline kh_keytable *table_of(const kh_keylist *list)
{
  kh_keytable *table = NULL;
  return kh_keytable_new(list, &table) == KH_OK ? table : NULL;
}

/* Asserts that a list is complete: every key is in its table, and key 1 exists. */
static inline void check_list(const kh_keylist *list)
{
  kh_keytable *table = table_of(list);
  uint32_t version;
  if (table == NULL)
    return;
  MUST(kh_keytable_latest(table, KH_KEY_ID_SYSTEM, &version) == KH_OK);
  for (size_t i = 0; i < kh_keylist_count(list); i++) {
    const kh_key *key = kh_keylist_at(list, i);
    const kh_key *found = kh_keytable_find(table, key->id, key->version);
    MUST(key->id >= KH_KEY_ID_MIN && key->line > 0);
    MUST(found != NULL && (found->len == 16 || found->len == 24 || found->len == 32));
    MUST(found->policy.cipher < KH_CIPHER_AES_ECB && found->policy.bits % 64 == 0);
    MUST(found->len >= kh_cipher_key_min((kh_cipher)found->policy.cipher));
    MUST(kh_keytable_latest(table, key->id, &version) == KH_OK && version >= key->version);
  }
  kh_keytable_free(&table);
}

/* Asserts that success gives a list and no fault, and failure a fault with a sentence and no list.
 */
static inline void check_outcome(kh_status status, const kh_keylist *list, const kh_fault *fault)
{
  char sentence[KH_MESSAGE_MAX];
  MUST((status == KH_OK) == (list != NULL));
  if (list != NULL) {
    check_list(list);
    return;
  }
  MUST(fault->status == status);
  kh_fault_describe(fault, sentence, sizeof sentence);
  MUST(sentence[0] != '\0');
}

#endif
