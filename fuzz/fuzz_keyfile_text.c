/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as the text of a key file. Reading on after a fault gives the same first fault and the
 * same keys, and all faults have a place and a sentence. Where they are a text to which new
 * versions can be added, the text with them has the old keys, as they were, and the new ones; and
 * the text without the old versions has the latest ones, and may follow.
 */
#include <string.h>

#include "check.h"
#include "keyhold/keyfile_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_TO_COMPARE = 1000 };

static kh_status parse(kh_bytes text, kh_repeats repeats, kh_keylist **list)
{
  kh_fault fault = {0};
  kh_status status = kh_keyfile_parse_text("fuzz", text, repeats, NULL, list, &fault);
  check_outcome(status, *list, &fault);
  return status;
}

static void check_fault(void *user, const kh_fault *fault)
{
  size_t *told = user;
  char sentence[KH_MESSAGE_MAX];
  kh_fault_describe(fault, sentence, sizeof sentence);
  MUST(kh_status_class(fault->status) == KH_CLASS_FORMAT || fault->status == KH_E_NO_MEMORY);
  MUST(fault->column > 0 && strlen(fault->quote) < KH_QUOTE_MAX - 1); /* it was not cut */
  MUST(++*told <= KH_FAULTS_MAX);
}

static void parse_whole(kh_bytes text, kh_status status, const kh_keylist *list)
{
  KH_AUTO_KEYLIST whole = NULL;
  size_t told = 0;
  kh_faults faults = {.add = check_fault, .user = &told};
  kh_fault fault = {0};
  MUST(kh_keyfile_parse_whole_text("fuzz", text, NULL, &faults, &whole, &fault) == status);
  check_outcome(status, whole, &fault);
  MUST(told == (faults.count < KH_FAULTS_MAX ? faults.count : KH_FAULTS_MAX));
  MUST(status == KH_OK || told > 0);
  MUST(list == NULL || kh_keylist_count(list) == kh_keylist_count(whole));
}

/* The next version of every key that has one, with the attributes of the last. */
static kh_keylist *next_versions(const kh_keytable *table)
{
  kh_keylist *added = NULL;
  MUST(kh_keylist_new(kh_keytable_id_count(table), &added) == KH_OK);
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    const kh_key *latest = kh_keytable_at(table, i);
    if (!kh_keytable_is_latest(table, i) || latest->version == KH_KEY_VERSION_MAX ||
        kh_keytable_is_retired(table, latest->id, latest->version + 1))
      continue;
    kh_key *key = kh_keylist_next(added);
    *key = *latest;
    key->version++;
    key->policy.created = UINT32_MAX - (uint32_t)i;
    memset(key->bytes, (int)i, key->len);
    kh_keylist_commit(added);
  }
  return added;
}

static bool is_same_key(const kh_key *a, const kh_key *b)
{
  return kh_key_is_same_version(a, b) && kh_key_is_same_secret(a, b) &&
         a->policy.created == b->policy.created && a->policy.rotate == b->policy.rotate &&
         a->policy.bits == b->policy.bits && a->policy.cipher == b->policy.cipher;
}

/* `both` is `old` in its order, and between its keys those of `added`. */
static void check_both(const kh_keylist *old, const kh_keylist *added, const kh_keylist *both)
{
  size_t olds = 0;
  size_t news = 0;
  for (size_t i = 0; i < kh_keylist_count(both); i++) {
    const kh_key *key = kh_keylist_at(both, i);
    if (olds < kh_keylist_count(old) && is_same_key(key, kh_keylist_at(old, olds))) {
      olds++;
      continue;
    }
    size_t k = 0;
    while (k < kh_keylist_count(added) && !is_same_key(key, kh_keylist_at(added, k)))
      k++;
    MUST(k < kh_keylist_count(added));
    news++;
  }
  MUST(olds == kh_keylist_count(old) && news == kh_keylist_count(added));
}

/* what is after a NUL stays where it is: at the end */
static void check_tail(kh_bytes before, kh_bytes after)
{
  const uint8_t *nul = before.len == 0 ? NULL : memchr(before.data, '\0', before.len);
  if (nul == NULL)
    return;
  size_t len = before.len - (size_t)(nul - before.data);
  MUST(after.len >= len && memcmp(after.data + after.len - len, nul, len) == 0);
}

static void add_and_parse_again(kh_bytes text, const kh_keylist *list)
{
  KH_AUTO_KEYLIST both = NULL;
  KH_AUTO_SECRET changed = NULL;
  kh_keytable *table = table_of(list);
  KH_AUTO_KEYLIST added = next_versions(table);
  kh_keytable_free(&table);
  MUST(kh_keyfile_add_lines(text, list, added, &changed) == KH_OK);
  MUST(parse(kh_secret_bytes(changed), KH_REPEATS_REFUSED, &both) == KH_OK);
  check_both(list, added, both);
  check_tail(text, kh_secret_bytes(changed));
}

static kh_keytable *old_versions(const kh_keytable *table)
{
  KH_AUTO_KEYLIST old = NULL;
  MUST(kh_keylist_new(kh_keytable_version_count(table), &old) == KH_OK);
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    if (kh_keytable_is_latest(table, i))
      continue;
    *kh_keylist_next(old) = *kh_keytable_at(table, i);
    kh_keylist_commit(old);
  }
  return table_of(old);
}

static void retire_and_parse_again(kh_bytes text, const kh_keylist *list)
{
  KH_AUTO_KEYLIST left = NULL;
  KH_AUTO_SECRET changed = NULL;
  kh_keytable *table = table_of(list);
  kh_keytable *old = old_versions(table);
  MUST(kh_keyfile_retire_lines(text, list, old, &changed) == KH_OK);
  MUST(parse(kh_secret_bytes(changed), KH_REPEATS_REFUSED, &left) == KH_OK);
  kh_keytable *after = table_of(left);
  MUST(kh_keytable_version_count(after) == kh_keytable_id_count(table));
  MUST(kh_keytable_retired_count(after) ==
       kh_keytable_retired_count(table) + kh_keytable_version_count(old));
  MUST(kh_keytable_check_follows(after, table, KH_CIPHER_AES_CBC, NULL) == KH_OK);
  check_tail(text, kh_secret_bytes(changed));
  kh_keytable_free(&after);
  kh_keytable_free(&old);
  kh_keytable_free(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  KH_AUTO_KEYLIST as_upstream = NULL;
  KH_AUTO_KEYLIST strict = NULL;
  kh_bytes text = {data, size};
  kh_status status = parse(text, KH_REPEATS_AS_UPSTREAM, &as_upstream);
  parse_whole(text, status, as_upstream);
  if (parse(text, KH_REPEATS_REFUSED, &strict) != KH_OK)
    return 0;
  MUST(status == KH_OK); /* what the strict reader accepts, the other accepts too */
  if (kh_keylist_count(strict) <= MOST_TO_COMPARE) {
    add_and_parse_again(text, strict);
    retire_and_parse_again(text, strict);
  }
  return 0;
}
