/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file engines.h
 * Which engine serves which operation: chosen once, tested by known answers before anything is
 * encrypted.
 */
#ifndef KEYHOLD_CRYPT_ENGINES_H
#define KEYHOLD_CRYPT_ENGINES_H

#include "engine.h"
#include "thread.h"

/** The opened engines of one plugin or command. */
typedef struct kh_engines {
  void *opened[KH_ENGINES];        /* NULL: not in use */
  uint8_t run_engine[KH_OP_COUNT]; /* index of the engine for each operation */
  uint8_t gcm_engine;              /* and for GCM */
  kh_threads *threads;
} kh_engines;

/** All engines, in the order of preference; OpenSSL, which can do everything, stands last. */
extern const kh_engine *const kh_engine_list[KH_ENGINES];

/** Index of the engine that can always help out. */
enum { KH_ENGINE_LAST = KH_ENGINES - 1 };

/**
 * Opens engines, chooses, and tests what was chosen.
 *
 * @return KH_OK, KH_E_NO_ENGINE (the one asked for is not there), KH_E_SELF_TEST, KH_E_NO_MEMORY,
 * KH_E_CRYPTO. After a failure kh_engines_close() is still needed.
 */
KH_MUST_USE kh_status kh_engines_open(kh_engines *engines, kh_engine_choice choice);

/** Closes what is open, wiping all threads' areas. */
void kh_engines_close(kh_engines *engines);

/** Compares every operation of an engine with published answers (engines_selftest.c): KH_OK or
 * KH_E_SELF_TEST. */
KH_MUST_USE kh_status kh_engines_selftest(const kh_engines *engines);

/** Works a run of bytes with the engine chosen for the operation, or with OpenSSL if that is busy.
 */
KH_MUST_USE kh_status kh_engines_run(const kh_engines *engines, kh_aes_op op, kh_bytes key,
                                     const uint8_t *iv, kh_bytes src, uint8_t *dst);

#endif
