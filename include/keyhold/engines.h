/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file engines.h
 * The libraries that work AES: which are in use, and which serves what.
 */
#ifndef KEYHOLD_ENGINES_H
#define KEYHOLD_ENGINES_H

#include <stddef.h>

#include "keyhold/status.h"

/**
 * The engines of one plugin or command, and what its threads cache for them. Shared by all threads;
 * each thread touches its own part alone.
 */
typedef struct kh_crypt kh_crypt;

/** Which library works AES. */
typedef enum kh_engine_choice {
  KH_ENGINE_AUTO,     /**< for each operation the fastest one that is there */
  KH_ENGINE_OPENSSL,  /**< OpenSSL 3 alone */
  KH_ENGINE_IPSEC_MB, /**< Intel's libIPSec_MB for what it is faster at, which must be there;
                         OpenSSL for the rest */
} kh_engine_choice;

/**
 * Opens the engines, chooses which serves what, and tests each by known answers. Thread-safe.
 *
 * @param ret_crypt  for kh_crypt_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_ENGINE (the one asked for is not installed, or not for this processor),
 * KH_E_SELF_TEST, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_crypt_new(kh_engine_choice choice, kh_crypt **ret_crypt);

/** Writes which engine serves which operation, as a short text for a log. Thread-safe. */
void kh_crypt_describe_engines(const kh_crypt *crypt, char *text, size_t size);

/** Wipes the key schedules that the calling thread has cached, after work with a key that is not
 * needed again. Not while the thread has a GCM message under way. Thread-safe. */
void kh_crypt_forget(const kh_crypt *crypt);

/** Returns the number of threads that have cached key schedules now. Thread-safe. */
size_t kh_crypt_thread_count(const kh_crypt *crypt);

/** Wipes what all threads have cached, and frees; sets the pointer to NULL. Takes NULL and a
 * pointer to NULL. No thread may be inside a call. */
void kh_crypt_free(kh_crypt **crypt);

#endif
