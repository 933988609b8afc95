/* SPDX-License-Identifier: GPL-2.0-only */
#include "sealed_payload.h"

#include <assert.h>
#include <string.h>

#include "keyhold/base64.h"
#include "keyhold/cursor.h"
#include "keyhold/hex.h"
#include "keyhold/random.h"
#include "keyhold/sha256.h"

#define FIRST_LINE KH_SEALED_MAGIC "1\n"

enum {
  PAYLOAD_LINE = sizeof KH_SEALED_WORD_PAYLOAD - 1 + 2 * KH_AEAD_NONCE_SIZE + 1,
  END_LINE = sizeof KH_SEALED_WORD_END - 1 + 2 * KH_SHA256_SIZE + 1,
  BASE64_MARGIN = 3 /* what a padded line decodes to is shorter than what it could */
};
_Static_assert(KH_SEALED_VERSION == 1, "the first line says so");

/* the form was read: every line is base64 */
static void decode(kh_bytes payload, uint8_t *ret_data)
{
  kh_cursor cursor = kh_cursor_over(payload);
  size_t at = 0;
  size_t len = 0;
  while (!kh_cursor_at_end(&cursor) &&
         kh_base64_decode(kh_cursor_take_until(&cursor, '\n'), ret_data + at, &len))
    at += len;
}

kh_status kh_sealed_payload_open(const kh_sealed_form *form, const kh_secret *file_key,
                                 kh_secret **ret_text)
{
  KH_AUTO_SECRET text = NULL;
  kh_status status = kh_secret_new(form->payload_len + BASE64_MARGIN, &text);
  if (status != KH_OK)
    return status;
  uint8_t *data = kh_secret_data(text);
  decode(form->payload, data);
  kh_aead_input input = {kh_secret_bytes(file_key).data, form->nonce, form->head};
  if (!kh_aead_open(&input, (kh_bytes){data, form->payload_len}, data))
    return KH_E_SEALED_CHANGED;
  kh_secret_set_len(text, form->payload_len - KH_AEAD_TAG_SIZE);
  *ret_text = text;
  text = NULL;
  return KH_OK;
}

/* What is written; the memory has room for all of it. */
struct output {
  uint8_t *data;
  size_t len;
};

static void put(struct output *output, kh_bytes bytes)
{
  if (bytes.len > 0)
    memcpy(output->data + output->len, bytes.data, bytes.len);
  output->len += bytes.len;
}

static void put_text(struct output *output, const char *text)
{
  put(output, (kh_bytes){(const uint8_t *)text, strlen(text)});
}

static void put_hex(struct output *output, const uint8_t *data, size_t len)
{
  kh_hex_encode((kh_bytes){data, len}, output->data + output->len);
  output->len += 2 * len;
}

static void put_base64(struct output *output, kh_bytes data)
{
  kh_cursor cursor = kh_cursor_over(data);
  while (!kh_cursor_at_end(&cursor)) {
    kh_bytes line = kh_cursor_take(&cursor, KH_SEALED_BASE64_BYTES);
    kh_base64_encode(line, output->data + output->len);
    output->len += kh_base64_length(line.len);
    put_text(output, "\n");
  }
}

/* Bytes of the whole file; `sealed` is the length of the payload. */
static size_t size_of(const kh_sealed_lines *lines, size_t sealed)
{
  size_t size = sizeof FIRST_LINE - 1 + PAYLOAD_LINE + END_LINE;
  for (size_t i = 0; i < lines->count; i++)
    size += lines->at[i].len;
  size_t full = sealed / KH_SEALED_BASE64_BYTES;
  size_t rest = sealed % KH_SEALED_BASE64_BYTES;
  size += full * (KH_SEALED_BASE64_LINE + 1);
  return rest == 0 ? size : size + kh_base64_length(rest) + 1;
}

static void write_head(struct output *output, const kh_sealed_lines *lines, const uint8_t *nonce)
{
  put_text(output, FIRST_LINE);
  for (size_t i = 0; i < lines->count; i++)
    put(output, lines->at[i]);
  put_text(output, KH_SEALED_WORD_PAYLOAD);
  put_hex(output, nonce, KH_AEAD_NONCE_SIZE);
  put_text(output, "\n");
}

static void write_end(struct output *output)
{
  uint8_t digest[KH_SHA256_SIZE];
  kh_sha256((kh_bytes){output->data, output->len}, digest);
  put_text(output, KH_SEALED_WORD_END);
  put_hex(output, digest, sizeof digest);
  put_text(output, "\n");
}

kh_status kh_sealed_payload_write(const kh_sealed_lines *lines, const kh_secret *file_key,
                                  kh_bytes text, kh_secret **ret_file)
{
  KH_AUTO_SECRET file = NULL;
  KH_AUTO_SECRET sealed = NULL;
  size_t len = text.len + KH_AEAD_TAG_SIZE;
  kh_status status = kh_secret_new(len, &sealed);
  if (status == KH_OK)
    status = kh_secret_new(size_of(lines, len), &file);
  if (status != KH_OK)
    return status;
  struct output output = {kh_secret_data(file), 0};
  uint8_t nonce[KH_AEAD_NONCE_SIZE];
  kh_random_bytes(nonce, sizeof nonce);
  write_head(&output, lines, nonce);
  kh_aead_input input = {kh_secret_bytes(file_key).data, nonce, {output.data, output.len}};
  kh_aead_seal(&input, text, kh_secret_data(sealed));
  put_base64(&output, (kh_bytes){kh_secret_data(sealed), len});
  write_end(&output);
  assert(output.len == kh_secret_capacity(file));
  kh_secret_set_len(file, output.len);
  *ret_file = file;
  file = NULL;
  return KH_OK;
}
