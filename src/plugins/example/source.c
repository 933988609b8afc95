/* SPDX-License-Identifier: GPL-2.0-only */
#include "source.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "keyhold/md5.h"
#include "keyhold/random.h"

/*
 * Version and time of the next one change together, so they are one word: threads that meet at a
 * change see the old pair or the new one, and one of them makes it.
 */
struct kh_example_keys {
  kh_clock clock;
  _Atomic uint64_t period; /* the version in the upper half, the time of the next in the lower */
};

static uint64_t period_from(uint32_t now)
{
  uint32_t length =
      KH_EXAMPLE_PERIOD_MIN + kh_random_below(KH_EXAMPLE_PERIOD_MAX - KH_EXAMPLE_PERIOD_MIN + 1);
  return (uint64_t)now << 32 | (now + length);
}

static kh_status example_latest(void *keys, uint32_t id, uint32_t *ret_version)
{
  (void)id;
  kh_example_keys *example = keys;
  uint64_t period = atomic_load(&example->period);
  uint32_t now = kh_clock_now(&example->clock);
  if (now >= (uint32_t)period) {
    uint64_t next = period_from(now);
    if (atomic_compare_exchange_strong(&example->period, &period, next))
      period = next; /* else another thread has just made one */
  }
  *ret_version = (uint32_t)(period >> 32);
  return KH_OK;
}

/* Every id and every version has a key, also future ones. */
static kh_status example_copy(void *keys, uint32_t id, uint32_t version, uint8_t *ret_key,
                              size_t room, size_t *ret_len)
{
  (void)keys;
  uint32_t seed[] = {id, version}; /* in the host's byte order */
  *ret_len = KH_MD5_SIZE;
  return room < KH_MD5_SIZE ? KH_OK
                            : kh_md5((kh_bytes){(const uint8_t *)seed, sizeof seed}, ret_key);
}

static kh_cipher example_cipher(void *keys, uint32_t id, uint32_t version)
{
  (void)keys;
  (void)id;
  return version % 2 != 0 ? KH_CIPHER_AES_ECB : KH_CIPHER_AES_CBC;
}

kh_status kh_example_keys_new(const kh_clock *clock, kh_example_keys **ret_keys)
{
  uint8_t key[KH_KEY_MAX];
  size_t len;
  kh_status status = kh_random_start();
  if (status ==
      KH_OK) /* a server without MD5 (FIPS mode) should fail at the start, not at the first page */
    status = example_copy(NULL, KH_KEY_ID_SYSTEM, KH_KEY_VERSION_MIN, key, sizeof key, &len);
  if (status != KH_OK)
    return status;
  kh_example_keys *keys = calloc(1, sizeof *keys);
  if (keys == NULL)
    return KH_E_NO_MEMORY;
  keys->clock = *clock;
  atomic_init(&keys->period, period_from(kh_clock_now(clock)));
  *ret_keys = keys;
  return KH_OK;
}

const kh_key_source kh_example_source = {
    .latest = example_latest, .copy = example_copy, .cipher = example_cipher, .free = free};
