/* SPDX-License-Identifier: GPL-2.0-only */
#include "format.h"

/* the last one knows every file */
static const kh_keyfile_format *const formats[] = {
    &kh_keyfile_format_openssl,
    &kh_keyfile_format_text,
};

const kh_keyfile_format *kh_keyfile_format_of(kh_bytes file)
{
  size_t i = 0;
  while (!formats[i]->knows(file))
    i++;
  return formats[i];
}
