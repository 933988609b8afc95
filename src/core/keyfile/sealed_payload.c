/* SPDX-License-Identifier: GPL-2.0-only */
#include "sealed_payload.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keyhold/base64.h"
#include "keyhold/cursor.h"
#include "keyhold/random.h"
#include "keyhold/sha256.h"
#include "output.h"

enum {
  PAYLOAD_LINE = sizeof KH_SEALED_WORD_PAYLOAD - 1 + (size_t)2 * KH_AEAD_NONCE_SIZE + 1,
  END_LINE = sizeof KH_SEALED_WORD_END - 1 + (size_t)2 * KH_SHA256_SIZE + 1,
  BASE64_MARGIN = 3 /* a padded line decodes to fewer bytes than its length allows */
};

/* "keyhold-sealed 1" and its line end */
typedef struct first_line {
  char text[sizeof KH_SEALED_MAGIC + 11];
} first_line;

static first_line first_line_of(const kh_sealed_lines *lines)
{
  first_line line;
  snprintf(line.text, sizeof line.text, KH_SEALED_MAGIC "%" PRIu32 "\n",
           kh_sealed_lines_version(lines));
  return line;
}

/* the form was read: every line is base64 */
static void decode_base64_lines(kh_bytes payload, uint8_t *ret_data)
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
  decode_base64_lines(form->payload, data);
  kh_aead_input input = {kh_secret_bytes(file_key).data, form->nonce, form->head};
  if (!kh_aead_open(&input, (kh_bytes){data, form->payload_len}, data))
    return KH_E_SEALED_CHANGED;
  kh_secret_set_len(text, form->payload_len - KH_AEAD_TAG_SIZE);
  *ret_text = text;
  text = NULL;
  return KH_OK;
}

static void put_base64(kh_output *output, kh_bytes data)
{
  kh_cursor cursor = kh_cursor_over(data);
  while (!kh_cursor_at_end(&cursor)) {
    kh_output_base64(output, kh_cursor_take(&cursor, KH_SEALED_BASE64_BYTES));
    kh_output_text(output, "\n");
  }
}

/* Returns the bytes of the whole file; `sealed` is the length of the payload. */
static size_t size_of(const kh_sealed_lines *lines, size_t sealed)
{
  size_t size = strlen(first_line_of(lines).text) + PAYLOAD_LINE + END_LINE;
  for (size_t i = 0; i < lines->count; i++)
    size += lines->at[i].len;
  size_t full = sealed / KH_SEALED_BASE64_BYTES;
  size_t rest = sealed % KH_SEALED_BASE64_BYTES;
  size += full * (KH_SEALED_BASE64_LINE + 1);
  return rest == 0 ? size : size + kh_base64_length(rest) + 1;
}

static void write_head(kh_output *output, const kh_sealed_lines *lines, const uint8_t *nonce)
{
  kh_output_text(output, first_line_of(lines).text);
  for (size_t i = 0; i < lines->count; i++)
    kh_output_put(output, (kh_bytes){(const uint8_t *)lines->at[i].text, lines->at[i].len});
  kh_output_text(output, KH_SEALED_WORD_PAYLOAD);
  kh_output_hex(output, (kh_bytes){nonce, KH_AEAD_NONCE_SIZE});
  kh_output_text(output, "\n");
}

static void write_end(kh_output *output)
{
  uint8_t digest[KH_SHA256_SIZE];
  kh_sha256((kh_bytes){output->data, output->len}, digest);
  kh_output_text(output, KH_SEALED_WORD_END);
  kh_output_hex(output, (kh_bytes){digest, sizeof digest});
  kh_output_text(output, "\n");
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
  kh_output output = kh_output_over(file);
  uint8_t nonce[KH_AEAD_NONCE_SIZE];
  kh_random_bytes(nonce, sizeof nonce);
  write_head(&output, lines, nonce);
  kh_aead_input input = {kh_secret_bytes(file_key).data, nonce, {output.data, output.len}};
  kh_aead_seal(&input, text, kh_secret_data(sealed));
  put_base64(&output, (kh_bytes){kh_secret_data(sealed), len});
  write_end(&output);
  assert(output.len == output.capacity);
  kh_secret_set_len(file, output.len);
  *ret_file = file;
  file = NULL;
  return KH_OK;
}
