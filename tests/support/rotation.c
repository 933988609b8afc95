/* SPDX-License-Identifier: GPL-2.0-only */
#include "rotation.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keyhold/hex.h"
#include "keyhold/keyfile_text.h"
#include "unit.h"

enum { MARK = 12345 };

kh_keytable *rotation_table_of(const char *text)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_keytable *table = NULL;
  assert_int_equal(
      kh_keyfile_parse_text("known", bytes_of(text), KH_REPEATS_AS_UPSTREAM, NULL, &list, NULL),
      KH_OK);
  assert_int_equal(kh_keytable_new(list, &table), KH_OK);
  return table;
}

static kh_status rotate_and_save(rotation_run *run, kh_keyfile *file)
{
  kh_rotated rotated = {.made = MARK};
  kh_status status = kh_keyfile_rotate(file, &run->what, &rotated, &run->fault);
  if (status != KH_OK)
    assert_int_equal(rotated.made, MARK);
  else
    status = kh_keyfile_save(file, &run->fault);
  if (status == KH_OK)
    run->rotated = rotated;
  return status;
}

kh_status rotation_run_it(rotation_run *run)
{
  KH_AUTO_KEYFILE file = NULL;
  kh_keyfile_options options = {.path = run->path,
                                .filekey = run->filekey,
                                .digest = KH_DIGEST_SHA512,
                                .pbkdf2_iterations = run->iterations};
  run->what.known = run->known;
  run->file = NULL;
  run->list = NULL;
  run->fault = (kh_fault){.status = KH_OK};
  kh_status status = kh_keyfile_open(&options, test_engines, NULL, &file, &run->fault);
  assert_int_equal(status == KH_OK, file != NULL);
  if (status == KH_OK)
    status = rotate_and_save(run, file);
  assert_int_equal(run->fault.status, status);
  if (status != KH_OK)
    return status;
  run->file = file;
  run->list = kh_keyfile_keys(file);
  file = NULL;
  return KH_OK;
}

void rotation_free(rotation_run *run)
{
  kh_keyfile_free(&run->file);
  run->list = NULL;
}

const kh_key *rotation_key(const rotation_run *run, uint32_t id, uint32_t version)
{
  for (size_t i = 0; i < kh_keylist_count(run->list); i++) {
    const kh_key *key = kh_keylist_at(run->list, i);
    if (key->id == id && key->version == version)
      return key;
  }
  fail_msg("key id %u version %u is not there", id, version);
  return NULL;
}

rotation_digits rotation_hex(const kh_key *key)
{
  rotation_digits digits;
  kh_hex_encode((kh_bytes){key->bytes, key->len}, (uint8_t *)digits.text);
  return digits;
}

bool rotation_has_temporary(const char *path)
{
  char name[1024];
  const char *last = strrchr(path, '/') + 1;
  snprintf(name, sizeof name, "%.*s.%s.keyhold-new", (int)(last - path), path, last);
  return access(name, F_OK) == 0;
}
