/* SPDX-License-Identifier: GPL-2.0-only */
#include "report.h"

#include <mysql/plugin.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "keyhold/version.h"
#include "server/process.h"
#include "server/quirks.h"

/* From mysys_err.h of the server's source, which is not among the packaged headers. Clients see
 * both numbers, so they do not change. */
enum { EE_READ = 2, EE_FILENOTFOUND = 29 };

/* The log of mariadb-backup is its standard error, where it writes nothing that has a flag of a log
 * alone. */
static unsigned long log_alone(void)
{
  return kh_process_is_backup() ? ME_ERROR_LOG : ME_ERROR_LOG_ONLY;
}

static unsigned long server_flags_of(kh_severity severity)
{
  switch (severity) {
  case KH_LOG_WARNING:
    return ME_WARNING | ME_ERROR_LOG;
  case KH_LOG_HINT:
    return ME_NOTE | ME_ERROR_LOG;
  case KH_LOG_QUIET_WARNING:
    return ME_WARNING | log_alone();
  case KH_LOG_QUIET_ERROR:
    return log_alone();
  default:
    return ME_NOTE | ME_ERROR_LOG_ONLY;
  }
}

static void write_log(void *user, kh_severity severity, const char *message)
{
  kh_quirks_report(EE_READ, server_flags_of(severity), user, message);
}

kh_log kh_report_log(const char *plugin_name)
{
  return (kh_log){write_log, (void *)plugin_name};
}

static unsigned server_error_of(const kh_fault *fault)
{
  bool unopened = fault->status == KH_E_FILE_NOT_FOUND || fault->status == KH_E_FILE_OPEN;
  return unopened ? EE_FILENOTFOUND : EE_READ;
}

/* The server's own plugin ends these sentences with the column. */
static bool ends_with_column(kh_status status)
{
  return status == KH_E_SYNTAX || status == KH_E_KEY_ID || status == KH_E_KEY_HEX ||
         status == KH_E_NO_SYSTEM_KEY;
}

static void note_what_is_there(const kh_fault *fault)
{
  char message[KH_MESSAGE_MAX];
  snprintf(message, sizeof message, "%s line %u, column %zu: %s", fault->path.text, fault->line,
           fault->column, fault->quote);
  kh_quirks_report(EE_READ, ME_NOTE | ME_ERROR_LOG, NULL, message);
}

void kh_report_fault(const kh_fault *fault)
{
  char message[KH_MESSAGE_MAX];
  kh_fault reported = *fault;
  if (ends_with_column(fault->status))
    reported.quote[0] = '\0';
  kh_quirks_describe(&reported, message, sizeof message);
  kh_quirks_report(server_error_of(fault), ME_ERROR_LOG, NULL, message);
  if (reported.quote[0] != fault->quote[0])
    note_what_is_there(fault);
}

void kh_report_refusal(const char *what, const kh_fault *fault, const char *advice)
{
  char message[KH_MESSAGE_MAX];
  kh_quirks_describe(fault, message, sizeof message);
  size_t used = strlen(message);
  snprintf(message + used, sizeof message - used, "%s", advice);
  kh_quirks_report(server_error_of(fault), ME_ERROR_LOG, what, message);
}

void kh_report_error(const char *format, ...)
{
  char message[KH_MESSAGE_MAX];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  kh_quirks_report(EE_READ, ME_ERROR_LOG, NULL, message);
}

void kh_report_for_tests_only(const char *plugin_name, const char *origin)
{
  kh_log log = kh_report_log(plugin_name);
  kh_log_write(&log, KH_LOG_WARNING,
               "Keyhold " KEYHOLD_VERSION
               ": this plugin derives its keys from %s, so anyone can compute them and data is not "
               "protected: use it for tests only",
               origin);
}
