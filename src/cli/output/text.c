/* SPDX-License-Identifier: GPL-2.0-only */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* RFC 3629, section 4: the bytes that may follow each first byte */
static const struct lead {
  uint8_t first, last;               /* the first byte's range */
  uint8_t second_least, second_most; /* that of the second one */
  size_t len;
} leads[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static bool has_tail(const uint8_t *text, size_t len)
{
  for (size_t i = 2; i < len; i++)
    if ((text[i] & 0xC0) != 0x80) /* stops at the NUL too */
      return false;
  return true;
}

/* Returns the length in bytes of the character at the start of a text that is not empty; 0: it is
 * not one. */
static size_t character_at(const char *text)
{
  const uint8_t *bytes = (const uint8_t *)text;
  if (bytes[0] < 0x80)
    return 1;
  for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
    const struct lead *lead = &leads[i];
    if (bytes[0] >= lead->first && bytes[0] <= lead->last)
      return bytes[1] >= lead->second_least && bytes[1] <= lead->second_most &&
                     has_tail(bytes, lead->len)
                 ? lead->len
                 : 0;
  }
  return 0;
}

/* Recognises C0, DEL and C1 (ISO 6429); C1 is U+0080 to U+009F. */
static bool is_control(const char *text, size_t len)
{
  const uint8_t *bytes = (const uint8_t *)text;
  return len == 1 ? bytes[0] < 0x20 || bytes[0] == 0x7F : bytes[0] == 0xC2 && bytes[1] < 0xA0;
}

/* Returns the number of bytes at the start that are shown or hidden together. */
static size_t next_of(const char *text, bool *ret_is_shown)
{
  size_t len = character_at(text);
  *ret_is_shown = len > 0 && !is_control(text, len);
  return len == 0 ? 1 : len;
}

void kh_cli_put_text(FILE *to, const char *text)
{
  bool is_shown;
  for (size_t len; *text != '\0'; text += len) {
    len = next_of(text, &is_shown);
    fprintf(to, "%.*s", (int)len, is_shown ? text : "??");
  }
}

void kh_cli_hide_controls(char *text)
{
  bool is_shown;
  for (size_t len; *text != '\0'; text += len) {
    len = next_of(text, &is_shown);
    if (!is_shown)
      memset(text, '?', len);
  }
}

/* Writes the character at the start, and returns its length. */
static size_t put_json_character(FILE *to, const char *text)
{
  uint8_t byte = (uint8_t)*text;
  size_t len = character_at(text);
  if (byte == '"' || byte == '\\')
    fprintf(to, "\\%c", byte);
  else if (byte < 0x20 || byte == 0x7F)
    fprintf(to, "\\u%04x", byte);
  else if (len == 0)
    fputs("\\ufffd", to);
  else
    fwrite(text, 1, len, to);
  return len == 0 ? 1 : len;
}

void kh_cli_put_json(FILE *to, const char *text)
{
  if (text == NULL) {
    fputs("null", to);
    return;
  }
  fputc('"', to);
  while (*text != '\0')
    text += put_json_character(to, text);
  fputc('"', to);
}
