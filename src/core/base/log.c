/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "keyhold/limits.h"

void kh_log_write(const kh_log *log, kh_severity severity, const char *format, ...)
{
  if (log == NULL || log->write == NULL)
    return;
  char message[KH_MESSAGE_MAX];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  log->write(log->user, severity, message);
}
