/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/args/number.h"
#include "cli/args/target.h"
#include "command.h"
#include "keyhold/clock.h"
#include "keyhold/keyfile_change.h"
#include "retire.h"

enum { KEY_ID = 0x300, KEY_FORCE, KEY_JSON };

struct arguments {
  kh_cli_target target;
  kh_cli_source new_source;
  kh_cli_costs costs;
  kh_cli_login login;
  uint32_t id;     /* 0: all */
  unsigned forced; /* KH_CLI_RETIRE_UNKNOWN_... that do not hold anything back */
  bool json;
};

static void force(struct arguments *arguments, const char *value, struct argp_state *state)
{
  for (const char *name = value; name != NULL;) {
    const char *end = strchrnul(name, ',');
    unsigned bits = kh_cli_retire_unknown_named(name, (size_t)(end - name));
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

/* One run: the file as it was loaded, and what the server is asked. */
struct run {
  const struct arguments *arguments;
  kh_cli_target *target;
  kh_keyfile_info info;
  kh_cli_question question;
};

static int remove_versions(const struct run *run, const kh_keytable *removed)
{
  kh_keyfile_options how = kh_cli_target_options(run->target);
  kh_fault fault;
  if (kh_keyfile_retire_versions(&how, run->target->crypt, removed, &run->info.stamp,
                                 &run->target->log, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  return KH_CLI_WRITTEN;
}

/* The copy is on the disk before the server is asked again and the file is touched. */
static int copy_and_remove(const struct run *run, const kh_cli_decision *decision, const char *copy)
{
  const struct arguments *arguments = run->arguments;
  kh_keytable *removed = NULL;
  kh_status status = kh_cli_retire_plan_removed(&decision->plan, &removed);
  if (status != KH_OK)
    return kh_cli_fail_status(status, run->target->path);
  int result =
      kh_cli_keep_copy(run->target, &run->info, &arguments->new_source, &arguments->costs, copy);
  if (result == KH_CLI_DONE) {
    result = kh_cli_is_still_decided(&run->question, decision) ? remove_versions(run, removed)
                                                               : KH_CLI_FAILED;
    if (result != KH_CLI_WRITTEN)
      kh_cli_message("the copy %s stays", kh_show_path(copy).text);
  }
  kh_keytable_free(&removed);
  return result;
}

static int remove_and_report(const struct run *run, const kh_cli_decision *decision)
{
  const char *path = run->target->path;
  char *copy = copy_path(path);
  if (copy == NULL)
    return kh_cli_fail_status(KH_E_NO_MEMORY, path);
  int result = copy_and_remove(run, decision, copy);
  if (result == KH_CLI_WRITTEN && run->arguments->json)
    kh_cli_retire_print_json(&decision->plan, path, copy);
  else if (result == KH_CLI_WRITTEN)
    kh_cli_retire_print_removed(&decision->plan, path, copy);
  free(copy);
  return result;
}

static int act(const struct run *run)
{
  const char *path = run->target->path;
  KH_CLI_AUTO_DECISION decision = KH_CLI_DECISION_NONE;
  if (!kh_cli_decide(&run->question, &decision))
    return KH_CLI_FAILED;
  const kh_cli_retire_plan *plan = &decision.plan;
  if (!run->arguments->json)
    kh_cli_retire_print(plan, path);
  if (plan->going > 0)
    return remove_and_report(run, &decision);
  if (run->arguments->json)
    kh_cli_retire_print_json(plan, path, NULL);
  if (plan->count == 0)
    return KH_CLI_DONE;
  kh_cli_retire_explain(plan, &decision.facts);
  return kh_cli_fail("nothing is removed");
}

static bool has_key(const kh_cli_question *question)
{
  uint32_t latest;
  kh_fault fault;
  if (question->id == 0 || kh_keytable_latest(question->table, question->id, &latest) == KH_OK)
    return true;
  kh_fault_set(&fault, KH_E_KEY_NOT_FOUND, question->path, 0);
  fault.key_id = question->id;
  kh_cli_fail_with(&fault);
  return false;
}

/* The file is read before the server is asked: its passphrase may be waited for. */
static int load_and_act(struct run *run)
{
  KH_AUTO_KEYTABLE table = NULL;
  if (!kh_cli_target_load(run->target, &table, &run->info))
    return KH_CLI_FAILED;
  run->question.table = table;
  return has_key(&run->question) ? act(run) : KH_CLI_FAILED;
}

int kh_cli_retire(int argc, char **argv)
{
  struct arguments arguments = {.target = KH_CLI_TARGET_NONE, .new_source = KH_CLI_SOURCE_NONE};
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  KH_CLI_AUTO_SERVER server = NULL;
  if (!kh_cli_target_look(&target))
    return KH_CLI_FAILED;
  server = kh_cli_server_connect(&arguments.login);
  if (server == NULL)
    return KH_CLI_FAILED;
  if (!kh_cli_server_is_local(server))
    return kh_cli_fail("the server was not reached through its socket: over a network nobody can "
                       "tell whether it is the one that uses the file");
  struct run run = {
      .arguments = &arguments,
      .target = &target,
      .question = {
          .server = server, .path = target.path, .id = arguments.id, .forced = arguments.forced}};
  return load_and_act(&run);
}
