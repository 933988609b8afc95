/* SPDX-License-Identifier: GPL-2.0-only */
#include "keepers.h"

#include "tasks.h"
#include "unit.h"

enum { PATIENCE = 30 }; /* seconds */

kh_status file_keeper_new(const char *path, const kh_crypt *crypt, const kh_keeper_options *options,
                          kh_keeper **ret_keeper, kh_fault *ret_fault)
{
  kh_store store;
  kh_keyfile_options keyfile = {.path = path, .filekey = ""};
  kh_status status = kh_store_file_new(&keyfile, crypt, &options->log, &store);
  if (status == KH_OK)
    status = kh_keeper_new(options, &store, ret_keeper, ret_fault);
  if (status != KH_OK)
    kh_store_free(&store);
  return status;
}

uint32_t keeper_latest(const kh_keeper *keeper, uint32_t id)
{
  uint32_t version = 0;
  const kh_keyring *ring = kh_keeper_ring(keeper);
  kh_status status = kh_keytable_latest(kh_keyring_begin(ring), id, &version);
  kh_keyring_end(ring);
  return status == KH_OK ? version : 0;
}

void keeper_await_latest(const kh_keeper *keeper, uint32_t id, uint32_t version)
{
  for (int i = 0; i < PATIENCE * 100 && keeper_latest(keeper, id) != version; i++)
    test_pause(10);
  assert_int_equal(keeper_latest(keeper, id), version);
}
