/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file udf.h
 * The part that the SQL functions of the plugins share. Each takes no arguments and returns a text,
 * which is made once for each statement that calls it.
 *
 * The server calls, by name: NAME_init when it prepares a statement, NAME for each value,
 * NAME_deinit at the statement's end if NAME_init had succeeded. It checks no privilege in between.
 */
#ifndef KEYHOLD_SERVER_UDF_H
#define KEYHOLD_SERVER_UDF_H

#include <stddef.h>

#include <mysql.h>

#include "keyhold/status.h"

/**
 * Makes the text.
 *
 * @param ret_text  for free(); untouched on failure.
 * @param ret_len   in bytes; untouched on failure.
 * @return KH_OK, or why it cannot be made.
 */
typedef kh_status (*kh_udf_maker)(char **ret_text, size_t *ret_len);

/**
 * Refuses a statement: what NAME_init returns then.
 *
 * @param message  MYSQL_ERRMSG_SIZE bytes, for the client.
 * @param format   of the reason, as printf.
 * @return 1.
 */
__attribute__((format(printf, 2, 3))) my_bool kh_udf_refuse(char *message, const char *format, ...);

/** Implements NAME_init: refuses arguments, and declares a text of any length that is never NULL.
 */
my_bool kh_udf_start(UDF_INIT *init, const UDF_ARGS *args, char *message);

/**
 * Implements NAME: returns the text. If it cannot be made, the statement fails.
 *
 * @param name  of the function, for the message; a constant string.
 * @return the text, freed by kh_udf_stop(); NULL on failure.
 */
char *kh_udf_text(const UDF_INIT *init, const char *name, kh_udf_maker make, unsigned long *ret_len,
                  char *ret_error);

/** Implements NAME_deinit: frees the text. */
void kh_udf_stop(UDF_INIT *init);

#endif
