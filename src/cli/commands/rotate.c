/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/args/keyspec.h"
#include "cli/args/number.h"
#include "cli/args/target.h"
#include "cli/output/text.h"
#include "command.h"
#include "keyhold/clock.h"
#include "settings.h"

enum { KEY_ID = 0x300, KEY_DUE, KEY_ALL };

struct arguments {
  kh_cli_target target;
  uint32_t id;
  bool due;
  bool all;
  kh_key_changes changes;
};

static error_t parse_rotate_option(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  bool is_choice = key == KEY_ID || key == KEY_DUE || key == KEY_ALL;
  if (is_choice && (arguments->id != 0 || arguments->due || arguments->all))
    kh_cli_usage_error(state, "specify only one of --id, --due and --all");
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->target;
    state->child_inputs[1] = &arguments->changes;
    return 0;
  case KEY_ID:
    arguments->id = kh_cli_key_id_option(value, state);
    return 0;
  case KEY_DUE:
    arguments->due = true;
    return 0;
  case KEY_ALL:
    arguments->all = true;
    return 0;
  case ARGP_KEY_END:
    if (arguments->id == 0 && !arguments->due && !arguments->all)
      kh_cli_usage_error(state, "specify one of --id, --due or --all");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Keys (one of these is required):", 1},
    {"id", KEY_ID, "ID", 0, "the key with this id", 0},
    {"due", KEY_DUE, NULL, 0, "each key whose rotation interval has passed", 0},
    {"all", KEY_ALL, NULL, 0, "every key", 0},
    {0},
};
static const struct argp_child children[] = {
    {&kh_cli_target_argp, 0, NULL, 0},
    {&kh_cli_new_version_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {
    .options = options,
    .parser = parse_rotate_option,
    .args_doc = "{--id=ID|--due|--all} FILE",
    .doc = "Make new versions of keys. Old versions stay in FILE as they are, since data may need "
           "them.",
    .children = children,
};

/* Returns the latest version of key id 1, or NULL. */
static const kh_key *find_system_key(const kh_keytable *table)
{
  uint32_t latest = 0;
  return kh_keytable_latest(table, KH_KEY_ID_SYSTEM, &latest) == KH_OK
             ? kh_keytable_find(table, KH_KEY_ID_SYSTEM, latest)
             : NULL;
}

/* Prints what a reload does not do, if the saved file has another cipher for key id 1. */
static void print_redo_log(const kh_cli_target *target, const kh_keytable *before)
{
  KH_AUTO_KEYTABLE table = NULL;
  if (kh_keytable_new(kh_keyfile_keys(target->file), &table) != KH_OK)
    return;
  const kh_key *old = find_system_key(before);
  const kh_key *key = find_system_key(table);
  if (old != NULL && key != NULL && key->policy.cipher != old->policy.cipher)
    printf("Key id %u has another cipher now, but the redo log and Aria tables keep their "
           "version of the key until they are rebuilt: see keyhold-operations(7).\n",
           KH_KEY_ID_SYSTEM);
}

static int rotate_and_report(kh_cli_target *target, const kh_rotation *rotation)
{
  kh_rotated rotated;
  kh_fault fault;
  if (kh_keyfile_rotate(target->file, rotation, &rotated, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  if (!kh_cli_target_save(target))
    return KH_CLI_FAILED;
  kh_cli_put_text(stdout, target->path);
  printf(": %zu new version%s", rotated.made, rotated.made == 1 ? "" : "s");
  if (rotated.taken > 0)
    printf(", and %zu just made by another process", rotated.taken);
  printf(".\n");
  if (rotated.made > 0) {
    kh_cli_print_cipher(rotation->changes.cipher, false);
    kh_cli_print_reload();
    print_redo_log(target, rotation->known);
  }
  kh_cli_print_owner(target->path);
  if (rotated.passed_over > 0)
    return KH_CLI_FAILED;
  return rotated.made > 0 ? KH_CLI_WRITTEN : KH_CLI_DONE;
}

int kh_cli_rotate(int argc, char **argv)
{
  struct arguments arguments = {.target = KH_CLI_TARGET_NONE};
  kh_cli_parse_arguments(&argp, argc, argv, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  KH_AUTO_KEYTABLE known = NULL;
  kh_clock clock = kh_clock_system();
  if (!kh_cli_target_load(&target, &known))
    return KH_CLI_FAILED;
  kh_file_stamp loaded = kh_keyfile_stamp(target.file);
  kh_rotation rotation = {.known = known,
                          .loaded = &loaded,
                          .id = arguments.id,
                          .due_only = arguments.due,
                          .now = kh_clock_now(&clock),
                          .default_cipher = KH_CIPHER_AES_CBC,
                          .changes = arguments.changes};
  return rotate_and_report(&target, &rotation);
}
