/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as the text of a key file. */
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_fault fault = {0};
  kh_status status = kh_keyfile_parse_text("fuzz", (kh_bytes){data, size}, KH_REPEATS_AS_UPSTREAM,
                                           NULL, &list, &fault);
  check_outcome(status, list, &fault);
  return 0;
}
