/* SPDX-License-Identifier: GPL-2.0-only */
/* The sealed key file as one of the formats of a key file. */
#include "format.h"
#include "keyhold/sealed.h"

static kh_status open_text(const kh_keyfile_options *options, const kh_crypt *crypt, kh_bytes file,
                           kh_bytes passphrase, kh_secret **ret_text, kh_fault *ret_fault)
{
  (void)crypt;
  return kh_sealed_open(options->path, file, passphrase, ret_text, NULL, ret_fault);
}

static kh_status make_file(const kh_keyfile_options *options, const kh_crypt *crypt,
                           const kh_keyfile_content *content, kh_secret **ret_file,
                           kh_fault *ret_fault)
{
  (void)crypt;
  if (content->old.len > 0)
    return kh_sealed_replace_text(options->path, content->old, content->passphrase, content->text,
                                  ret_file, ret_fault);
  kh_sealed_entry only = {content->slot != NULL
                              ? *content->slot
                              : kh_sealed_slot_default(KH_SEALED_LABEL_DEFAULT, KH_SEALED_ARGON2ID),
                          content->passphrase};
  return kh_sealed_make(options->path, content->text, &only, 1, ret_file, ret_fault);
}

static void hint_what_was_tried(const kh_keyfile_options *options, const kh_log *log)
{
  bool is_setting = options->passphrase == NULL;
  kh_log_write(log, KH_LOG_HINT,
               "'%s' was tried with the passphrase%s in each of its slots, which have their own "
               "parameters%s",
               kh_show_path(options->path).text, is_setting ? " of filekey" : "",
               is_setting ? ": digest and use_pbkdf2 do not count" : "");
}

const kh_keyfile_format kh_keyfile_format_sealed = {
    .name = "sealed",
    .is_encrypted = true,
    .knows = kh_sealed_knows,
    .open = open_text,
    .make = make_file,
    .hint_what_was_tried = hint_what_was_tried,
};
