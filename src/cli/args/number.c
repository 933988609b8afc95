/* SPDX-License-Identifier: GPL-2.0-only */
#include "number.h"

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
