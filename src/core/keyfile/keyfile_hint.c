/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "hint.h"
#include "keyhold/cursor.h"
#include "text.h"

enum {
  LOOK_MAX = 1024,    /* bytes of a file or a line: a hostile one must not cost time */
  SHORTEST_KEY = 32,  /* digits */
  DIGITS_TOLD = 256,  /* a longer run is "more than" that */
  SEPARATORS_MAX = 4, /* characters between an id and its key */
  NO_BASE64 = 16,     /* hexadecimal digits at the beginning: base64 has fewer */
  DOUBLE_QUOTE = 0x22,
};

/* Returns a cursor at a place, which ends LOOK_MAX bytes after it. */
static kh_cursor cursor_from(kh_bytes bytes, size_t at)
{
  kh_cursor cursor = kh_cursor_over(bytes);
  kh_cursor_skip(&cursor, at);
  if (bytes.len - cursor.at > LOOK_MAX)
    cursor.bytes.len = cursor.at + LOOK_MAX;
  return cursor;
}

static bool begins_with(kh_cursor cursor, const char *word, size_t len)
{
  kh_bytes found = kh_cursor_take(&cursor, len);
  return found.len == len && found.data != NULL && memcmp(found.data, word, len) == 0;
}

static bool has_word(kh_cursor cursor, const char *word)
{
  for (; !kh_cursor_at_end(&cursor); kh_cursor_skip(&cursor, 1))
    if (begins_with(cursor, word, strlen(word)))
      return true;
  return false;
}

static void skip_in(kh_cursor *cursor, bool (*is_in)(int byte))
{
  kh_cursor_skip(cursor, kh_cursor_span(cursor, is_in));
}

static bool is_quote(int byte)
{
  return byte == DOUBLE_QUOTE || byte == '\'' || byte == '`';
}

static bool is_letter(int byte)
{
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_space(int byte)
{
  return byte == '\n' || kh_text_is_blank(byte);
}

static bool is_word(int byte)
{
  return is_letter(byte) || kh_text_is_digit(byte) || byte == '_' || byte == '-';
}

/* Whether a key of hexadecimal digits is here. */
static bool has_key(const kh_cursor *cursor)
{
  return kh_cursor_span(cursor, kh_text_is_hex) >= SHORTEST_KEY;
}

/* The whole file. */

static bool is_empty(kh_cursor file)
{
  return kh_cursor_at_end(&file);
}

/* A byte order mark, or text in which every second byte is a NUL. */
static bool is_utf16(kh_cursor file)
{
  if (begins_with(file, "\xff\xfe", 2) || begins_with(file, "\xfe\xff", 2))
    kh_cursor_skip(&file, 2);
  size_t nuls[2] = {0, 0};
  size_t pairs = 0;
  for (; pairs < 4 && kh_cursor_peek_at(&file, 1) != KH_CURSOR_END; pairs++) {
    nuls[0] += kh_cursor_peek(&file) == 0;
    nuls[1] += kh_cursor_peek_at(&file, 1) == 0;
    kh_cursor_skip(&file, 2);
  }
  return pairs >= 2 && ((nuls[0] == pairs && nuls[1] == 0) || (nuls[1] == pairs && nuls[0] == 0));
}

static bool is_nul_first(kh_cursor file)
{
  return kh_cursor_peek(&file) == '\0';
}

/* An encrypted key file, after bytes that do not belong to it. */
static bool is_encrypted_later(kh_cursor file)
{
  enum { BYTES_BEFORE = 16 };
  kh_cursor_skip(&file, 1);
  for (int i = 1; i < BYTES_BEFORE; i++, kh_cursor_skip(&file, 1))
    if (begins_with(file, "keyhold-sealed ", 15) || begins_with(file, "Salted__", 8) ||
        begins_with(file, "U2FsdGVkX1", 10))
      return true;
  return false;
}

static bool is_json(kh_cursor file)
{
  skip_in(&file, is_space);
  int first = kh_cursor_peek(&file);
  kh_cursor_skip(&file, 1);
  skip_in(&file, is_space);
  int next = kh_cursor_peek(&file);
  return (first == '{' && (next == DOUBLE_QUOTE || next == '}')) ||
         (first == '[' &&
          (next == DOUBLE_QUOTE || next == '{' || next == '[' || kh_text_is_digit(next)));
}

/* Steps to the first line that is neither empty nor a comment. */
static void skip_comments(kh_cursor *file)
{
  for (skip_in(file, is_space); kh_cursor_peek(file) == '#'; skip_in(file, is_space))
    (void)kh_cursor_take_until(file, '\n');
}

/* A group "[mariadb]", or an option of the plugin. */
static bool is_option_file(kh_cursor file)
{
  skip_comments(&file);
  if (begins_with(file, "file_key_management", 19) || begins_with(file, "file-key-management", 19))
    return true;
  if (kh_cursor_peek(&file) != '[')
    return false;
  kh_cursor_skip(&file, 1);
  size_t len = kh_cursor_span(&file, is_word);
  kh_cursor_skip(&file, len);
  return len > 0 && kh_cursor_peek(&file) == ']';
}

/* Takes "name:" and its line. */
static bool take_yaml_name(kh_cursor *file)
{
  kh_bytes taken = kh_cursor_take_until(file, '\n');
  kh_cursor line = kh_cursor_over(taken);
  if (!is_letter(kh_cursor_peek(&line)))
    return false;
  skip_in(&line, is_word);
  int after = kh_cursor_peek_at(&line, 1);
  return kh_cursor_peek(&line) == ':' && (after == KH_CURSOR_END || kh_text_is_blank(after));
}

/* A document's mark; or a name, and below it another one, a list or a mapping. */
static bool is_yaml(kh_cursor file)
{
  skip_comments(&file);
  if (begins_with(file, "---\n", 4) || begins_with(file, "---\r", 4) ||
      begins_with(file, "%YAML", 5))
    return true;
  if (!take_yaml_name(&file))
    return false;
  return begins_with(file, "  ", 2) || begins_with(file, "- ", 2) || take_yaml_name(&file);
}

/* One row for each kind of file: it begins with the magic bytes, or the function knows it. */
enum contents { TEXT, BINARY };
#define MAGIC(bytes) (bytes), sizeof(bytes) - 1, NULL
#define KNOWN(is_it) NULL, 0, (is_it)
#define COMPRESSED   "the file is compressed; decompress it, or specify the right file"
#define NO_KEY_FILE  "; a key file has lines id;key"
#define HTML         "the file is HTML, such as the error page of a download" NO_KEY_FILE

static const struct file_kind {
  enum contents contents; /* BINARY: random bytes are not of this kind */
  const char *magic;
  size_t magic_len;
  bool (*is_it)(kh_cursor file);
  const char *hint;
} file_kinds[] = {
    {TEXT, KNOWN(is_empty), "the file is empty; restore it from a copy, or specify the right file"},
    {BINARY, KNOWN(is_utf16), "the file is UTF-16; save it as UTF-8 without a byte order mark"},
    {TEXT, KNOWN(is_nul_first),
     "a NUL byte, which ends the text, is its first; restore the file from a copy"},
    {BINARY, MAGIC("\x1f\x8b\x08"), "the file is compressed by gzip; decompress it with gunzip"},
    {BINARY,
     MAGIC("\xfd"
           "7zXZ"),
     COMPRESSED},
    {BINARY, MAGIC("\x28\xb5\x2f\xfd"), COMPRESSED},
    {BINARY, MAGIC("PK\x03\x04"), COMPRESSED},
    {TEXT, MAGIC("$ANSIBLE_VAULT;"),
     "the file is encrypted by ansible-vault; deploy it decrypted (ansible-vault decrypt)"},
    {TEXT, MAGIC("age-encryption.org/"), "the file is encrypted by age; deploy it decrypted"},
    {TEXT, MAGIC("version https://git-lfs."),
     "the file is a pointer of Git LFS, not the keys; get them with git lfs pull"},
    {TEXT, MAGIC("-----BEGIN "),
     "the file is PEM, such as a certificate or a private key" NO_KEY_FILE},
    {TEXT, MAGIC("<?xml"), "the file is XML" NO_KEY_FILE},
    {TEXT, MAGIC("<!DOCTYPE"), HTML},
    {TEXT, MAGIC("<!doctype"), HTML},
    {TEXT, MAGIC("<html"), HTML},
    {TEXT, KNOWN(is_encrypted_later),
     "other bytes are before the first word of this encrypted file; restore it from a copy"},
    {TEXT, KNOWN(is_json), "the file is JSON" NO_KEY_FILE},
    {TEXT, KNOWN(is_option_file), "the file is an option file; specify the key file itself"},
    {TEXT, KNOWN(is_yaml), "the file is YAML" NO_KEY_FILE},
};

static const struct file_kind *kind_of_file(kh_bytes text)
{
  kh_cursor file = cursor_from(text, 0);
  for (size_t i = 0; i < sizeof file_kinds / sizeof file_kinds[0]; i++) {
    const struct file_kind *kind = &file_kinds[i];
    if (kind->is_it != NULL ? kind->is_it(file) : begins_with(file, kind->magic, kind->magic_len))
      return kind;
  }
  return NULL;
}

bool kh_hint_is_known_binary(kh_bytes text)
{
  const struct file_kind *kind = kind_of_file(text);
  return kind != NULL && kind->contents == BINARY;
}

const char *kh_hint_of_file(kh_bytes text)
{
  const struct file_kind *kind = kind_of_file(text);
  return kind != NULL && kind->is_it != is_nul_first ? kind->hint : NULL;
}

/* A line. Each function gets the cursor at the wrong field. */

static bool is_marked(kh_cursor field, const kh_hint_place *place)
{
  (void)place;
  return begins_with(field, "\xef\xbb\xbf", 3);
}

static bool is_escaped_comment(kh_cursor field, const kh_hint_place *place)
{
  (void)place;
  return begins_with(field, "\\#", 2);
}

/* A begin and, anywhere after it, its end. */
static bool has_both(kh_cursor field, const char *begin, const char *end)
{
  for (; !kh_cursor_at_end(&field); kh_cursor_skip(&field, 1))
    if (begins_with(field, begin, strlen(begin)))
      return has_word(field, end);
  return false;
}

static bool is_template(kh_cursor field, const kh_hint_place *place)
{
  (void)place;
  return has_both(field, "{{", "}}") || has_both(field, "{%", "%}") || has_both(field, "<%", "%>");
}

static bool is_shell(kh_cursor field, const kh_hint_place *place)
{
  (void)place;
  return has_both(field, "${", "}") || has_both(field, "$(", ")");
}

static bool lacks_id(kh_cursor field, const kh_hint_place *place)
{
  int first = kh_cursor_peek(&field);
  kh_cursor_skip(&field, 1);
  return place->status == KH_E_SYNTAX && first == ';' && has_key(&field);
}

static bool is_quoted(kh_cursor field, const kh_hint_place *place)
{
  (void)place;
  return is_quote(kh_cursor_peek(&field));
}

static bool is_0x_key(kh_cursor field, const kh_hint_place *place)
{
  return place->status == KH_E_KEY_HEX &&
         (begins_with(field, "0x", 2) || begins_with(field, "0X", 2));
}

static bool is_0x_id(kh_cursor field, const kh_hint_place *place)
{
  return place->status == KH_E_KEY_ID &&
         (begins_with(field, "0x", 2) || begins_with(field, "0X", 2));
}

static bool is_key_alone(kh_cursor field, const kh_hint_place *place)
{
  return place->status != KH_E_KEY_HEX && has_key(&field);
}

static bool is_after_blank(kh_cursor field, const kh_hint_place *place)
{
  return place->status == KH_E_KEY_HEX && kh_text_is_blank(kh_cursor_peek(&field));
}

static bool has_digits_before_error(const kh_hint_place *place)
{
  return place->status == KH_E_SYNTAX && place->at > place->field;
}

static bool is_before_blank(kh_cursor field, const kh_hint_place *place)
{
  kh_cursor_skip(&field, place->at - place->field);
  size_t blanks = kh_cursor_span(&field, kh_text_is_blank);
  return has_digits_before_error(place) && blanks > 0 && kh_cursor_peek_at(&field, blanks) == ';';
}

static bool is_other_separator(kh_cursor field, const kh_hint_place *place)
{
  if (!has_digits_before_error(place))
    return false;
  kh_cursor_skip(&field, place->at - place->field);
  for (int i = 0; i < SEPARATORS_MAX && !is_word(kh_cursor_peek(&field)); i++)
    kh_cursor_skip(&field, 1);
  return has_key(&field);
}

/* Whether "id;key" is anywhere from here on. */
static bool has_line(kh_cursor cursor)
{
  while (!kh_cursor_at_end(&cursor)) {
    size_t digits = kh_cursor_span(&cursor, kh_text_is_digit);
    kh_cursor_skip(&cursor, digits);
    int after = kh_cursor_peek(&cursor);
    kh_cursor_skip(&cursor, 1);
    if (digits > 0 && after == ';' && has_key(&cursor))
      return true;
  }
  return false;
}

static bool is_later(kh_cursor field, const kh_hint_place *place)
{
  return place->status == KH_E_SYNTAX && place->at == place->field && has_line(field);
}

static bool is_base64_digit(int byte)
{
  return is_letter(byte) || kh_text_is_digit(byte) || byte == '+' || byte == '/';
}

static bool is_padding(int byte)
{
  return byte == '=';
}

/* 16, 24 or 32 bytes in base64, up to the end of the field */
static bool is_base64(kh_cursor field, const kh_hint_place *place)
{
  (void)place;
  if (kh_cursor_span(&field, kh_text_is_hex) >= NO_BASE64)
    return false;
  size_t digits = kh_cursor_span(&field, is_base64_digit);
  kh_cursor_skip(&field, digits);
  size_t padding = kh_cursor_span(&field, is_padding);
  kh_cursor_skip(&field, padding);
  int after = kh_cursor_peek(&field);
  return ((digits == 22 && padding == 2) || (digits == 32 && padding == 0) ||
          (digits == 43 && padding == 1)) &&
         (after == KH_CURSOR_END || after == ';' || kh_text_is_blank(after));
}

/* One row for each kind of line; the first that fits is told. */
static const struct line_kind {
  bool (*is_it)(kh_cursor field, const kh_hint_place *place);
  const char *hint;
} line_kinds[] = {
    {is_marked, "found a byte order mark; save the file as UTF-8 without one"},
    {is_escaped_comment, "found a backslash before the # of a comment; remove it"},
    {is_template, "found a template that was not rendered ({{ }}, {% %} or <% %>); render it"},
    {is_shell,
     "found a variable or command that was not expanded (${ } or $( )); write what it stands for"},
    {lacks_id, "the key id before the semicolon is missing; write id;key"},
    {is_quoted, "found a quote; write id;key without quotes"},
    {is_0x_key, "found 0x before the key; remove it"},
    {is_0x_id, "found 0x; key ids are decimal"},
    {is_key_alone, "found a key without an id; write id;key"},
    {is_after_blank, "found white space after the semicolon; remove it"},
    {is_before_blank, "found white space before the semicolon; remove it"},
    {is_other_separator, "found no semicolon between id and key; write id;key"},
    {is_later, "found other characters before id;key; remove them"},
    {is_base64, "found what may be base64; write the key in hexadecimal digits"},
};

static const char *hint_of_line(const kh_hint_place *place)
{
  kh_cursor field = cursor_from(place->line, place->field);
  for (size_t i = 0; i < sizeof line_kinds / sizeof line_kinds[0]; i++)
    if (line_kinds[i].is_it(field, place))
      return line_kinds[i].hint;
  return NULL;
}

/* Any other line: what was expected, and the kind of the character that is there. */

static const char *kind_of_character(int byte)
{
  if (byte == KH_CURSOR_END)
    return "the end of the line";
  if (kh_text_is_blank(byte))
    return "white space";
  if (is_letter(byte))
    return "a letter";
  if (kh_text_is_digit(byte))
    return "a digit";
  if (is_quote(byte))
    return "a quote";
  if (byte >= 0x80)
    return "a character that is not ASCII";
  return byte < ' ' || byte == 0x7f ? "a control character" : "a punctuation mark";
}

static kh_hint hint_of_key(const kh_hint_place *place)
{
  enum { FOUND_MAX = 64 };
  kh_hint hint = {.text = ""};
  kh_cursor field = cursor_from(place->line, place->field);
  size_t digits = kh_cursor_span(&field, kh_text_is_hex);
  kh_cursor_skip(&field, digits);
  const char *next = kind_of_character(kh_cursor_peek(&field));
  char found[FOUND_MAX] = "";
  if (digits == 0)
    snprintf(found, sizeof found, "%s", next);
  else if (digits > DIGITS_TOLD)
    snprintf(found, sizeof found, "more than %d", DIGITS_TOLD);
  else
    snprintf(found, sizeof found, "%zu, then %s", digits, next);
  snprintf(hint.text, sizeof hint.text,
           "expected 32, 48 or 64 hexadecimal digits, found %.40s; restore the line from a copy",
           found);
  return hint;
}

static kh_hint hint_of_character(const kh_hint_place *place)
{
  kh_hint hint = {.text = ""};
  kh_cursor field = cursor_from(place->line, place->at);
  const char *found = kind_of_character(kh_cursor_peek(&field));
  snprintf(hint.text, sizeof hint.text, "expected %s, found %s; write id;key",
           has_digits_before_error(place) ? "a semicolon after the key id"
                                          : "a key id, or # for a comment",
           found);
  return hint;
}

static kh_hint hint_of(const char *text)
{
  kh_hint hint = {.text = ""};
  snprintf(hint.text, sizeof hint.text, "%s", text);
  return hint;
}

static kh_hint hint_by_status(const kh_hint_place *place)
{
  if (place->status == KH_E_KEY_HEX)
    return hint_of_key(place);
  if (place->status == KH_E_SYNTAX)
    return hint_of_character(place);
  if (place->status == KH_E_KEY_ID)
    return hint_of("expected 1 to 4294967295");
  return hint_of(
      place->has_keys
          ? "other keys are there; restore the line 1;key from a copy, or specify the "
            "right file"
          : "no line has a key; restore the file from a copy, or specify the right file");
}

kh_hint kh_hint_for(const kh_hint_place *place)
{
  bool is_line =
      place->status == KH_E_SYNTAX || place->status == KH_E_KEY_ID || place->status == KH_E_KEY_HEX;
  if (!is_line && place->status != KH_E_NO_SYSTEM_KEY)
    return (kh_hint){.text = ""};
  const struct file_kind *kind = kind_of_file(place->text);
  if (kind != NULL) {
    kh_hint hint = hint_of(kind->hint);
    hint.is_of_file = true;
    return hint;
  }
  const char *known = is_line ? hint_of_line(place) : NULL;
  return known != NULL ? hint_of(known) : hint_by_status(place);
}

const char *kh_hint_of_rest(kh_bytes rest)
{
  size_t look = rest.len < LOOK_MAX ? rest.len : LOOK_MAX;
  if (look == 0 || memchr(rest.data, ';', look) == NULL)
    return NULL; /* fast: each good line may have a rest */
  kh_cursor cursor = cursor_from(rest, 0);
  bool is_key_next = kh_cursor_peek(&cursor) == ';';
  kh_cursor_skip(&cursor, 1);
  if (is_key_next && has_key(&cursor))
    return "a second key follows, as in id;iv;key of MariaDB 10.1.3, and is ignored; keep the one "
           "that data needs";
  cursor = cursor_from(rest, 0);
  kh_bytes line = kh_cursor_take_until(&cursor, '#');
  return has_line(kh_cursor_over(line)) ? "another id;key follows in the same line, and is "
                                          "ignored; put it on a line of its own"
                                        : NULL;
}
