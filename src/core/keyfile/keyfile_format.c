/* SPDX-License-Identifier: GPL-2.0-only */
#include "format.h"

#include <string.h>

/* the last one knows every file */
static const kh_keyfile_format *const formats[] = {
    &kh_keyfile_format_openssl,
    &kh_keyfile_format_sealed,
    &kh_keyfile_format_text,
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

const kh_keyfile_format *kh_keyfile_format_named(const char *name)
{
  for (size_t i = 0; i < FORMATS; i++)
    if (strcmp(formats[i]->name, name) == 0)
      return formats[i];
  return NULL;
}

bool kh_keyfile_format_by_name(const char *name, kh_keyfile_look *ret_look)
{
  const kh_keyfile_format *format = kh_keyfile_format_named(name);
  if (format == NULL)
    return false;
  *ret_look = (kh_keyfile_look){format->name, format->is_encrypted};
  return true;
}

const kh_keyfile_format *kh_keyfile_format_of(kh_bytes file)
{
  size_t i = 0;
  while (!formats[i]->knows(file))
    i++;
  return formats[i];
}
