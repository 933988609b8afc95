/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>

#include "cli/output/text.h"
#include "watch.h"

static const char *const state_names[] = {
    [KH_CLI_TABLESPACE_PLAIN] = "plain",   [KH_CLI_TABLESPACE_DONE] = "done",
    [KH_CLI_TABLESPACE_STAYS] = "stays",   [KH_CLI_TABLESPACE_WAITING] = "waiting",
    [KH_CLI_TABLESPACE_MOVING] = "moving",
};

static void print_tablespace(const kh_cli_tablespaces *tablespaces,
                             const kh_cli_tablespace *tablespace)
{
  printf("{\"space\":%" PRIu32 ",\"name\":", tablespace->id);
  kh_cli_put_json(stdout, tablespace->name);
  printf(",\"state\":\"%s\",\"key_id\":%" PRIu32 ",\"min_key_version\":%" PRIu32
         ",\"current_key_version\":%" PRIu32 ",\"pages\":%" PRIu64 ",\"done\":%" PRIu64 "}",
         state_names[kh_cli_tablespace_state_of(tablespaces, tablespace)], tablespace->key_id,
         tablespace->least_version, tablespace->current_version, tablespace->pages,
         kh_cli_tablespace_done(tablespaces, tablespace));
}

static void print_number(const char *name, double number)
{
  if (number < 0)
    printf(",\"%s\":null", name);
  else
    printf(",\"%s\":%.1f", name, number);
}

void kh_cli_watch_print_json(const kh_cli_look *look)
{
  const kh_cli_progress *progress = &look->progress;
  const kh_cli_tablespaces *tablespaces = &look->tablespaces;
  printf("{\"finished\":%s,\"pages\":%" PRIu64 ",\"done\":%" PRIu64,
         progress->unfinished == 0 ? "true" : "false", progress->pages, progress->done);
  print_number("pages_per_second", progress->rate);
  print_number("seconds_left", kh_cli_progress_left(progress));
  printf(",\"plain\":%zu,\"threads\":%" PRIu32 ",\"rotate_key_age\":%" PRIu32
         ",\"encrypt_tables\":%s",
         progress->plain, tablespaces->threads, tablespaces->rotate_key_age,
         tablespaces->encrypts ? "true" : "false");
  printf(",\"tablespaces\":[");
  for (size_t i = 0; i < tablespaces->count; i++) {
    printf("%s", i == 0 ? "" : ",");
    print_tablespace(tablespaces, &tablespaces->at[i]);
  }
  printf("]}\n");
}
