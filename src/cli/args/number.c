/* SPDX-License-Identifier: GPL-2.0-only */
#include "number.h"

#include "arguments.h"
#include "keyhold/limits.h"

bool kh_cli_read_number(const char *text, uint32_t least, uint32_t most, uint32_t *ret_number)
{
  uint64_t number = 0;
  if (*text == '\0')
    return false;
  for (; *text != '\0'; text++) {
    if (*text < '0' || *text > '9')
      return false;
    number = number * 10 + (uint64_t)(*text - '0');
    if (number > most)
      return false;
  }
  if (number < least)
    return false;
  *ret_number = (uint32_t)number;
  return true;
}

uint32_t kh_cli_key_id_option(const char *value, struct argp_state *state)
{
  uint32_t id = 0;
  if (!kh_cli_read_number(value, KH_KEY_ID_MIN, KH_KEY_ID_MAX, &id))
    kh_cli_usage_error(state, "invalid key id (expected 1 to %u)", KH_KEY_ID_MAX);
  return id;
}
