/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyspec.h"

#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "keyhold/clock.h"
#include "keyhold/limits.h"
#include "keyhold/time.h"
#include "number.h"

enum { KEY_BITS = 0x400, KEY_CIPHER, KEY_ROTATE };

enum { NEW_KEY_LEN = 32 }; /* in bytes */

static kh_bytes bytes_of(const char *text)
{
  return (kh_bytes){(const uint8_t *)text, strlen(text)};
}

/* No message of these repeats the value: a user may have typed a key. */
static uint32_t length_option(const char *value, struct argp_state *state)
{
  uint32_t bits = 0;
  if (!kh_cli_read_number(value, 128, 256, &bits) || bits % 64 != 0)
    kh_cli_usage_error(state, "invalid key length (expected 128, 192 or 256)");
  return bits / 8;
}

static kh_cipher cipher_option(const char *value, struct argp_state *state)
{
  kh_cipher cipher = KH_CIPHER_UNSET;
  if (strcmp(value, "default") != 0 && !kh_cipher_by_name(bytes_of(value), &cipher))
    kh_cli_usage_error(state, "unknown cipher (expected default, %s)", kh_cipher_names().text);
  return cipher;
}

static uint32_t interval_option(const char *value, struct argp_state *state)
{
  uint32_t interval = 0;
  if (strcmp(value, "never") != 0 && !kh_interval_read(bytes_of(value), &interval))
    kh_cli_usage_error(
        state,
        "invalid interval (expected never, or a number and s, m, h, d, w or y, such as 90d)");
  return interval;
}

static error_t parse_keyspec_option(int key, char *value, struct argp_state *state)
{
  kh_key_changes *given = state->input;
  switch (key) {
  case KEY_BITS:
    given->len = length_option(value, state);
    return 0;
  case KEY_CIPHER:
    given->cipher = cipher_option(value, state);
    given->sets_cipher = true;
    return 0;
  case KEY_ROTATE:
    given->rotate = interval_option(value, state);
    given->sets_rotate = true;
    return 0;
  case ARGP_KEY_END:
    if (given->len != 0 && given->len < kh_cipher_key_min(given->cipher))
      kh_cli_usage_error(state, "the aes256 ciphers need a key of 256 bits (use --bits=256)");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option new_key_options[] = {
    {NULL, 0, NULL, 0, "New key:", 2},
    {"bits", KEY_BITS, "NUMBER", 0, "key length: 128, 192 or 256 (default: 256)", 0},
    {"cipher", KEY_CIPHER, "NAME", 0,
     " (default: aes256-xts for 256 bits in the format sealed, else 'default')", 0},
    {"rotate", KEY_ROTATE, "INTERVAL", 0,
     "time until the key is due for rotation, such as 90d (default: never)", 0},
    {0},
};

static const struct argp_option new_version_options[] = {
    {NULL, 0, NULL, 0, "New versions:", 2},
    {"bits", KEY_BITS, "NUMBER", 0,
     "key length: 128, 192 or 256 (default: as before, but 256 for a cipher that needs it)", 0},
    {"cipher", KEY_CIPHER, "NAME", 0, " (default: as before)", 0},
    {"rotate", KEY_ROTATE, "INTERVAL", 0,
     "time until the key is due for rotation, such as 90d, or never (default: as before)", 0},
    {0},
};

/* Inserts the names of the ciphers before the help of their option. */
static char *add_cipher_names(int key, const char *text, void *input)
{
  (void)input;
  char *help = NULL;
  if (key != KEY_CIPHER ||
      asprintf(&help, "%s, or 'default', that of file_key_management_encryption_algorithm%s",
               kh_cipher_names().text, text) < 0)
    return (char *)text;
  return help;
}

const struct argp kh_cli_new_key_argp = {
    .options = new_key_options, .parser = parse_keyspec_option, .help_filter = add_cipher_names};

const struct argp kh_cli_new_version_argp = {.options = new_version_options,
                                             .parser = parse_keyspec_option,
                                             .help_filter = add_cipher_names};

kh_keyfile_addition kh_cli_new_key(const kh_key_changes *given, const kh_keyfile_format *format)
{
  kh_clock clock = kh_clock_system();
  kh_keyfile_addition key = {
      .len = given->len != 0 ? given->len : NEW_KEY_LEN,
      .policy = {.created = kh_clock_now(&clock),
                 .rotate = given->rotate,
                 .cipher = (uint8_t)given->cipher},
  };
  bool takes_default = format == &kh_keyfile_format_sealed && !given->sets_cipher;
  if (takes_default && key.len >= kh_cipher_key_min(KH_CIPHER_AES256_XTS))
    key.policy.cipher = KH_CIPHER_AES256_XTS;
  return key;
}
