/* SPDX-License-Identifier: GPL-2.0-only */
#include "form.h"
#include "keyhold/random.h"

static kh_status make_text(kh_rewrite *rewrite, const kh_keylist *keys)
{
  KH_AUTO_KEYLIST none = NULL;
  kh_status status = kh_keylist_new(0, &none);
  if (status == KH_OK)
    status = kh_keyfile_add_lines((kh_bytes){NULL, 0}, none, keys, &rewrite->text);
  return status == KH_OK ? KH_OK : kh_rewrite_fail(rewrite, status);
}

kh_status kh_keyfile_create(const char *path, const kh_keyfile_form *form, const kh_crypt *crypt,
                            const kh_keylist *keys, kh_fault *ret_fault)
{
  kh_keyfile_options options = {.path = path};
  KH_AUTO_REWRITE rewrite = {
      .opened = {.options = &options, .crypt = crypt, .ret_fault = ret_fault}};
  kh_rewrite_form as;
  kh_status status = kh_random_start();
  if (status != KH_OK)
    return kh_rewrite_fail(&rewrite, status);
  status = kh_form_of(form, path, &as, ret_fault);
  if (status == KH_OK)
    status = make_text(&rewrite, keys);
  if (status == KH_OK)
    status = kh_rewrite_make(&rewrite, &as, KH_REPEATS_REFUSED);
  if (status == KH_OK)
    status = kh_rewrite_check(&rewrite, NULL, NULL, keys);
  if (status == KH_OK)
    status = kh_file_create(path, kh_rewrite_content(&rewrite), ret_fault);
  return status;
}
