/* SPDX-License-Identifier: GPL-2.0-only */
#include "keepers.h"

#include "tasks.h"
#include "unit.h"

_Atomic uint32_t keeper_now = KEEPER_START;

static uint32_t tell_time(void *user)
{
  (void)user;
  return atomic_load(&keeper_now);
}

int keeper_reset_clock(void **state)
{
  (void)state;
  atomic_store(&keeper_now, KEEPER_START);
  return 0;
}

kh_keeper_options keeper_options(kh_log log)
{
  return (kh_keeper_options){.default_cipher = KH_CIPHER_AES_CBC,
                             .log = log,
                             .clock = {tell_time, NULL},
                             .reload_advice = "; do not restart the server"};
}

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

kh_keeper *fake_keeper_start(fake_store *fake, const kh_store_ops *ops, const fake_key *keys,
                             size_t count, recorder *said)
{
  kh_keeper *keeper = NULL;
  kh_keeper_options options = keeper_options(recorder_log(said));
  kh_store store = fake_store_start(fake, ops, keys, count);
  assert_int_equal(kh_keeper_new(&options, &store, &keeper, NULL), KH_OK);
  return keeper;
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
  (void)TEST_COMES(keeper_latest(keeper, id) == version);
  assert_int_equal(keeper_latest(keeper, id), version);
}
