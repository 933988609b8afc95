/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file encryption.h
 * The adapter from the core to st_mariadb_encryption (mysql/plugin_encryption.h): the seven
 * methods, over a keytable and a cipher. One set for each plugin's `.so`.
 */
#ifndef KEYHOLD_SERVER_ENCRYPTION_H
#define KEYHOLD_SERVER_ENCRYPTION_H

#include <mysql/plugin_encryption.h>

#include "keyhold/crypt.h"
#include "keyhold/keytable.h"

/** The descriptor that a plugin hands to the server. Its methods may be called between start and
 * stop. */
extern struct st_mariadb_encryption kh_encryption;

/**
 * Puts keys and cipher behind the methods. Called once, by the plugin's init, before the server
 * calls a method.
 *
 * @param keys    taken over.
 * @param crypt   taken over.
 * @param cipher  what every key is used with.
 */
void kh_encryption_start(kh_keytable *keys, kh_crypt *crypt, kh_cipher cipher);

/** Wipes and frees what start took. Called by the plugin's deinit, after the server's last call;
 * also without a start. */
void kh_encryption_stop(void);

#endif
