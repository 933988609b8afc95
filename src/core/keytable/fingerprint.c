/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keyhold/hmac.h"
#include "keyhold/sha256.h"

enum { LINE_MAX = sizeof "4294967295;4294967294;256;\n" + KH_FINGERPRINT_MAX };

/* the first bytes of a digest */
static kh_fingerprint show_digest(const uint8_t *digest)
{
  kh_fingerprint fingerprint;
  for (size_t i = 0; i < KH_FINGERPRINT_MAX / 2; i++) {
    fingerprint.text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    fingerprint.text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  fingerprint.text[KH_FINGERPRINT_MAX - 1] = '\0';
  return fingerprint;
}

kh_fingerprint kh_key_fingerprint(const kh_key *key)
{
  static const uint8_t message[] = "Keyhold fingerprint";
  uint8_t mac[KH_HMAC_SHA256_SIZE];
  kh_hmac_sha256((kh_bytes){key->bytes, key->len}, (kh_bytes){message, sizeof message - 1}, mac);
  return show_digest(mac);
}

static void add_version(uint8_t *digest, const kh_key *key)
{
  uint8_t block[KH_SHA256_SIZE + LINE_MAX];
  memcpy(block, digest, KH_SHA256_SIZE);
  int len =
      snprintf((char *)block + KH_SHA256_SIZE, LINE_MAX, "%" PRIu32 ";%" PRIu32 ";%" PRIu32 ";%s\n",
               key->id, key->version, key->len * 8, kh_key_fingerprint(key).text);
  kh_sha256((kh_bytes){block, KH_SHA256_SIZE + (size_t)len}, digest);
}

kh_fingerprint kh_keytable_fingerprint(const kh_keytable *table)
{
  uint8_t digest[KH_SHA256_SIZE] = {0};
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    const kh_key *key = kh_keytable_at(table, i);
    if (!kh_keytable_is_retired(table, key->id, key->version))
      add_version(digest, key);
  }
  return show_digest(digest);
}
