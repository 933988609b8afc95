/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file limits.h
 * Every limit of the core, with its reason. Each is tested at the limit and one past it.
 */
#ifndef KEYHOLD_LIMITS_H
#define KEYHOLD_LIMITS_H

#include <stdint.h>

/**
 * Largest key file in bytes, as it is on the disk: 64 MiB, half a million key versions with their
 * attributes. The server's own plugin reads 1 MiB.
 */
#define KH_KEYFILE_MAX 67108864u

/** Most faults of a text that are told one by one: more than anyone corrects by hand, so a file of
 * another kind does not cost time. */
#define KH_FAULTS_MAX 100u

/** Longest passphrase from a file in bytes, without line ends at its end: as in the server's own
 * plugin. */
#define KH_SECRET_FILE_MAX 256u

/** Longest literal passphrase in bytes; an option file or command line cannot hold a longer one
 * (MAX_ARG_STRLEN). */
#define KH_SECRET_LITERAL_MAX 131072u

/** Most slots of a sealed key file: a server, a few people, a safe; each costs a key derivation
 * when a passphrase is wrong. */
#define KH_SEALED_SLOTS_MAX 8u

/** Longest label of a slot in bytes: a name, not a sentence. */
#define KH_SEALED_LABEL_MAX 32u

/** Longest text parameter of a slot in bytes: a key's ARN or PKCS#11 URI, an address. */
#define KH_SEALED_TEXT_MAX 512u

/** Longest field of a slot in bytes: the longest CiphertextBlob of AWS KMS. */
#define KH_SEALED_FIELD_MAX 6144u

/**
 * Memory of Argon2id in KiB: the minimum of the algorithm with one lane (RFC 9106, 3.1); the
 * default for a new slot, RFC 9106's second recommended option, which a small server can spare when
 * it starts; and 1 GiB, so that a hostile file does not exhaust the server's memory.
 */
#define KH_ARGON2_MEMORY_MIN     8u
#define KH_ARGON2_MEMORY_DEFAULT 65536u   /**< of a new slot */
#define KH_ARGON2_MEMORY_MAX     1048576u /**< of any slot */

/** Passes of Argon2id: one; RFC 9106's second recommended option; and more than a slot needs, since
 * more memory costs an attacker more. */
#define KH_ARGON2_PASSES_MIN     1u
#define KH_ARGON2_PASSES_DEFAULT 3u  /**< of a new slot */
#define KH_ARGON2_PASSES_MAX     64u /**< of any slot */

/** Iterations of PBKDF2-HMAC-SHA-512 in a slot: the minimum of NIST SP 800-132; about as long as
 * Argon2id takes; and as much as KH_SEALED_WORK_MAX allows for one slot. */
#define KH_PBKDF2_ITERATIONS_MIN     1000u
#define KH_PBKDF2_ITERATIONS_DEFAULT 600000u  /**< of a new slot */
#define KH_PBKDF2_ITERATIONS_MAX     8388608u /**< of any slot */

/**
 * Most work for all slots of a sealed key file together, since a wrong passphrase is tried in each:
 * KiB times passes of Argon2id, plus iterations of PBKDF2. Either takes about a microsecond, so
 * that the most hostile file costs about eight seconds.
 */
#define KH_SEALED_WORK_MAX 8388608u

/**
 * Most work for a file that is opened without a statement, unless the file that the last statement
 * or the start opened costs more: eight slots of the default cost. It is about a second of a
 * processor, for which a statement may have to wait.
 */
#define KH_SEALED_WORK_AUTOMATIC                                                                   \
  ((uint64_t)KH_SEALED_SLOTS_MAX * KH_ARGON2_MEMORY_DEFAULT * KH_ARGON2_PASSES_DEFAULT)

/** Most bytes that are read from a program, a socket or an open descriptor, with line ends at the
 * end. More cannot be a passphrase. */
#define KH_SECRET_STREAM_MAX 1024u

/** Time in milliseconds for a program or a socket to supply the passphrase: enough for a request to
 * another host and one retry, without delaying the start of the server for long. */
#define KH_UNLOCK_WAIT 10000u

/** Time in milliseconds that the writer of a FIFO with keys has, where a statement waits. */
#define KH_FIFO_WAIT 10000u

/** Time in milliseconds after which a start that waits for the writer of a FIFO reports that. */
#define KH_FIFO_SILENCE 3000u

/** Longest line of a program's standard error that is quoted in a message in bytes, the final NUL
 * included: it fits after the longest path. */
#define KH_QUOTE_MAX 121u

/** Longest cause and next step of a failure in bytes, the final NUL included: two paths of
 * KH_ADVICE_PATH_MAX, two users and a sentence. */
#define KH_ADVICE_MAX 300u

/** Longest advice that fits into KH_MESSAGE_MAX after "Cannot decrypt ..." with the longest path.
 */
#define KH_ADVICE_BESIDE_PATH_MAX 208u

/** Longest path in a cause in bytes, the final NUL included. */
#define KH_ADVICE_PATH_MAX 64u

/**
 * Time in milliseconds that a server spends on finding out how a file of `openssl enc` was made
 * that does not open: most of the usual parameters, without delaying its start for long.
 */
/**
 * Time in milliseconds that a server spends on finding out how a file of `openssl enc` was made
 * that does not open: most of the usual parameters, without delaying its start for long.
 */
#define KH_OPENSSL_GUESS_TIME 2000

/** Smallest and largest key id: the server's `unsigned int`, 0 meaning "not encrypted". */
#define KH_KEY_ID_MIN 1u
#define KH_KEY_ID_MAX 4294967295u /**< the largest */

/** The key id that the server uses for its own files (ENCRYPTION_KEY_SYSTEM_DATA,
 * mysql/service_encryption.h). */
#define KH_KEY_ID_SYSTEM 1u

/** The key id that the server uses for temporary files and tables, if there is one
 * (ENCRYPTION_KEY_TEMPORARY_DATA, in the same header). */
#define KH_KEY_ID_TEMPORARY 2u

/**
 * Smallest and largest key version. 0 is ENCRYPTION_KEY_NOT_ENCRYPTED and 4294967295 is
 * ENCRYPTION_KEY_VERSION_INVALID (mysql/service_encryption.h).
 */
#define KH_KEY_VERSION_MIN 1u
#define KH_KEY_VERSION_MAX 4294967294u /**< the largest */

/**
 * By how much a rotation raises a key's version. InnoDB encrypts a page again when its version plus
 * innodb_encryption_rotate_key_age (default: 1) is less than the latest one: the next number
 * would have no effect.
 */
#define KH_ROTATION_STEP 2u

/** Distance of two versions of a key that no rotations make, so that one of the numbers is a
 * mistake: in a key file, and to the last possible version. */
#define KH_VERSION_JUMP 1000000u

/** Largest difference in seconds between the clocks of hosts that make versions: a day, since a
 * time of creation may be a date. */
#define KH_CLOCKS_APART_MAX 86400u

/** Largest distance of a version that the server asks for to the latest one that is known. Others
 * come from damaged pages. */
#define KH_VERSIONS_AHEAD_MAX 1000u

/** Shortest and longest interval of rotation in seconds: a second, for tests, and 100 years. */
#define KH_ROTATE_MIN 1u
#define KH_ROTATE_MAX 3155760000u /**< the longest */

/**
 * Data keys that are cached (datakey.h), one for each encrypted table and key version in use: 192
 * KiB, little of what may be locked into RAM. A server that uses more tables at a time derives them
 * again, which costs less than encrypting a page.
 */
#define KH_DATAKEYS_MAX 1024u

/**
 * Most changes of a keeper that are prepared and not yet in force: several sessions rarely change
 * keys at once, and a statement that fails between its two halves leaves a table in locked memory.
 */
#define KH_KEEPER_CHANGES_MAX 4u

/** Most missing key versions that a keeper notes: more than a correctly configured server ever has,
 * and quick to search. */
#define KH_KEEPER_MISSES_MAX 64u

/** Longest AES key in bytes (FIPS 197). */
#define KH_KEY_MAX 32u

/** AES block, IV and GCM tag in bytes (FIPS 197, NIST SP 800-38A, SP 800-38D). */
#define KH_AES_BLOCK 16u

/**
 * Longest message in bytes, the final NUL included: what failed, a sentence with the longest path,
 * its advice and the next step.
 */
#define KH_MESSAGE_MAX 960u

/**
 * Longest line for the server's log in bytes, the final NUL included: the server cuts messages at
 * 512 (MYSQL_ERRMSG_SIZE), and puts its own name before them. A longer message becomes two lines.
 */
#define KH_LINE_MAX 480u

/** Longest name of a part of a file in a message in bytes, the final NUL included: the longest
 * label of a slot. */
#define KH_NAME_SHOWN_MAX (KH_SEALED_LABEL_MAX + 1)

/** Longest path in a message in bytes, the final NUL included; the middle of a longer one is
 * replaced by "...". */
#define KH_PATH_SHOWN_MAX 240u

#endif
