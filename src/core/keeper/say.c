/* SPDX-License-Identifier: GPL-2.0-only */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "keyhold/version.h"

enum { ROOM_FOR_MORE = 96 }; /* " and 18446744073709551615 more" and what is retired */

__attribute__((format(printf, 2, 3))) static void add(kh_line *line, const char *format, ...)
{
  size_t used = strlen(line->text);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line->text + used, sizeof line->text - used, format, arguments);
  va_end(arguments);
}

static void add_counts(kh_line *line, const kh_keytable *table)
{
  size_t ids = kh_keytable_id_count(table);
  size_t versions = kh_keytable_version_count(table);
  add(line, "%zu key%s with %zu version%s", ids, ids == 1 ? "" : "s", versions,
      versions == 1 ? "" : "s");
}

/* names a version; false: there is no room for it */
static bool add_version(kh_line *line, const kh_key *key, bool first)
{
  char text[64];
  snprintf(text, sizeof text, "%skey id %u version %u", first ? "" : ", ", key->id, key->version);
  if (strlen(line->text) + strlen(text) + ROOM_FOR_MORE > sizeof line->text)
    return false;
  add(line, "%s", text);
  return true;
}

/* names the versions that the table has and `old` has not, or, without `old`, the latest ones */
static size_t add_versions(kh_line *line, const kh_keytable *table, const kh_keytable *old)
{
  size_t named = 0;
  size_t left = 0;
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    const kh_key *key = kh_keytable_at(table, i);
    bool wanted = old == NULL ? kh_keytable_is_latest(table, i)
                              : kh_keytable_find(old, key->id, key->version) == NULL;
    if (!wanted)
      continue;
    if (left == 0 && add_version(line, key, named == 0))
      named++;
    else
      left++;
  }
  if (left > 0)
    add(line, " and %zu more", left);
  return named + left;
}

/* retired versions that the table still has: no file has them any more */
static size_t count_kept(const kh_keytable *table)
{
  size_t kept = 0;
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    const kh_key *key = kh_keytable_at(table, i);
    kept += kh_keytable_is_retired(table, key->id, key->version);
  }
  return kept;
}

kh_line kh_say_loaded(const kh_keeper_options *options, const kh_keyfile_info *info,
                      const kh_keytable *table)
{
  kh_line line = {"Keyhold " KEYHOLD_VERSION ": "};
  add_counts(&line, table);
  add(&line, " from '%s' (%s), %s; latest: ", kh_show_path(options->keyfile.path).text,
      info->format->name, kh_cipher_name(options->default_cipher));
  add_versions(&line, table, NULL);
  return line;
}

kh_line kh_say_changed(const kh_keeper_options *options, const char *what,
                       const kh_keyfile_info *info, const kh_keytable *table,
                       const kh_keytable *old)
{
  kh_line line = {""};
  add(&line, "'%s' (%s) %s: ", kh_show_path(options->keyfile.path).text, info->format->name, what);
  add_counts(&line, table);
  add(&line, "; new: ");
  if (add_versions(&line, table, old) == 0)
    add(&line, "none");
  size_t kept = count_kept(table);
  if (kept > 0)
    add(&line, "; %zu retired, kept in memory until the server ends", kept);
  return line;
}
