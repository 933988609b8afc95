/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file form.h
 * A form that was asked for, as a rewrite wants it.
 */
#ifndef KEYHOLD_KEYFILE_FORM_H
#define KEYHOLD_KEYFILE_FORM_H

#include "keyhold/keyfile_change.h"
#include "rewrite.h"

/**
 * Judges a form.
 *
 * @param form      must outlive *ret_as; its format exists.
 * @param path      of the file that is made.
 * @param ret_as    untouched on failure.
 * @return KH_OK, KH_E_NO_PASSPHRASE, KH_E_NOT_ENCRYPTED.
 */
KH_MUST_USE kh_status kh_form_of(const kh_keyfile_form *form, const char *path,
                                 kh_rewrite_form *ret_as, kh_fault *ret_fault);

#endif
