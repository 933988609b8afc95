/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed_opened.h
 * A sealed key file that was opened, with all that is needed to write it again.
 */
#ifndef KEYHOLD_KEYFILE_SEALED_OPENED_H
#define KEYHOLD_KEYFILE_SEALED_OPENED_H

#include "sealed_form.h"

/** How a file is opened, and what came of it. Starts with the first five fields set and the rest
 * zero. */
typedef struct kh_sealed_opened {
  const char *path;
  kh_bytes file;
  kh_bytes passphrase;
  const char *except;  /**< label of a slot that is not tried; NULL: none */
  kh_fault *ret_fault; /**< may be NULL */

  kh_sealed_form form;
  kh_secret *file_key;
  size_t slot; /**< which one opened */
  kh_secret *text;
} kh_sealed_opened;

/** Reads the form. @return as kh_sealed_list(). The caller cleans up in either case. */
KH_MUST_USE kh_status kh_sealed_opened_read(kh_sealed_opened *opened);

/**
 * After kh_sealed_opened_read(): tries the passphrase in the slots, and decrypts the text.
 *
 * @return KH_OK, KH_E_WRONG_PASSPHRASE, KH_E_SEALED_CHANGED, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_sealed_opened_unlock(kh_sealed_opened *opened);

/** Makes a new file key. @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO. */
KH_MUST_USE kh_status kh_sealed_new_key(kh_secret **ret_file_key);

/** For `__attribute__((cleanup))`: wipes and frees what is left in it. */
void kh_sealed_opened_cleanup(kh_sealed_opened *opened);
#define KH_AUTO_SEALED __attribute__((cleanup(kh_sealed_opened_cleanup))) kh_sealed_opened

#endif
