/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/args/number.h"
#include "cli/output/text.h"
#include "cli/server/plugin.h"
#include "cli/server/progress.h"
#include "command.h"
#include "keyhold/clock.h"

enum { KEY_JSON = 0x300, KEY_ONCE, KEY_INTERVAL, INTERVAL_MAX = 3600 };

struct arguments {
  kh_cli_login login;
  bool json;
  bool once;
  uint32_t interval; /* in seconds */
};

static error_t parse_watch_option(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->login;
    return 0;
  case KEY_JSON:
    arguments->json = true;
    return 0;
  case KEY_ONCE:
    arguments->once = true;
    return 0;
  case KEY_INTERVAL:
    if (!kh_cli_read_number(value, 1, INTERVAL_MAX, &arguments->interval))
      kh_cli_usage_error(state, "invalid interval '%s' (expected 1 to %d seconds)", value,
                         INTERVAL_MAX);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Output:", 5},
    {"once", KEY_ONCE, NULL, 0, "report once; the exit status is 3 if work is left", 0},
    {"interval", KEY_INTERVAL, "SECONDS", 0, "time between two reports (default: 1)", 0},
    {"json", KEY_JSON, NULL, 0, "print JSON, one line for each report", 0},
    {0},
};
static const struct argp_child children[] = {{&kh_cli_login_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse_watch_option,
    .doc = "Show the progress of a server that re-encrypts its tablespaces, until it has finished. "
           "The exit status is 3 if all others have moved, and some stay at an older key version.",
    .children = children,
};

/* The tablespaces of the last query, and the progress over all queries. */
struct snapshot {
  kh_cli_tablespaces tablespaces;
  kh_cli_progress progress;
};

/* The standard output. All but the first field start as zero. */
struct screen {
  bool is_terminal; /* each report replaces the one before */
  size_t rows;      /* its size */
  size_t columns;
  size_t shown; /* lines of the last report */
};

/* The report as a line of JSON. */

static const char *const state_names[] = {
    [KH_CLI_TABLESPACE_PLAIN] = "plain",   [KH_CLI_TABLESPACE_DONE] = "done",
    [KH_CLI_TABLESPACE_STAYS] = "stays",   [KH_CLI_TABLESPACE_WAITING] = "waiting",
    [KH_CLI_TABLESPACE_MOVING] = "moving",
};

static const char *const stop_names[] = {
    [KH_CLI_STOP_AGE] = "\"rotate_key_age\"",
    [KH_CLI_STOP_KEY] = "\"missing_key\"",
    [KH_CLI_STOP_THREADS] = "\"threads\"",
    [KH_CLI_STOP_OFF] = "\"encrypt_tables\"",
    [KH_CLI_STOP_NONE] = "null",
};

static void print_tablespace(const kh_cli_tablespaces *tablespaces,
                             const kh_cli_tablespace *tablespace)
{
  printf("{\"space\":%" PRIu32 ",\"name\":", tablespace->id);
  kh_cli_put_json(stdout, tablespace->name);
  printf(",\"state\":\"%s\",\"stopped_by\":%s,\"key_id\":%" PRIu32 ",\"min_key_version\":%" PRIu32
         ",\"current_key_version\":%" PRIu32 ",\"pages\":%" PRIu64 ",\"done\":%" PRIu64 "}",
         state_names[kh_cli_tablespace_state_of(tablespaces, tablespace)],
         stop_names[kh_cli_tablespace_stop_of(tablespaces, tablespace)], tablespace->key_id,
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

static void print_snapshot_as_json(const struct snapshot *snapshot)
{
  const kh_cli_progress *progress = &snapshot->progress;
  const kh_cli_tablespaces *tablespaces = &snapshot->tablespaces;
  printf("{\"finished\":%s,\"pages\":%" PRIu64 ",\"done\":%" PRIu64,
         kh_cli_progress_is_finished(progress) ? "true" : "false", progress->pages, progress->done);
  print_number("pages_per_second", progress->rate);
  print_number("seconds_left", kh_cli_progress_left(progress));
  printf(",\"plain\":%zu,\"stays\":%zu,\"threads\":%" PRIu32 ",\"rotate_key_age\":%" PRIu32
         ",\"encrypt_tables\":%s",
         progress->plain, kh_cli_progress_stays(progress), tablespaces->threads,
         tablespaces->rotate_key_age, tablespaces->encrypts ? "true" : "false");
  printf(",\"tablespaces\":[");
  for (size_t i = 0; i < tablespaces->count; i++) {
    printf("%s", i == 0 ? "" : ",");
    print_tablespace(tablespaces, &tablespaces->at[i]);
  }
  printf("]}\n");
}

/* The report for people: a bar for each tablespace that moves or will move, a line for each that
 * stays, and a bar for all. */

enum {
  NAME_WIDTH = 22,
  ROWS = 24,
  COLUMNS = 80,
  OTHER_ROWS = 6 /* the bar for all, up to three lines below it, "and N more", and the cursor; a
                    reason why tablespaces stay has one more */
};

/* Cuts the line at the width of the terminal, where it would become two. */
__attribute__((format(printf, 2, 3))) static void print_screen_line(struct screen *screen,
                                                                    const char *format, ...)
{
  kh_cli_line line;
  size_t room = screen->is_terminal ? screen->columns : sizeof line.text;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line.text, room < sizeof line.text ? room : sizeof line.text, format, arguments);
  va_end(arguments);
  kh_cli_put_text(stdout, line.text);
  fputc('\n', stdout);
  screen->shown++;
}

/* A terminal has few rows: those that are left for tablespaces. */
static size_t room_for_tablespaces(const struct screen *screen, const kh_cli_progress *progress)
{
  size_t others = OTHER_ROWS + (progress->too_near > 0 ? 1u : 0) + (progress->keyless > 0 ? 1u : 0);
  if (!screen->is_terminal)
    return SIZE_MAX;
  return screen->rows > others ? screen->rows - others : 0;
}

static bool is_listed(kh_cli_tablespace_state state)
{
  return state != KH_CLI_TABLESPACE_PLAIN && state != KH_CLI_TABLESPACE_DONE;
}

static kh_cli_line line_of(const kh_cli_tablespaces *tablespaces,
                           const kh_cli_tablespace *tablespace)
{
  if (kh_cli_tablespace_state_of(tablespaces, tablespace) == KH_CLI_TABLESPACE_STAYS)
    return kh_cli_progress_stay(tablespaces, tablespace, NAME_WIDTH);
  uint64_t done = kh_cli_tablespace_done(tablespaces, tablespace);
  return kh_cli_progress_bar(tablespace->name, NAME_WIDTH, done, tablespace->pages);
}

static void print_tablespaces(struct screen *screen, const struct snapshot *snapshot)
{
  const kh_cli_tablespaces *tablespaces = &snapshot->tablespaces;
  size_t hidden = 0;
  size_t room = room_for_tablespaces(screen, &snapshot->progress);
  for (size_t i = 0; i < tablespaces->count; i++) {
    const kh_cli_tablespace *tablespace = &tablespaces->at[i];
    if (!is_listed(kh_cli_tablespace_state_of(tablespaces, tablespace)))
      continue;
    if (room == 0) {
      hidden++;
      continue;
    }
    room--;
    print_screen_line(screen, "%s", line_of(tablespaces, tablespace).text);
  }
  if (hidden > 0)
    print_screen_line(screen, "and %zu more tablespace%s", hidden, hidden == 1 ? "" : "s");
}

static void print_stays(struct screen *screen, const struct snapshot *snapshot)
{
  const kh_cli_progress *progress = &snapshot->progress;
  uint32_t age = snapshot->tablespaces.rotate_key_age;
  if (progress->too_near > 0)
    print_screen_line(screen,
                      "%zu tablespace%s: innodb_encryption_rotate_key_age is %" PRIu32 "; %s",
                      progress->too_near, progress->too_near == 1 ? " stays" : "s stay", age,
                      age == 0 ? "set it to 1" : "rotate again");
  if (progress->keyless > 0)
    print_screen_line(screen, "%zu tablespace%s: put the missing key back and restart the server",
                      progress->keyless, progress->keyless == 1 ? " stays" : "s stay");
}

static void print_totals(struct screen *screen, const struct snapshot *snapshot)
{
  const kh_cli_progress *progress = &snapshot->progress;
  bool is_finished = kh_cli_progress_is_finished(progress);
  double left = kh_cli_progress_left(progress);
  print_screen_line(screen, "%s",
                    kh_cli_progress_bar("all", NAME_WIDTH, progress->done, progress->pages).text);
  if (progress->unfinished > 0 && progress->rate >= 0)
    print_screen_line(screen, "%.0f pages per second%s%s%s", progress->rate, left < 0 ? "" : ", ",
                      left < 0 ? "" : kh_cli_show_seconds(left).text, left < 0 ? "" : " left");
  if (!is_finished && snapshot->tablespaces.threads == 0)
    print_screen_line(screen, "re-encryption is stopped: innodb_encryption_threads is 0");
  else if (!is_finished && !snapshot->tablespaces.encrypts)
    print_screen_line(screen, "re-encryption is stopped: innodb_encrypt_tables is OFF");
  print_stays(screen, snapshot);
  if (progress->plain > 0)
    print_screen_line(screen, "%zu tablespace%s not encrypted", progress->plain,
                      progress->plain == 1 ? " is" : "s are");
}

static void print_snapshot(struct screen *screen, const struct snapshot *snapshot)
{
  struct winsize size = {.ws_row = 0};
  bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  screen->rows = is_known && size.ws_row > 0 ? size.ws_row : ROWS;
  screen->columns = is_known && size.ws_col > 0 ? size.ws_col : COLUMNS;
  if (screen->is_terminal && screen->shown > 0)
    printf("\033[%zuF\033[J", screen->shown); /* returns to its first line, and clears from there */
  screen->shown = 0;
  print_tablespaces(screen, snapshot);
  print_totals(screen, snapshot);
}

/* False: a message has the reason. */
static bool take_snapshot(kh_cli_server *server, struct snapshot *snapshot)
{
  kh_cli_tablespaces_free(&snapshot->tablespaces);
  if (!kh_cli_tablespaces_read(server, &snapshot->tablespaces))
    return false;
  kh_cli_progress_update(&snapshot->progress, &snapshot->tablespaces,
                         (double)kh_clock_milliseconds() / 1000);
  return true;
}

static int watch_until_done(const struct arguments *arguments, kh_cli_server *server,
                            struct snapshot *snapshot)
{
  const char *term = getenv("TERM");
  struct screen screen = {.is_terminal = !arguments->once && isatty(STDOUT_FILENO) &&
                                         term != NULL && strcmp(term, "dumb") != 0};
  while (take_snapshot(server, snapshot)) {
    if (arguments->json)
      print_snapshot_as_json(snapshot);
    else
      print_snapshot(&screen, snapshot);
    if (fflush(stdout) != 0)
      return KH_CLI_FAILED; /* main() reports it */
    if (kh_cli_progress_is_finished(&snapshot->progress))
      return KH_CLI_DONE;
    if (arguments->once || snapshot->progress.unfinished == 0) /* nothing will move */
      return KH_CLI_NO;
    sleep(arguments->interval);
  }
  return KH_CLI_FAILED;
}

int kh_cli_watch(int argc, char **argv)
{
  struct arguments arguments = {.interval = 1};
  kh_cli_parse_arguments(&argp, argc, argv, &arguments);
  KH_CLI_AUTO_SERVER server = kh_cli_server_connect(&arguments.login);
  kh_cli_plugin plugin;
  if (server == NULL || !kh_cli_plugin_read(server, &plugin))
    return KH_CLI_FAILED;
  (void)kh_cli_plugin_warn_of_servers_own(&plugin); /* its report is right for any plugin */
  struct snapshot snapshot = {.tablespaces = {.at = NULL}};
  int result = watch_until_done(&arguments, server, &snapshot);
  kh_cli_tablespaces_free(&snapshot.tablespaces);
  return result;
}
