/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"
#include "keyhold/cursor.h"
#include "keyhold/keyfile_text.h"
#include "output.h"
#include "text.h"

enum {
  LINE_END_MAX = 2,
  NUMBERS_MAX = sizeof "4294967295;4294967294;",
  ADDED_MAX = NUMBERS_MAX + 2 * KH_KEY_MAX + KH_ATTRIBUTES_TEXT_MAX + LINE_END_MAX
};

static void put_marker(kh_output *output, uint32_t id, uint32_t version)
{
  char text[NUMBERS_MAX + sizeof KH_KEYFILE_RETIRED];
  snprintf(text, sizeof text, "%u;%u;" KH_KEYFILE_RETIRED, id, version);
  kh_output_text(output, text);
}

/* the end of the text */
#define NO_LINE UINT32_MAX

/* A key that is added, and the line that it goes after. */
struct place {
  uint32_t id;
  uint32_t line;
  const kh_key *key; /* in the list of what is added, whose order decides between equals */
};

static int compare_added_keys(const struct place *a, const struct place *b)
{
  return a->key < b->key ? -1 : a->key > b->key;
}

static int compare_places(const void *left, const void *right)
{
  const struct place *a = left;
  const struct place *b = right;
  if (a->id == b->id)
    return compare_added_keys(a, b);
  return a->id < b->id ? -1 : 1;
}

static int compare_ids(const void *left, const void *right)
{
  const struct place *a = left;
  const struct place *b = right;
  return a->id < b->id ? -1 : a->id > b->id;
}

static int compare_lines(const void *left, const void *right)
{
  const struct place *a = left;
  const struct place *b = right;
  if (a->line == b->line)
    return compare_added_keys(a, b);
  return a->line < b->line ? -1 : 1;
}

/* Sets the line of the first place of a key id. */
static void note_line(struct place *places, size_t count, const kh_key *key)
{
  struct place wanted = {.id = key->id};
  struct place *place = bsearch(&wanted, places, count, sizeof *places, compare_ids);
  if (place == NULL)
    return;
  while (place > places && place[-1].id == key->id)
    place--;
  place->line = key->line;
}

/* Fills `places` with the keys in the order of the lines that they go after. */
static void find_places(const kh_keylist *parsed, const kh_keylist *added, struct place *places)
{
  size_t count = kh_keylist_count(added);
  for (size_t i = 0; i < count; i++) {
    const kh_key *key = kh_keylist_at(added, i);
    places[i] = (struct place){.id = key->id, .line = NO_LINE, .key = key};
  }
  qsort(places, count, sizeof *places, compare_places);
  for (size_t i = 0; i < kh_keylist_count(parsed); i++)
    note_line(places, count, kh_keylist_at(parsed, i)); /* in the order of the lines: the last one
                                                           stays */
  for (size_t i = 1; i < count; i++)
    if (places[i].id == places[i - 1].id)
      places[i].line = places[i - 1].line;
  qsort(places, count, sizeof *places, compare_lines);
}

static void put_key(kh_output *output, const kh_key *key, const char *line_end)
{
  char numbers[NUMBERS_MAX];
  int len = snprintf(numbers, sizeof numbers, "%u;", key->id);
  if (key->version != KH_KEY_VERSION_MIN) /* so that files without versions stay without */
    snprintf(numbers + len, sizeof numbers - (size_t)len, "%u;", key->version);
  kh_output_text(output, numbers);
  kh_output_hex(output, (kh_bytes){key->bytes, key->len});
  kh_output_text(output, kh_attributes_show(&key->policy).text);
  kh_output_text(output, line_end);
}

/* Copies a line and returns its line end; the last line of the text may have none and gets that of
 * the line before it. */
static const char *copy_line(kh_output *output, kh_cursor *text, const char *end_before)
{
  size_t start = text->at;
  kh_bytes line = kh_cursor_take_until(text, '\n');
  bool is_ended = text->at - start > line.len;
  bool has_cr = line.len > 0 && line.data[line.len - 1] == '\r';
  const char *end = has_cr ? "\r\n" : is_ended ? "\n" : end_before;
  kh_output_put(output, line);
  kh_output_text(output, has_cr ? "\n" : end);
  return end;
}

static void copy_with_places(kh_output *output, kh_bytes text, const struct place *places,
                             size_t count)
{
  kh_cursor cursor = kh_cursor_over(kh_text_until_nul(text));
  const char *line_end = "\n";
  for (uint32_t line = 1; !kh_cursor_at_end(&cursor); line++) {
    line_end = copy_line(output, &cursor, line_end);
    for (; count > 0 && places->line == line; places++, count--)
      put_key(output, places->key, line_end);
  }
  for (; count > 0; places++, count--)
    put_key(output, places->key, line_end);
  kh_cursor rest = {text, cursor.at}; /* a NUL and what follows it */
  kh_output_put(output, kh_cursor_take(&rest, text.len));
}

kh_status kh_keyfile_add_markers(kh_bytes text, const kh_keylist *retired, kh_secret **ret_text)
{
  size_t count = kh_keylist_retired_count(retired);
  KH_AUTO_SECRET secret = NULL;
  kh_status status = kh_secret_new(text.len + count * ADDED_MAX, &secret);
  if (status != KH_OK)
    return status;
  kh_output output = kh_output_over(secret);
  kh_output_put(&output, text);
  for (size_t i = 0; i < count; i++) {
    const kh_retired *marker = kh_keylist_retired_at(retired, i);
    put_marker(&output, marker->id, marker->version);
    kh_output_text(&output, "\n");
  }
  kh_secret_set_len(secret, output.len);
  *ret_text = secret;
  secret = NULL;
  return KH_OK;
}

kh_status kh_keyfile_add_lines(kh_bytes text, const kh_keylist *parsed, const kh_keylist *added,
                               kh_secret **ret_text)
{
  size_t count = kh_keylist_count(added);
  KH_AUTO_SECRET secret = NULL;
  kh_status status = kh_secret_new(text.len + LINE_END_MAX + count * ADDED_MAX, &secret);
  if (status != KH_OK)
    return status;
  struct place *places = calloc(count + 1, sizeof *places);
  if (places == NULL)
    return KH_E_NO_MEMORY;
  kh_output output = kh_output_over(secret);
  find_places(parsed, added, places);
  copy_with_places(&output, text, places, count);
  free(places);
  kh_secret_set_len(secret, output.len);
  *ret_text = secret;
  secret = NULL;
  return KH_OK;
}

/* returns the next key of the text that is retired, from the key `*next` on, or NULL */
static const kh_key *next_retired(const kh_keylist *parsed, const kh_keytable *retired,
                                  size_t *next)
{
  while (*next < kh_keylist_count(parsed)) {
    const kh_key *key = kh_keylist_at(parsed, (*next)++);
    if (kh_keytable_find(retired, key->id, key->version) != NULL)
      return key;
  }
  return NULL;
}

/* Shorter than the line that it replaces, at least by the digits of a key. */
static void put_retired(kh_output *output, const kh_key *key, kh_bytes line)
{
  put_marker(output, key->id, key->version);
  if (line.data != NULL && line.len > 1 && line.data[line.len - 2] == '\r')
    kh_output_text(output, "\r");
  kh_output_text(output, "\n");
}

kh_status kh_keyfile_retire_lines(kh_bytes text, const kh_keylist *parsed,
                                  const kh_keytable *retired, kh_secret **ret_text)
{
  kh_secret *secret = NULL;
  kh_status status = kh_secret_new(text.len, &secret);
  if (status != KH_OK)
    return status;
  kh_output output = kh_output_over(secret);
  kh_cursor cursor = kh_cursor_over(kh_text_until_nul(text));
  size_t next = 0;
  const kh_key *key = next_retired(parsed, retired, &next);
  for (uint32_t line = 1; !kh_cursor_at_end(&cursor); line++) {
    kh_cursor start = cursor;
    (void)kh_cursor_take_until(&cursor, '\n');
    kh_bytes whole = kh_cursor_take(&start, cursor.at - start.at);
    if (key == NULL || line != key->line) {
      kh_output_put(&output, whole);
      continue;
    }
    put_retired(&output, key, whole);
    key = next_retired(parsed, retired, &next);
  }
  kh_cursor rest = {text, cursor.at}; /* a NUL and what follows it */
  kh_output_put(&output, kh_cursor_take(&rest, text.len));
  kh_secret_set_len(secret, output.len);
  *ret_text = secret;
  return KH_OK;
}
