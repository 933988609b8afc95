/* SPDX-License-Identifier: GPL-2.0-only */
#include "recorder.h"

#include <stdio.h>
#include <string.h>

static void record(void *user, kh_severity severity, const char *message)
{
  recorder *rec = user;
  size_t used = strlen(rec->text);
  rec->count[severity]++;
  snprintf(rec->text + used, sizeof rec->text - used, "%s\n", message);
}

kh_log recorder_log(recorder *rec)
{
  memset(rec, 0, sizeof *rec);
  return (kh_log){record, rec};
}

bool recorder_has(const recorder *rec, const char *part)
{
  return strstr(rec->text, part) != NULL;
}
