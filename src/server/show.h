/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file show.h
 * Shows the members of one structure as status variables. The server asks for all of them at once,
 * so the values are of one moment.
 *
 * A plugin has one status variable of type SHOW_FUNC. Its name, followed by an underscore, begins
 * the names of all fields. Its function fills the structure and ends with kh_show_fields(). The
 * server calls it from any number of threads at once.
 */
#ifndef KEYHOLD_SERVER_SHOW_H
#define KEYHOLD_SERVER_SHOW_H

#include <mysql/plugin.h>
#include <stddef.h>

/** What a member is, and how it is shown. */
typedef enum kh_show_kind {
  KH_SHOW_NUMBER,    /**< an unsigned integer of 4 or 8 bytes, or a bool: as 1 or 0 */
  KH_SHOW_TIME,      /**< an unsigned integer of 4 or 8 bytes, UNIX time: as
                        "2026-11-22T01:05:55Z". "never" for 0, and for more than 32 bits */
  KH_SHOW_TIMESTAMP, /**< the same as a number, for monitoring. 0 where KH_SHOW_TIME is "never" */
  KH_SHOW_TEXT,      /**< a pointer to a text; NULL is the empty one */
  KH_SHOW_CHARS,     /**< an array of char with a NUL in it */
} kh_show_kind;

/** One status variable. */
typedef struct kh_show_field {
  const char *name; /**< after the plugin's name and an underscore; constant */
  kh_show_kind kind;
  size_t offset; /**< of the member in the structure */
  size_t size;   /**< of the member */
} kh_show_field;

/** The initializer of a kh_show_field for a member of a type. */
#define KH_SHOW_FIELD(name, kind, type, member)                                                    \
  {                                                                                                \
    name, kind, offsetof(type, member), sizeof(((type *)NULL)->member)                             \
  }

/** The most fields of one table, and the room for all their texts with their NULs, in bytes. All of
 * it must fit into the server's buffer of SHOW_VAR_FUNC_BUFF_SIZE bytes (2048 with 64-bit
 * pointers). */
enum { KH_SHOW_MAX = 20, KH_SHOW_TEXTS = 1280 };

/**
 * Makes one status variable of each field. Copies the values: the structure is not needed
 * afterwards. A text for which there is no room is cut.
 *
 * @param fields   constant.
 * @param count    of the fields; KH_SHOW_MAX at most.
 * @param stats    the structure.
 * @param buff     the server's: SHOW_VAR_FUNC_BUFF_SIZE bytes, aligned for a pointer.
 * @param ret_var  the server's.
 *
 * Thread-safe.
 */
void kh_show_fields(const kh_show_field *fields, size_t count, const void *stats, void *buff,
                    struct st_mysql_show_var *ret_var);

#endif
