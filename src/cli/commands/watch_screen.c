/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/output/text.h"
#include "watch.h"

enum {
  NAME_WIDTH = 22,
  ROWS = 24,
  COLUMNS = 80,
  OTHER_ROWS = 6 /* the whole, three lines below it, those that have no room, and the cursor */
};

static void measure_terminal(kh_cli_screen *screen)
{
  struct winsize size = {.ws_row = 0};
  bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  screen->rows = is_known && size.ws_row > 0 ? size.ws_row : ROWS;
  screen->columns = is_known && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

/* a line longer than the terminal would take two */
static void print_line(kh_cli_screen *screen, const char *text)
{
  kh_cli_line line;
  size_t room = screen->is_terminal ? screen->columns : sizeof line.text;
  snprintf(line.text, room < sizeof line.text ? room : sizeof line.text, "%s", text);
  kh_cli_put_text(stdout, line.text);
  fputc('\n', stdout);
  screen->shown++;
}

static void go_back(kh_cli_screen *screen)
{
  if (screen->is_terminal && screen->shown > 0)
    printf("\033[%zuF\033[J", screen->shown);
  screen->shown = 0;
}

/* why nothing moves; NULL: it does */
static const char *obstacle(const kh_cli_look *look)
{
  if (look->progress.unfinished == 0)
    return NULL;
  if (look->tablespaces.threads == 0)
    return "innodb_encryption_threads is 0: nothing moves";
  return look->tablespaces.encrypts ? NULL : "innodb_encrypt_tables is OFF: nothing moves";
}

static void print_speed(kh_cli_screen *screen, const kh_cli_progress *progress)
{
  kh_cli_line line;
  double left = kh_cli_progress_left(progress);
  if (progress->rate < 0 || progress->unfinished == 0)
    return;
  snprintf(line.text, sizeof line.text, "%.0f pages a second%s%s", progress->rate,
           left < 0 ? "" : ", left: ", left < 0 ? "" : kh_cli_show_seconds(left).text);
  print_line(screen, line.text);
}

static void print_whole(kh_cli_screen *screen, const kh_cli_look *look)
{
  const kh_cli_progress *progress = &look->progress;
  kh_cli_line line;
  print_line(screen, kh_cli_progress_bar("all", NAME_WIDTH, progress->done, progress->pages).text);
  print_speed(screen, progress);
  if (obstacle(look) != NULL)
    print_line(screen, obstacle(look));
  snprintf(line.text, sizeof line.text, "%zu tablespace%s in the clear", progress->plain,
           progress->plain == 1 ? " is" : "s are");
  if (progress->plain > 0)
    print_line(screen, line.text);
}

static bool is_worth_a_bar(const kh_cli_tablespaces *tablespaces,
                           const kh_cli_tablespace *tablespace)
{
  kh_cli_tablespace_state state = kh_cli_tablespace_state_of(tablespaces, tablespace);
  return state == KH_CLI_TABLESPACE_MOVING || state == KH_CLI_TABLESPACE_WAITING;
}

static void print_bar(kh_cli_screen *screen, const kh_cli_tablespaces *tablespaces,
                      const kh_cli_tablespace *tablespace)
{
  uint64_t done = kh_cli_tablespace_done(tablespaces, tablespace);
  print_line(screen,
             kh_cli_progress_bar(tablespace->name, NAME_WIDTH, done, tablespace->pages).text);
}

/* how many bars have room */
static size_t room_of(const kh_cli_screen *screen)
{
  if (!screen->is_terminal)
    return SIZE_MAX;
  return screen->rows > OTHER_ROWS ? screen->rows - OTHER_ROWS : 0;
}

static void print_tablespaces(kh_cli_screen *screen, const kh_cli_tablespaces *tablespaces)
{
  kh_cli_line line;
  size_t room = room_of(screen);
  size_t hidden = 0;
  for (size_t i = 0; i < tablespaces->count; i++) {
    if (!is_worth_a_bar(tablespaces, &tablespaces->at[i]))
      continue;
    if (room == 0) {
      hidden++;
      continue;
    }
    room--;
    print_bar(screen, tablespaces, &tablespaces->at[i]);
  }
  snprintf(line.text, sizeof line.text, "and %zu tablespace%s more", hidden,
           hidden == 1 ? "" : "s");
  if (hidden > 0)
    print_line(screen, line.text);
}

void kh_cli_watch_print(kh_cli_screen *screen, const kh_cli_look *look)
{
  measure_terminal(screen);
  go_back(screen);
  print_tablespaces(screen, &look->tablespaces);
  print_whole(screen, look);
}
