/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keyfile_change.h"
#include "rewrite.h"

/* the id of the new key */
static kh_status choose_id(const kh_rewrite *rewrite, uint32_t wanted, uint32_t *ret_id)
{
  uint32_t version;
  size_t count = kh_keytable_version_count(rewrite->table);
  uint32_t highest = kh_keytable_at(rewrite->table, count - 1)->id; /* key id 1 is there */
  if (highest < KH_KEY_ID_TEMPORARY)
    highest = KH_KEY_ID_TEMPORARY;
  if (wanted == 0 && highest == KH_KEY_ID_MAX)
    return kh_rewrite_fail(rewrite, KH_E_NO_KEY_ID);
  if (wanted != 0 && kh_keytable_latest(rewrite->table, wanted, &version) == KH_OK)
    return kh_rewrite_fail_for_key(rewrite, KH_E_KEY_EXISTS, wanted, 0);
  *ret_id = wanted != 0 ? wanted : highest + 1;
  return KH_OK;
}

static kh_status write_key(kh_rewrite *rewrite, const kh_keylist *added)
{
  const kh_opened *opened = &rewrite->opened;
  kh_status status =
      kh_keyfile_add_lines(kh_opened_text(opened), opened->list, added, &rewrite->text);
  return status == KH_OK ? kh_rewrite_finish(rewrite, NULL, added)
                         : kh_rewrite_fail(rewrite, status);
}

static kh_status add(kh_rewrite *rewrite, const kh_keyfile_addition *addition, uint32_t *ret_id)
{
  KH_AUTO_KEYLIST added = NULL;
  uint32_t id = 0;
  kh_status status = kh_rewrite_open(rewrite, KH_REPEATS_REFUSED);
  if (status == KH_OK)
    status = choose_id(rewrite, addition->id, &id);
  if (status != KH_OK)
    return status;
  status = kh_keylist_new(1, &added);
  if (status != KH_OK)
    return kh_rewrite_fail(rewrite, status);
  kh_keylist_add_random(added, id, KH_KEY_VERSION_MIN, addition->len, &addition->policy);
  status = write_key(rewrite, added);
  if (status == KH_OK)
    *ret_id = id;
  return status;
}

kh_status kh_keyfile_add_key(const kh_keyfile_options *options, const kh_crypt *crypt,
                             const kh_keyfile_addition *addition, const kh_log *log,
                             uint32_t *ret_id, kh_fault *ret_fault)
{
  KH_AUTO_REWRITE rewrite = {
      .opened = {.options = options, .crypt = crypt, .log = log, .ret_fault = ret_fault}};
  return add(&rewrite, addition, ret_id);
}
