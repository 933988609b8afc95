/* SPDX-License-Identifier: GPL-2.0-only */
#include "report.h"

#include <mysql/plugin.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "keyhold/version.h"
#include "server/quirks.h"

/* mysys_err.h of the server's source; not among the packaged headers. Both are part of the wire
 * protocol. */
enum { EE_READ = 2, EE_FILENOTFOUND = 29 };

static unsigned long server_flags_of(kh_severity severity)
{
  switch (severity) {
  case KH_LOG_WARNING:
    return ME_WARNING | ME_ERROR_LOG;
  case KH_LOG_HINT:
    return ME_NOTE | ME_ERROR_LOG;
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

void kh_report_fault(const kh_fault *fault)
{
  char message[KH_MESSAGE_MAX];
  kh_quirks_describe(fault, message, sizeof message);
  kh_quirks_report(server_error_of(fault), ME_ERROR_LOG, NULL, message);
}

void kh_report_refusal(const char *what, const kh_fault *fault)
{
  char message[KH_MESSAGE_MAX];
  kh_quirks_describe(fault, message, sizeof message);
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

/* "Plugin ... is of maturity level ... while the server is ...": the server's test harness accepts
 * warnings of this form and no others, so the distribution's suites run unchanged. */
void kh_report_for_tests_only(const char *plugin_name)
{
  kh_log log = kh_report_log(plugin_name);
  kh_log_write(&log, KH_LOG_WARNING,
               "Plugin '%s' of Keyhold " KEYHOLD_VERSION
               " is of maturity level experimental and for tests only: anybody can work out its "
               "keys, and while the server is using them nothing is protected",
               plugin_name);
}
