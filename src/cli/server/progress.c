/* SPDX-License-Identifier: GPL-2.0-only */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keyhold/limits.h"

enum { BAR_WIDTH = 20, MINUTE = 60, HOUR = 3600 };

/* in seconds: ten years */
#define LEFT_MOST (3650.0 * 86400)

/* the weight of the last interval in the rate */
#define NEWEST 0.5

static void count_tablespaces(kh_cli_progress *progress, const kh_cli_tablespaces *tablespaces)
{
  progress->pages = progress->done = progress->staying = 0;
  progress->unfinished = progress->plain = progress->too_near = progress->keyless = 0;
  for (size_t i = 0; i < tablespaces->count; i++) {
    const kh_cli_tablespace *tablespace = &tablespaces->at[i];
    kh_cli_tablespace_state state = kh_cli_tablespace_state_of(tablespaces, tablespace);
    if (state == KH_CLI_TABLESPACE_PLAIN) {
      progress->plain++;
      continue;
    }
    progress->pages += tablespace->pages;
    progress->done += kh_cli_tablespace_done(tablespaces, tablespace);
    kh_cli_stop stop = kh_cli_tablespace_stop_of(tablespaces, tablespace);
    progress->too_near += stop == KH_CLI_STOP_AGE;
    progress->keyless += stop == KH_CLI_STOP_KEY;
    progress->staying += state == KH_CLI_TABLESPACE_STAYS ? tablespace->pages : 0;
    progress->unfinished += state == KH_CLI_TABLESPACE_WAITING || state == KH_CLI_TABLESPACE_MOVING;
  }
}

void kh_cli_progress_update(kh_cli_progress *progress, const kh_cli_tablespaces *tablespaces,
                            double now)
{
  kh_cli_progress before = *progress;
  count_tablespaces(progress, tablespaces);
  progress->at = now;
  if (before.at == 0 || now <= before.at) {
    progress->rate = -1;
    return;
  }
  /* a tablespace that starts again, or is new, can lower the number */
  double moved = progress->done > before.done ? (double)(progress->done - before.done) : 0;
  double newest = moved / (now - before.at);
  progress->rate = before.rate < 0 ? newest : NEWEST * newest + (1 - NEWEST) * before.rate;
}

double kh_cli_progress_left(const kh_cli_progress *progress)
{
  if (progress->unfinished == 0)
    return kh_cli_progress_is_finished(progress) ? 0 : -1;
  if (progress->rate <= 0)
    return -1;
  double left = (double)(progress->pages - progress->done - progress->staying) / progress->rate;
  return left > LEFT_MOST ? -1 : left; /* a rate near zero predicts nothing */
}

/* Writes the name, with "..." for its middle if it is too long, filled up with spaces. */
static void put_name(char *text, const char *name, size_t width)
{
  size_t len = strlen(name);
  size_t head = (width - 3) / 2;
  size_t tail = width - 3 - head;
  if (len <= width)
    snprintf(text, KH_CLI_LINE_MAX, "%-*s", (int)width, name);
  else
    snprintf(text, KH_CLI_LINE_MAX, "%.*s...%s", (int)head, name, name + len - tail);
}

kh_cli_line kh_cli_progress_bar(const char *name, size_t width, uint64_t done, uint64_t pages)
{
  kh_cli_line line = {""};
  char bar[BAR_WIDTH + 1];
  double part = pages == 0 ? 1 : (double)done / (double)pages;
  size_t filled = (size_t)(part * (double)BAR_WIDTH);
  memset(bar, '.', BAR_WIDTH);
  memset(bar, '#', filled);
  bar[BAR_WIDTH] = '\0';
  put_name(line.text, name, width);
  size_t len = strlen(line.text);
  snprintf(line.text + len, sizeof line.text - len,
           " [%s] %3u %%  %" PRIu64 " of %" PRIu64 " pages", bar, (unsigned)(part * 100), done,
           pages);
  return line;
}

kh_cli_line kh_cli_progress_stay(const kh_cli_tablespaces *tablespaces,
                                 const kh_cli_tablespace *tablespace, size_t width)
{
  kh_cli_line line = {""};
  put_name(line.text, tablespace->name, width);
  char *end = line.text + strlen(line.text);
  size_t room = sizeof line.text - strlen(line.text);
  uint32_t least = tablespace->least_version;
  uint32_t age = tablespaces->rotate_key_age;
  if (tablespace->current_version == KH_CLI_NO_VERSION)
    snprintf(end, room, " stays at key version %u; key id %u is missing", least,
             tablespace->key_id);
  else if (age == 0)
    snprintf(end, room, " stays at key version %u (current: %u)", least,
             tablespace->current_version);
  else
    snprintf(end, room, " stays at key version %u (current: %u); moves at %" PRIu64, least,
             tablespace->current_version, (uint64_t)least + age + 1);
  return line;
}

kh_cli_duration kh_cli_show_seconds(double seconds)
{
  kh_cli_duration line;
  uint64_t whole = (uint64_t)(seconds + 0.5);
  if (whole < MINUTE)
    snprintf(line.text, sizeof line.text, "%" PRIu64 " s", whole);
  else if (whole < HOUR)
    snprintf(line.text, sizeof line.text, "%" PRIu64 " min %" PRIu64 " s", whole / MINUTE,
             whole % MINUTE);
  else
    snprintf(line.text, sizeof line.text, "%" PRIu64 " h %" PRIu64 " min", whole / HOUR,
             whole % HOUR / MINUTE);
  return line;
}
