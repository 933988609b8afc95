/* SPDX-License-Identifier: GPL-2.0-only */
#include "json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-8 by RFC 3629, section 4: what the first byte says of the ones that follow */
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

/* the length of the character that begins here, or 0 */
static size_t character_at(const uint8_t *text)
{
  for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
    const struct lead *lead = &leads[i];
    if (text[0] >= lead->first && text[0] <= lead->last)
      return text[1] >= lead->second_least && text[1] <= lead->second_most &&
                     has_tail(text, lead->len)
                 ? lead->len
                 : 0;
  }
  return 0;
}

/* writes what begins here, and gives its length */
static size_t write_character(FILE *to, const uint8_t *text)
{
  if (*text == '"' || *text == '\\')
    fprintf(to, "\\%c", *text);
  else if (*text < 0x20 || *text == 0x7F)
    fprintf(to, "\\u%04x", *text);
  else if (*text < 0x80)
    fputc(*text, to);
  else {
    size_t len = character_at(text);
    if (len == 0)
      fputs("\\ufffd", to);
    else
      fwrite(text, 1, len, to);
    return len == 0 ? 1 : len;
  }
  return 1;
}

void kh_cli_json_string(FILE *to, const char *text)
{
  const uint8_t *at = (const uint8_t *)text;
  fputc('"', to);
  while (*at != '\0')
    at += write_character(to, at);
  fputc('"', to);
}
