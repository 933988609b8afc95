/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OpenSSL's EVP with ciphers fetched once. Each thread caches a few contexts with their key
 * schedules: a message with a key that was used before only sets the IV.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "engine.h"
#include "keyhold/secret.h"
#include "schedule_cache.h"

enum {
  KEY_SIZES = 3,
  CACHED = 8,         /* for CTR and CBC: about 1 KiB of OpenSSL's memory each */
  CACHED_ALIKE = 3,   /* of one kind and key length */
  CACHED_GCM = 4,     /* the same; one for each unfinished message */
  FEED_MAX = 1 << 30, /* EVP counts in int; a multiple of the block */
  TAG_SIZE = 16,
  NONCE_SIZE = 12,
  AAD_SIZE = 4,
};

/* what a cached context is for; the first ones are kh_aes_op */
enum kind { KIND_GCM_ENCRYPT = KH_OP_COUNT, KIND_GCM_DECRYPT, KINDS };

struct openssl {
  EVP_CIPHER *ciphers[KINDS][KEY_SIZES];
  /* For a thread that gets no memory for contexts of its own: these need none, and threads wait for
   * each other. Between messages they have the schedule of a key of zeros. */
  pthread_mutex_t spares_in_use;
  EVP_CIPHER_CTX *spares[KH_OP_COUNT][KEY_SIZES];
};

static const uint8_t no_key[KH_KEY_MAX];

struct cached_evp {
  kh_schedule schedule;
  EVP_CIPHER_CTX *evp;
  uint64_t serial; /* GCM: the message that has it; 0: none */
};

/* A thread's area. */
struct area {
  kh_area head;
  struct cached_evp runs[CACHED];
  struct cached_evp gcms[CACHED_GCM];
  uint64_t serial; /* of the last GCM message that was started */
};

/* A GCM message: the cached context that it uses. Its serial shows whether that was taken away. */
struct gcm_message {
  struct cached_evp *slot;
  uint64_t serial;
};
_Static_assert(sizeof(struct gcm_message) <= sizeof(kh_gcm_state),
               "a GCM message fits into its context");

static const char *const names[KINDS][KEY_SIZES] = {
    [KH_OP_CTR] = {"AES-128-CTR", "AES-192-CTR", "AES-256-CTR"},
    [KH_OP_CBC_ENCRYPT] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"},
    [KH_OP_CBC_DECRYPT] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"},
    [KH_OP_ECB_ENCRYPT] = {"AES-128-ECB", "AES-192-ECB", "AES-256-ECB"},
    [KH_OP_ECB_DECRYPT] = {"AES-128-ECB", "AES-192-ECB", "AES-256-ECB"},
    [KIND_GCM_ENCRYPT] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"},
    [KIND_GCM_DECRYPT] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"},
};

static bool is_encrypting(uint8_t kind)
{
  return kind != KH_OP_CBC_DECRYPT && kind != KH_OP_ECB_DECRYPT && kind != KIND_GCM_DECRYPT;
}

static void openssl_close(void *engine)
{
  struct openssl *openssl = engine;
  if (openssl == NULL)
    return;
  for (int kind = 0; kind < KINDS; kind++)
    for (int size = 0; size < KEY_SIZES; size++)
      EVP_CIPHER_free(openssl->ciphers[kind][size]);
  for (int op = 0; op < KH_OP_COUNT; op++)
    for (int size = 0; size < KEY_SIZES; size++)
      EVP_CIPHER_CTX_free(openssl->spares[op][size]);
  pthread_mutex_destroy(&openssl->spares_in_use);
  free(openssl);
}

static bool make_spare(const struct openssl *openssl, uint8_t op, int size,
                       EVP_CIPHER_CTX **ret_spare)
{
  const EVP_CIPHER *cipher = openssl->ciphers[op][size];
  return (*ret_spare = EVP_CIPHER_CTX_new()) != NULL &&
         EVP_CipherInit_ex2(*ret_spare, cipher, no_key, NULL, is_encrypting(op), NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(*ret_spare, 0) == 1;
}

static bool make_spares(struct openssl *openssl)
{
  for (int op = 0; op < KH_OP_COUNT; op++)
    for (int size = 0; size < KEY_SIZES; size++)
      if (!make_spare(openssl, (uint8_t)op, size, &openssl->spares[op][size]))
        return false;
  return true;
}

static bool fetch_ciphers(struct openssl *openssl)
{
  for (int kind = 0; kind < KINDS; kind++)
    for (int size = 0; size < KEY_SIZES; size++) {
      openssl->ciphers[kind][size] = EVP_CIPHER_fetch(NULL, names[kind][size], NULL);
      if (openssl->ciphers[kind][size] == NULL)
        return false;
    }
  return true;
}

static kh_status openssl_failed(void)
{
  ERR_clear_error(); /* the queue is the thread's, and the server's TLS reads it too */
  return KH_E_CRYPTO;
}

static kh_status openssl_open(void **ret_engine)
{
  /* Its start may fail for lack of memory, and then any other call crashes. */
  struct openssl *openssl =
      OSSL_LIB_CTX_get0_global_default() == NULL ? NULL : calloc(1, sizeof *openssl);
  if (openssl == NULL)
    return KH_E_NO_MEMORY;
  pthread_mutex_init(&openssl->spares_in_use, NULL);
  if (!fetch_ciphers(openssl) || !make_spares(openssl)) {
    openssl_close(openssl);
    return openssl_failed();
  }
  *ret_engine = openssl;
  return KH_OK;
}

/* OpenSSL wipes the schedule; the context itself stays for the next key. */
static void forget_schedule(struct cached_evp *slot)
{
  if (slot->evp != NULL)
    EVP_CIPHER_CTX_reset(slot->evp);
  kh_wipe(&slot->schedule, sizeof slot->schedule);
  slot->serial = 0;
}

static void sweep_slots(struct cached_evp *slots, size_t count, uint32_t now)
{
  for (size_t i = 0; i < count; i++)
    if (kh_schedule_is_old(&slots[i].schedule, now))
      forget_schedule(&slots[i]);
}

/* A GCM message that has taken this long was never finished. */
static void openssl_sweep(kh_area *head)
{
  struct area *area = (struct area *)(void *)head;
  sweep_slots(area->runs, CACHED, head->now);
  sweep_slots(area->gcms, CACHED_GCM, head->now);
}

static void openssl_end_thread(kh_area *head)
{
  struct area *area = (struct area *)(void *)head;
  for (size_t i = 0; i < CACHED; i++)
    EVP_CIPHER_CTX_free(area->runs[i].evp);
  for (size_t i = 0; i < CACHED_GCM; i++)
    EVP_CIPHER_CTX_free(area->gcms[i].evp);
}

/*
 * Returns the slot that has this key, or the one to evict for it. Only a few of each kind and key
 * length are cached: setting a new key in a context of the same kind is much cheaper than changing
 * its cipher, and many keys of one kind do not evict the others.
 */
static struct cached_evp *choose_context(struct area *area, kh_bytes key, uint8_t kind)
{
  struct cached_evp *evicted = &area->runs[0];
  struct cached_evp *alike = NULL;
  size_t count_alike = 0;
  for (size_t i = 0; i < CACHED; i++) {
    struct cached_evp *slot = &area->runs[i];
    if (kh_schedule_fits(&slot->schedule, key, kind))
      return slot;
    if (slot->schedule.kind == kind && slot->schedule.len == key.len) {
      count_alike++;
      if (alike == NULL ||
          kh_schedule_is_evicted_before(&slot->schedule, &alike->schedule, area->head.now))
        alike = slot;
    }
    if (kh_schedule_is_evicted_before(&slot->schedule, &evicted->schedule, area->head.now))
      evicted = slot;
  }
  return count_alike >= CACHED_ALIKE ? alike : evicted;
}

/* Makes a slot ready for a message: with the key's schedule if it has it, else with a new one. */
static kh_status set_up_context(const struct openssl *openssl, struct cached_evp *slot,
                                kh_bytes key, uint8_t kind, const uint8_t *iv, uint32_t now)
{
  int encrypt = is_encrypting(kind);
  slot->schedule.last_use = now;
  if (kh_schedule_fits(&slot->schedule, key, kind)) {
    if (EVP_CipherInit_ex2(slot->evp, NULL, NULL, iv, encrypt, NULL) == 1)
      return KH_OK;
    forget_schedule(slot);
    return openssl_failed();
  }
  if (slot->evp == NULL && (slot->evp = EVP_CIPHER_CTX_new()) == NULL)
    return KH_E_NO_MEMORY;
  /* with the cipher OpenSSL would set up its context again */
  bool same_cipher = slot->schedule.len == key.len && slot->schedule.kind == kind;
  const EVP_CIPHER *cipher = same_cipher ? NULL : openssl->ciphers[kind][(key.len - 16) / 8];
  if (EVP_CipherInit_ex2(slot->evp, cipher, key.data, iv, encrypt, NULL) != 1) {
    forget_schedule(slot);
    return openssl_failed();
  }
  /*
   * Only decryption with padding on keeps a block back. Off costs a call at every later init, so
   * the others have it on: whole blocks are not padded until the end is asked for, which never
   * happens here.
   */
  if (!same_cipher)
    EVP_CIPHER_CTX_set_padding(slot->evp, kind != KH_OP_CBC_DECRYPT && kind != KH_OP_ECB_DECRYPT);
  kh_schedule_note(&slot->schedule, key, kind);
  return KH_OK;
}

static kh_status feed_context(EVP_CIPHER_CTX *evp, kh_bytes src, uint8_t *dst)
{
  while (src.len > 0) {
    int take = src.len < FEED_MAX ? (int)src.len : FEED_MAX;
    int made = 0;
    if (EVP_CipherUpdate(evp, dst, &made, src.data, take) != 1)
      return openssl_failed();
    src.data += take;
    src.len -= (size_t)take;
    dst = dst == NULL ? NULL : dst + take;
  }
  return KH_OK;
}

/* A CTR context keeps the last block of its key stream: one byte under no key replaces it. */
static void forget_spare(EVP_CIPHER_CTX *evp, uint8_t op)
{
  static const uint8_t zeros[KH_AES_BLOCK];
  const uint8_t *iv = op == KH_OP_CTR ? zeros : NULL;
  uint8_t byte = 0;
  int made = 0;
  if (EVP_CipherInit_ex2(evp, NULL, no_key, iv, is_encrypting(op), NULL) == 1 && op == KH_OP_CTR)
    (void)EVP_CipherUpdate(evp, &byte, &made, zeros, 1);
}

/* Needs no memory. */
static kh_status run_with_spare(struct openssl *openssl, uint8_t op, kh_bytes key,
                                const uint8_t *iv, kh_bytes src, uint8_t *dst)
{
  EVP_CIPHER_CTX *evp = openssl->spares[op][(key.len - 16) / 8];
  pthread_mutex_lock(&openssl->spares_in_use);
  kh_status status = EVP_CipherInit_ex2(evp, NULL, key.data, iv, is_encrypting(op), NULL) == 1
                         ? feed_context(evp, src, dst)
                         : openssl_failed();
  forget_spare(evp, op);
  pthread_mutex_unlock(&openssl->spares_in_use);
  return status;
}

static kh_status run_kind(void *engine, kh_area *head, uint8_t op, kh_bytes key, const uint8_t *iv,
                          kh_bytes src, uint8_t *dst)
{
  struct area *area = (struct area *)(void *)head;
  if (area == NULL)
    return run_with_spare(engine, op, key, iv, src, dst);
  struct cached_evp *slot = choose_context(area, key, op);
  if (set_up_context(engine, slot, key, op, iv, head->now) != KH_OK)
    return run_with_spare(engine, op, key, iv, src, dst);
  return feed_context(slot->evp, src, dst);
}

static kh_status openssl_run_ctr(void *engine, kh_area *area, kh_bytes key, const uint8_t *iv,
                                 kh_bytes src, uint8_t *dst)
{
  return run_kind(engine, area, KH_OP_CTR, key, iv, src, dst);
}

static kh_status openssl_run_cbc_encrypt(void *engine, kh_area *area, kh_bytes key,
                                         const uint8_t *iv, kh_bytes src, uint8_t *dst)
{
  return run_kind(engine, area, KH_OP_CBC_ENCRYPT, key, iv, src, dst);
}

static kh_status openssl_run_cbc_decrypt(void *engine, kh_area *area, kh_bytes key,
                                         const uint8_t *iv, kh_bytes src, uint8_t *dst)
{
  return run_kind(engine, area, KH_OP_CBC_DECRYPT, key, iv, src, dst);
}

static kh_status openssl_run_ecb_encrypt(void *engine, kh_area *area, kh_bytes key,
                                         const uint8_t *iv, kh_bytes src, uint8_t *dst)
{
  (void)iv;
  return run_kind(engine, area, KH_OP_ECB_ENCRYPT, key, NULL, src, dst);
}

static kh_status openssl_run_ecb_decrypt(void *engine, kh_area *area, kh_bytes key,
                                         const uint8_t *iv, kh_bytes src, uint8_t *dst)
{
  (void)iv;
  return run_kind(engine, area, KH_OP_ECB_DECRYPT, key, NULL, src, dst);
}

/*
 * Returns a context that no message uses, with this key if there is one. If messages use them all,
 * some were never finished: the oldest one loses its context, and should it come back after all,
 * gets an error.
 */
static struct cached_evp *choose_gcm_context(struct area *area, kh_bytes key, uint8_t kind)
{
  struct cached_evp *oldest = &area->gcms[0];
  struct cached_evp *best = NULL;
  for (size_t i = 0; i < CACHED_GCM; i++) {
    struct cached_evp *slot = &area->gcms[i];
    if (slot->serial < oldest->serial)
      oldest = slot;
    if (slot->serial != 0)
      continue;
    if (kh_schedule_fits(&slot->schedule, key, kind))
      return slot;
    if (best == NULL ||
        kh_schedule_is_evicted_before(&slot->schedule, &best->schedule, area->head.now))
      best = slot;
  }
  return best != NULL ? best : oldest;
}

static kh_status openssl_gcm_start(void *engine, kh_area *head, bool encrypt, kh_bytes key,
                                   const uint8_t *iv, kh_gcm_state *state)
{
  struct area *area = (struct area *)(void *)head;
  struct gcm_message *message = (struct gcm_message *)(void *)state;
  uint8_t kind = encrypt ? KIND_GCM_ENCRYPT : KIND_GCM_DECRYPT;
  struct cached_evp *slot = choose_gcm_context(area, key, kind);
  kh_status status = set_up_context(engine, slot, key, kind, iv,
                                    area->head.now); /* 12 bytes of nonce are EVP's default */
  if (status == KH_OK)
    status = feed_context(slot->evp, (kh_bytes){iv + NONCE_SIZE, AAD_SIZE}, NULL);
  if (status != KH_OK)
    return status;
  slot->serial = ++area->serial;
  message->slot = slot;
  message->serial = slot->serial;
  return KH_OK;
}

/* Returns the message's context, unless it was taken away or the message is now on another thread.
 */
static struct cached_evp *slot_of(kh_area *head, const kh_gcm_state *state)
{
  struct area *area = (struct area *)(void *)head;
  const struct gcm_message *message = (const struct gcm_message *)(const void *)state;
  bool mine = message->slot >= area->gcms && message->slot < area->gcms + CACHED_GCM;
  return mine && message->slot->serial == message->serial ? message->slot : NULL;
}

static kh_status openssl_gcm_update(void *engine, kh_area *area, bool encrypt, kh_bytes key,
                                    kh_gcm_state *state, kh_bytes src, uint8_t *dst)
{
  (void)engine;
  (void)encrypt;
  (void)key;
  struct cached_evp *slot = slot_of(area, state);
  if (slot == NULL)
    return KH_E_CRYPTO;
  slot->schedule.last_use = area->now;
  return feed_context(slot->evp, src, dst);
}

static kh_status openssl_gcm_finish(void *engine, kh_area *area, bool encrypt, kh_bytes key,
                                    kh_gcm_state *state, uint8_t *tag)
{
  (void)engine;
  (void)key;
  uint8_t nothing[KH_AES_BLOCK]; /* GCM's last step writes no byte but needs a buffer */
  int made = 0;
  struct cached_evp *slot = slot_of(area, state);
  if (slot == NULL)
    return KH_E_CRYPTO;
  slot->serial = 0;
  int done = encrypt ? EVP_CipherFinal_ex(slot->evp, nothing, &made) == 1 &&
                           EVP_CIPHER_CTX_ctrl(slot->evp, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag) == 1
                     : EVP_CIPHER_CTX_ctrl(slot->evp, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
                           EVP_CipherFinal_ex(slot->evp, nothing, &made) == 1;
  if (done)
    return KH_OK;
  forget_schedule(slot);
  openssl_failed();
  return encrypt ? KH_E_CRYPTO : KH_E_BAD_DATA;
}

static const kh_gcm gcm = {openssl_gcm_start, openssl_gcm_update, openssl_gcm_finish};

const kh_engine kh_engine_openssl = {
    .name = "openssl",
    .open = openssl_open,
    .close = openssl_close,
    .thread_size = sizeof(struct area),
    .sweep = openssl_sweep,
    .end_thread = openssl_end_thread,
    .run = {[KH_OP_CTR] = openssl_run_ctr,
            [KH_OP_CBC_ENCRYPT] = openssl_run_cbc_encrypt,
            [KH_OP_CBC_DECRYPT] = openssl_run_cbc_decrypt,
            [KH_OP_ECB_ENCRYPT] = openssl_run_ecb_encrypt,
            [KH_OP_ECB_DECRYPT] = openssl_run_ecb_decrypt},
    .run_max = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX},
    .gcm = &gcm,
};
