/* SPDX-License-Identifier: GPL-2.0-only */
#include "sealed_form.h"

#include <stdlib.h>
#include <string.h>

#include "keyhold/base64.h"
#include "keyhold/cursor.h"
#include "keyhold/hex.h"
#include "keyhold/sha256.h"
#include "text.h"

enum {
  DIGITS_MAX = 10,
  END_WORD = sizeof KH_SEALED_WORD_END - 1,
  END_LINE = END_WORD + 2 * KH_SHA256_SIZE + 1
};

/* The state of the reader. */
struct reader {
  const char *path;
  kh_fault *ret_fault;
  kh_cursor cursor;
  unsigned line;      /* from 1 */
  size_t line_at;     /* its first byte */
  bool has_right_end; /* the checksum of the last line fits */
  uint64_t version;   /* of the file */
  uint64_t work;      /* of the slots so far */
  kh_sealed_form *form;
};

static kh_status fail_as_damaged(const struct reader *reader)
{
  kh_fault_set(reader->ret_fault, KH_E_SEALED_DAMAGED, reader->path, 0);
  if (reader->ret_fault != NULL) {
    reader->ret_fault->line = reader->line;
    reader->ret_fault->column = reader->cursor.at - reader->line_at + 1;
  }
  return KH_E_SEALED_DAMAGED;
}

static kh_status fail_at_number(const struct reader *reader, kh_status status, uint64_t size,
                                uint64_t limit)
{
  kh_fault_set(reader->ret_fault, status, reader->path, 0);
  if (reader->ret_fault != NULL) {
    reader->ret_fault->line = reader->line;
    reader->ret_fault->size = size;
    reader->ret_fault->limit = limit;
  }
  return status;
}

static kh_status expect_text(struct reader *reader, const char *text)
{
  for (; *text != '\0'; text++) {
    if (kh_cursor_peek(&reader->cursor) != *text)
      return fail_as_damaged(reader);
    kh_cursor_skip(&reader->cursor, 1);
  }
  return KH_OK;
}

static kh_status end_line(struct reader *reader)
{
  kh_status status = expect_text(reader, "\n");
  if (status == KH_OK) {
    reader->line++;
    reader->line_at = reader->cursor.at;
  }
  return status;
}

/* reads a decimal number, at least 1, without leading zeros */
static kh_status read_sealed_number(struct reader *reader, uint64_t *ret_number)
{
  size_t digits = kh_cursor_span(&reader->cursor, kh_text_is_digit);
  if (digits == 0 || digits > DIGITS_MAX || kh_cursor_peek(&reader->cursor) == '0')
    return fail_as_damaged(reader);
  uint64_t number = 0;
  for (; digits > 0; digits--) {
    number = number * 10 + (uint64_t)(kh_cursor_peek(&reader->cursor) - '0');
    kh_cursor_skip(&reader->cursor, 1);
  }
  *ret_number = number;
  return KH_OK;
}

static bool is_lower_hex(int byte)
{
  return kh_text_is_digit(byte) || (byte >= 'a' && byte <= 'f');
}

/* `least` to `most` bytes */
static kh_status read_hex(struct reader *reader, size_t least, size_t most, uint8_t *ret_data,
                          size_t *ret_len)
{
  size_t digits = kh_cursor_span(&reader->cursor, is_lower_hex);
  kh_bytes taken = kh_cursor_take(&reader->cursor, digits < 2 * most ? digits : 2 * most);
  if (taken.len < 2 * least || !kh_hex_decode(taken, ret_data))
    return fail_as_damaged(reader);
  *ret_len = taken.len / 2;
  return KH_OK;
}

static kh_status read_named_hex(struct reader *reader, const char *name, uint8_t *ret_data,
                                size_t len)
{
  kh_status status = expect_text(reader, name);
  return status == KH_OK ? read_hex(reader, len, len, ret_data, &len) : status;
}

static kh_status read_sealed_version(struct reader *reader)
{
  uint32_t newest = kh_sealed_newest_version();
  kh_status status = expect_text(reader, KH_SEALED_MAGIC);
  if (status == KH_OK)
    status = read_sealed_number(reader, &reader->version);
  if (status == KH_OK)
    status = end_line(reader);
  if (status == KH_OK && reader->version > newest)
    return fail_at_number(reader, KH_E_SEALED_NEWER, reader->version, newest);
  return status;
}

static bool has_label(const kh_sealed_lines *lines, const char *label)
{
  size_t i = 0;
  while (i < lines->count && strcmp(lines->at[i].slot.label, label) != 0)
    i++;
  return i < lines->count;
}

static kh_status read_label(struct reader *reader, kh_sealed_slot *slot)
{
  size_t len = kh_cursor_span(&reader->cursor, kh_sealed_is_label);
  if (len == 0 || len > KH_SEALED_LABEL_MAX)
    return fail_as_damaged(reader);
  kh_bytes label = kh_cursor_take(&reader->cursor, len);
  if (label.data == NULL) /* cannot happen: there are characters */
    return fail_as_damaged(reader);
  memcpy(slot->label, label.data, label.len);
  return has_label(reader->form->lines, slot->label) ? fail_as_damaged(reader)
                                                     : expect_text(reader, " ");
}

/* The only place that handles an unknown kind, or one that is newer than the file: the file is
 * damaged, since all kinds of the supported versions are known. */
static kh_status read_kind(struct reader *reader, kh_sealed_slot *slot)
{
  kh_cursor name = reader->cursor;
  size_t len = kh_cursor_span(&name, kh_sealed_is_label);
  slot->kind = kh_sealed_kind_by_name(kh_cursor_take(&name, len));
  if (slot->kind == NULL || slot->kind->version > reader->version)
    return fail_as_damaged(reader);
  reader->cursor = name;
  return KH_OK;
}

/* " name=" */
static kh_status expect_name(struct reader *reader, const char *name)
{
  kh_status status = expect_text(reader, " ");
  if (status == KH_OK)
    status = expect_text(reader, name);
  return status == KH_OK ? expect_text(reader, "=") : status;
}

static kh_status read_text(struct reader *reader, const kh_sealed_parameter *parameter,
                           char *ret_text)
{
  size_t len = kh_cursor_span(&reader->cursor, kh_sealed_is_text);
  kh_bytes text = kh_cursor_take(&reader->cursor, len < parameter->most ? len : parameter->most);
  if (text.data == NULL || text.len < parameter->least)
    return fail_as_damaged(reader);
  memcpy(ret_text, text.data, text.len);
  return KH_OK;
}

static kh_status read_parameter_number(struct reader *reader, const kh_sealed_parameter *parameter,
                                       uint32_t *ret_value)
{
  uint64_t value = 0;
  kh_status status = read_sealed_number(reader, &value);
  if (status != KH_OK)
    return status;
  if (value > parameter->most)
    return fail_at_number(reader, KH_E_SEALED_COST, value, parameter->most);
  if (value < parameter->least)
    return fail_as_damaged(reader);
  *ret_value = (uint32_t)value;
  return KH_OK;
}

static kh_status read_parameter(struct reader *reader, kh_sealed_slot *slot, size_t at)
{
  const kh_sealed_parameter *parameter = &slot->kind->parameters[at];
  kh_status status = expect_name(reader, parameter->name);
  if (status != KH_OK)
    return status;
  return parameter->is_text ? read_text(reader, parameter, slot->texts[at])
                            : read_parameter_number(reader, parameter, &slot->values[at]);
}

static kh_status read_parameters(struct reader *reader, kh_sealed_slot *slot)
{
  const kh_sealed_parameter *parameters = slot->kind->parameters;
  kh_status status = KH_OK;
  for (size_t i = 0; status == KH_OK && parameters[i].name != NULL; i++)
    status = read_parameter(reader, slot, i);
  if (status != KH_OK)
    return status;
  reader->work += slot->kind->functions->work(slot);
  return reader->work <= KH_SEALED_WORK_MAX
             ? KH_OK
             : fail_at_number(reader, KH_E_SEALED_COST, reader->work, KH_SEALED_WORK_MAX);
}

/* from the place of a cursor to where the reader is */
static kh_bytes taken_since(const struct reader *reader, kh_cursor from)
{
  return kh_cursor_take(&from, reader->cursor.at - from.at);
}

/* `start` is that of the line */
static kh_status read_fields(struct reader *reader, kh_cursor start, kh_sealed_line *line)
{
  kh_status status = KH_OK;
  uint8_t *place = line->fields;
  const kh_sealed_field *field = line->slot.kind->functions->fields;
  for (size_t *len = line->field_lens; status == KH_OK && field->name != NULL; field++) {
    status = expect_name(reader, field->name);
    line->bound_len = taken_since(reader, start).len;
    if (status == KH_OK)
      status = read_hex(reader, field->least, field->most, place, len);
    place += *len++;
  }
  return status;
}

static kh_status read_slot_line(struct reader *reader, kh_sealed_line *line)
{
  kh_cursor start = reader->cursor;
  kh_status status = expect_text(reader, KH_SEALED_WORD_SLOT);
  if (status == KH_OK)
    status = read_label(reader, &line->slot);
  if (status == KH_OK)
    status = read_kind(reader, &line->slot);
  if (status == KH_OK)
    status = read_parameters(reader, &line->slot);
  if (status == KH_OK)
    status = read_fields(reader, start, line);
  if (status == KH_OK)
    status = end_line(reader);
  if (status != KH_OK)
    return status;
  kh_bytes text = taken_since(reader, start);
  if (text.data == NULL ||
      text.len > sizeof line->text) /* cannot happen: no part is longer than that */
    return fail_as_damaged(reader);
  memcpy(line->text, text.data, text.len);
  line->len = text.len;
  return KH_OK;
}

static kh_status read_slot(struct reader *reader)
{
  kh_sealed_lines *lines = reader->form->lines;
  if (lines->count == KH_SEALED_SLOTS_MAX)
    return fail_as_damaged(reader);
  kh_status status = read_slot_line(reader, &lines->at[lines->count]);
  lines->count++;
  return status;
}

kh_status kh_sealed_form_read_line(kh_sealed_line *line)
{
  KH_AUTO_SEALED_FORM form = {.lines = kh_sealed_lines_new()};
  if (form.lines == NULL)
    return KH_E_NO_MEMORY;
  kh_bytes text = {(const uint8_t *)line->text, line->len};
  struct reader reader = {.cursor = kh_cursor_over(text),
                          .line = 1,
                          .version = line->slot.kind->version,
                          .form = &form};
  kh_status status = read_slot(&reader);
  if (status == KH_OK)
    *line = form.lines->at[0];
  return status;
}

static kh_status read_slots(struct reader *reader)
{
  kh_status status;
  do
    status = read_slot(reader);
  while (status == KH_OK && kh_cursor_peek(&reader->cursor) == KH_SEALED_WORD_SLOT[0]);
  return status;
}

static bool is_base64(int byte)
{
  return kh_text_is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         byte == '+' || byte == '/' || byte == '=';
}

/* no line of base64 has a blank at this place */
static bool is_at_end_line(const struct reader *reader)
{
  return kh_cursor_peek_at(&reader->cursor, END_WORD - 1) == ' ';
}

static kh_status read_payload_line(struct reader *reader)
{
  uint8_t data[KH_SEALED_BASE64_BYTES];
  kh_cursor rest = reader->cursor;
  size_t len = kh_cursor_span(&rest, is_base64);
  if (len == 0 || len > KH_SEALED_BASE64_LINE ||
      !kh_base64_decode(kh_cursor_take(&rest, len), data, &len))
    return fail_as_damaged(reader);
  reader->cursor = rest;
  reader->form->payload_len += len;
  kh_status status = end_line(reader);
  if (status == KH_OK && len < sizeof data && !is_at_end_line(reader))
    return fail_as_damaged(reader);
  return status;
}

static kh_status read_payload(struct reader *reader)
{
  kh_sealed_form *form = reader->form;
  kh_cursor file = kh_cursor_over(reader->cursor.bytes);
  kh_status status =
      read_named_hex(reader, KH_SEALED_WORD_PAYLOAD, form->nonce, sizeof form->nonce);
  if (status == KH_OK)
    status = end_line(reader);
  form->head = taken_since(reader, file);
  kh_cursor payload = reader->cursor;
  while (status == KH_OK && !is_at_end_line(reader))
    status = read_payload_line(reader);
  form->payload = taken_since(reader, payload);
  return status == KH_OK && form->payload_len < KH_AEAD_TAG_SIZE ? fail_as_damaged(reader) : status;
}

static kh_status read_end(struct reader *reader)
{
  uint8_t digest[KH_SHA256_SIZE];
  kh_status status = read_named_hex(reader, KH_SEALED_WORD_END, digest, sizeof digest);
  if (status == KH_OK)
    status = expect_text(reader, "\n");
  return status == KH_OK && !kh_cursor_at_end(&reader->cursor) ? fail_as_damaged(reader) : status;
}

static kh_status read_parts(struct reader *reader)
{
  kh_status status = read_sealed_version(reader);
  if (status == KH_OK)
    status = read_slots(reader);
  if (status == KH_OK)
    status = read_payload(reader);
  if (status == KH_OK)
    status = read_end(reader);
  return status;
}

bool kh_sealed_form_has_end(kh_bytes file)
{
  if (file.len <= END_LINE || file.data[file.len - END_LINE - 1] != '\n')
    return false;
  struct reader reader = {.cursor = {file, file.len - END_LINE}};
  return read_end(&reader) == KH_OK;
}

/* The last line is in the same place in every version of the format. */
static bool has_right_end(kh_bytes file)
{
  uint8_t expected[KH_SHA256_SIZE];
  uint8_t found[KH_SHA256_SIZE];
  if (file.len < END_LINE)
    return false;
  kh_cursor cursor = kh_cursor_over(file);
  kh_sha256(kh_cursor_take(&cursor, file.len - END_LINE), expected);
  kh_cursor_skip(&cursor, END_WORD);
  return kh_hex_decode(kh_cursor_take(&cursor, 2 * sizeof found), found) &&
         memcmp(expected, found, sizeof found) == 0;
}

kh_status kh_sealed_form_read(const char *path, kh_bytes file, kh_sealed_form *ret_form,
                              kh_fault *ret_fault)
{
  *ret_form = (kh_sealed_form){.lines = kh_sealed_lines_new()};
  if (ret_form->lines == NULL)
    return kh_fault_set(ret_fault, KH_E_NO_MEMORY, path, 0);
  struct reader reader = {.path = path,
                          .ret_fault = ret_fault,
                          .cursor = kh_cursor_over(file),
                          .line = 1,
                          .form = ret_form};
  kh_status status = read_parts(&reader);
  if (status != KH_E_SEALED_DAMAGED && !has_right_end(file))
    return kh_fault_set(ret_fault, KH_E_SEALED_DAMAGED, path, 0);
  return status;
}

void kh_sealed_form_clear(kh_sealed_form *form)
{
  free(form->lines);
  form->lines = NULL;
}

kh_sealed_lines *kh_sealed_lines_new(void)
{
  return calloc(1, sizeof(kh_sealed_lines));
}

uint32_t kh_sealed_newest_version(void)
{
  const kh_sealed_kind *kind;
  uint32_t newest = 1;
  for (size_t i = 0; (kind = kh_sealed_kind_at(i)) != NULL; i++)
    newest = kind->version > newest ? kind->version : newest;
  return newest;
}

uint32_t kh_sealed_lines_version(const kh_sealed_lines *lines)
{
  uint32_t version = 1;
  for (size_t i = 0; i < lines->count; i++) {
    uint32_t needed = lines->at[i].slot.kind->version;
    version = needed > version ? needed : version;
  }
  return version;
}

kh_sealed_slots kh_sealed_lines_slots(const kh_sealed_lines *lines)
{
  kh_sealed_slots slots = {.count = lines->count};
  for (size_t i = 0; i < lines->count; i++)
    slots.at[i] = lines->at[i].slot;
  return slots;
}
