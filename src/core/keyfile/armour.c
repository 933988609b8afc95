/* SPDX-License-Identifier: GPL-2.0-only */
#include "armour.h"

#include <string.h>

#include "keyhold/base64.h"

enum { LINE = 64 /* characters */, LINE_BYTES = LINE / 4 * 3 };

/* "Salted__" without its last four bits, and the characters that those can begin. */
static const char salted[] = "U2FsdGVkX1";
static const char eleventh[] = "89+/";

bool kh_armour_is_salted(kh_bytes file)
{
  size_t len = sizeof salted - 1;
  return file.len > len && memcmp(file.data, salted, len) == 0 &&
         memchr(eleventh, file.data[len], sizeof eleventh - 1) != NULL;
}

static bool is_white(uint8_t byte)
{
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static size_t copy_without_white(kh_bytes text, uint8_t *ret_copy)
{
  size_t len = 0;
  for (size_t i = 0; i < text.len; i++)
    if (!is_white(text.data[i]))
      ret_copy[len++] = text.data[i];
  return len;
}

kh_status kh_armour_decode(kh_bytes text, kh_secret **ret_data)
{
  KH_AUTO_SECRET bare = NULL;
  KH_AUTO_SECRET data = NULL;
  size_t len = 0;
  kh_status status = kh_secret_new(text.len, &bare);
  if (status == KH_OK)
    status = kh_secret_new(text.len / 4 * 3, &data);
  if (status != KH_OK)
    return status;
  kh_secret_set_len(bare, copy_without_white(text, kh_secret_data(bare)));
  if (!kh_base64_decode(kh_secret_bytes(bare), kh_secret_data(data), &len))
    return KH_E_CONTAINER_ARMOUR;
  kh_secret_set_len(data, len);
  *ret_data = data;
  data = NULL;
  return KH_OK;
}

kh_status kh_armour_encode(kh_bytes data, kh_secret **ret_text)
{
  KH_AUTO_SECRET text = NULL;
  size_t lines = (data.len + LINE_BYTES - 1) / LINE_BYTES;
  kh_status status = kh_secret_new(lines * (LINE + 1) + 1, &text);
  if (status != KH_OK)
    return status;
  uint8_t *to = kh_secret_data(text);
  for (size_t at = 0; at < data.len; at += LINE_BYTES) {
    kh_bytes part = {data.data + at, data.len - at < LINE_BYTES ? data.len - at : LINE_BYTES};
    kh_base64_encode(part, to);
    to += kh_base64_length(part.len);
    *to++ = '\n';
  }
  kh_secret_set_len(text, (size_t)(to - kh_secret_data(text)));
  *ret_text = text;
  text = NULL;
  return KH_OK;
}
