/* SPDX-License-Identifier: GPL-2.0-only */
/* The text form of a key file: one key a line. The columns of its errors are those of the server's
 * own plugin. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"
#include "envelope.h"
#include "hint.h"
#include "keyhold/cursor.h"
#include "keyhold/hex.h"
#include "keyhold/keyfile_text.h"
#include "text.h"

enum {
  SHORTEST_KEY_LINE = 34, /* "1;" and 32 digits: bounds the number of keys in a text */
  VERSION_DIGITS_MAX =
      10 /* of 4294967294; a key has 32 digits at least, so no key looks like a version */
};

/* The state of the reader, and the place of the first error. */
struct reader {
  const char *path;
  const kh_log *log;
  kh_keylist *list;
  kh_bytes text;        /* all of it, also what is after a NUL */
  kh_bytes line;        /* that is being read */
  unsigned line_number; /* its number, from 1 */
  size_t field;         /* where in it the id, version or key begins that is being read */
  bool
      is_strict; /* no repeats: a line with a version or attributes was seen, or it was asked for */
  kh_faults *faults; /* takes all of them; NULL: reading ends at the first one */
  kh_status status;  /* the first fault */
  kh_fault *ret_fault;
  bool is_no_key_file;      /* it is wrong as a whole: no further line matters */
  bool may_have_system_key; /* in a line that is wrong */
  kh_fault rest;            /* the first line with a key after its key */
  size_t rests;
};

static bool goes_on(const struct reader *reader)
{
  return reader->status == KH_OK || (reader->faults != NULL && !reader->is_no_key_file &&
                                     kh_status_class(reader->status) == KH_CLASS_FORMAT);
}

static kh_status note_fault(struct reader *reader, const kh_fault *fault)
{
  if (reader->status == KH_OK) {
    reader->status = fault->status;
    if (reader->ret_fault != NULL)
      *reader->ret_fault = *fault;
  }
  if (reader->faults != NULL)
    kh_faults_add(reader->faults, fault);
  return fault->status;
}

static kh_fault fault_in_line(const struct reader *reader, kh_status status, size_t at)
{
  kh_fault fault;
  kh_fault_set(&fault, status, reader->path, 0);
  fault.line = reader->line_number;
  fault.column = at + 1;
  return fault;
}

static kh_status fail_at_column(struct reader *reader, kh_status status, size_t at)
{
  if (reader->faults != NULL && reader->faults->count >= KH_FAULTS_MAX) {
    reader->faults->count++;
    return status;
  }
  kh_fault fault = fault_in_line(reader, status, at);
  kh_hint hint = kh_hint_for(&(kh_hint_place){.status = status,
                                              .text = reader->text,
                                              .line = reader->line,
                                              .field = reader->field,
                                              .at = at,
                                              .has_keys = kh_keylist_count(reader->list) > 0});
  memcpy(fault.quote, hint.text, sizeof fault.quote);
  reader->is_no_key_file = hint.is_of_file;
  return note_fault(reader, &fault);
}

/* Reads a decimal number; the error is at the digit that makes it too large, or after the number.
 */
static kh_status read_key_number(struct reader *reader, kh_cursor *cursor, uint32_t max,
                                 kh_status out_of_range, uint32_t *ret_number)
{
  uint64_t number = 0;
  if (!kh_text_is_digit(kh_cursor_peek(cursor)))
    return fail_at_column(reader, KH_E_SYNTAX, cursor->at);
  while (kh_text_is_digit(kh_cursor_peek(cursor))) {
    number = number * 10 + (uint64_t)(kh_cursor_peek(cursor) - '0');
    if (number > max)
      return fail_at_column(reader, out_of_range, cursor->at);
    kh_cursor_skip(cursor, 1);
  }
  if (number == 0)
    return fail_at_column(reader, out_of_range, cursor->at);
  *ret_number = (uint32_t)number;
  return KH_OK;
}

static kh_status read_id(struct reader *reader, kh_cursor *cursor, uint32_t *ret_id)
{
  uint32_t id = 0;
  kh_status status = read_key_number(reader, cursor, KH_KEY_ID_MAX, KH_E_KEY_ID, &id);
  if (status != KH_OK)
    return status;
  if (kh_cursor_peek(cursor) != ';')
    return fail_at_column(reader, KH_E_SYNTAX, cursor->at);
  kh_cursor_skip(cursor, 1);
  *ret_id = id;
  return KH_OK;
}

/* Reads "version;" if it is here; else the version is 1. */
static kh_status read_key_version(struct reader *reader, kh_cursor *cursor, uint32_t *ret_version)
{
  size_t digits = kh_cursor_span(cursor, kh_text_is_digit);
  *ret_version = 1;
  if (digits == 0 || digits > VERSION_DIGITS_MAX || kh_cursor_peek_at(cursor, digits) != ';')
    return KH_OK;
  kh_status status =
      read_key_number(reader, cursor, KH_KEY_VERSION_MAX, KH_E_KEY_VERSION, ret_version);
  if (status != KH_OK)
    return status;
  kh_cursor_skip(cursor, 1);
  reader->is_strict = true;
  return KH_OK;
}

/* Reads pairs of digits up to the longest key; the error is after the last whole pair. */
static kh_status read_key(struct reader *reader, kh_cursor *cursor, kh_key *key)
{
  reader->field = cursor->at;
  size_t pairs = kh_cursor_span(cursor, kh_text_is_hex) / 2;
  if (pairs > KH_KEY_MAX)
    pairs = KH_KEY_MAX;
  kh_bytes digits = kh_cursor_take(cursor, 2 * pairs);
  if (kh_text_is_hex(kh_cursor_peek(cursor)) || (pairs != 16 && pairs != 24 && pairs != 32))
    return fail_at_column(reader, KH_E_KEY_HEX, cursor->at);
  if (!kh_hex_decode(digits, key->bytes))
    return fail_at_column(reader, KH_E_KEY_HEX, cursor->at);
  key->len = (uint32_t)pairs;
  return KH_OK;
}

/* Notes a key in the rest of the line, which is ignored: two keys were meant, and one counts. */
static void judge_rest(struct reader *reader, kh_cursor cursor)
{
  size_t at = cursor.at;
  const char *hint = kh_hint_of_rest(kh_cursor_take(&cursor, cursor.bytes.len));
  if (hint == NULL)
    return;
  if (reader->faults == NULL && reader->rests++ > 0)
    return;
  kh_fault fault = fault_in_line(reader, KH_E_KEY_REST, at);
  snprintf(fault.quote, sizeof fault.quote, "%s", hint);
  if (reader->faults != NULL)
    kh_faults_add(reader->faults, &fault);
  else
    reader->rest = fault;
}

static void warn_of_rests(const struct reader *reader)
{
  char sentence[KH_MESSAGE_MAX];
  if (reader->rests == 0)
    return;
  kh_fault_describe(&reader->rest, sentence, sizeof sentence);
  kh_log_write(reader->log, KH_LOG_WARNING, "%s (%zu such lines)", sentence, reader->rests);
}

static kh_status read_attributes(struct reader *reader, kh_cursor *cursor, kh_key *key)
{
  bool given = false;
  kh_status status = kh_attributes_read(cursor, key, &given);
  if (status != KH_OK)
    return fail_at_column(reader, status, cursor->at);
  reader->is_strict = reader->is_strict || given;
  if (!given && !kh_cursor_at_end(cursor))
    judge_rest(reader, *cursor);
  return KH_OK;
}

/* a line whose key was removed on purpose; the rest after the word is ignored */
static bool is_retired(kh_cursor cursor)
{
  static const char word[] = KH_KEYFILE_RETIRED;
  kh_bytes found = kh_cursor_take(&cursor, sizeof word - 1);
  int next = kh_cursor_peek(&cursor);
  return found.len == sizeof word - 1 && found.data != NULL &&
         memcmp(found.data, word, found.len) == 0 &&
         (kh_cursor_at_end(&cursor) || kh_text_is_blank(next) || next == '#');
}

static kh_status note_retired_line(struct reader *reader, const kh_cursor *cursor,
                                   const kh_retired *retired)
{
  reader->is_strict = true;
  return kh_keylist_retire(reader->list, retired) == KH_OK
             ? KH_OK
             : fail_at_column(reader, KH_E_NO_MEMORY, cursor->at);
}

/* @param ret_id  set if the line has one. */
static kh_status read_key_line(struct reader *reader, uint32_t *ret_id)
{
  kh_cursor cursor = kh_cursor_over(reader->line);
  kh_cursor_skip(&cursor, kh_cursor_span(&cursor, kh_text_is_blank));
  if (kh_cursor_at_end(&cursor) || kh_cursor_peek(&cursor) == '#')
    return KH_OK;

  uint32_t version = 0;
  reader->field = cursor.at;
  kh_status status = read_id(reader, &cursor, ret_id);
  if (status == KH_OK)
    status = read_key_version(reader, &cursor, &version);
  if (status != KH_OK)
    return status;
  if (is_retired(cursor))
    return note_retired_line(reader, &cursor, &(kh_retired){*ret_id, version, reader->line_number});
  kh_key *key = kh_keylist_next(reader->list);
  if (key == NULL) /* cannot happen: the list has room for every key that the text can hold */
    return fail_at_column(reader, KH_E_NO_MEMORY, cursor.at);
  status = read_key(reader, &cursor, key);
  if (status == KH_OK)
    status = read_attributes(reader, &cursor, key);
  if (status != KH_OK)
    return status;
  key->id = *ret_id;
  key->version = version;
  key->line = reader->line_number;
  kh_keylist_commit(reader->list);
  return KH_OK;
}

static void read_lines(struct reader *reader, kh_bytes text)
{
  kh_cursor cursor = kh_cursor_over(text);
  while (goes_on(reader) && !kh_cursor_at_end(&cursor)) {
    uint32_t id = KH_KEY_ID_SYSTEM; /* of a line that has none, it may have been meant */
    reader->line_number++;
    reader->line = kh_cursor_take_until(&cursor, '\n');
    if (read_key_line(reader, &id) != KH_OK && id == KH_KEY_ID_SYSTEM)
      reader->may_have_system_key = true;
  }
}

/* One (id, version) that appears twice with different keys. */
static void refuse_repeated(struct reader *reader, const kh_key *first, const kh_key *last)
{
  reader->line_number = last->line;
  kh_fault fault = fault_in_line(reader, KH_E_KEY_DUPLICATE, 0);
  fault.other_line = first->line;
  fault.key_id = first->id;
  fault.key_version = first->version;
  (void)note_fault(reader, &fault);
}

/* The server's own plugin accepts it. */
static void warn_of_repeated(const struct reader *reader, const kh_key *first, const kh_key *last,
                             size_t repeats)
{
  kh_log_write(reader->log, KH_LOG_WARNING,
               "key id %u has different keys in lines %u and %u of '%s': the last line is used; "
               "keep only the one that the data needs (%zu such conflicts)",
               first->id, first->line, last->line, kh_show_path(reader->path).text, repeats);
}

static bool is_conflict(const kh_key *a, const kh_key *b)
{
  return kh_key_is_same_version(a, b) &&
         !(kh_key_is_same_secret(a, b) && kh_attributes_are_same(&a->policy, &b->policy));
}

/* returns the last line that has the key of a retired version, or NULL */
static const kh_key *key_of_retired(const kh_keylist *list, const uint32_t *order,
                                    const kh_retired *retired)
{
  size_t low = 0;
  size_t high = kh_keylist_count(list);
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const kh_key *key = kh_keylist_at(list, order[middle]);
    if (key->id > retired->id || (key->id == retired->id && key->version > retired->version))
      high = middle;
    else
      low = middle + 1;
  }
  const kh_key *key = low == 0 ? NULL : kh_keylist_at(list, order[low - 1]);
  return key != NULL && key->id == retired->id && key->version == retired->version ? key : NULL;
}

static void check_retired(struct reader *reader, const kh_keylist *list, const uint32_t *order)
{
  for (size_t i = 0; i < kh_keylist_retired_count(list) && goes_on(reader); i++) {
    const kh_retired *retired = kh_keylist_retired_at(list, i);
    const kh_key *key = key_of_retired(list, order, retired);
    if (key == NULL)
      continue;
    kh_key line = {.id = retired->id, .version = retired->version, .line = retired->line};
    bool is_before = line.line < key->line;
    refuse_repeated(reader, is_before ? &line : key, is_before ? key : &line);
  }
}

static void check_keys(struct reader *reader, const kh_keylist *list, const uint32_t *order)
{
  const kh_key *first = NULL;
  const kh_key *last = NULL;
  size_t repeats = 0;
  for (size_t i = 1; i < kh_keylist_count(list) && goes_on(reader); i++) {
    const kh_key *a = kh_keylist_at(list, order[i - 1]);
    const kh_key *b = kh_keylist_at(list, order[i]);
    if (!is_conflict(a, b))
      continue;
    if (reader->is_strict)
      refuse_repeated(reader, a, b);
    else if (repeats++ == 0) {
      first = a;
      last = b;
    }
  }
  if (repeats > 0)
    warn_of_repeated(reader, first, last, repeats);
}

static void check_repeats(struct reader *reader, const kh_keylist *list)
{
  size_t count = kh_keylist_count(list);
  uint32_t *order = calloc(count + 1, sizeof *order);
  if (order == NULL) {
    kh_fault fault = fault_in_line(reader, KH_E_NO_MEMORY, 0);
    (void)note_fault(reader, &fault);
    return;
  }
  kh_keylist_sort(list, order);
  check_keys(reader, list, order);
  check_retired(reader, list, order);
  free(order);
}

static bool has_system_key(const kh_keylist *list)
{
  for (size_t i = 0; i < kh_keylist_count(list); i++)
    if (kh_keylist_at(list, i)->id == KH_KEY_ID_SYSTEM)
      return true;
  return false;
}

static void check_system_key(struct reader *reader)
{
  reader->line.len = 0;
  reader->field = 0;
  if (!reader->may_have_system_key && !has_system_key(reader->list))
    (void)fail_at_column(reader, KH_E_NO_SYSTEM_KEY, 0);
}

/* No line has a key without a semicolon, or in fewer bytes than the shortest one. */
static size_t most_keys(kh_bytes text)
{
  size_t semicolons = 0;
  for (size_t i = 0; i < text.len; i++)
    semicolons += text.data[i] == ';';
  size_t by_length = text.len / SHORTEST_KEY_LINE + 1;
  return semicolons < by_length ? semicolons : by_length;
}

/* What follows a NUL is ignored, as in the server's own plugin: keys may have been meant, or lost.
 */
static void warn_of_nul(const struct reader *reader, kh_bytes text)
{
  char sentence[KH_MESSAGE_MAX];
  if (text.len == 0 || text.len == reader->text.len)
    return;
  bool is_new_line = text.data[text.len - 1] == '\n';
  kh_fault fault = fault_in_line(reader, KH_E_TEXT_NUL, is_new_line ? 0 : reader->line.len);
  fault.line += is_new_line;
  kh_fault_describe(&fault, sentence, sizeof sentence);
  if (reader->faults != NULL)
    kh_faults_add(reader->faults, &fault);
  else
    kh_log_write(reader->log, KH_LOG_WARNING, "%s", sentence);
}

static kh_status read_text(struct reader *reader, kh_bytes text, kh_keylist **ret_list)
{
  KH_AUTO_KEYLIST list = NULL;
  reader->text = text;
  text = kh_text_until_nul(text);
  kh_status status = kh_keylist_new(most_keys(text), &list);
  if (status != KH_OK)
    return kh_fault_set(reader->ret_fault, status, reader->path, 0);
  reader->list = list;
  read_lines(reader, text);
  if (goes_on(reader) && (reader->faults != NULL || has_system_key(list)))
    warn_of_nul(reader, text);
  if (goes_on(reader))
    check_system_key(reader);
  if (goes_on(reader))
    check_repeats(reader, list);
  if (reader->status != KH_OK)
    return reader->status;
  warn_of_rests(reader);
  *ret_list = list;
  list = NULL;
  return KH_OK;
}

kh_status kh_keyfile_parse_text(const char *path, kh_bytes text, kh_repeats repeats,
                                const kh_log *log, kh_keylist **ret_list, kh_fault *ret_fault)
{
  struct reader reader = {
      .path = path, .log = log, .ret_fault = ret_fault, .is_strict = repeats == KH_REPEATS_REFUSED};
  return read_text(&reader, text, ret_list);
}

kh_status kh_keyfile_parse_whole_text(const char *path, kh_bytes text, const kh_log *log,
                                      kh_faults *faults, kh_keylist **ret_list, kh_fault *ret_fault)
{
  struct reader reader = {.path = path, .log = log, .ret_fault = ret_fault, .faults = faults};
  return read_text(&reader, text, ret_list);
}

kh_status kh_text_check_strictly(const char *path, const kh_keylist *list, kh_fault *ret_fault)
{
  struct reader reader = {.path = path, .ret_fault = ret_fault, .is_strict = true};
  check_repeats(&reader, list);
  return reader.status;
}

static bool knows_all(kh_bytes file)
{
  (void)file;
  return true;
}

/* the file and its text are the same */
static kh_status open_text(kh_envelope *envelope, kh_bytes file, kh_secret **ret_text,
                           kh_fault *ret_fault)
{
  (void)envelope, (void)file, (void)ret_text, (void)ret_fault;
  return KH_OK;
}

static kh_status read_text_back(const kh_envelope *envelope, kh_bytes file, kh_secret **ret_text,
                                kh_fault *ret_fault)
{
  (void)envelope, (void)file, (void)ret_text, (void)ret_fault;
  return KH_OK;
}

static kh_status copy_text(const kh_envelope *envelope, kh_bytes text, kh_secret **ret_file,
                           kh_fault *ret_fault)
{
  kh_secret *file = NULL;
  kh_status status = kh_secret_new(text.len, &file);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, envelope->options.path, 0);
  if (text.len > 0)
    memcpy(kh_secret_data(file), text.data, text.len);
  kh_secret_set_len(file, text.len);
  *ret_file = file;
  return KH_OK;
}

static const kh_keyfile_format_functions functions = {
    .knows = knows_all, .open = open_text, .read_back = read_text_back, .make = copy_text};

const kh_keyfile_format kh_keyfile_format_text = {.name = "text", .functions = &functions};
