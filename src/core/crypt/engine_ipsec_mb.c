/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Intel's libIPSec_MB: VAES, several blocks at once, and almost nothing to set up. Built with its
 * header; the library is opened at run time, by the name that belongs to the header.
 *
 * Its managers take 200 KB, so threads share a few: one takes whichever is free for the length of a
 * call. CBC encryption is a chain, in which a library for many messages at once has no advantage:
 * OpenSSL does it.
 */
#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine.h"
#include "keyhold/secret.h"
#include "schedule_cache.h"

enum {
  MANAGERS_MAX = 32, /* 32 * 200 KB: within 8 MiB for the whole process */
  CACHED = 6,
  CACHED_GCM = 3,
  TAG_SIZE = 16,
  AAD_SIZE = 4,
  NONCE_SIZE = 12,
  CBC_ENCRYPT_MAX = 384, /* from about here on OpenSSL is faster, measured on Sapphire Rapids */
  ROUND_KEYS = 60,       /* 32-bit words of an AES-256 schedule (FIPS 197) */
};

/* one for each kind of key schedule */
enum kind { KIND_BLOCK = 1, KIND_GCM = 2 };

/* On a cache line of its own: only threads that use the same manager share it. */
struct manager {
  _Alignas(64) atomic_bool busy;
  IMB_MGR *mgr;
};

struct ipsec_mb {
  void *library;
  void (*free_mb_mgr)(IMB_MGR *mgr);
  size_t count;
  struct manager managers[MANAGERS_MAX];
  atomic_uint next_thread; /* spreads threads over managers */
};

struct cached_block {
  _Alignas(16) uint32_t encrypting[ROUND_KEYS];
  _Alignas(16) uint32_t decrypting[ROUND_KEYS];
  kh_schedule schedule;
};

struct cached_gcm {
  _Alignas(64) struct gcm_key_data
      data; /* its header asks for this on Windows only, its code everywhere */
  kh_schedule schedule;
};

/* A thread's area. */
struct area {
  kh_area head;
  struct cached_block blocks[CACHED];
  struct cached_gcm gcms[CACHED_GCM];
  uint32_t home; /* 1 + the manager that this thread tries first; 0: not chosen yet */
};

_Static_assert(sizeof(struct gcm_context_data) <= sizeof(kh_gcm_state),
               "a GCM message fits into its context");

static void ipsec_mb_close(void *engine)
{
  struct ipsec_mb *ipsec_mb = engine;
  if (ipsec_mb == NULL)
    return;
  for (size_t i = 0; i < ipsec_mb->count; i++)
    ipsec_mb->free_mb_mgr(ipsec_mb->managers[i].mgr);
  if (ipsec_mb->library != NULL)
    dlclose(ipsec_mb->library);
  free(ipsec_mb);
}

/* as many managers as threads can run at once, and some for those that lost the processor inside a
 * call */
static size_t managers_wanted(void)
{
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  size_t wanted = processors < 1 ? 4 : 2 * (size_t)processors + 2;
  return wanted < MANAGERS_MAX ? wanted : MANAGERS_MAX;
}

static kh_status make_managers(struct ipsec_mb *ipsec_mb)
{
  IMB_MGR *(*alloc_mb_mgr_now)(uint64_t flags); /* filled as dlsym(3) shows */
  void (*init_mb_mgr_auto_now)(IMB_MGR * mgr, IMB_ARCH * arch);
  *(void **)(void *)&alloc_mb_mgr_now = dlsym(ipsec_mb->library, "alloc_mb_mgr");
  *(void **)(void *)&init_mb_mgr_auto_now = dlsym(ipsec_mb->library, "init_mb_mgr_auto");
  *(void **)(void *)&ipsec_mb->free_mb_mgr = dlsym(ipsec_mb->library, "free_mb_mgr");
  if (alloc_mb_mgr_now == NULL || init_mb_mgr_auto_now == NULL || ipsec_mb->free_mb_mgr == NULL)
    return KH_E_NO_ENGINE;
  for (size_t wanted = managers_wanted(); ipsec_mb->count < wanted; ipsec_mb->count++) {
    IMB_MGR *mgr = alloc_mb_mgr_now(0);
    if (mgr == NULL)
      return KH_E_NO_MEMORY;
    ipsec_mb->managers[ipsec_mb->count].mgr = mgr;
    init_mb_mgr_auto_now(mgr, NULL);
  }
  /* without VAES it is no faster than OpenSSL on a page, and untested here */
  return (ipsec_mb->managers[0].mgr->features & IMB_FEATURE_VAES) != 0 ? KH_OK : KH_E_NO_ENGINE;
}

static kh_status ipsec_mb_open(void **ret_engine)
{
  size_t size = (sizeof(struct ipsec_mb) + 63) / 64 * 64;
  struct ipsec_mb *ipsec_mb = aligned_alloc(64, size);
  if (ipsec_mb == NULL)
    return KH_E_NO_MEMORY;
  kh_wipe(ipsec_mb, size);
  ipsec_mb->library = dlopen(KEYHOLD_IPSEC_MB_SONAME, RTLD_NOW | RTLD_LOCAL);
  kh_status status = ipsec_mb->library == NULL ? KH_E_NO_ENGINE : make_managers(ipsec_mb);
  if (status != KH_OK) {
    ipsec_mb_close(ipsec_mb);
    return status;
  }
  *ret_engine = ipsec_mb;
  return KH_OK;
}

static void ipsec_mb_end_thread(kh_area *area)
{
  (void)area; /* it has no other objects, and the caller wipes it */
}

/* Returns a manager that no thread uses; NULL: all are in use, and the thread does not wait. */
static struct manager *take_manager(struct ipsec_mb *ipsec_mb, struct area *area)
{
  if (area->home == 0)
    area->home = 1 + atomic_fetch_add_explicit(&ipsec_mb->next_thread, 1, memory_order_relaxed) %
                         (unsigned)ipsec_mb->count;
  for (size_t i = 0; i < ipsec_mb->count; i++) {
    struct manager *manager = &ipsec_mb->managers[(area->home - 1 + i) % ipsec_mb->count];
    if (!atomic_exchange_explicit(&manager->busy, true, memory_order_acquire)) {
      area->home = 1 + (uint32_t)(manager - ipsec_mb->managers);
      return manager;
    }
  }
  return NULL;
}

static void give_manager(struct manager *manager)
{
  atomic_store_explicit(&manager->busy, false, memory_order_release);
}

static struct area *area_of(kh_area *head)
{
  return (struct area *)(void *)head;
}

static void ipsec_mb_sweep(kh_area *head)
{
  struct area *area = area_of(head);
  for (size_t i = 0; i < CACHED; i++)
    if (kh_schedule_is_old(&area->blocks[i].schedule, head->now))
      kh_wipe(&area->blocks[i], sizeof area->blocks[i]);
  for (size_t i = 0; i < CACHED_GCM; i++)
    if (kh_schedule_is_old(&area->gcms[i].schedule, head->now))
      kh_wipe(&area->gcms[i], sizeof area->gcms[i]);
}

static struct cached_block *find_block(struct area *area, kh_bytes key)
{
  struct cached_block *evicted = &area->blocks[0];
  for (size_t i = 0; i < CACHED; i++) {
    if (kh_schedule_fits(&area->blocks[i].schedule, key, KIND_BLOCK))
      return &area->blocks[i];
    if (kh_schedule_is_evicted_before(&area->blocks[i].schedule, &evicted->schedule,
                                      area->head.now))
      evicted = &area->blocks[i];
  }
  return evicted;
}

static const struct cached_block *schedule_of(struct area *area, IMB_MGR *mgr, kh_bytes key)
{
  struct cached_block *block = find_block(area, key);
  block->schedule.last_use = area->head.now;
  if (kh_schedule_fits(&block->schedule, key, KIND_BLOCK))
    return block;
  if (key.len == 16)
    IMB_AES_KEYEXP_128(mgr, key.data, block->encrypting, block->decrypting);
  else if (key.len == 24)
    IMB_AES_KEYEXP_192(mgr, key.data, block->encrypting, block->decrypting);
  else
    IMB_AES_KEYEXP_256(mgr, key.data, block->encrypting, block->decrypting);
  kh_schedule_note(&block->schedule, key, KIND_BLOCK);
  return block;
}

/* The manager that a call uses, with its key schedule. */
struct hold {
  struct manager *manager;
  const struct cached_block *block;
  size_t key_len;
};

/* Takes a manager and finds the key's schedule; returns false when all managers are busy. */
static bool take_hold(struct ipsec_mb *ipsec_mb, struct area *area, kh_bytes key,
                      struct hold *ret_hold)
{
  struct manager *manager = take_manager(ipsec_mb, area);
  if (manager == NULL)
    return false;
  *ret_hold = (struct hold){manager, schedule_of(area, manager->mgr, key), key.len};
  return true;
}

static kh_status submit_job(const struct hold *hold, IMB_CIPHER_MODE mode,
                            IMB_CIPHER_DIRECTION direction, const uint8_t *iv, kh_bytes src,
                            uint8_t *dst)
{
  IMB_MGR *mgr = hold->manager->mgr;
  IMB_JOB *job = IMB_GET_NEXT_JOB(mgr);
  job->cipher_mode = mode;
  job->cipher_direction = direction;
  job->chain_order = IMB_ORDER_CIPHER_HASH;
  job->hash_alg = IMB_AUTH_NULL;
  job->enc_keys = hold->block->encrypting;
  job->dec_keys = hold->block->decrypting;
  job->key_len_in_bytes = hold->key_len;
  job->src = src.data;
  job->dst = dst;
  job->cipher_start_src_offset_in_bytes = 0;
  job->msg_len_to_cipher_in_bytes = src.len;
  job->iv = iv;
  job->iv_len_in_bytes = KH_AES_BLOCK;
  job = IMB_SUBMIT_JOB_NOCHECK(mgr); /* all that it would check is set above */
  if (job == NULL) /* both modes are processed immediately; if a later library queues them, this
                      empties the queue */
    job = IMB_FLUSH_JOB(mgr);
  return job != NULL && job->status == IMB_STATUS_COMPLETED ? KH_OK : KH_E_CRYPTO;
}

/* Returns the bytes until the low 32 bits of the counter wrap: the library does not carry out of
 * them. */
static uint64_t bytes_to_wrap(const uint8_t *counter)
{
  uint32_t low = (uint32_t)counter[12] << 24 | (uint32_t)counter[13] << 16 |
                 (uint32_t)counter[14] << 8 | counter[15];
  return ((UINT64_C(1) << 32) - low) * KH_AES_BLOCK;
}

/* the counter after the wrap: low 32 bits zero, and the carry in the others */
static void carry_over(uint8_t *counter)
{
  memset(counter + 12, 0, 4);
  for (int i = 11; i >= 0 && ++counter[i] == 0; i--)
    ;
}

static kh_status ipsec_mb_run_ctr(void *engine, kh_area *area, kh_bytes key, const uint8_t *iv,
                                  kh_bytes src, uint8_t *dst)
{
  struct hold hold;
  uint8_t counter[KH_AES_BLOCK];
  memcpy(counter, iv, KH_AES_BLOCK);
  if (!take_hold(engine, area_of(area), key, &hold))
    return KH_E_ENGINE_BUSY;
  kh_status status = KH_OK;
  while (status == KH_OK && src.len > 0) {
    uint64_t before = bytes_to_wrap(counter);
    size_t now = src.len < before ? src.len : (size_t)before;
    status = submit_job(&hold, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, counter, (kh_bytes){src.data, now},
                        dst);
    carry_over(counter);
    src = (kh_bytes){src.data + now, src.len - now};
    dst += now;
  }
  give_manager(hold.manager);
  return status;
}

static kh_status ipsec_mb_run_cbc_decrypt(void *engine, kh_area *area, kh_bytes key,
                                          const uint8_t *iv, kh_bytes src, uint8_t *dst)
{
  struct hold hold;
  if (!take_hold(engine, area_of(area), key, &hold))
    return KH_E_ENGINE_BUSY;
  kh_status status = submit_job(&hold, IMB_CIPHER_CBC, IMB_DIR_DECRYPT, iv, src, dst);
  give_manager(hold.manager);
  return status;
}

/*
 * Each block is AES of the block before XOR the plaintext. CFB of one block of zeros is AES of its
 * IV; the library offers it for 128 bits, and it needs no manager.
 */
static kh_status ipsec_mb_run_cbc_encrypt(void *engine, kh_area *area, kh_bytes key,
                                          const uint8_t *iv, kh_bytes src, uint8_t *dst)
{
  static const uint8_t zeros[KH_AES_BLOCK];
  IMB_MGR *mgr = ((struct ipsec_mb *)engine)->managers[0].mgr;
  if (key.len != 16)
    return KH_E_ENGINE_BUSY;
  const struct cached_block *block = schedule_of(area_of(area), mgr, key);
  for (size_t at = 0; at < src.len; at += KH_AES_BLOCK) {
    uint8_t mixed[KH_AES_BLOCK];
    for (size_t i = 0; i < KH_AES_BLOCK; i++)
      mixed[i] = iv[i] ^ src.data[at + i];
    IMB_AES128_CFB_ONE(mgr, dst + at, zeros, mixed, block->encrypting, KH_AES_BLOCK);
    iv = dst + at;
  }
  return KH_OK;
}

static struct cached_gcm *find_gcm(struct area *area, kh_bytes key)
{
  struct cached_gcm *evicted = &area->gcms[0];
  for (size_t i = 0; i < CACHED_GCM; i++) {
    if (kh_schedule_fits(&area->gcms[i].schedule, key, KIND_GCM))
      return &area->gcms[i];
    if (kh_schedule_is_evicted_before(&area->gcms[i].schedule, &evicted->schedule, area->head.now))
      evicted = &area->gcms[i];
  }
  return evicted;
}

/* GCM is called directly: it needs a manager's table of functions, and nothing that changes in it.
 */
static const IMB_MGR *functions_of(void *engine)
{
  return ((struct ipsec_mb *)engine)->managers[0].mgr;
}

static const struct gcm_key_data *gcm_key_of(void *engine, kh_area *head, kh_bytes key)
{
  struct area *area = area_of(head);
  const IMB_MGR *mgr = functions_of(engine);
  struct cached_gcm *cached = find_gcm(area, key);
  cached->schedule.last_use = area->head.now;
  if (kh_schedule_fits(&cached->schedule, key, KIND_GCM))
    return &cached->data;
  if (key.len == 16)
    mgr->gcm128_pre(key.data, &cached->data);
  else if (key.len == 24)
    mgr->gcm192_pre(key.data, &cached->data);
  else
    mgr->gcm256_pre(key.data, &cached->data);
  kh_schedule_note(&cached->schedule, key, KIND_GCM);
  return &cached->data;
}

static struct gcm_context_data *message_of(kh_gcm_state *state)
{
  return (struct gcm_context_data *)(void *)state;
}

static kh_status ipsec_mb_gcm_start(void *engine, kh_area *area, bool encrypt, kh_bytes key,
                                    const uint8_t *iv, kh_gcm_state *state)
{
  (void)encrypt;
  const IMB_MGR *mgr = functions_of(engine);
  aes_gcm_init_t init = key.len == 16   ? mgr->gcm128_init
                        : key.len == 24 ? mgr->gcm192_init
                                        : mgr->gcm256_init;
  init(gcm_key_of(engine, area, key), message_of(state), iv, iv + NONCE_SIZE, AAD_SIZE);
  return KH_OK;
}

static aes_gcm_enc_dec_update_t update_of(const IMB_MGR *mgr, bool encrypt, size_t key_len)
{
  if (key_len == 16)
    return encrypt ? mgr->gcm128_enc_update : mgr->gcm128_dec_update;
  if (key_len == 24)
    return encrypt ? mgr->gcm192_enc_update : mgr->gcm192_dec_update;
  return encrypt ? mgr->gcm256_enc_update : mgr->gcm256_dec_update;
}

static kh_status ipsec_mb_gcm_update(void *engine, kh_area *area, bool encrypt, kh_bytes key,
                                     kh_gcm_state *state, kh_bytes src, uint8_t *dst)
{
  if (src.len > 0)
    update_of(functions_of(engine), encrypt, key.len)(gcm_key_of(engine, area, key),
                                                      message_of(state), dst, src.data, src.len);
  return KH_OK;
}

static aes_gcm_enc_dec_finalize_t finalize_of(const IMB_MGR *mgr, size_t key_len)
{
  if (key_len == 16)
    return mgr->gcm128_enc_finalize;
  return key_len == 24 ? mgr->gcm192_enc_finalize : mgr->gcm256_enc_finalize;
}

static kh_status ipsec_mb_gcm_finish(void *engine, kh_area *area, bool encrypt, kh_bytes key,
                                     kh_gcm_state *state, uint8_t *tag)
{
  uint8_t made[TAG_SIZE]; /* the tag is computed in the same way in both directions */
  finalize_of(functions_of(engine), key.len)(gcm_key_of(engine, area, key), message_of(state), made,
                                             TAG_SIZE);
  if (!encrypt)
    return kh_is_same_secret(made, tag, TAG_SIZE) ? KH_OK : KH_E_BAD_DATA;
  memcpy(tag, made, TAG_SIZE);
  return KH_OK;
}

static const kh_gcm gcm = {ipsec_mb_gcm_start, ipsec_mb_gcm_update, ipsec_mb_gcm_finish};

const kh_engine kh_engine_ipsec_mb = {
    .name = "ipsec_mb",
    .open = ipsec_mb_open,
    .close = ipsec_mb_close,
    .thread_size = sizeof(struct area),
    .sweep = ipsec_mb_sweep,
    .end_thread = ipsec_mb_end_thread,
    .run = {[KH_OP_CTR] = ipsec_mb_run_ctr,
            [KH_OP_CBC_ENCRYPT] = ipsec_mb_run_cbc_encrypt,
            [KH_OP_CBC_DECRYPT] = ipsec_mb_run_cbc_decrypt},
    .run_max = {[KH_OP_CTR] = SIZE_MAX,
                [KH_OP_CBC_ENCRYPT] = CBC_ENCRYPT_MAX,
                [KH_OP_CBC_DECRYPT] = SIZE_MAX},
    .gcm = &gcm,
};
