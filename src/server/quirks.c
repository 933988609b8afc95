/* SPDX-License-Identifier: GPL-2.0-only */
#include "quirks.h"

#include <dlfcn.h>
#include <mysql.h>
#include <mysql/plugin.h>
#include <mysql/plugin_encryption.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * The server and a plugin share these by their layout and their numbers alone. Both are the same in
 * the headers of MariaDB 10.11 to 11.8; a version that changes one is noticed when the plugin is
 * compiled against it.
 */
#ifdef __LP64__
#define AT(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), #field)
AT(st_maria_plugin, info, 8);
AT(st_maria_plugin, init, 48);
AT(st_maria_plugin, deinit, 56);
AT(st_maria_plugin, status_vars, 72);
AT(st_maria_plugin, system_vars, 80);
AT(st_maria_plugin, maturity, 96);
AT(st_mariadb_encryption, get_latest_key_version, 8);
AT(st_mariadb_encryption, get_key, 16);
AT(st_mariadb_encryption, crypt_ctx_size, 24);
AT(st_mariadb_encryption, crypt_ctx_init, 32);
AT(st_mariadb_encryption, crypt_ctx_update, 40);
AT(st_mariadb_encryption, crypt_ctx_finish, 48);
AT(st_mariadb_encryption, encrypted_length, 56);
AT(st_mysql_value, val_int, 24);
struct variable_header {
  MYSQL_PLUGIN_VAR_HEADER;
};
AT(variable_header, flags, 0);
AT(variable_header, name, 8);
AT(variable_header, check, 24);
AT(variable_header, update, 32);
_Static_assert(sizeof(struct st_maria_plugin) == 104, "st_maria_plugin");
_Static_assert(sizeof(struct st_mariadb_encryption) == 64, "st_mariadb_encryption");
_Static_assert(sizeof(struct st_mysql_show_var) == 24, "st_mysql_show_var");
_Static_assert(sizeof(struct variable_header) == 40, "MYSQL_PLUGIN_VAR_HEADER");
_Static_assert(sizeof(UDF_INIT) == 40 && sizeof(UDF_ARGS) == 64, "mysql.h");
_Static_assert(sizeof(TYPELIB) <= sizeof(kh_choices), "typelib.h");
#endif
_Static_assert(MARIA_PLUGIN_INTERFACE_VERSION == 0x010f, "plugin interface");
_Static_assert(MariaDB_ENCRYPTION_INTERFACE_VERSION == 0x0300, "encryption interface");
_Static_assert(ME_ERROR_LOG == 64 && ME_ERROR_LOG_ONLY == 128 && ME_NOTE == 1024 &&
                   ME_WARNING == 2048,
               "flags of messages");
_Static_assert(SHOW_ULONGLONG == 4 && SHOW_CHAR == 5 && SHOW_ARRAY == 7 && SHOW_FUNC == 8,
               "types of status variables");

typedef void report_function(unsigned number, const char *format, unsigned long flags, ...);

static const char *severity_of(unsigned long flags)
{
  if ((flags & ME_WARNING) != 0)
    return "Warning";
  return (flags & ME_NOTE) != 0 ? "Note" : "ERROR";
}

static const char continued[] = "... ";

static void report_line(unsigned number, unsigned long flags, const char *what, const char *message)
{
  report_function *report = (report_function *)dlsym(RTLD_DEFAULT, "my_printf_error");
  const char *colon = what == NULL ? "" : ": ";
  what = what == NULL ? "" : what;
  if (report != NULL)
    report(number, "%s%s%s", flags, what, colon, message);
  else
    fprintf(stderr, "[%s] %s%s%s\n", severity_of(flags), what, colon, message);
}

/* Returns the length of the part that fits into a line: up to a space, if there is one near its
 * end. */
static size_t fitting_part(const char *message, size_t room)
{
  size_t len = strlen(message);
  if (len <= room)
    return len;
  for (size_t end = room; end > room / 2; end--)
    if (message[end] == ' ')
      return end;
  while (room > 1 && ((unsigned char)message[room] & 0xc0) == 0x80) /* within a UTF-8 character */
    room--;
  return room;
}

/* A note: one statement has one error, and one event one warning. */
static unsigned long flags_of_rest(unsigned long flags)
{
  return (flags & ~(unsigned long)ME_WARNING) | ME_NOTE;
}

void kh_quirks_report(unsigned number, unsigned long flags, const char *what, const char *message)
{
  char line[KH_LINE_MAX];
  size_t used = what == NULL ? 0 : strlen(what) + strlen(": ");
  size_t len = fitting_part(message, sizeof line - 1 - used);
  snprintf(line, sizeof line, "%.*s", (int)len, message);
  report_line(number, flags, what, line);
  for (message += len; message[0] != '\0'; message += len) {
    message += message[0] == ' ';
    len = fitting_part(message, sizeof line - sizeof continued);
    snprintf(line, sizeof line, "%s%.*s", continued, (int)len, message);
    report_line(number, flags_of_rest(flags), NULL, line);
  }
}

/* strtoul() would be another function in the C library of Debian 13 than in that of Debian 12,
 * which then could not load the plugin. */
static unsigned take_number(const char **text)
{
  unsigned number = 0;
  for (; **text >= '0' && **text <= '9' && number < 1000; (*text)++)
    number = number * 10 + (unsigned)(**text - '0');
  return number;
}

/* Returns whether the process is a server of this version or a later one. */
static bool is_at_least(unsigned major, unsigned minor)
{
  const char *version = dlsym(RTLD_DEFAULT, "server_version"); /* an array: "11.8.9-MariaDB" */
  if (version == NULL)
    return false;
  unsigned first = take_number(&version);
  unsigned second = *version++ == '.' ? take_number(&version) : 0;
  return first > major || (first == major && second >= minor);
}

/* "max secret size is 256B " became "max secret size is 256 bytes". */
static void write_out_bytes(char *message, size_t size)
{
  static const char old_unit[] = "B ";
  size_t len = strlen(message);
  size_t old_len = sizeof old_unit - 1;
  if (len > old_len && strcmp(message + len - old_len, old_unit) == 0)
    snprintf(message + len - old_len, size - (len - old_len), " bytes");
}

void kh_quirks_describe(const kh_fault *fault, char *ret_message, size_t size)
{
  kh_fault_describe(fault, ret_message, size);
  if (fault->status == KH_E_SECRET_TOO_LONG && is_at_least(11, 8))
    write_out_bytes(ret_message, size);
}
