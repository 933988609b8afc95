/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include "cli/output/message.h"
#include "cli/output/table.h"
#include "cli/output/text.h"
#include "retire.h"

enum { NAMES_MAX = 64 /* all names of kh_cli_retire_unknowns with what stands between them */ };

/* the names of what may need a version, with a separator between */
static void list_unknown(unsigned unknown, const char *separator, const char *quote,
                         char text[static NAMES_MAX])
{
  size_t len = 0;
  text[0] = '\0';
  for (size_t i = 0; i < KH_CLI_RETIRE_UNKNOWNS; i++)
    if ((unknown & kh_cli_retire_unknowns[i].bit) != 0 && len < NAMES_MAX)
      len += (size_t)snprintf(text + len, NAMES_MAX - len, "%s%s%s%s", len == 0 ? "" : separator,
                              quote, kh_cli_retire_unknowns[i].name, quote);
}

enum { KEY, VERSION, VERDICT, WHY, COLUMNS };

static const kh_cli_column columns[COLUMNS] = {
    [KEY] = {"KEY", true},
    [VERSION] = {"VERSION", true},
    [VERDICT] = {"", false},
    [WHY] = {"NEEDED BY", false},
};

static void fill_why(const kh_cli_retire_verdict *verdict, kh_cli_cell *cell)
{
  char list[NAMES_MAX];
  list_unknown(verdict->need.unknown, ", ", "", list);
  if (verdict->need.needed_by != NULL)
    snprintf(cell->text, KH_CLI_CELL_MAX, "%.*s", KH_CLI_CELL_MAX - 1, verdict->need.needed_by);
  else if (!verdict->goes)
    snprintf(cell->text, KH_CLI_CELL_MAX, "perhaps: %s", list);
}

static void fill(const void *user, size_t row, kh_cli_cell *cells)
{
  const kh_cli_retire_plan *plan = user;
  const kh_cli_retire_verdict *verdict = &plan->at[row];
  const kh_key *key = kh_cli_retire_plan_key(plan, row);
  snprintf(cells[KEY].text, KH_CLI_CELL_MAX, "%" PRIu32, key->id);
  snprintf(cells[VERSION].text, KH_CLI_CELL_MAX, "%" PRIu32, key->version);
  snprintf(cells[VERDICT].text, KH_CLI_CELL_MAX, "%s", verdict->goes ? "goes" : "stays");
  cells[VERDICT].colour = verdict->goes ? KH_CLI_NOTE : KH_CLI_GOOD;
  fill_why(verdict, &cells[WHY]);
}

static void put_path(const char *path)
{
  kh_cli_put_text(stdout, path);
}

void kh_cli_retire_print(const kh_cli_retire_plan *plan, const char *path)
{
  kh_cli_table table = {columns, COLUMNS, plan->count, fill, plan};
  if (plan->count > 0) {
    kh_cli_table_print(&table, stdout, kh_cli_may_colour(stdout));
  } else {
    put_path(path);
    puts(" has no old versions.");
  }
  fflush(stdout);
}

void kh_cli_retire_print_removed(const kh_cli_retire_plan *plan, const char *path, const char *copy)
{
  put_path(path);
  printf(": %zu version%s removed; as it was it is in ", plan->going, plan->going == 1 ? "" : "s");
  put_path(copy);
  puts(".\nThe server keeps what it has of them in memory until it ends.\n"
       "If it has to be put back, rotate the keys once more before anything is removed again.");
}

static void print_json_version(const kh_cli_retire_verdict *verdict, const kh_key *key,
                               bool is_removed)
{
  char list[NAMES_MAX];
  list_unknown(verdict->need.unknown, ",", "\"", list);
  printf("{\"key_id\":%" PRIu32 ",\"version\":%" PRIu32 ",\"removed\":%s,\"needed_by\":", key->id,
         key->version, is_removed ? "true" : "false");
  kh_cli_put_json(stdout, verdict->need.needed_by);
  printf(",\"unknown\":[%s]}", list);
}

void kh_cli_retire_print_json(const kh_cli_retire_plan *plan, const char *path, const char *copy)
{
  printf("{\"file\":");
  kh_cli_put_json(stdout, path);
  printf(",\"copy\":");
  kh_cli_put_json(stdout, copy);
  printf(",\"versions\":[");
  for (size_t i = 0; i < plan->count; i++) {
    const kh_cli_retire_verdict *verdict = &plan->at[i];
    printf("%s", i == 0 ? "" : ",");
    print_json_version(verdict, kh_cli_retire_plan_key(plan, i), verdict->goes && copy != NULL);
  }
  printf("]}\n");
}

void kh_cli_retire_explain(const kh_cli_retire_plan *plan, const kh_cli_retire_facts *facts)
{
  unsigned unknown = 0;
  for (size_t i = 0; i < plan->count; i++)
    unknown |= plan->at[i].need.unknown;
  if (facts->not_open[0] != '\0')
    kh_cli_message(
        "the tablespace of %s is not open, so nobody can tell what it needs: its file is "
        "missing, or it was discarded",
        facts->not_open);
  for (size_t i = 0; i < KH_CLI_RETIRE_UNKNOWNS; i++)
    if ((unknown & kh_cli_retire_unknowns[i].bit) != 0)
      kh_cli_message("%s: %s", kh_cli_retire_unknowns[i].name, kh_cli_retire_unknowns[i].why);
  if (unknown != 0)
    kh_cli_message("docs/rotation.md says how to find out; --force=LIST then removes");
}
