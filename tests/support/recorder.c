/* SPDX-License-Identifier: GPL-2.0-only */
#include "recorder.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tasks.h"
#include "unit.h"

/* several threads may log at the same time */
static pthread_mutex_t recording = PTHREAD_MUTEX_INITIALIZER;

static void record(void *user, kh_severity severity, const char *message)
{
  recorder *rec = user;
  pthread_mutex_lock(&recording);
  size_t used = strlen(rec->text);
  rec->count[severity]++;
  snprintf(rec->text + used, sizeof rec->text - used, "%s\n", message);
  pthread_mutex_unlock(&recording);
}

kh_log recorder_log(recorder *rec)
{
  memset(rec, 0, sizeof *rec);
  return (kh_log){record, rec};
}

bool recorder_has(const recorder *rec, const char *part)
{
  pthread_mutex_lock(&recording);
  bool found = strstr(rec->text, part) != NULL;
  pthread_mutex_unlock(&recording);
  return found;
}

unsigned recorder_count(const recorder *rec, kh_severity severity)
{
  pthread_mutex_lock(&recording);
  unsigned count = rec->count[severity];
  pthread_mutex_unlock(&recording);
  return count;
}

void recorder_expect(const recorder *rec, const char *part)
{
  if (!recorder_has(rec, part))
    fail_msg("'%s' was not said, but: %s", part, rec->text);
}

void recorder_await(const recorder *rec, const char *part)
{
  (void)TEST_COMES(recorder_has(rec, part));
  recorder_expect(rec, part);
}
