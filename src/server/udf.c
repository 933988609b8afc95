/* SPDX-License-Identifier: GPL-2.0-only */
#include "udf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/report.h"

/* What a statement keeps between init and deinit. */
struct result {
  char *text; /* NULL: it was not made yet */
  size_t len;
};

my_bool kh_udf_refuse(char *message, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, MYSQL_ERRMSG_SIZE, format, arguments);
  va_end(arguments);
  return 1;
}

my_bool kh_udf_start(UDF_INIT *init, const UDF_ARGS *args, char *message)
{
  if (args->arg_count != 0)
    return kh_udf_refuse(message, "the function takes no arguments");
  struct result *result = calloc(1, sizeof *result);
  if (result == NULL)
    return kh_udf_refuse(message, "out of memory");
  init->ptr = (char *)(void *)result;
  init->maybe_null = 0;
  init->max_length = UINT32_MAX; /* LONGTEXT: a shorter one may be cut in temporary tables */
  return 0;
}

static kh_status make_once(struct result *result, kh_udf_maker make)
{
  return result->text == NULL ? make(&result->text, &result->len) : KH_OK;
}

/* Without the report, the server would take NULL for an empty result and not for an error. */
char *kh_udf_text(const UDF_INIT *init, const char *name, kh_udf_maker make, unsigned long *ret_len,
                  char *ret_error)
{
  struct result *result = (void *)init->ptr;
  kh_fault fault;
  kh_status status = make_once(result, make);
  if (status != KH_OK) {
    kh_fault_set(&fault, status, name, 0);
    kh_report_fault(&fault);
    *ret_error = 1;
    return NULL;
  }
  *ret_len = result->len;
  return result->text;
}

void kh_udf_stop(UDF_INIT *init)
{
  struct result *result = (void *)init->ptr;
  if (result != NULL)
    free(result->text);
  free(result);
  init->ptr = NULL;
}
