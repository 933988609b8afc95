/* SPDX-License-Identifier: GPL-2.0-only */
#include "json.h"

#include <stdint.h>

#include "utf8.h"

/* writes what begins here, and gives its length */
static size_t write_character(FILE *to, const char *text)
{
  uint8_t byte = (uint8_t)*text;
  size_t len = kh_cli_utf8_at(text);
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

void kh_cli_json_string(FILE *to, const char *text)
{
  fputc('"', to);
  while (*text != '\0')
    text += write_character(to, text);
  fputc('"', to);
}

void kh_cli_json_string_or_null(FILE *to, const char *text)
{
  if (text == NULL)
    fputs("null", to);
  else
    kh_cli_json_string(to, text);
}
