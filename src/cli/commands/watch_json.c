/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>

#include "cli/output/json.h"
#include "watch.h"

static const char *const state_names[] = {
    [KH_CLI_SPACE_PLAIN] = "plain",   [KH_CLI_SPACE_DONE] = "done",
    [KH_CLI_SPACE_STAYS] = "stays",   [KH_CLI_SPACE_WAITING] = "waiting",
    [KH_CLI_SPACE_MOVING] = "moving",
};

static void print_space(const kh_cli_spaces *spaces, const kh_cli_space *space)
{
  printf("{\"space\":%" PRIu32 ",\"name\":", space->id);
  kh_cli_json_string(stdout, space->name);
  printf(",\"state\":\"%s\",\"key_id\":%" PRIu32 ",\"min_key_version\":%" PRIu32
         ",\"current_key_version\":%" PRIu32 ",\"pages\":%" PRIu64 ",\"done\":%" PRIu64 "}",
         state_names[kh_cli_space_state_of(spaces, space)], space->key_id, space->least_version,
         space->current_version, space->pages, kh_cli_space_done(spaces, space));
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
  const kh_cli_spaces *spaces = &look->spaces;
  printf("{\"finished\":%s,\"pages\":%" PRIu64 ",\"done\":%" PRIu64,
         progress->unfinished == 0 ? "true" : "false", progress->pages, progress->done);
  print_number("pages_per_second", progress->rate);
  print_number("seconds_left", kh_cli_progress_left(progress));
  printf(",\"plain\":%zu,\"threads\":%" PRIu32 ",\"rotate_key_age\":%" PRIu32
         ",\"encrypt_tables\":%s",
         progress->plain, spaces->threads, spaces->rotate_key_age,
         spaces->encrypts ? "true" : "false");
  printf(",\"tablespaces\":[");
  for (size_t i = 0; i < spaces->count; i++) {
    printf("%s", i == 0 ? "" : ",");
    print_space(spaces, &spaces->at[i]);
  }
  printf("]}\n");
}
