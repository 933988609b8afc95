/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * By OpenSSL alone. A schedule is made when it is first used: a message under 16 bytes needs one of
 * them, a long one five.
 */
#include "engine_xts.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "keyhold/secret.h"
#include "schedule_cache.h"

enum {
  CACHED = 4,
  KIND = 1, /* of all schedules here */
  KEYS = KH_XTS_KEYS / KH_XTS_KEY,
};

/* What a context is for; the first ones are kh_xts_op. */
enum { UNIT_ENCRYPT = KH_XTS_OPS, UNIT_DECRYPT, CONTEXTS };

struct openssl {
  EVP_CIPHER *block; /* AES-256-ECB */
  EVP_CIPHER *unit;  /* AES-256-XTS */
  /* As in engine_openssl.c, for a thread that gets no memory for contexts of its own. */
  pthread_mutex_t spares_in_use;
  EVP_CIPHER_CTX *spares[CONTEXTS];
};

/* For XTS, two keys that differ: OpenSSL refuses equal ones. */
static const uint8_t no_key[2 * KH_XTS_KEY] = {1};

struct kh_xts_set {
  kh_schedule schedule; /* K1 */
  uint8_t others[KH_XTS_KEYS - KH_XTS_KEY];
  EVP_CIPHER_CTX *evp[CONTEXTS];
  bool is_keyed[CONTEXTS];
};

/* A thread's area. */
struct area {
  kh_area head;
  struct kh_xts_set sets[CACHED];
};

static const uint8_t key_places[CONTEXTS] = {
    [KH_XTS_ENCRYPT] = 0,
    [KH_XTS_DECRYPT] = 0,
    [KH_XTS_TWEAK] = KH_XTS_KEY,
    [KH_XTS_FF1] = 2 * KH_XTS_KEY,
    [KH_XTS_BIND] = 3 * KH_XTS_KEY,
    [UNIT_ENCRYPT] = 0,
    [UNIT_DECRYPT] = 0,
};

static bool is_for_encryption(size_t context)
{
  return context != KH_XTS_DECRYPT && context != UNIT_DECRYPT;
}

/* A context that had another key keeps its cipher: that is much cheaper than setting it up anew. */
static bool set_key(const struct openssl *openssl, size_t context, EVP_CIPHER_CTX *evp,
                    const uint8_t *key)
{
  const EVP_CIPHER *cipher = context < KH_XTS_OPS ? openssl->block : openssl->unit;
  bool is_new = EVP_CIPHER_CTX_get0_cipher(evp) == NULL;
  if (EVP_CipherInit_ex2(evp, is_new ? cipher : NULL, key, NULL, is_for_encryption(context),
                         NULL) != 1)
    return false;
  /* The others keep no block back, and to have it off costs a call at every later init. */
  if (is_new && context == KH_XTS_DECRYPT)
    EVP_CIPHER_CTX_set_padding(evp, 0);
  return true;
}

static bool make_spare_contexts(struct openssl *openssl)
{
  for (size_t i = 0; i < CONTEXTS; i++) {
    openssl->spares[i] = EVP_CIPHER_CTX_new();
    if (openssl->spares[i] == NULL || !set_key(openssl, i, openssl->spares[i], no_key))
      return false;
  }
  return true;
}

static void close_openssl(void *engine)
{
  struct openssl *openssl = engine;
  if (openssl == NULL)
    return;
  for (size_t i = 0; i < CONTEXTS; i++)
    EVP_CIPHER_CTX_free(openssl->spares[i]);
  EVP_CIPHER_free(openssl->block);
  EVP_CIPHER_free(openssl->unit);
  pthread_mutex_destroy(&openssl->spares_in_use);
  free(openssl);
}

static kh_status open_openssl(void **ret_engine)
{
  /* as in engine_openssl.c, which is opened later */
  struct openssl *openssl =
      OSSL_LIB_CTX_get0_global_default() == NULL ? NULL : calloc(1, sizeof *openssl);
  if (openssl == NULL)
    return KH_E_NO_MEMORY;
  pthread_mutex_init(&openssl->spares_in_use, NULL);
  openssl->block = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
  openssl->unit = EVP_CIPHER_fetch(NULL, "AES-256-XTS", NULL);
  if (openssl->block == NULL || openssl->unit == NULL || !make_spare_contexts(openssl)) {
    ERR_clear_error();
    close_openssl(openssl);
    return KH_E_CRYPTO;
  }
  *ret_engine = openssl;
  return KH_OK;
}

static void forget_set(struct kh_xts_set *set)
{
  for (size_t i = 0; i < CONTEXTS; i++)
    if (set->evp[i] != NULL)
      EVP_CIPHER_CTX_reset(set->evp[i]); /* wipes the schedule */
  memset(set->is_keyed, 0, sizeof set->is_keyed);
  kh_wipe(&set->schedule, sizeof set->schedule);
  kh_wipe(set->others, sizeof set->others);
}

/* Contexts that the present key of a set did not need still have the schedule of one before. */
static void sweep_sets(kh_area *head)
{
  struct area *area = (struct area *)(void *)head;
  for (size_t i = 0; i < CACHED; i++) {
    struct kh_xts_set *set = &area->sets[i];
    if (kh_schedule_is_old(&set->schedule, head->now))
      forget_set(set);
    for (size_t j = 0; j < CONTEXTS; j++)
      if (set->evp[j] != NULL && !set->is_keyed[j])
        EVP_CIPHER_CTX_reset(set->evp[j]);
  }
}

static void free_sets(kh_area *head)
{
  struct area *area = (struct area *)(void *)head;
  for (size_t i = 0; i < CACHED; i++)
    for (size_t j = 0; j < CONTEXTS; j++)
      EVP_CIPHER_CTX_free(area->sets[i].evp[j]);
}

/* Returns 1 for equal keys, or 0. */
static uint64_t compare_keys(const uint8_t *a, const uint8_t *b)
{
  uint64_t differences = 0;
  for (size_t i = 0; i < KH_XTS_KEY; i += sizeof differences) {
    uint64_t words[2];
    memcpy(&words[0], a + i, sizeof words[0]);
    memcpy(&words[1], b + i, sizeof words[1]);
    differences |= words[0] ^ words[1];
  }
  return 1 ^ (differences | (0 - differences)) >> 63;
}

static bool has_equal_keys(const uint8_t *keys)
{
  uint64_t equal = 0;
  for (size_t i = 0; i < KEYS; i++)
    for (size_t j = 0; j < i; j++)
      equal |= compare_keys(keys + i * KH_XTS_KEY, keys + j * KH_XTS_KEY);
  return equal != 0;
}

static bool is_of(const struct kh_xts_set *set, const uint8_t *keys)
{
  return kh_schedule_fits(&set->schedule, (kh_bytes){keys, KH_XTS_KEY}, KIND) &&
         memcmp(set->others, keys + KH_XTS_KEY, sizeof set->others) == 0;
}

/* Returns the set of those keys, or the one to evict for them. */
static struct kh_xts_set *choose_set(struct area *area, const uint8_t *keys, bool *ret_is_found)
{
  struct kh_xts_set *evicted = &area->sets[0];
  for (size_t i = 0; i < CACHED; i++) {
    struct kh_xts_set *set = &area->sets[i];
    *ret_is_found = is_of(set, keys);
    if (*ret_is_found)
      return set;
    if (kh_schedule_is_evicted_before(&set->schedule, &evicted->schedule, area->head.now))
      evicted = set;
  }
  return evicted;
}

kh_status kh_xts_find(void *engine, kh_area *head, const uint8_t *keys, kh_xts *ret_xts)
{
  struct area *area = (struct area *)(void *)head;
  bool is_found = false;
  struct kh_xts_set *set = area == NULL ? NULL : choose_set(area, keys, &is_found);
  if (!is_found && has_equal_keys(keys))
    return KH_E_CRYPTO;
  if (!is_found && set != NULL) {
    memset(set->is_keyed, 0, sizeof set->is_keyed);
    kh_schedule_note(&set->schedule, (kh_bytes){keys, KH_XTS_KEY}, KIND);
    memcpy(set->others, keys + KH_XTS_KEY, sizeof set->others);
  }
  if (set != NULL)
    set->schedule.last_use = head->now;
  *ret_xts = (kh_xts){engine, set, keys};
  return KH_OK;
}

static bool set_tweak(size_t context, EVP_CIPHER_CTX *evp, const uint8_t *tweak)
{
  return tweak == NULL ||
         EVP_CipherInit_ex2(evp, NULL, NULL, tweak, is_for_encryption(context), NULL) == 1;
}

static kh_status run_blocks(EVP_CIPHER_CTX *evp, kh_bytes src, uint8_t *dst)
{
  enum { FEED_MAX = 1 << 30 }; /* EVP counts in int */
  while (src.len > 0) {
    int take = src.len < FEED_MAX ? (int)src.len : FEED_MAX;
    int made = 0;
    if (EVP_CipherUpdate(evp, dst, &made, src.data, take) != 1)
      return KH_E_CRYPTO;
    src = (kh_bytes){src.data + take, src.len - (size_t)take};
    dst += take;
  }
  return KH_OK;
}

/* Needs no memory. */
static kh_status run_with_spare_context(const kh_xts *xts, size_t context, const uint8_t *tweak,
                                        kh_bytes src, uint8_t *dst)
{
  struct openssl *openssl = xts->engine;
  EVP_CIPHER_CTX *evp = openssl->spares[context];
  pthread_mutex_lock(&openssl->spares_in_use);
  bool is_ready = set_key(openssl, context, evp, xts->keys + key_places[context]) &&
                  set_tweak(context, evp, tweak);
  kh_status status = is_ready ? run_blocks(evp, src, dst) : KH_E_CRYPTO;
  (void)set_key(openssl, context, evp, no_key);
  pthread_mutex_unlock(&openssl->spares_in_use);
  ERR_clear_error();
  return status;
}

/* Makes a context of the set ready: with the key's schedule if it has it, else with a new one. */
static bool set_up_own_context(const kh_xts *xts, size_t context, const uint8_t *tweak)
{
  struct kh_xts_set *set = xts->set;
  if (set == NULL)
    return false;
  if (set->evp[context] == NULL && (set->evp[context] = EVP_CIPHER_CTX_new()) == NULL)
    return false;
  set->is_keyed[context] =
      (set->is_keyed[context] ||
       set_key(xts->engine, context, set->evp[context], xts->keys + key_places[context])) &&
      set_tweak(context, set->evp[context], tweak);
  if (!set->is_keyed[context])
    EVP_CIPHER_CTX_reset(set->evp[context]);
  return set->is_keyed[context];
}

static kh_status run_context(const kh_xts *xts, size_t context, const uint8_t *tweak, kh_bytes src,
                             uint8_t *dst)
{
  /* FF1 encrypts its blocks one by one, so this is looked at first */
  bool is_ready = tweak == NULL && xts->set != NULL && xts->set->is_keyed[context];
  if (!is_ready && !set_up_own_context(xts, context, tweak))
    return run_with_spare_context(xts, context, tweak, src, dst);
  kh_status status = run_blocks(xts->set->evp[context], src, dst);
  if (status != KH_OK) {
    forget_set(xts->set);
    ERR_clear_error();
  }
  return status;
}

kh_status kh_xts_blocks(const kh_xts *xts, kh_xts_op op, kh_bytes src, uint8_t *dst)
{
  return run_context(xts, op, NULL, src, dst);
}

kh_status kh_xts_unit(const kh_xts *xts, bool encrypt, const uint8_t *tweak, kh_bytes src,
                      uint8_t *dst)
{
  return run_context(xts, encrypt ? UNIT_ENCRYPT : UNIT_DECRYPT, tweak, src, dst);
}

const kh_engine kh_engine_xts = {
    .name = "xts",
    .open = open_openssl,
    .close = close_openssl,
    .thread_size = sizeof(struct area),
    .sweep = sweep_sets,
    .end_thread = free_sets,
};
