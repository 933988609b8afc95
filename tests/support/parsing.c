/* SPDX-License-Identifier: GPL-2.0-only */
#include "parsing.h"

#include "recorder.h"
#include "unit.h"

enum { TEXT_MAX = 512 };

static void parse_changed(kh_bytes text, kh_repeats repeats)
{
  static recorder heard;
  kh_log log = recorder_log(&heard);
  KH_AUTO_KEYLIST list = NULL;
  kh_fault fault = {0};
  kh_status status = kh_keyfile_parse_text("keys.txt", text, repeats, &log, &list, &fault);
  assert_true((status == KH_OK) == (list != NULL));
  assert_int_equal(fault.status, status);
}

void parse_with_any_byte(const char *text, kh_repeats repeats)
{
  uint8_t changed[TEXT_MAX];
  size_t len = strlen(text);
  assert_in_range(len, 1, TEXT_MAX);
  for (size_t at = 0; at < len; at++) {
    memcpy(changed, text, len);
    for (unsigned byte = 0; byte < 256; byte++) {
      changed[at] = (uint8_t)byte;
      parse_changed((kh_bytes){changed, len}, repeats);
    }
  }
}
