/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file engines_parts.h
 * The engine of each operation. For src/core/crypt only.
 */
#ifndef KEYHOLD_CRYPT_ENGINES_PARTS_H
#define KEYHOLD_CRYPT_ENGINES_PARTS_H

#include "engine.h"
#include "thread.h"

/** The engines in use: chosen once, and tested by known answers before anything is encrypted. */
struct kh_crypt {
  void *opened[KH_ENGINES];        /* NULL: not in use */
  uint8_t run_engine[KH_OP_COUNT]; /* index of the engine for each operation */
  uint8_t gcm_engine;              /* and for GCM */
  kh_threads *threads;
};

/** All engines, in the order of preference; OpenSSL, which can do everything, is last. */
extern const kh_engine *const kh_engine_list[KH_ENGINES];

/** Index of the engine that is always available. */
enum { KH_ENGINE_LAST = KH_ENGINES - 1 };

/** Compares every operation of an engine with known answers (engines_selftest.c). Returns KH_OK or
 * KH_E_SELF_TEST. */
KH_MUST_USE kh_status kh_engines_selftest(const kh_crypt *crypt);

/** Processes a run of bytes with the engine chosen for the operation, or with OpenSSL if that is
 * busy or the thread gets no memory for its area. */
KH_MUST_USE kh_status kh_engines_run(const kh_crypt *crypt, kh_aes_op op, kh_bytes key,
                                     const uint8_t *iv, kh_bytes src, uint8_t *dst);

#endif
