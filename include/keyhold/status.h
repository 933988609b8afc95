/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file status.h
 * What every function of the core answers: success, or one precise cause.
 *
 * A status says what went wrong; kh_fault (fault.h) says where; the sentence for people is made
 * from both by kh_fault_describe().
 */
#ifndef KEYHOLD_STATUS_H
#define KEYHOLD_STATUS_H

/** A function whose status nobody may drop. */
#define KH_MUST_USE __attribute__((warn_unused_result))

/** Outcome of a call. The numbers are not stored anywhere and may change between builds. */
typedef enum kh_status {
  KH_OK = 0,

  /* usage: the caller or the configuration asked for something that cannot be */
  KH_E_KEY_SIZE,        /**< an AES key that is not 16, 24 or 32 bytes */
  KH_E_IV_SIZE,         /**< an IV that is not 16 bytes */
  KH_E_NO_ENGINE,       /**< the AES engine that was asked for is not there */
  KH_E_NOT_ENCRYPTED,   /**< a passphrase was given for a file that is not encrypted */
  KH_E_NO_PASSPHRASE,   /**< the file is encrypted and no passphrase was given */
  KH_E_SECRET_TOO_LONG, /**< a passphrase longer than its limit (limits.h) */

  /* I/O: the operating system refused */
  KH_E_FILE_NOT_FOUND, /**< no file of that name */
  KH_E_FILE_OPEN,      /**< the file exists, or may exist, and cannot be opened */
  KH_E_FILE_READ,      /**< opened, and reading failed */
  KH_E_FILE_DIRECTORY, /**< a directory stands where a file was expected */
  KH_E_FILE_SPECIAL,   /**< a FIFO, socket or device stands where a regular file was expected */
  KH_E_FILE_TOO_LARGE, /**< larger than its limit (limits.h) */
  KH_E_FILE_CHANGED,   /**< the file grew while it was read */

  /* format: the bytes are not what the format says */
  KH_E_SYNTAX,         /**< a line of the key file that is none of its forms */
  KH_E_KEY_ID,         /**< a key id outside 1..4294967295 */
  KH_E_KEY_VERSION,    /**< a key version outside 1..4294967294 */
  KH_E_KEY_HEX,        /**< a key that is not 32, 48 or 64 hexadecimal digits */
  KH_E_KEY_DUPLICATE,  /**< two different keys for one key id and version in a file that uses
                          versions */
  KH_E_NO_SYSTEM_KEY,  /**< key id 1, which MariaDB itself needs, is missing */
  KH_E_CONTAINER_SIZE, /**< an encrypted key file whose length no such file can have: cut short or
                          damaged */
  KH_E_BAD_DATA, /**< ciphertext of an impossible length, or whose padding or tag does not fit */

  /* authentication */
  KH_E_WRONG_PASSPHRASE, /**< the file does not open with this passphrase */

  /* not found */
  KH_E_KEY_NOT_FOUND, /**< no such key id, or no such version of it */

  /* internal */
  KH_E_SELF_TEST,   /**< an AES engine gave a wrong answer to a known question */
  KH_E_ENGINE_BUSY, /**< an AES engine has no room just now; never leaves src/core/crypt */
  KH_E_CRYPTO,      /**< OpenSSL or libsodium failed where it should not */
  KH_E_NO_MEMORY,   /**< no memory, or no secret memory */

  KH_STATUS_COUNT /**< number of codes, for tables and tests */
} kh_status;

/**
 * One lower-case phrase for a status, for logs of developers and as the tail of longer sentences.
 *
 * @param status  any value; one outside the enum gives "unknown status".
 * @return a constant string, never NULL. Thread-safe.
 */
const char *kh_status_phrase(kh_status status);

#endif
