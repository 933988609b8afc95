/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a key file does not open: what the administrator reads after "Wrong key?". */
#include <stdio.h>
#include <string.h>

#include "guess.h"
#include "hint.h"
#include "keyfile_parts.h"
#include "keyhold/keyfile_openssl.h"
#include "keyhold/unlock.h"

/* Returns whether the file did not open, and may be one of `openssl enc` that was made in another
 * way. */
static bool may_be_guessed(const kh_content *content, kh_status status)
{
  return status == KH_E_CONTAINER_CIPHER ||
         (status == KH_E_WRONG_PASSPHRASE &&
          kh_keyfile_is_openssl(kh_secret_bytes(content->file))) ||
         (status == KH_E_NOT_ENCRYPTED && kh_guess_may_be_unsalted(kh_secret_bytes(content->file)));
}

/* Searches how the content was made, unless that was done. The answer is in the search then. */
static void search_once(const kh_keyfile *file, const kh_content *content)
{
  kh_keyfile_search *search = file->options.search;
  if (search->is_done && kh_file_is_same(&search->searched, &content->stamp))
    return;
  search->is_done = true;
  search->searched = content->stamp;
  if (!kh_guess_how_made(&file->options, kh_secret_bytes(content->file),
                         kh_secret_bytes(file->envelope.passphrase), search->limit, search->advice))
    kh_log_write(file->log, KH_LOG_NOTE,
                 "the time for finding out how '%s' was made is over; 'keyhold check' tries more",
                 kh_show_path(file->options.path).text);
}

/* Writes what a file is that has no mark of an encrypted one; false: unknown. */
static bool name_kind(const kh_content *content, char *ret_advice)
{
  const char *hint = kh_hint_of_file(kh_secret_bytes(content->file));
  if (hint == NULL)
    return false;
  int first = hint[0] - 'a' + 'A'; /* a sentence of its own */
  snprintf(ret_advice, KH_ADVICE_MAX, "%c%s", first, hint + 1);
  return true;
}

void kh_keyfile_advise(const kh_keyfile *file, const kh_content *content, kh_status status,
                       kh_fault *fault)
{
  if (fault != NULL && status == KH_E_NOT_ENCRYPTED && name_kind(content, fault->advice))
    return;
  bool is_guessed = may_be_guessed(content, status) && file->envelope.passphrase != NULL;
  if (fault == NULL || (!is_guessed && status != KH_E_WRONG_PASSPHRASE))
    return;
  if (is_guessed && file->options.search != NULL) {
    search_once(file, content);
    memcpy(fault->advice, file->options.search->advice, sizeof fault->advice);
  }
  if (fault->advice[0] != '\0' || (file->options.passphrase == NULL &&
                                   kh_unlock_doubt_literal(file->options.filekey, fault->advice)))
    return;
  if (status == KH_E_NOT_ENCRYPTED)
    snprintf(
        fault->advice, sizeof fault->advice,
        "It is not a text either: 'openssl enc -nosalt' or another program made it; use a file "
        "of 'keyhold seal' or 'openssl enc -aes-256-cbc -salt'");
  else
    kh_unlock_describe_passphrase(kh_secret_bytes(file->envelope.passphrase), file->has_cr,
                                  fault->advice);
}
