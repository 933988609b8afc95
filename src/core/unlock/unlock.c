/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/unlock.h"

#include <string.h>

#include "source.h"

/* the first whose prefix fits; the literal one fits always and stands last */
static const kh_unlock_source *const sources[] = {&kh_unlock_file, &kh_unlock_literal};

kh_status kh_unlock(const char *filekey, const kh_log *log, kh_secret **ret_passphrase,
                    kh_fault *ret_fault)
{
  if (filekey == NULL || filekey[0] == '\0') {
    *ret_passphrase = NULL;
    return KH_OK;
  }
  size_t i = 0;
  while (strncmp(filekey, sources[i]->prefix, strlen(sources[i]->prefix)) != 0)
    i++;
  return sources[i]->read(filekey + strlen(sources[i]->prefix), log, ret_passphrase, ret_fault);
}
