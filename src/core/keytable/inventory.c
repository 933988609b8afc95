/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/inventory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "keyhold/fingerprint.h"
#include "keyhold/time.h"

/* a time with its quotes, or null */
typedef struct json_time {
  char text[KH_TIME_TEXT_MAX + sizeof "\"\""];
} json_time;

/* A time after the end of 32-bit UNIX time is never. */
static json_time show_time(uint64_t time)
{
  json_time shown = {"null"};
  if (time != 0 && time <= UINT32_MAX)
    snprintf(shown.text, sizeof shown.text, "\"%s\"", kh_time_show((uint32_t)time).text);
  return shown;
}

static void write_version(FILE *out, const kh_key *key, kh_cipher default_cipher)
{
  kh_cipher cipher =
      key->policy.cipher == KH_CIPHER_UNSET ? default_cipher : (kh_cipher)key->policy.cipher;
  const char *quote = cipher == KH_CIPHER_UNSET ? "" : "\"";
  fprintf(out,
          "{\"version\":%" PRIu32 ",\"bits\":%" PRIu32 ",\"cipher\":%s%s%s,\"created\":%s,"
          "\"fingerprint\":\"%s\"}",
          key->version, key->len * 8, quote,
          cipher == KH_CIPHER_UNSET ? "null" : kh_cipher_name(cipher), quote,
          show_time(key->policy.created).text, kh_key_fingerprint(key).text);
}

static void write_id(FILE *out, const kh_keytable *table, size_t first, size_t last,
                     kh_cipher default_cipher)
{
  const kh_key *latest = kh_keytable_at(table, last);
  fprintf(out,
          "{\"key_id\":%" PRIu32 ",\"latest_version\":%" PRIu32
          ",\"next_rotation\":%s,\"versions\":[",
          latest->id, latest->version, show_time(kh_policy_due(&latest->policy)).text);
  for (size_t i = first; i <= last; i++) {
    fputs(i == first ? "" : ",", out);
    write_version(out, kh_keytable_at(table, i), default_cipher);
  }
  fputs("]}", out);
}

static void write_inventory(FILE *out, const kh_keytable *table, kh_cipher default_cipher)
{
  size_t count = kh_keytable_version_count(table);
  size_t first = 0;
  fputs("[", out);
  for (size_t i = 0; i < count; i++) {
    if (!kh_keytable_is_latest(table, i))
      continue;
    fputs(first == 0 ? "" : ",", out);
    write_id(out, table, first, i, default_cipher);
    first = i + 1;
  }
  fputs("]", out);
}

kh_status kh_inventory_json(const kh_keytable *table, kh_cipher default_cipher, char **ret_text,
                            size_t *ret_len)
{
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  if (out == NULL)
    return KH_E_NO_MEMORY;
  write_inventory(out, table, default_cipher);
  bool whole = ferror(out) == 0;
  if (fclose(out) != 0 || !whole || text == NULL) {
    free(text);
    return KH_E_NO_MEMORY;
  }
  *ret_text = text;
  *ret_len = len;
  return KH_OK;
}
