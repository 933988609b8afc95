/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file encryption.h
 * The adapter from the core to st_mariadb_encryption (mysql/plugin_encryption.h): the seven
 * methods, over a key source. One set for each plugin's `.so`.
 */
#ifndef KEYHOLD_SERVER_ENCRYPTION_H
#define KEYHOLD_SERVER_ENCRYPTION_H

#include <mysql/plugin_encryption.h>

#include "keyhold/crypt.h"
#include "server/key_source.h"

/** The descriptor that a plugin hands to the server. Its methods may be called between start and
 * stop. */
extern struct st_mariadb_encryption kh_encryption;

/** The descriptor of a plugin that only has keys: the server encrypts with its own AES-CBC. */
extern struct st_mariadb_encryption kh_encryption_keys;

/**
 * Connects the methods to keys and ciphers. Called once, by the plugin's init, before the server
 * calls a method.
 *
 * @param source  a constant table.
 * @param keys    what the table's functions are called with; taken over.
 * @param crypt   taken over; NULL with kh_encryption_keys.
 */
void kh_encryption_start(const kh_key_source *source, void *keys, kh_crypt *crypt);

/** Returns the keys that were passed to start; NULL before it and after stop. They are freed by
 * stop, so the caller must know that the server is not ending the plugin. Thread-safe. */
void *kh_encryption_in_use(void);

/** Wipes and frees what start took. Called by the plugin's deinit, after the server's last call;
 * also without a start. */
void kh_encryption_stop(void);

#endif
