/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file fingerprint.h
 * Names a key, or a table of keys, without giving anything of a key away.
 */
#ifndef KEYHOLD_FINGERPRINT_H
#define KEYHOLD_FINGERPRINT_H

#include "keyhold/keytable.h"

/** Bytes of a fingerprint as text, its NUL included. */
enum { KH_FINGERPRINT_MAX = 17 };

/** A fingerprint as text: 16 hexadecimal digits. */
typedef struct kh_fingerprint {
  char text[KH_FINGERPRINT_MAX]; /**< ends with NUL */
} kh_fingerprint;

/** Returns the fingerprint of a key: equal keys have equal ones, on every server, and nothing of
 * the key can be learnt from it: the first 8 bytes of HMAC-SHA-256 (RFC 2104) with the key as its
 * key over "Keyhold fingerprint" (19 bytes, ASCII, no NUL). HMAC fills its key up with zero bytes:
 * a key that is another one with zero bytes after it has that one's fingerprint. Thread-safe. */
kh_fingerprint kh_key_fingerprint(const kh_key *key);

/** Returns the fingerprint of all keys of a table: tables have the same one when they have the same
 * key ids, versions and keys, whatever the attributes are, retired versions left out: a server may
 * have them, and its key file has not. Each version, in the order of ids and versions, makes a new
 * digest: SHA-256 of the digest before (32 zero bytes at first) and
 * "ID;VERSION;BITS;FINGERPRINT\n". The last one's first 8 bytes are the fingerprint. Thread-safe;
 * takes 2 us a version. */
kh_fingerprint kh_keytable_fingerprint(const kh_keytable *table);

#endif
