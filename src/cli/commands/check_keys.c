/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cli/output/message.h"
#include "keyhold/clock.h"
#include "keyhold/fingerprint.h"
#include "keyhold/time.h"

/* A key version and what it is known by. */
struct known {
  const kh_key *key;
  kh_fingerprint fingerprint;
};

static bool has_equal_bytes(const kh_key *key)
{
  return kh_is_same_secret(key->bytes, key->bytes + 1, key->len - 1);
}

static void check_weak(const kh_key *key, kh_cli_findings *findings)
{
  if (has_equal_bytes(key))
    kh_cli_found(findings, KH_CLI_BAD, "keys", "key %u version %u is weak: all its bytes are %s",
                 key->id, key->version, key->bytes[0] == 0 ? "zero" : "equal");
}

static int compare(const void *left, const void *right)
{
  const struct known *a = left;
  const struct known *b = right;
  int order = strcmp(a->fingerprint.text, b->fingerprint.text);
  if (order != 0)
    return order;
  return a->key < b->key ? -1 : a->key > b->key; /* the table's order: id, then version */
}

static void check_equal(const struct known *known, size_t count, kh_cli_findings *findings)
{
  for (size_t i = 1; i < count; i++) {
    const kh_key *a = known[i - 1].key;
    const kh_key *b = known[i].key;
    if (kh_key_is_same_secret(a, b))
      kh_cli_found(findings, KH_CLI_BAD, "keys",
                   "key %u version %u has the same bytes as key %u version %u", b->id, b->version,
                   a->id, a->version);
  }
}

static void check_duplicates(const kh_keytable *table, kh_cli_findings *findings)
{
  size_t count = kh_keytable_version_count(table);
  struct known *known = calloc(count + 1, sizeof *known);
  if (known == NULL) {
    kh_cli_found(findings, KH_CLI_BAD, "keys", "no memory to look for equal keys");
    return;
  }
  for (size_t i = 0; i < count; i++) {
    known[i].key = kh_keytable_at(table, i);
    known[i].fingerprint = kh_key_fingerprint(known[i].key);
  }
  qsort(known, count, sizeof *known, compare);
  check_equal(known, count, findings);
  free(known);
}

static void check_due(const kh_keytable *table, size_t index, uint32_t now,
                      kh_cli_findings *findings)
{
  const kh_key *key = kh_keytable_at(table, index);
  if (!kh_keytable_is_latest(table, index) || kh_policy_due(&key->policy) > now)
    return;
  kh_cli_found(findings, KH_CLI_NOTE, "rotation", "key %u is due for a new version", key->id);
}

static void praise(const kh_keytable *table, kh_cli_findings *findings)
{
  size_t ids = kh_keytable_id_count(table);
  size_t versions = kh_keytable_version_count(table);
  kh_cli_found(findings, KH_CLI_GOOD, "keys",
               "%zu key%s with %zu version%s, none weak, no two equal", ids, ids == 1 ? "" : "s",
               versions, versions == 1 ? "" : "s");
}

void kh_cli_check_keys(const kh_keytable *table, kh_cli_findings *findings)
{
  kh_clock clock = kh_clock_system();
  uint32_t now = kh_clock_now(&clock);
  size_t bad = findings->bad;
  for (size_t i = 0; i < kh_keytable_version_count(table); i++)
    check_weak(kh_keytable_at(table, i), findings);
  check_duplicates(table, findings);
  if (findings->bad == bad)
    praise(table, findings);
  for (size_t i = 0; i < kh_keytable_version_count(table); i++)
    check_due(table, i, now, findings);
}
