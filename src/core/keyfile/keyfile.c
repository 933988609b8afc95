/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keyfile.h"

#include "keyhold/file.h"
#include "keyhold/secret.h"
#include "keyhold/unlock.h"

static void hint_what_was_tried(const kh_keyfile_options *options, const kh_log *log)
{
  kh_log_write(log, KH_LOG_HINT,
               "'%s' was tried with the passphrase of filekey, digest %s and %u iterations of "
               "PBKDF2 (0: without it); "
               "all three must be those of the 'openssl enc' command that made it (-pass, -md, "
               "-pbkdf2 -iter)",
               kh_show_path(options->path).text, kh_digest_name(options->digest),
               options->pbkdf2_iterations);
}

static kh_status read_file(const kh_keyfile_options *options, const kh_log *log,
                           kh_secret **ret_file, kh_fault *ret_fault)
{
  KH_AUTO_SECRET file = NULL;
  kh_file_info info;
  kh_status status =
      kh_file_read(options->path, KH_KEYFILE_MAX + 1, KH_FILE_REGULAR, &file, &info, ret_fault);
  if (status != KH_OK)
    return status;
  if (kh_secret_bytes(file).len > KH_KEYFILE_MAX) {
    kh_fault_set(ret_fault, KH_E_FILE_TOO_LARGE, options->path, 0);
    if (ret_fault != NULL) {
      ret_fault->size = info.size;
      ret_fault->limit = KH_KEYFILE_MAX;
    }
    return KH_E_FILE_TOO_LARGE;
  }
  kh_file_warn_of_mode(log, "key", options->path, info.mode);
  *ret_file = file;
  file = NULL;
  return KH_OK;
}

static bool has_only_text(kh_bytes text)
{
  for (size_t i = 0; i < text.len; i++) {
    uint8_t byte = text.data[i];
    if ((byte < ' ' && (byte < '\t' || byte > '\r')) || byte == 0x7f)
      return false;
  }
  return true;
}

/*
 * A wrong passphrase that the padding does not show gives random bytes, which read as a syntax
 * error or as an empty file. Among random bytes there are control characters, in a key file there
 * are none.
 */
static kh_status parse_decrypted(const kh_keyfile_options *options, kh_bytes text,
                                 const kh_log *log, kh_keylist **ret_list, kh_fault *ret_fault)
{
  kh_status status =
      kh_keyfile_parse_text(options->path, text, KH_REPEATS_AS_UPSTREAM, log, ret_list, ret_fault);
  if (status == KH_OK || has_only_text(text))
    return status;
  return kh_fault_set(ret_fault, KH_E_WRONG_PASSPHRASE, options->path, 0);
}

/* the decrypted text's memory is gone afterwards; `ret_locked` says whether it was locked */
static kh_status load_openssl(const kh_keyfile_options *options, const kh_crypt *crypt,
                              const kh_log *log, kh_bytes file, const kh_secret *passphrase,
                              kh_keylist **ret_list, bool *ret_locked, kh_fault *ret_fault)
{
  KH_AUTO_SECRET text = NULL;
  if (passphrase == NULL)
    return kh_fault_set(ret_fault, KH_E_NO_PASSPHRASE, options->path, 0);
  kh_status status = kh_keyfile_decrypt_openssl(options, crypt, file, kh_secret_bytes(passphrase),
                                                &text, ret_fault);
  if (status == KH_OK)
    status = parse_decrypted(options, kh_secret_bytes(text), log, ret_list, ret_fault);
  if (status == KH_E_WRONG_PASSPHRASE)
    hint_what_was_tried(options, log);
  *ret_locked = kh_secret_is_locked(text);
  return status;
}

kh_status kh_keyfile_load(const kh_keyfile_options *options, const kh_crypt *crypt,
                          const kh_log *log, kh_keylist **ret_list, kh_keyfile_info *ret_info,
                          kh_fault *ret_fault)
{
  KH_AUTO_SECRET passphrase = NULL;
  KH_AUTO_SECRET file = NULL;
  kh_status status = kh_unlock(options->filekey, log, &passphrase, ret_fault);
  if (status == KH_OK)
    status = read_file(options, log, &file, ret_fault);
  if (status != KH_OK)
    return status;

  bool encrypted = kh_keyfile_is_openssl(kh_secret_bytes(file));
  bool text_locked = true;
  if (encrypted)
    status = load_openssl(options, crypt, log, kh_secret_bytes(file), passphrase, ret_list,
                          &text_locked, ret_fault);
  else if (passphrase != NULL)
    status = kh_fault_set(ret_fault, KH_E_NOT_ENCRYPTED, options->path, 0);
  else
    status = kh_keyfile_parse_text(options->path, kh_secret_bytes(file), KH_REPEATS_AS_UPSTREAM,
                                   log, ret_list, ret_fault);
  if (status == KH_OK && ret_info != NULL)
    *ret_info = (kh_keyfile_info){
        .format = encrypted ? "openssl" : "text",
        .locked = text_locked && kh_secret_is_locked(passphrase) && kh_secret_is_locked(file) &&
                  kh_keylist_is_locked(*ret_list),
    };
  return status;
}
