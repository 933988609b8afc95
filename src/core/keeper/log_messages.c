/* SPDX-License-Identifier: GPL-2.0-only */
#include "log_messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "keyhold/version.h"

enum {
  ROOM_FOR_MORE = 96,  /* " and 18446744073709551615 more", and the retired versions */
  ROOM_FOR_STEPS = 192 /* the same, and what is wrong with the steps */
};

__attribute__((format(printf, 2, 3))) static void append_to_message(kh_message *line,
                                                                    const char *format, ...)
{
  size_t used = strlen(line->text);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line->text + used, sizeof line->text - used, format, arguments);
  va_end(arguments);
}

static void append_counts(kh_message *line, const kh_keytable *table)
{
  size_t ids = kh_keytable_id_count(table);
  size_t versions = kh_keytable_version_count(table);
  append_to_message(line, "%zu key%s with %zu version%s", ids, ids == 1 ? "" : "s", versions,
                    versions == 1 ? "" : "s");
}

/* appends an element of a list; returns false when it does not fit with the room to be left */
static bool append_element(kh_message *line, const char *text, bool first, size_t room)
{
  const char *comma = first ? "" : ", ";
  if (strlen(line->text) + strlen(comma) + strlen(text) + room > sizeof line->text)
    return false;
  append_to_message(line, "%s%s", comma, text);
  return true;
}

/* appends a version; returns false when it does not fit */
static bool append_version(kh_message *line, const kh_key *key, bool first)
{
  char text[64];
  snprintf(text, sizeof text, "key id %u version %u", key->id, key->version);
  return append_element(line, text, first, ROOM_FOR_MORE);
}

/* appends the versions that are in the table and not in `old`, or, without `old`, the latest ones
 */
static size_t append_versions(kh_message *line, const kh_keytable *table, const kh_keytable *old)
{
  size_t named = 0;
  size_t left = 0;
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    const kh_key *key = kh_keytable_at(table, i);
    bool wanted = old == NULL ? kh_keytable_is_latest(table, i)
                              : kh_keytable_find(old, key->id, key->version) == NULL;
    if (!wanted)
      continue;
    if (left == 0 && append_version(line, key, named == 0))
      named++;
    else
      left++;
  }
  if (left > 0)
    append_to_message(line, " and %zu more", left);
  return named + left;
}

/* counts the retired versions of the table, which the store no longer has */
static size_t count_retired(const kh_keytable *table)
{
  size_t retired = 0;
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    const kh_key *key = kh_keytable_at(table, i);
    retired += kh_keytable_is_retired(table, key->id, key->version);
  }
  return retired;
}

kh_message kh_message_loaded(const kh_keeper *keeper, const kh_change *change)
{
  kh_message line = {"Keyhold " KEYHOLD_VERSION ": "};
  append_counts(&line, change->table);
  append_to_message(&line,
                    " from '%s' (%s), %s; latest: ", kh_store_shown_place(&keeper->store).text,
                    change->format, kh_cipher_name(keeper->options.default_cipher));
  append_versions(&line, change->table, NULL);
  return line;
}

kh_message kh_message_changed(const kh_keeper *keeper, const char *what, const kh_change *change,
                              const kh_keytable *old)
{
  kh_message line = {""};
  append_to_message(&line, "'%s' (%s) %s: ", kh_store_shown_place(&keeper->store).text,
                    change->format, what);
  append_counts(&line, change->table);
  append_to_message(&line, "; new: ");
  if (append_versions(&line, change->table, old) == 0)
    append_to_message(&line, "none");
  size_t retired = count_retired(change->table);
  if (retired > 0)
    append_to_message(&line, "; %zu retired, kept in memory until the server stops", retired);
  return line;
}

/* returns whether a version is the latest one, and too near the latest one of the old table */
static bool is_small_step(const kh_keytable *table, size_t index, const kh_keytable *old,
                          uint32_t *ret_from)
{
  const kh_key *key = kh_keytable_at(table, index);
  return kh_keytable_is_latest(table, index) &&
         kh_keytable_latest(old, key->id, ret_from) == KH_OK && key->version > *ret_from &&
         key->version - *ret_from < KH_ROTATION_STEP;
}

kh_message kh_message_steps(const kh_change *change, const kh_keytable *old)
{
  kh_message line = {"InnoDB does not re-encrypt data from "};
  size_t named = 0;
  size_t left = 0;
  for (size_t i = 0; i < kh_keytable_version_count(change->table); i++) {
    const kh_key *key = kh_keytable_at(change->table, i);
    uint32_t from;
    char text[80];
    if (!is_small_step(change->table, i, old, &from))
      continue;
    snprintf(text, sizeof text, "key id %u version %u to %u", key->id, from, key->version);
    if (left == 0 && append_element(&line, text, named == 0, ROOM_FOR_STEPS))
      named++;
    else
      left++;
  }
  if (named == 0)
    return (kh_message){""};
  if (left > 0)
    append_to_message(&line, " and %zu more", left);
  append_to_message(&line,
                    ": a new version must be more than innodb_encryption_rotate_key_age (default: "
                    "1) above the one before; rotate these keys, which adds %u",
                    KH_ROTATION_STEP);
  return line;
}
/* A list of numbers that rise, as "1, 3 to 5", that is being written. */
typedef struct range_list {
  kh_message *line;
  uint32_t first, last; /* of the range that is not written yet; 0: there is none */
  bool is_begun, is_full;
} range_list;

static void end_range(range_list *list)
{
  char text[64] = "";
  const char *comma = list->is_begun ? ", " : "";
  if (list->first == 0 || list->is_full)
    return;
  if (list->first == list->last)
    snprintf(text, sizeof text, "%s%u", comma, list->first);
  else
    snprintf(text, sizeof text, "%s%u to %u", comma, list->first, list->last);
  list->is_full =
      strlen(list->line->text) + strlen(text) + sizeof ", ..." > sizeof list->line->text;
  append_to_message(list->line, "%s", list->is_full ? ", ..." : text);
  list->is_begun = true;
}

static void add_to_ranges(range_list *list, uint32_t number)
{
  bool goes_on = list->first != 0 && (list->last == number || list->last + 1 == number);
  if (!goes_on) {
    end_range(list);
    list->first = number;
  }
  list->last = number;
}

/* appends the versions of a key id, or, where it has none, all key ids */
static void append_what_there_is(kh_message *line, const kh_keytable *table, uint32_t id)
{
  uint32_t latest;
  bool is_known = kh_keytable_latest(table, id, &latest) == KH_OK;
  range_list list = {.line = line};
  append_to_message(line, is_known ? "Versions of it there: " : "Key ids there: ");
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    const kh_key *key = kh_keytable_at(table, i);
    if (!is_known || key->id == id)
      add_to_ranges(&list, is_known ? key->version : key->id);
  }
  end_range(&list);
}

static const char *what_a_missing_key_means(kh_miss miss)
{
  if (miss.version != 0)
    return " and data needs it. The data is intact: do not drop tables; put the key back, then "
           "restart the server (mariadb-backup: prepare a new copy)";
  if (miss.id == KH_KEY_ID_TEMPORARY)
    return ": temporary files are encrypted with key id 1 instead; only a table with "
           "ENCRYPTION_KEY_ID=2 needs it";
  return ". If CREATE TABLE or ALTER TABLE named it: add the key, or name another one. If a table "
         "has it: the table is intact; do not drop it, put the key back, then restart the server";
}

static kh_message describe_implausible(const kh_keeper *keeper, kh_miss miss,
                                       const kh_keytable *table)
{
  kh_message line = {""};
  append_to_message(&line,
                    "key id %u version %u is missing in '%s', and no rotation made it: it is far "
                    "above %u, the highest one, so the page that names it is damaged. Find the "
                    "table with CHECK TABLE, and restore it from a backup",
                    miss.id, miss.version, kh_store_shown_place(&keeper->store).text,
                    kh_keytable_highest(table, miss.id));
  return line;
}

kh_message kh_message_missing(const kh_keeper *keeper, kh_miss miss, const kh_keytable *table)
{
  kh_message line = {""};
  if (kh_miss_is_implausible(miss, table))
    return describe_implausible(keeper, miss, table);
  append_to_message(&line, "key id %u", miss.id);
  if (miss.version != 0)
    append_to_message(&line, " version %u", miss.version);
  append_to_message(&line, " is %s in '%s'%s. ",
                    kh_keytable_is_retired(table, miss.id, miss.version) ? "retired" : "missing",
                    kh_store_shown_place(&keeper->store).text, what_a_missing_key_means(miss));
  append_what_there_is(&line, table, miss.id);
  return line;
}

kh_message kh_message_brought(const kh_keeper *keeper, const kh_keytable *table,
                              const kh_keytable *old)
{
  kh_message line = {""};
  bool is_needed = false;
  range_list list = {.line = &line};
  if (atomic_load(&keeper->unknown_ids.noted) + atomic_load(&keeper->missing_versions.noted) == 0)
    return line;
  append_to_message(&line,
                    "'%s' has keys now that the server asked for in vain before. If a table with "
                    "one of them existed then, InnoDB remembers that its key was missing: restart "
                    "the server before writing to such a table. Key ids: ",
                    kh_store_shown_place(&keeper->store).text);
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    uint32_t id = kh_keytable_at(table, i)->id;
    if (kh_keytable_is_latest(table, i) && kh_misses_brings(keeper, id, table, old)) {
      add_to_ranges(&list, id);
      is_needed = true;
    }
  }
  end_range(&list);
  return is_needed ? line : (kh_message){""};
}
