/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file engines.h
 * The AES libraries: which are in use, and which one each operation uses.
 */
#ifndef KEYHOLD_ENGINES_H
#define KEYHOLD_ENGINES_H

#include <stddef.h>

#include "keyhold/status.h"

/**
 * The engines of one plugin or command, and what its threads cache for them. Shared by all threads;
 * each thread uses its own part only.
 */
typedef struct kh_crypt kh_crypt;

/** Which AES library to use. */
typedef enum kh_engine_choice {
  KH_ENGINE_AUTO,     /**< for each operation the fastest one available */
  KH_ENGINE_OPENSSL,  /**< OpenSSL 3 alone */
  KH_ENGINE_IPSEC_MB, /**< Intel's libIPSec_MB, which must be available, where it is faster;
                         OpenSSL for the rest */
} kh_engine_choice;

/**
 * Opens the engines, chooses one for each operation, and tests each with known answers.
 * Thread-safe.
 *
 * @param ret_crypt  for kh_crypt_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_ENGINE (the one chosen is not installed, or does not support this
 * processor), KH_E_SELF_TEST, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_crypt_new(kh_engine_choice choice, kh_crypt **ret_crypt);

/** Writes which engine each operation uses, as a short text for a log. Thread-safe. */
void kh_crypt_describe_engines(const kh_crypt *crypt, char *text, size_t size);

/** Wipes the key schedules that the calling thread has cached, after work with a key that is not
 * needed again. The thread must not be inside a GCM message. Thread-safe. */
void kh_crypt_forget(const kh_crypt *crypt);

/** Returns the number of threads that have cached key schedules. Thread-safe. */
size_t kh_crypt_thread_count(const kh_crypt *crypt);

/** Wipes the caches of all threads, and frees; sets the pointer to NULL. Takes NULL and a
 * pointer to NULL. No thread may be inside a call. */
void kh_crypt_free(kh_crypt **crypt);

#endif
