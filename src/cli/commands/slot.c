/* SPDX-License-Identifier: GPL-2.0-only */
/* `keyhold slot list`, `slot add`, `slot change` and `slot remove`. */
#include <ctype.h>
#include <string.h>

#include "cli/args/form.h"
#include "cli/args/target.h"
#include "cli/output/table.h"
#include "cli/output/text.h"
#include "command.h"

/* Reads the slots of a file. False: it is not sealed, or cannot be read, and a message has the
 * reason. */
static bool read_slots_of_file(const char *path, kh_sealed_slots *ret_slots)
{
  kh_fault fault;
  if (kh_keyfile_list_slots(path, ret_slots, &fault) != KH_OK) {
    kh_cli_fail_with(&fault);
    return false;
  }
  if (ret_slots->count == 0)
    kh_cli_message("'%s' has no slots: it is not sealed; to seal it, use 'keyhold seal'", path);
  return ret_slots->count > 0;
}

/* The list. */

static const struct argp_child list_children[] = {{&kh_cli_file_argp, 0, NULL, 0}, {0}};
static const struct argp list_argp = {
    .args_doc = "FILE",
    .doc = "List the slots of a sealed key file. No passphrase is needed.",
    .children = list_children,
};

enum { LABEL, KIND, PARAMETERS, TITLE_MAX = 32 };

/* The table: a column for each parameter that any kind of slot has. */
struct slot_table {
  const kh_sealed_slots *slots;
  const char *parameters[KH_CLI_COLUMNS_MAX]; /* of each column from PARAMETERS on */
  char titles[KH_CLI_COLUMNS_MAX][TITLE_MAX];
  kh_cli_column columns[KH_CLI_COLUMNS_MAX];
  size_t count;
};

static bool has_column(const struct slot_table *table, const char *parameter)
{
  for (size_t i = PARAMETERS; i < table->count; i++)
    if (strcmp(table->parameters[i], parameter) == 0)
      return true;
  return false;
}

static void add_column(struct slot_table *table, const kh_sealed_parameter *parameter)
{
  size_t at = table->count++;
  bool has_unit = parameter->unit[0] != '\0';
  char *title = table->titles[at];
  snprintf(title, TITLE_MAX, "%s%s%s%s", parameter->name, has_unit ? " (" : "", parameter->unit,
           has_unit ? ")" : "");
  for (char *letter = title; *letter != '\0'; letter++)
    *letter = (char)toupper((unsigned char)*letter);
  table->parameters[at] = parameter->name;
  table->columns[at] = (kh_cli_column){title, !parameter->is_text};
}

static void add_columns(struct slot_table *table)
{
  const kh_sealed_kind *kind;
  table->columns[LABEL] = (kh_cli_column){"SLOT", false};
  table->columns[KIND] = (kh_cli_column){"KEY DERIVATION", false};
  table->count = PARAMETERS;
  for (size_t i = 0; (kind = kh_sealed_kind_at(i)) != NULL; i++)
    for (const kh_sealed_parameter *it = kind->parameters; it->name != NULL; it++)
      if (!has_column(table, it->name) && table->count < KH_CLI_COLUMNS_MAX)
        add_column(table, it);
}

static void fill_slot_row(const void *user, size_t row, kh_cli_cell *cells)
{
  const struct slot_table *table = user;
  const kh_sealed_slot *slot = &table->slots->at[row];
  snprintf(cells[LABEL].text, KH_CLI_CELL_MAX, "%s", slot->label);
  snprintf(cells[KIND].text, KH_CLI_CELL_MAX, "%s", slot->kind->name);
  for (size_t i = PARAMETERS; i < table->count; i++) {
    uint32_t value = kh_sealed_slot_get(slot, table->parameters[i]);
    if (value != 0)
      snprintf(cells[i].text, KH_CLI_CELL_MAX, "%u", value);
    else /* a text, of which the start is shown; "" if the slot has no such parameter */
      snprintf(cells[i].text, KH_CLI_CELL_MAX, "%.*s", KH_CLI_CELL_MAX - 1,
               kh_sealed_slot_get_text(slot, table->parameters[i]));
  }
}

static void print_slots(const kh_sealed_slots *slots)
{
  struct slot_table table = {.slots = slots};
  add_columns(&table);
  kh_cli_table shown = {table.columns, table.count, slots->count, fill_slot_row, &table};
  kh_cli_table_print(&shown, stdout, kh_cli_may_colour(stdout));
}

/* "memory_kib":65536 */
static void print_parameter_as_json(const kh_sealed_slot *slot, size_t at)
{
  const kh_sealed_parameter *parameter = &slot->kind->parameters[at];
  printf(",\"%s", parameter->name);
  if (parameter->unit[0] != '\0')
    putchar('_');
  for (const char *letter = parameter->unit; *letter != '\0'; letter++)
    putchar(tolower((unsigned char)*letter));
  printf("\":");
  if (parameter->is_text)
    kh_cli_put_json(stdout, slot->texts[at]);
  else
    printf("%u", slot->values[at]);
}

static void print_slots_as_json(const char *path, const kh_sealed_slots *slots)
{
  printf("{\"file\":");
  kh_cli_put_json(stdout, path);
  printf(",\"slots\":[");
  for (size_t i = 0; i < slots->count; i++) {
    const kh_sealed_slot *slot = &slots->at[i];
    printf("%s{\"label\":\"%s\",\"kdf\":\"%s\"", i == 0 ? "" : ",", slot->label, slot->kind->name);
    for (size_t k = 0; slot->kind->parameters[k].name != NULL; k++)
      print_parameter_as_json(slot, k);
    printf("}");
  }
  printf("]}\n");
}

int kh_cli_slot_list(int argc, char **argv)
{
  kh_cli_target arguments = KH_CLI_TARGET_NONE;
  kh_sealed_slots slots;
  kh_cli_parse_arguments(&list_argp, argc, argv, &arguments);
  if (!read_slots_of_file(arguments.path, &slots))
    return KH_CLI_FAILED;
  if (arguments.json)
    print_slots_as_json(arguments.path, &slots);
  else
    print_slots(&slots);
  return KH_CLI_DONE;
}

/* The changes. */

struct arguments {
  const struct argp *argp; /* of the subcommand */
  kh_cli_target target;
  const char *label;
  kh_cli_source new_source;
  kh_cli_costs costs;
};

static error_t parse_slot_option(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  void *inputs[] = {&arguments->target, &arguments->new_source, &arguments->costs};
  switch (key) {
  case ARGP_KEY_INIT:
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0] && arguments->argp->children[i].argp;
         i++)
      state->child_inputs[i] = inputs[i];
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->target.path == NULL || arguments->label != NULL)
      return ARGP_ERR_UNKNOWN; /* FILE is taken by the child */
    arguments->label = value;
    return 0;
  case ARGP_KEY_END:
    if (arguments->label == NULL)
      kh_cli_usage_error(state, "specify the key file and the label of the slot");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* in the order of parse_slot_option()'s inputs */
static const struct argp_child children[] = {
    {&kh_cli_sealed_target_argp, 0, NULL, 0},
    {&kh_cli_new_source_argp, 0, NULL, 0},
    {&kh_cli_costs_argp, 0, NULL, 0},
    {0},
};
static const struct argp_child remove_children[] = {
    {&kh_cli_sealed_target_argp, 0, NULL, 0},
    {0},
};

static const struct argp change_argps[] = {
    [KH_SLOT_ADD] = {.parser = parse_slot_option,
                     .args_doc = "FILE LABEL",
                     .doc = "Add a slot, with a passphrase of its own, to a sealed key file. The "
                            "passphrase of any slot opens the file; LABEL names the new slot.",
                     .children = children},
    [KH_SLOT_CHANGE] = {.parser = parse_slot_option,
                        .args_doc = "FILE LABEL",
                        .doc =
                            "Change the passphrase of a slot of a sealed key file, and its cost. "
                            "The passphrase of any slot opens the file.",
                        .children = children},
    [KH_SLOT_REMOVE] = {.parser = parse_slot_option,
                        .args_doc = "FILE LABEL",
                        .doc = "Remove a slot of a sealed key file. The passphrase of another slot "
                               "opens the file. The last slot cannot be removed.",
                        .children = remove_children},
};

/* "Added slot main to FILE." */
static const struct {
  const char *action;
  const char *preposition;
} done[] = {
    [KH_SLOT_ADD] = {"Added slot", "to"},
    [KH_SLOT_CHANGE] = {"Changed the passphrase of slot", "in"},
    [KH_SLOT_REMOVE] = {"Removed slot", "from"},
};

static int write_slot(kh_cli_target *target, kh_slot_change change, const kh_sealed_slot *slot,
                      const kh_secret *passphrase)
{
  kh_sealed_entry entry = {*slot, kh_secret_bytes(passphrase)};
  kh_fault fault;
  if (kh_keyfile_change_slot(target->file, change, &entry, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  if (!kh_cli_target_save(target))
    return KH_CLI_FAILED;
  printf("%s %s %s ", done[change].action, slot->label, done[change].preposition);
  kh_cli_put_text(stdout, target->path);
  puts(".");
  if (change != KH_SLOT_ADD)
    puts("A server whose passphrase no longer opens the file cannot reload, rotate or start: give "
         "it "
         "one that does.");
  return KH_CLI_WRITTEN;
}

/* Refuses an impossible change before it asks for passphrases. */
static int run_slot_change(kh_slot_change change, int argc, char **argv)
{
  struct arguments arguments = {.argp = &change_argps[change],
                                .target = KH_CLI_TARGET_NONE,
                                .new_source = KH_CLI_SOURCE_NONE};
  kh_cli_parse_arguments(arguments.argp, argc, argv, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  kh_sealed_slots slots;
  KH_AUTO_SECRET passphrase = NULL;
  kh_fault fault;
  if (!read_slots_of_file(target.path, &slots))
    return KH_CLI_FAILED;
  kh_sealed_slot slot = kh_cli_slot(&arguments.costs, arguments.label);
  if (kh_sealed_check_change(target.path, &slots, change, &slot, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  if (!kh_cli_target_open(&target))
    return KH_CLI_FAILED;
  char what[KH_PATH_SHOWN_MAX + KH_SEALED_LABEL_MAX + 16];
  snprintf(what, sizeof what, "slot %s of %s", slot.label, kh_show_path(target.path).text);
  if (change != KH_SLOT_REMOVE && slot.kind->needs_passphrase &&
      !kh_cli_get_new_passphrase(&arguments.new_source, what, &passphrase))
    return KH_CLI_FAILED;
  return write_slot(&target, change, &slot, passphrase);
}

int kh_cli_slot_add(int argc, char **argv)
{
  return run_slot_change(KH_SLOT_ADD, argc, argv);
}

int kh_cli_slot_change(int argc, char **argv)
{
  return run_slot_change(KH_SLOT_CHANGE, argc, argv);
}

int kh_cli_slot_remove(int argc, char **argv)
{
  return run_slot_change(KH_SLOT_REMOVE, argc, argv);
}
