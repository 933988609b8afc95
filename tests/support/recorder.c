/* SPDX-License-Identifier: GPL-2.0-only */
#include "recorder.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of every recorder */

static void record(void *user, kh_severity severity, const char *message)
{
  recorder *rec = user;
  pthread_mutex_lock(&mutex);
  size_t used = strlen(rec->text);
  rec->count[severity]++;
  snprintf(rec->text + used, sizeof rec->text - used, "%s\n", message);
  pthread_mutex_unlock(&mutex);
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
