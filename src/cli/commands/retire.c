/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args/form.h"
#include "cli/args/number.h"
#include "cli/args/target.h"
#include "cli/output/text.h"
#include "command.h"
#include "keyhold/clock.h"
#include "retire_plan.h"

enum { KEY_ID = 0x300, KEY_FORCE };

struct arguments {
  kh_cli_target target;
  kh_cli_source new_source;
  kh_cli_costs costs;
  kh_cli_login login;
  uint32_t id;     /* 0: all */
  unsigned forced; /* KH_CLI_RETIRE_UNKNOWN_... that keep no version */
};

static void force_unknown(struct arguments *arguments, const char *value, struct argp_state *state)
{
  for (const char *name = value; name != NULL;) {
    const char *end = strchrnul(name, ',');
    unsigned bits = kh_cli_retire_unknown_named(name, (size_t)(end - name));
    if (bits == 0)
      kh_cli_usage_error(state,
                         "invalid list '%s' of --force (expected redo-log, binary-logs, aria and "
                         "elsewhere, separated by commas, or all)",
                         value);
    arguments->forced |= bits;
    name = *end == '\0' ? NULL : end + 1;
  }
}

static error_t parse_retire_option(int key, char *value, struct argp_state *state)
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
    arguments->id = kh_cli_key_id_option(value, state);
    return 0;
  case KEY_FORCE:
    force_unknown(arguments, value, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Versions:", 1},
    {"id", KEY_ID, "ID", 0, "only versions of the key with this id (default: all keys)", 0},
    {"force", KEY_FORCE, "LIST", 0,
     "also remove versions that only these may need, which the server cannot check: redo-log, "
     "binary-logs, aria, elsewhere (backups and other servers), separated by commas, or all "
     "(default: only report)",
     0},
    {0},
};
static const struct argp_child children[] = {
    {&kh_cli_report_argp, 0, NULL, 0},
    {&kh_cli_new_source_argp, 0, NULL, 0},
    {&kh_cli_costs_argp, 0, NULL, 0},
    {&kh_cli_login_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {
    .options = options,
    .parser = parse_retire_option,
    .args_doc = "FILE",
    .doc = "Remove old key versions that are no longer needed, as far as the server that uses FILE "
           "can "
           "tell. A version that is needed is never removed. A sealed copy of the old FILE is kept "
           "next to it.",
    .children = children,
};

/* One run: the file as it was loaded, and the server that uses it. */
struct run {
  const struct arguments *arguments;
  kh_cli_target *target;
  kh_cli_server *server;
  const kh_keytable *table;
};

static kh_status copy_sealed(const struct run *run, const kh_secret *passphrase, const char *to,
                             kh_fault *ret_fault)
{
  kh_keyfile_form form = {.format = &kh_keyfile_format_sealed,
                          .passphrase = passphrase,
                          .slot = kh_cli_slot(&run->arguments->costs, KH_SEALED_LABEL_DEFAULT)};
  return kh_keyfile_save_as(run->target->file, &form, to, ret_fault);
}

/* Writes a sealed copy of the key file, and flushes it. A sealed file is copied byte for byte, so
 * that all its passphrases open the copy too; another file is sealed with its own passphrase, or
 * with a new one if it has none. False: a message has the reason. */
static bool keep_copy(const struct run *run, const char *to)
{
  const kh_cli_target *target = run->target;
  KH_AUTO_SECRET passphrase = NULL;
  kh_fault fault;
  kh_status status;
  if (kh_keyfile_format_of(target->file) == &kh_keyfile_format_sealed)
    status = kh_keyfile_save_as(target->file, NULL, to, &fault);
  else if (target->passphrase != NULL)
    status = copy_sealed(run, target->passphrase, to, &fault);
  else if (kh_cli_get_new_passphrase(&run->arguments->new_source, to, &passphrase))
    status = copy_sealed(run, passphrase, to, &fault);
  else
    return false;
  if (status != KH_OK)
    kh_cli_fail_with(&fault);
  return status == KH_OK;
}

/* The facts of the server, and the plan, which points into them: not to be copied. */
struct decision {
  kh_cli_retire_facts facts;
  kh_cli_retire_plan plan;
};

static void free_decision(struct decision *decision)
{
  kh_cli_retire_plan_free(&decision->plan);
  kh_cli_retire_facts_free(&decision->facts);
}
#define AUTO_DECISION __attribute__((cleanup(free_decision))) struct decision

/* False: a message has the reason. */
static bool decide_what_to_retire(const struct run *run, struct decision *decision)
{
  const struct arguments *arguments = run->arguments;
  const char *path = run->target->path;
  if (!kh_cli_retire_facts_read(run->server, path, run->table, &decision->facts))
    return false;
  kh_status status = kh_cli_retire_plan_make(&decision->facts, run->table, arguments->id,
                                             arguments->forced, &decision->plan);
  if (status != KH_OK)
    kh_cli_fail_status(status, path);
  return status == KH_OK;
}

/* Asks the server once more, since its data may have changed while a passphrase was typed. False: a
 * message has the reason. */
static bool is_still_decided(const struct run *run, const struct decision *before)
{
  AUTO_DECISION now = {.facts = {.key_file = ""}};
  if (!decide_what_to_retire(run, &now))
    return false;
  const kh_cli_retire_verdict *changed = kh_cli_retire_plan_changed(&before->plan, &now.plan);
  if (changed == NULL)
    return true;
  const kh_key *key = kh_keytable_at(run->table, changed->index);
  const char *by = changed->need.needed_by;
  kh_cli_message("key id %" PRIu32 " version %" PRIu32 " is now needed%s%s; nothing was removed",
                 key->id, key->version, by == NULL ? "" : " by ", by == NULL ? "" : by);
  return false;
}

static int remove_versions(const struct run *run, const kh_keytable *removed)
{
  kh_fault fault;
  if (kh_keyfile_retire_versions(run->target->file, removed, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  return kh_cli_target_save(run->target) ? KH_CLI_WRITTEN : KH_CLI_FAILED;
}

/* The copy is on the disk before the server is asked again and the file is touched. */
static int copy_and_remove(const struct run *run, const struct decision *decision, const char *copy)
{
  KH_AUTO_KEYTABLE removed = NULL;
  kh_status status = kh_cli_retire_plan_removed(&decision->plan, &removed);
  if (status != KH_OK)
    return kh_cli_fail_status(status, run->target->path);
  if (!keep_copy(run, copy))
    return KH_CLI_FAILED;
  int result = is_still_decided(run, decision) ? remove_versions(run, removed) : KH_CLI_FAILED;
  if (result != KH_CLI_WRITTEN)
    kh_cli_message("the copy '%s' is kept", kh_show_path(copy).text);
  return result;
}

static void report_removal(const struct run *run, const kh_cli_retire_plan *plan, const char *copy)
{
  const char *path = run->target->path;
  if (run->target->json) {
    kh_cli_retire_plan_print_json(plan, path, copy);
    return;
  }
  kh_cli_put_text(stdout, path);
  printf(": removed %zu version%s. The old file is ", plan->removed_count,
         plan->removed_count == 1 ? "" : "s");
  kh_cli_put_text(stdout, copy);
  puts(".\nThe server keeps the removed versions in memory until it stops. Restart it soon; if it\n"
       "does not start, put the old file back, and rotate the keys once before the next removal.");
}

static int remove_and_report(const struct run *run, const struct decision *decision)
{
  kh_clock clock = kh_clock_system();
  char *copy = kh_file_name_dated(run->target->path, "retired", kh_clock_now(&clock));
  if (copy == NULL)
    return kh_cli_fail_status(KH_E_NO_MEMORY, run->target->path);
  int result = copy_and_remove(run, decision, copy);
  if (result == KH_CLI_WRITTEN)
    report_removal(run, &decision->plan, copy);
  free(copy);
  return result;
}

static int decide_and_remove(const struct run *run)
{
  const char *path = run->target->path;
  AUTO_DECISION decision = {.facts = {.key_file = ""}};
  if (!decide_what_to_retire(run, &decision))
    return KH_CLI_FAILED;
  const kh_cli_retire_plan *plan = &decision.plan;
  if (!run->target->json)
    kh_cli_retire_plan_print(plan, path);
  if (plan->removed_count > 0)
    return remove_and_report(run, &decision);
  if (run->target->json)
    kh_cli_retire_plan_print_json(plan, path, NULL);
  if (plan->count == 0)
    return KH_CLI_DONE;
  kh_cli_retire_plan_explain(plan, &decision.facts);
  return kh_cli_fail("nothing was removed");
}

/* False: a message has the reason. */
static bool has_key(const kh_keytable *table, uint32_t id, const char *path)
{
  uint32_t latest;
  kh_fault fault;
  if (id == 0 || kh_keytable_latest(table, id, &latest) == KH_OK)
    return true;
  kh_fault_set(&fault, KH_E_KEY_NOT_FOUND, path, 0);
  fault.key_id = id;
  kh_cli_fail_with(&fault);
  return false;
}

/* Reads the file before it asks the server, since its passphrase may have to be typed. */
int kh_cli_retire(int argc, char **argv)
{
  struct arguments arguments = {.target = KH_CLI_TARGET_NONE, .new_source = KH_CLI_SOURCE_NONE};
  kh_cli_parse_arguments(&argp, argc, argv, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  KH_CLI_AUTO_SERVER server = NULL;
  KH_AUTO_KEYTABLE table = NULL;
  struct run run = {.arguments = &arguments, .target = &target};
  if (!kh_cli_target_recognise(&target))
    return KH_CLI_FAILED;
  server = kh_cli_server_connect(&arguments.login);
  if (server == NULL)
    return KH_CLI_FAILED;
  if (!kh_cli_server_is_local(server))
    return kh_cli_fail("cannot check that the server uses this file: it is connected over the "
                       "network; connect through its socket, with --socket on its own host");
  if (!kh_cli_target_load(&target, &table) || !has_key(table, arguments.id, target.path))
    return KH_CLI_FAILED;
  run.server = server;
  run.table = table;
  return decide_and_remove(&run);
}
