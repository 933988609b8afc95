/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file fingerprint.h
 * Identifies a key, or a table of keys, without revealing anything of a key.
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

/** Returns the fingerprint of a key: equal keys have equal ones, on every server, and it
 * reveals nothing of the key. It is the first 8 bytes of HMAC-SHA-256 (RFC 2104) with the key as
 * its key over "Keyhold fingerprint" (19 bytes, ASCII, no NUL). HMAC pads its key with zero bytes,
 * so a key has the same fingerprint as that key with zero bytes appended. Thread-safe. */
kh_fingerprint kh_key_fingerprint(const kh_key *key);

/** Returns the fingerprint of all keys of a table: tables have the same one when they have the same
 * key ids, versions and keys, whatever their attributes are. Retired versions are left out, since
 * a server may still have them when its key file does not. Each version, in the order of ids and
 * versions, makes a new digest: SHA-256 of the digest before (32 zero bytes at first) and
 * "ID;VERSION;BITS;FINGERPRINT\n". The first 8 bytes of the last digest are the fingerprint.
 * Thread-safe; takes 2 us a version. */
kh_fingerprint kh_keytable_fingerprint(const kh_keytable *table);

#endif
