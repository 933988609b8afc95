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
  KH_E_VERSION_LIMIT,   /**< a key has no version number left for a new version */
  KH_E_NO_ROTATION,     /**< the store of the keys cannot make new versions (store.h) */
  KH_E_KEY_LATEST,      /**< the latest version of a key, which cannot be removed */
  KH_E_NO_KEY_ID,       /**< no key id is left above the highest one */
  KH_E_KEY_EXISTS,      /**< a key id that is to be new is there already */
  KH_E_SLOT_LABEL,      /**< a label that no slot of a sealed key file may have */
  KH_E_SLOT_COST,       /**< a cost that no new slot may have (limits.h) */
  KH_E_SLOT_COUNT,      /**< a sealed key file without a slot, or with more than its limit */
  KH_E_SLOT_EXISTS,     /**< the sealed key file has a slot with this label already */
  KH_E_SLOT_LAST,       /**< the last slot, which cannot be removed */

  /* I/O: the operating system refused */
  KH_E_FILE_NOT_FOUND,  /**< no file of that name */
  KH_E_FILE_OPEN,       /**< the file exists, or may exist, and cannot be opened */
  KH_E_FILE_READ,       /**< opened, and reading failed */
  KH_E_FILE_DIRECTORY,  /**< a directory stands where a file was expected */
  KH_E_FILE_SPECIAL,    /**< a FIFO, socket or device stands where a regular file was expected */
  KH_E_FILE_TOO_LARGE,  /**< larger than its limit (limits.h) */
  KH_E_FILE_CHANGED,    /**< the file changed while it was read, or since */
  KH_E_FILE_UNFINISHED, /**< the last line has no line end: somebody may still be writing */
  KH_E_FILE_WRITE,      /**< the new content cannot be written; the old file is as it was */
  KH_E_FILE_EXISTS,     /**< a file was to be made, and there is one of that name */
  KH_E_FILE_CREATE,     /**< a new file cannot be made; there is none */
  KH_E_FILE_OWNER,      /**< the new file cannot be given the old one's owner and mode */
  KH_E_FILE_FLUSH,      /**< the new file is in its place, but may not outlast a power failure */
  KH_E_FILE_LOCKED,     /**< another process is changing the file */
  KH_E_FILE_LOCK,       /**< the lock file cannot be opened or locked */
  KH_E_FILE_WATCH,      /**< the file's folder cannot be watched */
  KH_E_FILE_UNSAFE,     /**< strict permissions are asked for, and others have too much access */

  /* source: where a passphrase was to come from */
  KH_E_SOURCE_SYNTAX,     /**< behind a source's prefix stands nothing that the source takes */
  KH_E_SOURCE_EMPTY,      /**< the source gave no byte, or only line ends */
  KH_E_SOURCE_TIME,       /**< the source did not end in time */
  KH_E_SOURCE_VARIABLE,   /**< the environment variable is not set */
  KH_E_SOURCE_CREDENTIAL, /**< there are no credentials of systemd's */
  KH_E_PROGRAM_RUN,       /**< the program cannot be started, or be waited for */
  KH_E_PROGRAM_EXIT,      /**< the program ended with another exit status than 0 */
  KH_E_PROGRAM_SIGNAL,    /**< the program was ended by a signal */
  KH_E_SOCKET,            /**< the socket cannot be connected to or read */

  /* format: the bytes are not what the format says */
  KH_E_SYNTAX,          /**< a line of the key file that is none of its forms */
  KH_E_KEY_ID,          /**< a key id outside 1..4294967295 */
  KH_E_KEY_VERSION,     /**< a key version outside 1..4294967294 */
  KH_E_KEY_HEX,         /**< a key that is not 32, 48 or 64 hexadecimal digits */
  KH_E_KEY_DUPLICATE,   /**< two different keys for one key id and version in a file that uses
                           versions */
  KH_E_ATTRIBUTE,       /**< an unknown attribute, or one given twice, in a line with attributes */
  KH_E_ATTRIBUTE_VALUE, /**< an attribute's value that is none of its values */
  KH_E_KEY_TOO_SHORT, /**< a key of less than 256 bits, or bits= below 256, with an aes256 cipher */
  KH_E_NO_SYSTEM_KEY, /**< key id 1, which MariaDB itself needs, is missing */
  KH_E_CONTAINER_SIZE, /**< an encrypted key file whose length no such file can have: cut short or
                          damaged */
  KH_E_SEALED_DAMAGED, /**< a sealed key file whose form or checksum is wrong */
  KH_E_SEALED_NEWER,   /**< a sealed key file of a format that this program does not know yet */
  KH_E_SEALED_COST,    /**< a sealed key file that asks for more memory or time than the limits */
  KH_E_BAD_DATA, /**< ciphertext of an impossible length, or whose padding or tag does not fit */

  /* authentication */
  KH_E_WRONG_PASSPHRASE, /**< the file does not open with this passphrase */
  KH_E_SEALED_CHANGED, /**< a slot opens, and the rest of the sealed key file does not belong to it
                        */

  /* succession: a key file that may not follow the keys in use */
  KH_E_KEY_LOST,       /**< a key version in use is not in the file */
  KH_E_KEY_CHANGED,    /**< a key version in use has another key in the file */
  KH_E_CIPHER_CHANGED, /**< a key version in use has another cipher in the file */

  /* not found */
  KH_E_KEY_NOT_FOUND,  /**< no such key id, or no such version of it */
  KH_E_SLOT_NOT_FOUND, /**< no slot with this label */

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
