/* SPDX-License-Identifier: GPL-2.0-only */
#include "form.h"

static kh_status convert(kh_rewrite *rewrite, const kh_keyfile_form *form, const char *to)
{
  const kh_opened *opened = &rewrite->opened;
  kh_rewrite_form as;
  const char *path = to != NULL ? to : opened->options->path;
  kh_status status = kh_form_of(form, path, &as, opened->ret_fault);
  if (status == KH_OK)
    status = kh_rewrite_open(rewrite, KH_REPEATS_AS_UPSTREAM);
  if (status == KH_OK)
    status = kh_rewrite_make(rewrite, &as, KH_REPEATS_AS_UPSTREAM);
  if (status == KH_OK)
    status = kh_rewrite_check(rewrite, rewrite->table, NULL, NULL);
  if (status != KH_OK)
    return status;
  return to != NULL ? kh_file_create(to, kh_rewrite_content(rewrite), opened->ret_fault)
                    : kh_rewrite_replace(rewrite);
}

kh_status kh_keyfile_convert(const kh_keyfile_options *options, const kh_crypt *crypt,
                             const kh_keyfile_form *form, const char *to, const kh_log *log,
                             kh_fault *ret_fault)
{
  KH_AUTO_REWRITE rewrite = {
      .opened = {.options = options, .crypt = crypt, .log = log, .ret_fault = ret_fault},
      .is_left = to != NULL};
  return convert(&rewrite, form, to);
}
