/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "attributes.h"
#include "keyhold/time.h"
#include "text.h"

static bool read_cipher(kh_bytes value, kh_policy *policy)
{
  kh_cipher cipher;
  if (!kh_cipher_by_name(value, &cipher))
    return false;
  policy->cipher = (uint8_t)cipher;
  return true;
}

static bool read_created(kh_bytes value, kh_policy *policy)
{
  return kh_time_read(value, &policy->created);
}

static bool read_rotate(kh_bytes value, kh_policy *policy)
{
  return kh_interval_read(value, &policy->rotate);
}

static bool read_bits(kh_bytes value, kh_policy *policy)
{
  static const struct {
    char text[4];
    uint16_t bits;
  } lengths[] = {{"128", 128}, {"192", 192}, {"256", 256}};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
    if (value.len == 3 && memcmp(value.data, lengths[i].text, 3) == 0) {
      policy->bits = lengths[i].bits;
      return true;
    }
  return false;
}

/* Each function writes nothing for an attribute that is not set. */
static void show_cipher(const kh_policy *policy, char *value, size_t size)
{
  snprintf(value, size, "%s", kh_cipher_name((kh_cipher)policy->cipher));
}

static void show_created(const kh_policy *policy, char *value, size_t size)
{
  if (policy->created != 0)
    snprintf(value, size, "%s", kh_time_show(policy->created).text);
}

static void show_rotate(const kh_policy *policy, char *value, size_t size)
{
  if (policy->rotate != 0)
    snprintf(value, size, "%s", kh_interval_show(policy->rotate).text);
}

static void show_bits(const kh_policy *policy, char *value, size_t size)
{
  if (policy->bits != 0)
    snprintf(value, size, "%u", policy->bits);
}

enum { BITS = 3, ATTRIBUTES };

/* where it is in a kh_policy */
#define MEMBER(name) offsetof(kh_policy, name), sizeof(((kh_policy *)NULL)->name)

/* in the order in which they are written */
static const struct attribute {
  const char *name;
  size_t at; /* in kh_policy */
  size_t size;
  bool (*read)(kh_bytes value, kh_policy *policy);
  void (*show)(const kh_policy *policy, char *value, size_t size);
} attributes[ATTRIBUTES] = {
    {"cipher", MEMBER(cipher), read_cipher, show_cipher},
    {"created", MEMBER(created), read_created, show_created},
    {"rotate", MEMBER(rotate), read_rotate, show_rotate},
    [BITS] = {"bits", MEMBER(bits), read_bits, show_bits},
};

/* One field of the list, without the blanks around it. */
struct field {
  kh_cursor cursor; /* from its first byte to its last; the places are the line's */
  bool is_last;
};

static kh_bytes rest_of(kh_cursor cursor)
{
  return kh_cursor_take(&cursor, cursor.bytes.len);
}

static struct field take_field(kh_cursor *list)
{
  kh_cursor_skip(list, kh_cursor_span(list, kh_text_is_blank));
  kh_cursor field = *list;
  size_t len = kh_cursor_take_until(list, ';').len;
  bool is_last = field.at + len == list->bytes.len;
  while (len > 0 && kh_text_is_blank(kh_cursor_peek_at(&field, len - 1)))
    len--;
  field.bytes.len = field.at + len;
  return (struct field){field, is_last};
}

/* Returns which attribute a field is, or ATTRIBUTES. */
static size_t attribute_of(const struct field *field)
{
  kh_bytes text = rest_of(field->cursor);
  for (size_t i = 0; i < ATTRIBUTES; i++) {
    size_t len = strlen(attributes[i].name);
    if (text.len > len && text.data[len] == '=' && memcmp(text.data, attributes[i].name, len) == 0)
      return i;
  }
  return ATTRIBUTES;
}

/* Returns the list after the first semicolon, up to a comment: a blank and '#'. */
static kh_cursor list_of(kh_cursor line)
{
  kh_cursor_skip(&line, 1);
  size_t len = 0;
  while (kh_cursor_peek_at(&line, len) != KH_CURSOR_END &&
         !(kh_text_is_blank(kh_cursor_peek_at(&line, len)) &&
           kh_cursor_peek_at(&line, len + 1) == '#'))
    len++;
  line.bytes.len = line.at + len;
  return line;
}

static bool has_attributes(kh_cursor list)
{
  struct field field;
  do {
    field = take_field(&list);
    if (attribute_of(&field) != ATTRIBUTES)
      return true;
  } while (!field.is_last);
  return false;
}

/* The state of reading a line. */
struct reading {
  kh_policy policy;
  size_t value_at[ATTRIBUTES]; /* 0: not seen, since the key is before it */
  size_t wrong_at;             /* after a failure */
};

static kh_status fail_attribute(struct reading *reading, kh_status status, size_t at)
{
  reading->wrong_at = at;
  return status;
}

static kh_status read_field(struct reading *reading, struct field *field)
{
  kh_cursor *cursor = &field->cursor;
  if (kh_cursor_at_end(cursor) && field->is_last)
    return KH_OK;
  size_t which = attribute_of(field);
  if (which == ATTRIBUTES || reading->value_at[which] != 0)
    return fail_attribute(reading, KH_E_ATTRIBUTE, cursor->at);
  kh_cursor_skip(cursor, strlen(attributes[which].name) + 1);
  reading->value_at[which] = cursor->at;
  if (!attributes[which].read(rest_of(*cursor), &reading->policy))
    return fail_attribute(reading, KH_E_ATTRIBUTE_VALUE, cursor->at);
  return KH_OK;
}

static kh_status read_list(struct reading *reading, kh_cursor list)
{
  struct field field;
  kh_status status;
  do {
    field = take_field(&list);
    status = read_field(reading, &field);
  } while (status == KH_OK && !field.is_last);
  return status;
}

/* The cipher needs enough bits, in this version and in the next ones. */
static kh_status check_length(struct reading *reading, const kh_key *key, size_t key_end)
{
  const kh_policy *policy = &reading->policy;
  size_t least = kh_cipher_key_min((kh_cipher)policy->cipher);
  if (key->len < least)
    return fail_attribute(reading, KH_E_KEY_TOO_SHORT, key_end);
  if (policy->bits != 0 && policy->bits < 8 * least)
    return fail_attribute(reading, KH_E_KEY_TOO_SHORT, reading->value_at[BITS]);
  return KH_OK;
}

kh_status kh_attributes_read(kh_cursor *cursor, kh_key *key, bool *ret_given)
{
  struct reading reading = {.wrong_at = 0};
  bool given = kh_cursor_peek(cursor) == ';' && has_attributes(list_of(*cursor));
  kh_status status = given ? read_list(&reading, list_of(*cursor)) : KH_OK;
  if (status == KH_OK)
    status = check_length(&reading, key, cursor->at);
  if (status != KH_OK) {
    cursor->at = reading.wrong_at;
    return status;
  }
  key->policy = reading.policy;
  *ret_given = given;
  return KH_OK;
}

bool kh_attributes_are_same(const kh_policy *a, const kh_policy *b)
{
  for (size_t i = 0; i < ATTRIBUTES; i++)
    if (memcmp((const char *)a + attributes[i].at, (const char *)b + attributes[i].at,
               attributes[i].size) != 0)
      return false;
  return true;
}

kh_attributes_text kh_attributes_show(const kh_policy *policy)
{
  kh_attributes_text shown = {.text = ""};
  size_t len = 0;
  for (size_t i = 0; i < ATTRIBUTES; i++) {
    char value[KH_TIME_TEXT_MAX] = "";
    attributes[i].show(policy, value, sizeof value);
    if (value[0] != '\0')
      len += (size_t)snprintf(shown.text + len, sizeof shown.text - len, ";%s=%s",
                              attributes[i].name, value);
  }
  return shown;
}
