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

static kh_bytes bytes_of(const char *text)
{
  return (kh_bytes){(const uint8_t *)text, strlen(text)};
}

/* No message repeats the value: a user may have typed a key. */
static error_t parse_keyspec_option(int key, char *value, struct argp_state *state)
{
  kh_cli_keyspec *spec = state->input;
  kh_clock clock = kh_clock_system();
  kh_cipher cipher = KH_CIPHER_UNSET;
  uint32_t bits = 0;
  switch (key) {
  case ARGP_KEY_INIT:
    spec->policy.created = kh_clock_now(&clock);
    return 0;
  case KEY_BITS:
    if (!kh_cli_read_number(value, 128, 256, &bits) || bits % 64 != 0)
      kh_cli_usage_error(state, "invalid key length (expected 128, 192 or 256)");
    spec->len = bits / 8;
    return 0;
  case KEY_CIPHER:
    if (!kh_cipher_by_name(bytes_of(value), &cipher))
      kh_cli_usage_error(state, "unknown cipher (expected %s)", kh_cipher_names().text);
    spec->policy.cipher = (uint8_t)cipher;
    return 0;
  case KEY_ROTATE:
    if (!kh_interval_read(bytes_of(value), &spec->policy.rotate))
      kh_cli_usage_error(
          state, "invalid interval (expected a number and s, m, h, d, w or y, such as 90d)");
    return 0;
  case ARGP_KEY_END:
    if (spec->len < kh_cipher_key_min((kh_cipher)spec->policy.cipher))
      kh_cli_usage_error(state, "the ciphers aes256-... need a key of 256 bits (use --bits=256)");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "New key:", 2},
    {"bits", KEY_BITS, "NUMBER", 0, "key length: 128, 192 or 256 (default: 256)", 0},
    {"cipher", KEY_CIPHER, "NAME", 0,
     " (default: that of file_key_management_encryption_algorithm)", 0},
    {"rotate", KEY_ROTATE, "INTERVAL", 0,
     "time until the key is due for rotation, such as 90d (default: never)", 0},
    {0},
};

/* Inserts the names of the ciphers before the help of their option. */
static char *add_cipher_names(int key, const char *text, void *input)
{
  (void)input;
  char *names = NULL;
  if (key != KEY_CIPHER || asprintf(&names, "%s%s", kh_cipher_names().text, text) < 0)
    return (char *)text;
  return names;
}

const struct argp kh_cli_keyspec_argp = {
    .options = options, .parser = parse_keyspec_option, .help_filter = add_cipher_names};
