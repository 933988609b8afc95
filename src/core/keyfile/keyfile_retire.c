/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keyfile_change.h"
#include "rewrite.h"

/* each must be there, and not be the latest of its key */
static kh_status check_retired(const kh_rewrite *rewrite, const kh_keytable *retired)
{
  for (size_t i = 0; i < kh_keytable_version_count(retired); i++) {
    uint32_t latest = 0;
    const kh_key *key = kh_keytable_at(retired, i);
    if (kh_keytable_find(rewrite->table, key->id, key->version) == NULL)
      return kh_rewrite_fail_for_key(rewrite, KH_E_KEY_NOT_FOUND, key->id, key->version);
    if (kh_keytable_latest(rewrite->table, key->id, &latest) != KH_OK || latest == key->version)
      return kh_rewrite_fail_for_key(rewrite, KH_E_KEY_LATEST, key->id, key->version);
  }
  return KH_OK;
}

static kh_status write_file(kh_rewrite *rewrite, const kh_keytable *retired)
{
  const kh_opened *opened = &rewrite->opened;
  kh_status status =
      kh_keyfile_retire_lines(kh_opened_text(opened), opened->list, retired, &rewrite->text);
  return status == KH_OK ? kh_rewrite_finish(rewrite, retired, NULL)
                         : kh_rewrite_fail(rewrite, status);
}

static kh_status retire_versions(kh_rewrite *rewrite, const kh_keytable *retired,
                                 const kh_file_stamp *expected)
{
  kh_status status = kh_rewrite_open(rewrite, KH_REPEATS_REFUSED);
  if (status == KH_OK && !kh_file_is_same(&rewrite->opened.info.stamp, expected))
    return kh_rewrite_fail(rewrite, KH_E_FILE_CHANGED);
  if (status == KH_OK)
    status = check_retired(rewrite, retired);
  return status == KH_OK ? write_file(rewrite, retired) : status;
}

kh_status kh_keyfile_retire_versions(const kh_keyfile_options *options, const kh_crypt *crypt,
                                     const kh_keytable *retired, const kh_file_stamp *expected,
                                     const kh_log *log, kh_fault *ret_fault)
{
  KH_AUTO_REWRITE rewrite = {
      .opened = {.options = options, .crypt = crypt, .log = log, .ret_fault = ret_fault}};
  return retire_versions(&rewrite, retired, expected);
}
