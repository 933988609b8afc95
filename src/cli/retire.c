/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "facts.h"
#include "form.h"
#include "json.h"
#include "keyhold/clock.h"
#include "number.h"
#include "retire.h"
#include "say.h"
#include "table.h"
#include "target.h"
#include "terminal.h"

enum { KEY_ID = 0x300, KEY_FORCE, KEY_JSON };

struct arguments {
  kh_cli_target target;
  kh_cli_source new_source;
  kh_cli_costs costs;
  kh_cli_login login;
  uint32_t id;     /* 0: all */
  unsigned forced; /* KH_CLI_UNKNOWN_... that do not hold anything back */
  bool json;
};

static const struct {
  const char *name;
  unsigned bits;
} unknowns[] = {
    {"redo-log", KH_CLI_UNKNOWN_REDO_LOG}, {"binary-logs", KH_CLI_UNKNOWN_BINARY_LOGS},
    {"aria", KH_CLI_UNKNOWN_ARIA},         {"elsewhere", KH_CLI_UNKNOWN_ELSEWHERE},
    {"all", KH_CLI_UNKNOWN_ALL},
};
enum { UNKNOWNS = sizeof unknowns / sizeof unknowns[0], LISTED = UNKNOWNS - 1 };

static unsigned unknown_named(const char *name, size_t len)
{
  for (size_t i = 0; i < UNKNOWNS; i++)
    if (strlen(unknowns[i].name) == len && memcmp(unknowns[i].name, name, len) == 0)
      return unknowns[i].bits;
  return 0;
}

static void force(struct arguments *arguments, const char *value, struct argp_state *state)
{
  for (const char *name = value; name != NULL;) {
    const char *end = strchrnul(name, ',');
    unsigned bits = unknown_named(name, (size_t)(end - name));
    if (bits == 0)
      argp_error(state, "'%s' is no list of redo-log, binary-logs, aria and elsewhere, or all",
                 value);
    arguments->forced |= bits;
    name = *end == '\0' ? NULL : end + 1;
  }
}

static error_t parse(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->target;
    state->child_inputs[1] = &arguments->new_source;
    state->child_inputs[2] = &arguments->costs;
    state->child_inputs[3] = &arguments->login;
    return 0;
  case KEY_ID:
    if (!kh_cli_read_number(value, KH_KEY_ID_MIN, KH_KEY_ID_MAX, &arguments->id))
      argp_error(state, "that is no key id: 1 to %u", KH_KEY_ID_MAX);
    return 0;
  case KEY_FORCE:
    force(arguments, value, state);
    return 0;
  case KEY_JSON:
    arguments->json = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"id", KEY_ID, "ID", 0, "only versions of this key", 0},
    {"force", KEY_FORCE, "LIST", 0,
     "remove what nothing but these may need, of which the server cannot tell: redo-log, "
     "binary-logs, aria, elsewhere (backups and other servers), or all",
     0},
    {"json", KEY_JSON, NULL, 0, "as JSON", 0},
    {0},
};
static const struct argp_child children[] = {
    {&kh_cli_target_argp, 0, NULL, 0},
    {&kh_cli_new_source_argp, 0, NULL, 0},
    {&kh_cli_costs_argp, 0, NULL, 0},
    {&kh_cli_login_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "FILE",
    .doc =
        "Removes old versions of keys that nothing can still need, as far as the server that uses "
        "FILE can tell. A sealed copy of FILE as it was is kept beside it.",
    .children = children,
};

/* The old versions, and what is decided about each. */
struct candidate {
  size_t index; /* in the table */
  kh_cli_need need;
  bool goes;
};

struct candidates {
  const kh_keytable *table;
  struct candidate *at;
  size_t count;
  size_t going;
};

static bool goes(const kh_cli_need *need, unsigned forced)
{
  return need->needed_by == NULL && (need->unknown & ~forced) == 0;
}

static bool find_candidates(const struct arguments *arguments, const kh_cli_facts *facts,
                            const kh_keytable *table, struct candidates *ret_candidates)
{
  size_t count = kh_keytable_version_count(table);
  struct candidates found = {.table = table, .at = calloc(count + 1, sizeof *found.at)};
  if (found.at == NULL) {
    kh_cli_fail_status(KH_E_NO_MEMORY, NULL);
    return false;
  }
  for (size_t i = 0; i < count; i++) {
    if (kh_keytable_is_latest(table, i) ||
        (arguments->id != 0 && kh_keytable_at(table, i)->id != arguments->id))
      continue;
    kh_cli_need need = kh_cli_need_of(facts, table, i);
    bool is_going = goes(&need, arguments->forced);
    found.at[found.count++] = (struct candidate){i, need, is_going};
    found.going += is_going;
  }
  *ret_candidates = found;
  return true;
}

/* the names of what may need a version, with a separator between */
static void list_unknown(unsigned unknown, const char *separator, const char *quote, char *text,
                         size_t size)
{
  size_t len = 0;
  text[0] = '\0';
  for (size_t i = 0; i < LISTED; i++)
    if ((unknown & unknowns[i].bits) != 0 && len < size)
      len += (size_t)snprintf(text + len, size - len, "%s%s%s%s", len == 0 ? "" : separator, quote,
                              unknowns[i].name, quote);
}

enum { KEY, VERSION, VERDICT, WHY, COLUMNS };

static const kh_cli_column columns[COLUMNS] = {
    [KEY] = {"KEY", true},
    [VERSION] = {"VERSION", true},
    [VERDICT] = {"", false},
    [WHY] = {"NEEDED BY", false},
};

static void fill(const void *user, size_t row, kh_cli_cell *cells)
{
  const struct candidates *candidates = user;
  const struct candidate *candidate = &candidates->at[row];
  const kh_key *key = kh_keytable_at(candidates->table, candidate->index);
  bool is_needed = candidate->need.needed_by != NULL;
  snprintf(cells[KEY].text, KH_CLI_CELL_MAX, "%" PRIu32, key->id);
  snprintf(cells[VERSION].text, KH_CLI_CELL_MAX, "%" PRIu32, key->version);
  snprintf(cells[VERDICT].text, KH_CLI_CELL_MAX, "%s", candidate->goes ? "goes" : "stays");
  cells[VERDICT].colour = candidate->goes ? KH_CLI_NOTE : KH_CLI_GOOD;
  if (is_needed)
    snprintf(cells[WHY].text, KH_CLI_CELL_MAX, "%.*s", KH_CLI_CELL_MAX - 1,
             candidate->need.needed_by);
  else if (!candidate->goes) {
    char list[KH_CLI_CELL_MAX - 16];
    list_unknown(candidate->need.unknown, ", ", "", list, sizeof list);
    snprintf(cells[WHY].text, KH_CLI_CELL_MAX, "perhaps: %s", list);
  }
}

static void print_table(const struct candidates *candidates)
{
  kh_cli_table table = {columns, COLUMNS, candidates->count, fill, candidates};
  kh_cli_table_print(&table, stdout, kh_cli_may_colour(stdout));
}

static void print_json(const struct candidates *candidates, const char *path, const char *copy)
{
  printf("{\"file\":");
  kh_cli_json_string(stdout, path);
  printf(",\"copy\":");
  if (copy == NULL)
    printf("null");
  else
    kh_cli_json_string(stdout, copy);
  printf(",\"versions\":[");
  for (size_t i = 0; i < candidates->count; i++) {
    const struct candidate *candidate = &candidates->at[i];
    const kh_key *key = kh_keytable_at(candidates->table, candidate->index);
    char list[KH_CLI_CELL_MAX];
    list_unknown(candidate->need.unknown, ",", "\"", list, sizeof list);
    printf("%s{\"key_id\":%" PRIu32 ",\"version\":%" PRIu32 ",\"removed\":%s,\"needed_by\":",
           i == 0 ? "" : ",", key->id, key->version,
           candidate->goes && copy != NULL ? "true" : "false");
    if (candidate->need.needed_by == NULL)
      printf("null");
    else
      kh_cli_json_string(stdout, candidate->need.needed_by);
    printf(",\"unknown\":[%s]}", list);
  }
  printf("]}\n");
}

/* the versions that go, as a table */
static kh_status removed_of(const struct candidates *candidates, kh_keytable **ret_removed)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_status status = kh_keylist_new(candidates->going, &list);
  for (size_t i = 0; i < candidates->count && status == KH_OK; i++) {
    if (!candidates->at[i].goes)
      continue;
    kh_key *place = kh_keylist_next(list);
    *place = *kh_keytable_at(candidates->table, candidates->at[i].index);
    kh_keylist_commit(list);
  }
  return status == KH_OK ? kh_keytable_new(list, ret_removed) : status;
}

/* "FILE.retired-20261122T010555Z", for free(); NULL: no memory */
static char *copy_path(const char *path)
{
  char stamp[32];
  struct tm tm;
  char *copy = NULL;
  kh_clock clock = kh_clock_system();
  time_t now = (time_t)kh_clock_now(&clock);
  strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
  char *real = realpath(path, NULL);
  if (asprintf(&copy, "%s.retired-%s", real == NULL ? path : real, stamp) < 0)
    copy = NULL;
  free(real);
  return copy;
}

static int remove_them(const struct arguments *arguments, kh_cli_target *target,
                       const kh_keyfile_info *info, const struct candidates *candidates,
                       const char *copy)
{
  kh_keytable *removed = NULL;
  kh_fault fault;
  kh_status status = removed_of(candidates, &removed);
  if (status != KH_OK)
    return kh_cli_fail_status(status, target->path);
  int result = kh_cli_keep_copy(target, info, &arguments->new_source, &arguments->costs, copy);
  kh_keyfile_options how = kh_cli_target_options(target);
  if (result == KH_CLI_DONE &&
      kh_keyfile_retire_versions(&how, target->crypt, removed, &info->stamp, &target->log,
                                 &fault) != KH_OK)
    result = kh_cli_fail_with(&fault);
  kh_keytable_free(&removed);
  return result;
}

static void explain_refusal(const struct candidates *candidates)
{
  unsigned unknown = 0;
  for (size_t i = 0; i < candidates->count; i++)
    unknown |= candidates->at[i].need.unknown;
  if ((unknown & KH_CLI_UNKNOWN_REDO_LOG) != 0)
    kh_cli_say("redo-log: the server does not show which version of key 1 its redo log has");
  if ((unknown & KH_CLI_UNKNOWN_BINARY_LOGS) != 0)
    kh_cli_say("binary-logs: nor which one each binary or relay log has");
  if ((unknown & KH_CLI_UNKNOWN_ARIA) != 0)
    kh_cli_say("aria: nor which one each Aria table has");
  if ((unknown & KH_CLI_UNKNOWN_ELSEWHERE) != 0)
    kh_cli_say("elsewhere: it knows nothing of backups, nor of other servers with this key file");
  if (unknown != 0)
    kh_cli_say("docs/rotation.md says how to find out; --force=LIST then removes");
}

/* what is done, or why not */
static int act(const struct arguments *arguments, kh_cli_target *target,
               const kh_keyfile_info *info, const struct candidates *candidates)
{
  char *copy = candidates->going > 0 ? copy_path(target->path) : NULL;
  int result = KH_CLI_DONE;
  if (candidates->going > 0 && copy == NULL)
    result = kh_cli_fail_status(KH_E_NO_MEMORY, target->path);
  else if (candidates->going > 0)
    result = remove_them(arguments, target, info, candidates, copy);
  if (result == KH_CLI_DONE && arguments->json)
    print_json(candidates, target->path, copy);
  else if (result == KH_CLI_DONE && candidates->going > 0)
    printf("%s: %zu version%s removed; as it was it is in %s.\n"
           "The server keeps what it has of them in memory until it ends.\n",
           target->path, candidates->going, candidates->going == 1 ? "" : "s", copy);
  free(copy);
  if (result != KH_CLI_DONE || candidates->going > 0 || candidates->count == 0)
    return result;
  explain_refusal(candidates);
  return kh_cli_fail("nothing is removed");
}

static int retire(const struct arguments *arguments, kh_cli_target *target,
                  const kh_cli_facts *facts)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_keytable *table = NULL;
  kh_keyfile_info info;
  struct candidates candidates;
  if (!kh_cli_target_load(target, &list, &info))
    return KH_CLI_FAILED;
  kh_status status = kh_keytable_new(list, &table);
  if (status != KH_OK)
    return kh_cli_fail_status(status, target->path);
  int result = KH_CLI_FAILED;
  if (find_candidates(arguments, facts, table, &candidates)) {
    if (!arguments->json && candidates.count > 0)
      print_table(&candidates);
    else if (!arguments->json)
      printf("%s has no old versions.\n", target->path);
    fflush(stdout);
    result = act(arguments, target, &info, &candidates);
    free(candidates.at);
  }
  kh_keytable_free(&table);
  return result;
}

static bool is_servers_file(const kh_cli_facts *facts, const char *path)
{
  kh_file_stamp ours;
  kh_file_stamp theirs;
  if (kh_file_stamp_of(path, &ours, NULL) == KH_OK &&
      kh_file_stamp_of(facts->key_file, &theirs, NULL) == KH_OK && kh_file_is_same(&ours, &theirs))
    return true;
  kh_cli_say("the server uses another key file: %s", kh_show_path(facts->key_file).text);
  return false;
}

int kh_cli_retire(int argc, char **argv)
{
  struct arguments arguments = {.target = KH_CLI_TARGET_NONE, .new_source = KH_CLI_SOURCE_NONE};
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  KH_CLI_AUTO_SERVER server = NULL;
  kh_cli_facts facts;
  if (!kh_cli_target_look(&target))
    return KH_CLI_FAILED;
  server = kh_cli_server_connect(&arguments.login);
  if (server == NULL || !kh_cli_facts_read(server, &facts))
    return KH_CLI_FAILED;
  int result =
      is_servers_file(&facts, target.path) ? retire(&arguments, &target, &facts) : KH_CLI_FAILED;
  kh_cli_facts_free(&facts);
  return result;
}
