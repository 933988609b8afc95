/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file cipher.h
 * The ciphers: one table with their names and properties. Plugins, key files and the command
 * read it.
 */
#ifndef KEYHOLD_CIPHER_H
#define KEYHOLD_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/limits.h"

/** The ciphers; the numbers are not stored anywhere. */
typedef enum kh_cipher {
  KH_CIPHER_UNSET,   /**< a key version without a cipher of its own: the plugin's option applies */
  KH_CIPHER_AES_CBC, /**< "aes-cbc": CBC always; `encryption_algorithm` = aes_cbc */
  KH_CIPHER_AES_CTR, /**< "aes-ctr": CTR without padding, GCM with padding;
                        `encryption_algorithm` = aes_ctr */
  KH_CIPHER_AES256_CBC, /**< "aes256-cbc": AES-CBC with a data key of 256 bits (datakey.h) */
  KH_CIPHER_AES256_CTR, /**< "aes256-ctr": AES-CTR and GCM with a data key of 256 bits */
  KH_CIPHER_AES256_XTS, /**< "aes256-xts": XTS and FF1, which stay safe when IVs repeat, with data
                           keys of 256 bits; GCM with padding (docs/ciphers.md) */
  KH_CIPHER_AES_ECB,    /**< equal blocks stay equal: example_key_management only, no name */
  KH_CIPHER_COUNT
} kh_cipher;

/** A mode of AES (src/core/crypt/mode.h). */
struct kh_mode;

/** The kinds of keys of messages. The derived ones are data keys (datakey.h). */
typedef enum kh_datakey_kind {
  KH_DATAKEY_NONE,   /**< no data key: the key that the server passes */
  KH_DATAKEY_AES256, /**< 32 bytes for aes256-cbc and aes256-ctr */
  KH_DATAKEY_XTS,    /**< four keys of 32 bytes for aes256-xts without padding */
  KH_DATAKEY_GCM,    /**< 32 bytes for aes256-xts with padding */
  KH_DATAKEY_KINDS
} kh_datakey_kind;

/** The properties of a cipher. */
typedef struct kh_cipher_info {
  const char *name;             /**< in a key file; "": not allowed in a key file */
  size_t key_min;               /**< shortest stored key in bytes */
  kh_datakey_kind padded_key;   /**< the key of a message with padding */
  kh_datakey_kind unpadded_key; /**< and of one without */
  size_t tag_size; /**< of a message with padding, in bytes; 0: it is padded to whole blocks */
  const struct kh_mode *padded;   /**< with padding or a tag: temporary files */
  const struct kh_mode *unpadded; /**< output as long as the input: pages, logs */
} kh_cipher_info;

/** All of them. Read by the functions below, which are inline because each message calls them. */
extern const kh_cipher_info kh_ciphers[KH_CIPHER_COUNT];

/** Returns which key a message is encrypted with. Thread-safe. */
static inline kh_datakey_kind kh_cipher_data_key(kh_cipher cipher, bool is_padded)
{
  return is_padded ? kh_ciphers[cipher].padded_key : kh_ciphers[cipher].unpadded_key;
}

/** Returns the length in bytes of the shortest stored key that the cipher takes. Thread-safe. */
static inline size_t kh_cipher_key_min(kh_cipher cipher)
{
  return kh_ciphers[cipher].key_min;
}

/** Returns the name of a cipher, as a key file has it; "" for one without a name. Thread-safe. */
static inline const char *kh_cipher_name(kh_cipher cipher)
{
  return kh_ciphers[cipher].name;
}

/** Returns the length in bytes of `len` bytes encrypted with padding: (len / 16 + 1) * 16 for CBC
 * and ECB, len + 16 for GCM. Thread-safe. */
static inline size_t kh_cipher_encrypted_length(kh_cipher cipher, size_t len)
{
  size_t tag_size = kh_ciphers[cipher].tag_size;
  return tag_size != 0 ? len + tag_size : (len / KH_AES_BLOCK + 1) * KH_AES_BLOCK;
}

/**
 * Finds a cipher by its name. Thread-safe.
 *
 * @param ret_cipher  untouched on failure.
 * @return false when no cipher has that name.
 */
bool kh_cipher_by_name(kh_bytes name, kh_cipher *ret_cipher);

/** Room for the text of kh_cipher_names(). */
enum { KH_CIPHER_NAMES_MAX = 128 };

/** All names as a text: "aes-cbc, aes-ctr, aes256-cbc, aes256-ctr or aes256-xts". */
typedef struct kh_cipher_names_text {
  char text[KH_CIPHER_NAMES_MAX]; /**< ends with NUL */
} kh_cipher_names_text;

/** Writes the names of all ciphers that have one, for help texts and errors. Thread-safe. */
kh_cipher_names_text kh_cipher_names(void);

#endif
