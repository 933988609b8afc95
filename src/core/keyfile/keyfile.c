/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keyfile.h"

#include "opened.h"

kh_status kh_keyfile_look_at(const char *path, kh_keyfile_look *ret_look, kh_fault *ret_fault)
{
  kh_keyfile_options options = {.path = path};
  KH_AUTO_OPENED opened = {.options = &options, .ret_fault = ret_fault};
  kh_status status = kh_opened_read(&opened);
  if (status == KH_OK)
    *ret_look = (kh_keyfile_look){opened.format->name, opened.format->is_encrypted};
  return status;
}

kh_status kh_keyfile_load(const kh_keyfile_options *options, const kh_crypt *crypt,
                          const kh_log *log, kh_keylist **ret_list, kh_keyfile_info *ret_info,
                          kh_fault *ret_fault)
{
  KH_AUTO_OPENED opened = {.options = options, .crypt = crypt, .log = log, .ret_fault = ret_fault};
  kh_status status = kh_opened_open(&opened, KH_REPEATS_AS_UPSTREAM);
  if (status != KH_OK)
    return status;
  *ret_list = opened.list;
  opened.list = NULL;
  if (ret_info != NULL)
    *ret_info = opened.info;
  return KH_OK;
}

kh_status kh_keyfile_read_text(const kh_keyfile_options *options, const kh_crypt *crypt,
                               const kh_log *log, kh_secret **ret_text, kh_fault *ret_fault)
{
  KH_AUTO_OPENED opened = {.options = options, .crypt = crypt, .log = log, .ret_fault = ret_fault};
  kh_status status = kh_opened_open(&opened, KH_REPEATS_AS_UPSTREAM);
  if (status != KH_OK)
    return status;
  kh_secret **text = opened.decrypted != NULL ? &opened.decrypted : &opened.file;
  *ret_text = *text;
  *text = NULL;
  return KH_OK;
}
