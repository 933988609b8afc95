/* SPDX-License-Identifier: GPL-2.0-only */
#include "form.h"

kh_status kh_form_of(const kh_keyfile_form *form, const char *path, kh_rewrite_form *ret_as,
                     kh_fault *ret_fault)
{
  const kh_keyfile_format *format = kh_keyfile_format_named(form->format);
  kh_bytes passphrase = kh_secret_bytes(form->passphrase);
  if (format->is_encrypted && passphrase.len == 0)
    return kh_fault_set(ret_fault, KH_E_NO_PASSPHRASE, path, 0);
  if (!format->is_encrypted && form->passphrase != NULL)
    return kh_fault_set(ret_fault, KH_E_NOT_ENCRYPTED, path, 0);
  *ret_as = (kh_rewrite_form){.format = format,
                              .options = {.path = path,
                                          .digest = form->digest,
                                          .pbkdf2_iterations = form->pbkdf2_iterations},
                              .passphrase = passphrase,
                              .slot = &form->slot};
  return KH_OK;
}
