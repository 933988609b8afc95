/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OpenSSL's EVP with ciphers fetched once. Each thread keeps a few contexts with their key
 * schedules: a message with a key that was used before only sets the IV.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "engine.h"
#include "kept.h"
#include "keyhold/secret.h"

enum {
  KEY_SIZES = 3,
  KEPT = 8,           /* for CTR and CBC: about 1 KiB of OpenSSL's memory each */
  KEPT_ALIKE = 3,     /* of one kind and key length */
  KEPT_GCM = 4,       /* likewise; one of them for each message that is under way */
  FEED_MAX = 1 << 30, /* EVP counts in int; a multiple of the block */
  TAG_SIZE = 16,
  NONCE_SIZE = 12,
  AAD_SIZE = 4,
};

/* what a kept context is for; the first ones are kh_aes_op */
enum kind { KIND_GCM_ENCRYPT = KH_OP_COUNT, KIND_GCM_DECRYPT, KINDS };

struct openssl {
  EVP_CIPHER *ciphers[KINDS][KEY_SIZES];
};

struct kept_evp {
  kh_kept kept;
  EVP_CIPHER_CTX *evp;
  uint64_t serial; /* GCM: the message that has it; 0: none */
};

/* A thread's area. */
struct area {
  kh_area head;
  struct kept_evp runs[KEPT];
  struct kept_evp gcms[KEPT_GCM];
  uint64_t serial; /* of the last GCM message that was started */
};

/* A GCM message: which kept context it has. Its serial shows whether that was taken away. */
struct gcm_message {
  struct kept_evp *slot;
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

static void openssl_close(void *engine)
{
  struct openssl *openssl = engine;
  if (openssl == NULL)
    return;
  for (int kind = 0; kind < KINDS; kind++)
    for (int size = 0; size < KEY_SIZES; size++)
      EVP_CIPHER_free(openssl->ciphers[kind][size]);
  free(openssl);
}

static kh_status openssl_open(void **ret_engine)
{
  struct openssl *openssl = calloc(1, sizeof *openssl);
  if (openssl == NULL)
    return KH_E_NO_MEMORY;
  for (int kind = 0; kind < KINDS; kind++) {
    for (int size = 0; size < KEY_SIZES; size++) {
      openssl->ciphers[kind][size] = EVP_CIPHER_fetch(NULL, names[kind][size], NULL);
      if (openssl->ciphers[kind][size] == NULL) {
        ERR_clear_error();
        openssl_close(openssl);
        return KH_E_CRYPTO;
      }
    }
  }
  *ret_engine = openssl;
  return KH_OK;
}

static kh_status failed(void)
{
  ERR_clear_error(); /* the queue is the thread's, and the server's TLS reads it too */
  return KH_E_CRYPTO;
}

/* OpenSSL wipes the schedule; the context itself stays for the next key. */
static void forget(struct kept_evp *slot)
{
  if (slot->evp != NULL)
    EVP_CIPHER_CTX_reset(slot->evp);
  kh_wipe(&slot->kept, sizeof slot->kept);
  slot->serial = 0;
}

static void sweep_slots(struct kept_evp *slots, size_t count, uint32_t now)
{
  for (size_t i = 0; i < count; i++)
    if (kh_kept_is_old(&slots[i].kept, now))
      forget(&slots[i]);
}

/* A GCM message that is under way this long was never finished. */
static void openssl_sweep(kh_area *head)
{
  struct area *area = (struct area *)(void *)head;
  sweep_slots(area->runs, KEPT, head->now);
  sweep_slots(area->gcms, KEPT_GCM, head->now);
}

static void openssl_end_thread(kh_area *head)
{
  struct area *area = (struct area *)(void *)head;
  for (size_t i = 0; i < KEPT; i++)
    EVP_CIPHER_CTX_free(area->runs[i].evp);
  for (size_t i = 0; i < KEPT_GCM; i++)
    EVP_CIPHER_CTX_free(area->gcms[i].evp);
}

/*
 * The slot that has this key; else the one that should make place for it. Of one kind and key
 * length only a few are kept: a new key in a context of its own kind is much cheaper than another
 * cipher, and many keys of one kind do not drive out the others.
 */
static struct kept_evp *choose(struct area *area, kh_bytes key, uint8_t kind)
{
  struct kept_evp *yielding = &area->runs[0];
  struct kept_evp *alike = NULL;
  size_t count_alike = 0;
  for (size_t i = 0; i < KEPT; i++) {
    struct kept_evp *slot = &area->runs[i];
    if (kh_kept_is(&slot->kept, key, kind))
      return slot;
    if (slot->kept.kind == kind && slot->kept.len == key.len) {
      count_alike++;
      if (alike == NULL || kh_kept_yields(&slot->kept, &alike->kept, area->head.now))
        alike = slot;
    }
    if (kh_kept_yields(&slot->kept, &yielding->kept, area->head.now))
      yielding = slot;
  }
  return count_alike >= KEPT_ALIKE ? alike : yielding;
}

/* Makes a slot ready for a message: with the key's schedule if it has it, else with a new one. */
static kh_status set_up(const struct openssl *openssl, struct kept_evp *slot, kh_bytes key,
                        uint8_t kind, const uint8_t *iv, uint32_t now)
{
  int encrypt = kind != KH_OP_CBC_DECRYPT && kind != KH_OP_ECB_DECRYPT && kind != KIND_GCM_DECRYPT;
  slot->kept.last_use = now;
  if (kh_kept_is(&slot->kept, key, kind)) {
    if (EVP_CipherInit_ex2(slot->evp, NULL, NULL, iv, encrypt, NULL) == 1)
      return KH_OK;
    forget(slot);
    return failed();
  }
  if (slot->evp == NULL && (slot->evp = EVP_CIPHER_CTX_new()) == NULL)
    return KH_E_NO_MEMORY;
  /* naming the cipher again would make OpenSSL's context anew */
  bool same_cipher = slot->kept.len == key.len && slot->kept.kind == kind;
  const EVP_CIPHER *cipher = same_cipher ? NULL : openssl->ciphers[kind][(key.len - 16) / 8];
  if (EVP_CipherInit_ex2(slot->evp, cipher, key.data, iv, encrypt, NULL) != 1) {
    forget(slot);
    return failed();
  }
  /*
   * Only decryption with padding on keeps a block back. Off costs a call at every later init, so
   * the others have it on: whole blocks are not padded until the end is asked for, which never
   * happens here.
   */
  if (!same_cipher)
    EVP_CIPHER_CTX_set_padding(slot->evp, kind != KH_OP_CBC_DECRYPT && kind != KH_OP_ECB_DECRYPT);
  kh_kept_take(&slot->kept, key, kind);
  return KH_OK;
}

static kh_status feed(EVP_CIPHER_CTX *evp, kh_bytes src, uint8_t *dst)
{
  while (src.len > 0) {
    int take = src.len < FEED_MAX ? (int)src.len : FEED_MAX;
    int made = 0;
    if (EVP_CipherUpdate(evp, dst, &made, src.data, take) != 1)
      return failed();
    src.data += take;
    src.len -= (size_t)take;
    dst = dst == NULL ? NULL : dst + take;
  }
  return KH_OK;
}

static kh_status run(void *engine, kh_area *head, uint8_t kind, kh_bytes key, const uint8_t *iv,
                     kh_bytes src, uint8_t *dst)
{
  struct area *area = (struct area *)(void *)head;
  struct kept_evp *slot = choose(area, key, kind);
  kh_status status = set_up(engine, slot, key, kind, iv, head->now);
  return status == KH_OK ? feed(slot->evp, src, dst) : status;
}

static kh_status run_ctr(void *engine, kh_area *area, kh_bytes key, const uint8_t *iv, kh_bytes src,
                         uint8_t *dst)
{
  return run(engine, area, KH_OP_CTR, key, iv, src, dst);
}

static kh_status run_cbc_encrypt(void *engine, kh_area *area, kh_bytes key, const uint8_t *iv,
                                 kh_bytes src, uint8_t *dst)
{
  return run(engine, area, KH_OP_CBC_ENCRYPT, key, iv, src, dst);
}

static kh_status run_cbc_decrypt(void *engine, kh_area *area, kh_bytes key, const uint8_t *iv,
                                 kh_bytes src, uint8_t *dst)
{
  return run(engine, area, KH_OP_CBC_DECRYPT, key, iv, src, dst);
}

static kh_status run_ecb_encrypt(void *engine, kh_area *area, kh_bytes key, const uint8_t *iv,
                                 kh_bytes src, uint8_t *dst)
{
  (void)iv;
  return run(engine, area, KH_OP_ECB_ENCRYPT, key, NULL, src, dst);
}

static kh_status run_ecb_decrypt(void *engine, kh_area *area, kh_bytes key, const uint8_t *iv,
                                 kh_bytes src, uint8_t *dst)
{
  (void)iv;
  return run(engine, area, KH_OP_ECB_DECRYPT, key, NULL, src, dst);
}

/*
 * A context that no message has, with this key if there is one. If messages have them all, some
 * were never finished: the one started longest ago loses its context, and should it come back after
 * all, gets an error.
 */
static struct kept_evp *choose_gcm(struct area *area, kh_bytes key, uint8_t kind)
{
  struct kept_evp *oldest = &area->gcms[0];
  struct kept_evp *best = NULL;
  for (size_t i = 0; i < KEPT_GCM; i++) {
    struct kept_evp *slot = &area->gcms[i];
    if (slot->serial < oldest->serial)
      oldest = slot;
    if (slot->serial != 0)
      continue;
    if (kh_kept_is(&slot->kept, key, kind))
      return slot;
    if (best == NULL || kh_kept_yields(&slot->kept, &best->kept, area->head.now))
      best = slot;
  }
  return best != NULL ? best : oldest;
}

static kh_status gcm_start(void *engine, kh_area *head, bool encrypt, kh_bytes key,
                           const uint8_t *iv, kh_gcm_state *state)
{
  struct area *area = (struct area *)(void *)head;
  struct gcm_message *message = (struct gcm_message *)(void *)state;
  uint8_t kind = encrypt ? KIND_GCM_ENCRYPT : KIND_GCM_DECRYPT;
  struct kept_evp *slot = choose_gcm(area, key, kind);
  kh_status status =
      set_up(engine, slot, key, kind, iv, area->head.now); /* 12 bytes of nonce are EVP's default */
  if (status == KH_OK)
    status = feed(slot->evp, (kh_bytes){iv + NONCE_SIZE, AAD_SIZE}, NULL);
  if (status != KH_OK)
    return status;
  slot->serial = ++area->serial;
  message->slot = slot;
  message->serial = slot->serial;
  return KH_OK;
}

/* The message's context, unless it was taken away or the message is now on another thread. */
static struct kept_evp *slot_of(kh_area *head, const kh_gcm_state *state)
{
  struct area *area = (struct area *)(void *)head;
  const struct gcm_message *message = (const struct gcm_message *)(const void *)state;
  bool mine = message->slot >= area->gcms && message->slot < area->gcms + KEPT_GCM;
  return mine && message->slot->serial == message->serial ? message->slot : NULL;
}

static kh_status gcm_update(void *engine, kh_area *area, bool encrypt, kh_bytes key,
                            kh_gcm_state *state, kh_bytes src, uint8_t *dst)
{
  (void)engine;
  (void)encrypt;
  (void)key;
  struct kept_evp *slot = slot_of(area, state);
  if (slot == NULL)
    return KH_E_CRYPTO;
  slot->kept.last_use = area->now;
  return feed(slot->evp, src, dst);
}

static kh_status gcm_finish(void *engine, kh_area *area, bool encrypt, kh_bytes key,
                            kh_gcm_state *state, uint8_t *tag)
{
  (void)engine;
  (void)key;
  uint8_t
      nothing[KH_AES_BLOCK]; /* GCM's last step writes no byte, and wants a place all the same */
  int made = 0;
  struct kept_evp *slot = slot_of(area, state);
  if (slot == NULL)
    return KH_E_CRYPTO;
  slot->serial = 0;
  int done = encrypt ? EVP_CipherFinal_ex(slot->evp, nothing, &made) == 1 &&
                           EVP_CIPHER_CTX_ctrl(slot->evp, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag) == 1
                     : EVP_CIPHER_CTX_ctrl(slot->evp, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
                           EVP_CipherFinal_ex(slot->evp, nothing, &made) == 1;
  if (done)
    return KH_OK;
  forget(slot);
  failed();
  return encrypt ? KH_E_CRYPTO : KH_E_BAD_DATA;
}

static const kh_gcm gcm = {gcm_start, gcm_update, gcm_finish};

const kh_engine kh_engine_openssl = {
    .name = "openssl",
    .open = openssl_open,
    .close = openssl_close,
    .thread_size = sizeof(struct area),
    .sweep = openssl_sweep,
    .end_thread = openssl_end_thread,
    .run = {[KH_OP_CTR] = run_ctr,
            [KH_OP_CBC_ENCRYPT] = run_cbc_encrypt,
            [KH_OP_CBC_DECRYPT] = run_cbc_decrypt,
            [KH_OP_ECB_ENCRYPT] = run_ecb_encrypt,
            [KH_OP_ECB_DECRYPT] = run_ecb_decrypt},
    .run_max = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX},
    .gcm = &gcm,
};
