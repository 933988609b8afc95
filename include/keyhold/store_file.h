/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file store_file.h
 * The key file as a store (store.h). Its mark is the file's stamp; inotify watches it.
 */
#ifndef KEYHOLD_STORE_FILE_H
#define KEYHOLD_STORE_FILE_H

#include "keyhold/keyfile.h"
#include "keyhold/store.h"

/**
 * Makes a store over a key file. Nothing is read yet.
 *
 * The first load waits for the passphrase without limit, since a user may have to type it into a
 * FIFO, unless `bounded_wait` is set; once a load has succeeded, later ones wait for
 * KH_UNLOCK_WAIT.
 *
 * @param options    copied; its strings, which must outlive the store, are not. `passphrase` is
 * NULL.
 * @param crypt      for the decryption; must outlive the store.
 * @param log        copied; for the warnings and hints of kh_keyfile_open().
 * @param ret_store  for kh_store_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY.
 */
KH_MUST_USE kh_status kh_store_file_new(const kh_keyfile_options *options, const kh_crypt *crypt,
                                        const kh_log *log, kh_store *ret_store);

#endif
