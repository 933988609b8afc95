/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/args/number.h"
#include "cli/server/server.h"
#include "command.h"
#include "watch.h"

enum { KEY_JSON = 0x300, KEY_ONCE, KEY_INTERVAL, INTERVAL_MAX = 3600 };

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

static double now_in_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* one that can be told to go back */
static bool is_terminal(void)
{
  const char *term = getenv("TERM");
  return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

/* false: a message has said why */
static bool look_again(kh_cli_server *server, kh_cli_look *look)
{
  kh_cli_tablespaces_free(&look->tablespaces);
  if (!kh_cli_tablespaces_read(server, &look->tablespaces))
    return false;
  kh_cli_progress_update(&look->progress, &look->tablespaces, now_in_seconds());
  return true;
}

/* false: it cannot be written, which is said at the end */
static bool print(const struct arguments *arguments, kh_cli_screen *screen, const kh_cli_look *look)
{
  if (arguments->json)
    kh_cli_watch_print_json(look);
  else
    kh_cli_watch_print(screen, look);
  return fflush(stdout) == 0;
}

static int watch(const struct arguments *arguments, kh_cli_server *server, kh_cli_look *look)
{
  kh_cli_screen screen = {.is_terminal = is_terminal() && !arguments->once};
  while (look_again(server, look) && print(arguments, &screen, look)) {
    if (look->progress.unfinished == 0)
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
  kh_cli_look look = {.tablespaces = {.at = NULL}};
  int result = watch(&arguments, server, &look);
  kh_cli_tablespaces_free(&look.tablespaces);
  return result;
}
