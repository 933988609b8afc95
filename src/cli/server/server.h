/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file server.h
 * A connection to a MariaDB server. server.c is the only file of the command that knows libmariadb.
 */
#ifndef KEYHOLD_CLI_SERVER_H
#define KEYHOLD_CLI_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/args/login.h"

/** A connection. Not thread-safe. */
typedef struct kh_cli_server kh_cli_server;

/** The rows of a result. */
typedef struct kh_cli_rows kh_cli_rows;

/** Connects as the mariadb client does: with option files (groups "client" and "keyhold") and the
 * environment. Removes the session's limits on results, and sets its time zone to UTC. NULL: a
 * message has the reason. */
kh_cli_server *kh_cli_server_connect(const kh_cli_login *login);

/** Returns whether the connection uses a UNIX socket, so that the server runs on this host. */
bool kh_cli_server_is_local(kh_cli_server *server);

/** Ends the connection; sets the pointer to NULL. Takes NULL and a pointer to NULL. */
void kh_cli_server_close(kh_cli_server **server);

/** Runs a query, a constant text. NULL: a message has the reason. */
kh_cli_rows *kh_cli_server_ask(kh_cli_server *server, const char *sql);

/** Returns the number of rows. */
size_t kh_cli_rows_count(const kh_cli_rows *rows);

/** Returns the values of the next row, NULL for SQL's NULL; NULL after the last row. Owned by the
 * rows. */
const char *const *kh_cli_rows_next(kh_cli_rows *rows);

/** Returns a value as a number; 0 for NULL. */
uint64_t kh_cli_row_number(const char *value);

/** Frees; sets the pointer to NULL. Takes NULL and a pointer to NULL. */
void kh_cli_rows_free(kh_cli_rows **rows);

/** For `__attribute__((cleanup))`. */
static inline void kh_cli_server_cleanup(kh_cli_server **server)
{
  kh_cli_server_close(server);
}
#define KH_CLI_AUTO_SERVER __attribute__((cleanup(kh_cli_server_cleanup))) kh_cli_server *

static inline void kh_cli_rows_cleanup(kh_cli_rows **rows)
{
  kh_cli_rows_free(rows);
}
#define KH_CLI_AUTO_ROWS __attribute__((cleanup(kh_cli_rows_cleanup))) kh_cli_rows *

#endif
