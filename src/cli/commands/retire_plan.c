/* SPDX-License-Identifier: GPL-2.0-only */
#include "retire_plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/output/message.h"
#include "cli/output/table.h"
#include "cli/output/text.h"

kh_status kh_cli_retire_plan_make(const kh_cli_retire_facts *facts, const kh_keytable *table,
                                  uint32_t id, unsigned forced, kh_cli_retire_plan *ret_plan)
{
  size_t count = kh_keytable_version_count(table);
  kh_cli_retire_plan plan = {.table = table, .at = calloc(count + 1, sizeof *plan.at)};
  if (plan.at == NULL)
    return KH_E_NO_MEMORY;
  for (size_t i = 0; i < count; i++) {
    bool is_asked_about = id == 0 || kh_keytable_at(table, i)->id == id;
    if (!is_asked_about || kh_keytable_is_latest(table, i))
      continue;
    kh_cli_retire_need need = kh_cli_retire_need_of(facts, table, i);
    bool is_removed = kh_cli_retire_may_go(&need, forced);
    plan.at[plan.count++] = (kh_cli_retire_verdict){i, need, is_removed};
    plan.removed_count += is_removed;
  }
  *ret_plan = plan;
  return KH_OK;
}

void kh_cli_retire_plan_free(kh_cli_retire_plan *plan)
{
  free(plan->at);
  *plan = (kh_cli_retire_plan){.at = NULL};
}

const kh_key *kh_cli_retire_plan_key(const kh_cli_retire_plan *plan, size_t i)
{
  return kh_keytable_at(plan->table, plan->at[i].index);
}

const kh_cli_retire_verdict *kh_cli_retire_plan_changed(const kh_cli_retire_plan *before,
                                                        const kh_cli_retire_plan *now)
{
  assert(before->table == now->table && before->count == now->count);
  for (size_t i = 0; i < before->count; i++)
    if (before->at[i].is_removed && !now->at[i].is_removed)
      return &now->at[i];
  return NULL;
}

kh_status kh_cli_retire_plan_removed(const kh_cli_retire_plan *plan, kh_keytable **ret_removed)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_status status = kh_keylist_new(plan->removed_count, &list);
  for (size_t i = 0; i < plan->count && status == KH_OK; i++) {
    if (!plan->at[i].is_removed)
      continue;
    *kh_keylist_next(list) = *kh_cli_retire_plan_key(plan, i);
    kh_keylist_commit(list);
  }
  return status == KH_OK ? kh_keytable_new(list, ret_removed) : status;
}

enum { NAMES_MAX = 64 /* all names of kh_cli_retire_unknowns and the separators */ };

/* Lists the names of the uses that may need a version. */
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
    [VERDICT] = {"ACTION", false},
    [WHY] = {"NEEDED BY", false},
};

static void fill_verdict_row(const void *user, size_t row, kh_cli_cell *cells)
{
  const kh_cli_retire_plan *plan = user;
  const kh_cli_retire_verdict *verdict = &plan->at[row];
  const kh_key *key = kh_cli_retire_plan_key(plan, row);
  char list[NAMES_MAX];
  snprintf(cells[KEY].text, KH_CLI_CELL_MAX, "%" PRIu32, key->id);
  snprintf(cells[VERSION].text, KH_CLI_CELL_MAX, "%" PRIu32, key->version);
  snprintf(cells[VERDICT].text, KH_CLI_CELL_MAX, "%s", verdict->is_removed ? "remove" : "keep");
  cells[VERDICT].colour = verdict->is_removed ? KH_CLI_NOTE : KH_CLI_GOOD;
  list_unknown(verdict->need.unknown, ", ", "", list);
  if (verdict->need.needed_by != NULL)
    snprintf(cells[WHY].text, KH_CLI_CELL_MAX, "%.*s", KH_CLI_CELL_MAX - 1,
             verdict->need.needed_by);
  else if (!verdict->is_removed)
    snprintf(cells[WHY].text, KH_CLI_CELL_MAX, "possibly: %s", list);
}

void kh_cli_retire_plan_print(const kh_cli_retire_plan *plan, const char *path)
{
  kh_cli_table table = {columns, COLUMNS, plan->count, fill_verdict_row, plan};
  if (plan->count > 0) {
    kh_cli_table_print(&table, stdout, kh_cli_may_colour(stdout));
  } else {
    kh_cli_put_text(stdout, path);
    puts(" has no old versions.");
  }
  fflush(stdout);
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

void kh_cli_retire_plan_print_json(const kh_cli_retire_plan *plan, const char *path,
                                   const char *copy)
{
  printf("{\"file\":");
  kh_cli_put_json(stdout, path);
  printf(",\"copy\":");
  kh_cli_put_json(stdout, copy);
  printf(",\"versions\":[");
  for (size_t i = 0; i < plan->count; i++) {
    const kh_cli_retire_verdict *verdict = &plan->at[i];
    printf("%s", i == 0 ? "" : ",");
    print_json_version(verdict, kh_cli_retire_plan_key(plan, i),
                       verdict->is_removed && copy != NULL);
  }
  printf("]}\n");
}

void kh_cli_retire_plan_explain(const kh_cli_retire_plan *plan, const kh_cli_retire_facts *facts)
{
  unsigned unknown = 0;
  for (size_t i = 0; i < plan->count; i++)
    unknown |= plan->at[i].need.unknown;
  if (facts->not_open[0] != '\0')
    kh_cli_message(
        "cannot tell which keys %s needs: its tablespace is not open (its file is missing, or it "
        "was discarded); restore the file, import the tablespace, or drop the table",
        facts->not_open);
  for (size_t i = 0; i < KH_CLI_RETIRE_UNKNOWNS; i++)
    if ((unknown & kh_cli_retire_unknowns[i].bit) != 0)
      kh_cli_message("%s: %s", kh_cli_retire_unknowns[i].name, kh_cli_retire_unknowns[i].why);
  if (unknown != 0)
    kh_cli_message("check these as keyhold-retire(1) describes, then name them with --force=LIST");
}
