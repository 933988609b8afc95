/* SPDX-License-Identifier: GPL-2.0-only */
#include "output.h"

#include <assert.h>
#include <string.h>

#include "keyhold/base64.h"
#include "keyhold/hex.h"

kh_output kh_output_over(kh_secret *secret)
{
  return (kh_output){.data = kh_secret_data(secret), .capacity = kh_secret_capacity(secret)};
}

static uint8_t *take_place(kh_output *output, size_t len)
{
  uint8_t *place = output->data + output->len;
  assert(len <= output->capacity - output->len);
  output->len += len;
  return place;
}

void kh_output_put(kh_output *output, kh_bytes bytes)
{
  if (bytes.len > 0)
    memcpy(take_place(output, bytes.len), bytes.data, bytes.len);
}

void kh_output_text(kh_output *output, const char *text)
{
  kh_output_put(output, (kh_bytes){(const uint8_t *)text, strlen(text)});
}

void kh_output_hex(kh_output *output, kh_bytes bytes)
{
  kh_hex_encode(bytes, take_place(output, 2 * bytes.len));
}

void kh_output_base64(kh_output *output, kh_bytes bytes)
{
  kh_base64_encode(bytes, take_place(output, kh_base64_length(bytes.len)));
}
