/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file process.h
 * What kind of process the plugin was loaded into. mariadb-backup, `mariadbd --help` and
 * `mariadbd --bootstrap` load plugins too, with the same options; nothing must run in the
 * background there.
 */
#ifndef KEYHOLD_SERVER_PROCESS_H
#define KEYHOLD_SERVER_PROCESS_H

#include <stdbool.h>

/** Returns whether the process is a server that will accept connections. An unrecognised process
 * counts as not being a server. */
bool kh_process_is_server(void);

/** Returns whether the process is mariadb-backup. */
bool kh_process_is_backup(void);

/** Returns whether the server has started and accepts connections. */
bool kh_process_is_up(void);

/** Returns the server's data directory; NULL: the process does not have one. */
const char *kh_process_data_directory(void);

/**
 * Ends the process by the SIGTERM that it was sent and has not acted on yet. While its plugins of
 * encryption start, a server blocks the signal and has opened no data: it ends as a process ends
 * that does not block it. Left to itself it would go on without keys, and MariaDB 10.11 then takes
 * the signal and waits for ever. Does nothing in a server that has started; returns where no signal
 * is pending.
 */
void kh_process_end_as_told(void);

#endif
