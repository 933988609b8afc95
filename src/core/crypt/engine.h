/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file engine.h
 * An AES library: a `const` table in its own file, and one line in engines.c.
 *
 * An engine processes whole runs of bytes. Between calls it keeps only key schedules, in an area of
 * each thread. So a message that is never finished holds no resource of an engine.
 */
#ifndef KEYHOLD_CRYPT_ENGINE_H
#define KEYHOLD_CRYPT_ENGINE_H

#include <stdbool.h>

#include "keyhold/bytes.h"
#include "keyhold/engines.h"
#include "keyhold/limits.h"

/** The operations of an engine: without padding, tag or partial blocks. */
typedef enum kh_aes_op {
  KH_OP_CTR, /**< any length; the IV is the first counter block, its carry runs over 128 bits */
  KH_OP_CBC_ENCRYPT, /**< whole blocks */
  KH_OP_CBC_DECRYPT, /**< whole blocks */
  KH_OP_ECB_ENCRYPT, /**< whole blocks; the IV is not used */
  KH_OP_ECB_DECRYPT, /**< the same */
  KH_OP_COUNT
} kh_aes_op;

/** The beginning of every engine's area of a thread. */
typedef struct kh_area {
  uint32_t now; /**< the thread's number of uses, over all engines; set before each call */
} kh_area;

/** The state of one GCM message inside a context: as long as the longest that an engine needs. */
typedef struct kh_gcm_state {
  _Alignas(16) uint8_t bytes[96];
} kh_gcm_state;

/**
 * Encrypts or decrypts a run of bytes.
 *
 * @param engine  from open().
 * @param area    this thread's area: thread_size bytes that begin with a kh_area, zero at first.
 *                NULL, for the last engine only: there is no memory for it, nor for anything else.
 * @param key     16, 24 or 32 bytes.
 * @param iv      16 bytes.
 * @param dst     src.len bytes; may be src.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO, KH_E_ENGINE_BUSY (the caller uses another engine for
 * this call).
 */
typedef kh_status (*kh_aes_run)(void *engine, kh_area *area, kh_bytes key, const uint8_t *iv,
                                kh_bytes src, uint8_t *dst);

/** GCM in steps; the arguments as for kh_aes_run. */
typedef struct kh_gcm {
  /** Starts a message: nonce iv[0..11], additional data iv[12..15]. */
  kh_status (*start)(void *engine, kh_area *area, bool encrypt, kh_bytes key, const uint8_t *iv,
                     kh_gcm_state *state);
  /** Works the next bytes. */
  kh_status (*update)(void *engine, kh_area *area, bool encrypt, kh_bytes key, kh_gcm_state *state,
                      kh_bytes src, uint8_t *dst);
  /** Ends: writes the 16-byte tag when encrypting; compares it when decrypting, KH_E_BAD_DATA if it
   * differs. */
  kh_status (*finish)(void *engine, kh_area *area, bool encrypt, kh_bytes key, kh_gcm_state *state,
                      uint8_t *tag);
} kh_gcm;

/** One engine. */
typedef struct kh_engine {
  const char *name;
  /** Opens the engine. Returns KH_OK, KH_E_NO_ENGINE (not installed, or this processor is not
   * supported), KH_E_NO_MEMORY, KH_E_CRYPTO. */
  kh_status (*open)(void **ret_engine);
  /** Closes the engine. Takes NULL. */
  void (*close)(void *engine);
  size_t thread_size; /**< bytes of a thread's area */
  /** Wipes the key schedules that were not used for KH_SCHEDULE_USES uses (schedule_cache.h). */
  void (*sweep)(kh_area *area);
  /** Wipes and frees the objects of an area; the caller wipes and frees the area itself. */
  void (*end_thread)(kh_area *area);
  kh_aes_run
      run[KH_OP_COUNT]; /**< NULL: this engine does not offer it, or another one is always faster */
  size_t run_max[KH_OP_COUNT]; /**< longest run in bytes for which it is used; another one is faster
                                  at longer ones */
  const kh_gcm *gcm;           /**< NULL: not offered */
} kh_engine;

extern const kh_engine kh_engine_openssl; /* engine_openssl.c */
extern const kh_engine
    kh_engine_ipsec_mb; /* engine_ipsec_mb.c, or engine_ipsec_mb_absent.c without its header */

/** Number of engines, their places in kh_thread and kh_crypt, and that of engine_xts.h. */
enum { KH_ENGINES = 3, KH_ENGINE_XTS = 1 };

#endif
