/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "json.h"
#include "keyhold/limits.h"
#include "number.h"
#include "progress.h"
#include "say.h"
#include "utf8.h"

enum {
  KEY_JSON = 0x300,
  KEY_ONCE,
  KEY_INTERVAL,
  INTERVAL_MAX = 3600,
  NAME_WIDTH = 22,
  ROWS = 24,
  COLUMNS = 80,
  OTHER_ROWS = 6 /* the whole, three lines below it, those that have no room, and the cursor */
};

struct arguments {
  kh_cli_login login;
  bool json;
  bool once;
  uint32_t interval; /* in seconds */
};

static error_t parse(int key, char *value, struct argp_state *state)
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
      argp_error(state, "'%s' is no number of seconds: 1 to %d", value, INTERVAL_MAX);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"once", KEY_ONCE, NULL, 0, "one look; ends with 3 when something is still to be done", 0},
    {"interval", KEY_INTERVAL, "SECONDS", 0, "between two looks: 1 if it is not given", 0},
    {"json", KEY_JSON, NULL, 0, "as JSON, a line for each look", 0},
    {0},
};
static const struct argp_child children[] = {{&kh_cli_login_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .doc = "Shows how far a server is with re-encrypting its tablespaces, until it is done.",
    .children = children,
};

/* What is watched, and where it is shown. */
struct watch {
  const struct arguments *arguments;
  kh_cli_spaces spaces;
  kh_cli_progress progress;
  bool is_terminal;
  size_t rows; /* lines that can be shown at a time, and how long one can be */
  size_t columns;
  size_t shown; /* lines that are shown now */
};

static double now_in_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure_terminal(struct watch *watch)
{
  struct winsize size = {.ws_row = 0};
  bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  watch->rows = is_known && size.ws_row > OTHER_ROWS ? size.ws_row : ROWS;
  watch->columns = is_known && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

/* a line longer than the terminal would take two */
static void print_line(struct watch *watch, const char *text)
{
  kh_cli_line line;
  size_t room = watch->is_terminal ? watch->columns : sizeof line.text;
  snprintf(line.text, room < sizeof line.text ? room : sizeof line.text, "%s", text);
  kh_cli_put_text(stdout, line.text);
  fputc('\n', stdout);
  watch->shown++;
}

static void go_back(struct watch *watch)
{
  if (watch->is_terminal && watch->shown > 0)
    printf("\033[%zuF\033[J", watch->shown);
  watch->shown = 0;
}

/* why nothing moves; NULL: it does */
static const char *obstacle(const struct watch *watch)
{
  if (watch->progress.unfinished == 0)
    return NULL;
  if (watch->spaces.threads == 0)
    return "innodb_encryption_threads is 0: nothing moves";
  return watch->spaces.encrypts ? NULL : "innodb_encrypt_tables is OFF: nothing moves";
}

static void print_speed(struct watch *watch)
{
  kh_cli_line line;
  double left = kh_cli_progress_left(&watch->progress);
  if (watch->progress.rate < 0 || watch->progress.unfinished == 0)
    return;
  snprintf(line.text, sizeof line.text, "%.0f pages a second%s%s", watch->progress.rate,
           left < 0 ? "" : ", left: ", left < 0 ? "" : kh_cli_show_seconds(left).text);
  print_line(watch, line.text);
}

static void print_whole(struct watch *watch)
{
  const kh_cli_progress *progress = &watch->progress;
  kh_cli_line line;
  print_line(watch, kh_cli_progress_bar("all", NAME_WIDTH, progress->done, progress->pages).text);
  print_speed(watch);
  if (obstacle(watch) != NULL)
    print_line(watch, obstacle(watch));
  snprintf(line.text, sizeof line.text, "%zu tablespace%s in the clear", progress->plain,
           progress->plain == 1 ? " is" : "s are");
  if (progress->plain > 0)
    print_line(watch, line.text);
}

static bool is_worth_a_bar(const struct watch *watch, const kh_cli_space *space)
{
  kh_cli_space_state state = kh_cli_space_state_of(&watch->spaces, space);
  return state == KH_CLI_SPACE_MOVING || state == KH_CLI_SPACE_WAITING;
}

static void print_spaces(struct watch *watch)
{
  size_t room = watch->is_terminal ? watch->rows - OTHER_ROWS : SIZE_MAX;
  size_t hidden = 0;
  for (size_t i = 0; i < watch->spaces.count; i++) {
    const kh_cli_space *space = &watch->spaces.at[i];
    if (!is_worth_a_bar(watch, space))
      continue;
    if (room == 0) {
      hidden++;
      continue;
    }
    room--;
    uint64_t done = kh_cli_space_done(&watch->spaces, space);
    print_line(watch, kh_cli_progress_bar(space->name, NAME_WIDTH, done, space->pages).text);
  }
  kh_cli_line line;
  snprintf(line.text, sizeof line.text, "and %zu tablespaces more", hidden);
  if (hidden > 0)
    print_line(watch, line.text);
}

static const char *const state_names[] = {
    [KH_CLI_SPACE_PLAIN] = "plain",   [KH_CLI_SPACE_DONE] = "done",
    [KH_CLI_SPACE_STAYS] = "stays",   [KH_CLI_SPACE_WAITING] = "waiting",
    [KH_CLI_SPACE_MOVING] = "moving",
};

static void print_json_space(const struct watch *watch, const kh_cli_space *space)
{
  printf("{\"space\":%" PRIu32 ",\"name\":", space->id);
  kh_cli_json_string(stdout, space->name);
  printf(",\"state\":\"%s\",\"key_id\":%" PRIu32 ",\"min_key_version\":%" PRIu32
         ",\"current_key_version\":%" PRIu32 ",\"pages\":%" PRIu64 ",\"done\":%" PRIu64 "}",
         state_names[kh_cli_space_state_of(&watch->spaces, space)], space->key_id,
         space->least_version, space->current_version, space->pages,
         kh_cli_space_done(&watch->spaces, space));
}

static void print_number(const char *name, double number)
{
  if (number < 0)
    printf(",\"%s\":null", name);
  else
    printf(",\"%s\":%.1f", name, number);
}

static void print_json(const struct watch *watch)
{
  const kh_cli_progress *progress = &watch->progress;
  printf("{\"finished\":%s,\"pages\":%" PRIu64 ",\"done\":%" PRIu64,
         progress->unfinished == 0 ? "true" : "false", progress->pages, progress->done);
  print_number("pages_per_second", progress->rate);
  print_number("seconds_left", kh_cli_progress_left(progress));
  printf(",\"plain\":%zu,\"threads\":%" PRIu32 ",\"rotate_key_age\":%" PRIu32
         ",\"encrypt_tables\":%s",
         progress->plain, watch->spaces.threads, watch->spaces.rotate_key_age,
         watch->spaces.encrypts ? "true" : "false");
  printf(",\"tablespaces\":[");
  for (size_t i = 0; i < watch->spaces.count; i++) {
    printf("%s", i == 0 ? "" : ",");
    print_json_space(watch, &watch->spaces.at[i]);
  }
  printf("]}\n");
}

static void print(struct watch *watch)
{
  if (watch->arguments->json) {
    print_json(watch);
  } else {
    measure_terminal(watch);
    go_back(watch);
    print_spaces(watch);
    print_whole(watch);
  }
  fflush(stdout);
}

/* one look; false: a message has said why */
static bool look(struct watch *watch, kh_cli_server *server)
{
  kh_cli_spaces_free(&watch->spaces);
  if (!kh_cli_spaces_read(server, &watch->spaces))
    return false;
  kh_cli_progress_update(&watch->progress, &watch->spaces, now_in_seconds());
  print(watch);
  return true;
}

static int run(struct watch *watch, kh_cli_server *server)
{
  const struct arguments *arguments = watch->arguments;
  while (look(watch, server)) {
    if (watch->progress.unfinished == 0)
      return KH_CLI_DONE;
    if (arguments->once)
      return KH_CLI_NO;
    sleep(arguments->interval);
  }
  return KH_CLI_FAILED;
}

int kh_cli_watch(int argc, char **argv)
{
  struct arguments arguments = {.interval = 1};
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  KH_CLI_AUTO_SERVER server = kh_cli_server_connect(&arguments.login);
  if (server == NULL)
    return KH_CLI_FAILED;
  struct watch watch = {.arguments = &arguments,
                        .is_terminal = isatty(STDOUT_FILENO) && !arguments.once && !arguments.json};
  int result = run(&watch, server);
  kh_cli_spaces_free(&watch.spaces);
  return result;
}
