/* SPDX-License-Identifier: GPL-2.0-only */
#include "slot.h"

#include "cli/output/message.h"
#include "cli/output/utf8.h"
#include "command.h"

struct arguments {
  const struct argp *argp; /* of the subcommand */
  kh_cli_target target;
  const char *label;
  kh_cli_source new_source;
  kh_cli_costs costs;
};

const struct argp_child kh_cli_slot_children[] = {
    {&kh_cli_sealed_target_argp, 0, NULL, 0},
    {&kh_cli_new_source_argp, 0, NULL, 0},
    {&kh_cli_costs_argp, 0, NULL, 0},
    {0},
};

static void set_child_inputs(struct arguments *arguments, struct argp_state *state)
{
  void *inputs[] = {&arguments->target, &arguments->new_source, &arguments->costs};
  for (size_t i = 0; arguments->argp->children[i].argp != NULL; i++)
    state->child_inputs[i] = inputs[i];
}

error_t kh_cli_slot_parse(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    set_child_inputs(arguments, state);
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->target.path == NULL || arguments->label != NULL)
      return ARGP_ERR_UNKNOWN; /* FILE is taken by the child */
    arguments->label = value;
    return 0;
  case ARGP_KEY_END:
    if (arguments->label == NULL)
      argp_error(state, "which key file, and which slot?");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

bool kh_cli_slot_read(const char *path, kh_sealed_slots *ret_slots)
{
  KH_AUTO_SECRET file = NULL;
  kh_fault fault;
  if (kh_file_read(path, KH_KEYFILE_MAX, KH_FILE_REGULAR, &file, NULL, &fault) != KH_OK) {
    kh_cli_fail_with(&fault);
    return false;
  }
  if (!kh_sealed_knows(kh_secret_bytes(file))) {
    kh_cli_message("%s is not sealed, so it has no slots", path);
    return false;
  }
  if (kh_sealed_list(path, kh_secret_bytes(file), ret_slots, &fault) == KH_OK)
    return true;
  kh_cli_fail_with(&fault);
  return false;
}

static const char *const done[] = {
    [KH_SLOT_ADD] = "has a slot",
    [KH_SLOT_CHANGE] = "has another passphrase in its slot",
    [KH_SLOT_REMOVE] = "no longer has the slot",
};

static int change_it(const kh_cli_target *target, kh_slot_change change, const kh_sealed_slot *slot,
                     const kh_secret *passphrase)
{
  kh_sealed_entry entry = {*slot, kh_secret_bytes(passphrase)};
  kh_keyfile_options how = kh_cli_target_options(target);
  kh_fault fault;
  if (kh_keyfile_change_slot(&how, target->crypt, change, &entry, &target->log, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  kh_cli_put_text(stdout, target->path);
  printf(" %s \"%s\".\n", done[change], slot->label);
  if (change != KH_SLOT_ADD)
    printf("A server that has the old passphrase cannot reload, rotate or start until it gets "
           "another one.\n");
  return KH_CLI_WRITTEN;
}

int kh_cli_slot_run(const struct argp *argp, int argc, char **argv, kh_slot_change change)
{
  struct arguments arguments = {
      .argp = argp, .target = KH_CLI_TARGET_NONE, .new_source = KH_CLI_SOURCE_NONE};
  argp_parse(argp, argc, argv, 0, NULL, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  kh_sealed_slots slots;
  KH_AUTO_SECRET passphrase = NULL;
  kh_fault fault;
  if (!kh_cli_slot_read(target.path, &slots))
    return KH_CLI_FAILED;
  kh_sealed_slot slot = kh_cli_slot(&arguments.costs, arguments.label);
  if (kh_keyfile_check_slot(target.path, &slots, change, &slot, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  if (!kh_cli_target_open(&target))
    return KH_CLI_FAILED;
  char what[KH_PATH_SHOWN_MAX + KH_SEALED_LABEL_MAX + 16];
  snprintf(what, sizeof what, "slot %s of %s", slot.label, kh_show_path(target.path).text);
  if (change != KH_SLOT_REMOVE &&
      !kh_cli_get_new_passphrase(&arguments.new_source, what, &passphrase))
    return KH_CLI_FAILED;
  return change_it(&target, change, &slot, passphrase);
}
