/* SPDX-License-Identifier: GPL-2.0-only */
#include "message.h"

#include <stdbool.h>
#include <stdio.h>

#include "text.h"

void kh_cli_message_from(const char *name, const char *format, va_list arguments)
{
  char message[KH_MESSAGE_MAX];
  vsnprintf(message, sizeof message, format, arguments);
  fprintf(stderr, "%s: ", name);
  kh_cli_put_text(stderr, message);
  fputc('\n', stderr);
}

void kh_cli_message(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  kh_cli_message_from("keyhold", format, arguments);
  va_end(arguments);
}

int kh_cli_fail(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  kh_cli_message_from("keyhold", format, arguments);
  va_end(arguments);
  return KH_CLI_FAILED;
}

int kh_cli_fail_with(const kh_fault *fault)
{
  char message[KH_MESSAGE_MAX];
  kh_fault_describe(fault, message, sizeof message);
  return kh_cli_fail("%s", message);
}

int kh_cli_fail_status(kh_status status, const char *path)
{
  kh_fault fault;
  kh_fault_set(&fault, status, path, 0);
  return kh_cli_fail_with(&fault);
}

static void write_log_message(void *user, kh_severity severity, const char *message)
{
  (void)user;
  kh_cli_message("%s%s", severity == KH_LOG_WARNING ? "warning: " : "", message);
}

kh_log kh_cli_log(void)
{
  return (kh_log){write_log_message, NULL};
}

int kh_cli_close_output(int result)
{
  bool is_written = result == KH_CLI_WRITTEN;
  if (fflush(stdout) == 0 && ferror(stdout) == 0)
    return is_written ? KH_CLI_DONE : result;
  return kh_cli_fail("cannot write to the standard output%s",
                     is_written ? "; the change to the key file is complete" : "");
}
