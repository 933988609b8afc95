/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/output/json.h"
#include "cli/output/table.h"
#include "cli/output/terminal.h"
#include "command.h"
#include "slot.h"

enum { KEY_JSON = 0x300 };

struct arguments {
  const char *path;
  bool json;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  switch (key) {
  case KEY_JSON:
    arguments->json = true;
    return 0;
  case ARGP_KEY_ARG:
    if (state->arg_num != 0)
      return ARGP_ERR_UNKNOWN;
    arguments->path = value;
    return 0;
  case ARGP_KEY_END:
    if (arguments->path == NULL)
      argp_error(state, "which key file?");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"json", KEY_JSON, NULL, 0, "as JSON", 0},
    {0},
};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "FILE",
    .doc = "Shows the slots of a sealed key file, as it says without being opened.",
};

enum { LABEL, KDF, MEMORY, PASSES, ITERATIONS, COLUMNS };

static const kh_cli_column columns[COLUMNS] = {
    [LABEL] = {"SLOT", false},           [KDF] = {"KEY DERIVATION", false},
    [MEMORY] = {"MEMORY (KIB)", true},   [PASSES] = {"PASSES", true},
    [ITERATIONS] = {"ITERATIONS", true},
};

static void show_cost(uint32_t cost, kh_cli_cell *cell)
{
  if (cost != 0)
    snprintf(cell->text, sizeof cell->text, "%u", cost);
}

static void fill(const void *user, size_t row, kh_cli_cell *cells)
{
  const kh_sealed_slots *slots = user;
  const kh_sealed_slot *slot = &slots->at[row];
  snprintf(cells[LABEL].text, KH_CLI_CELL_MAX, "%s", slot->label);
  snprintf(cells[KDF].text, KH_CLI_CELL_MAX, "%s", kh_sealed_kdf_name(slot->kdf));
  show_cost(slot->memory, &cells[MEMORY]);
  show_cost(slot->passes, &cells[PASSES]);
  show_cost(slot->iterations, &cells[ITERATIONS]);
}

static void print_json(const char *path, const kh_sealed_slots *slots)
{
  printf("{\"file\":");
  kh_cli_json_string(stdout, path);
  printf(",\"slots\":[");
  for (size_t i = 0; i < slots->count; i++) {
    const kh_sealed_slot *slot = &slots->at[i];
    printf("%s{\"label\":\"%s\",\"kdf\":\"%s\"", i == 0 ? "" : ",", slot->label,
           kh_sealed_kdf_name(slot->kdf));
    if (slot->kdf == KH_SEALED_ARGON2ID)
      printf(",\"memory_kib\":%u,\"passes\":%u}", slot->memory, slot->passes);
    else
      printf(",\"iterations\":%u}", slot->iterations);
  }
  printf("]}\n");
}

int kh_cli_slot_list(int argc, char **argv)
{
  struct arguments arguments = {.path = NULL};
  kh_sealed_slots slots;
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  if (!kh_cli_slot_read(arguments.path, &slots))
    return KH_CLI_FAILED;
  kh_cli_table table = {columns, COLUMNS, slots.count, fill, &slots};
  if (arguments.json)
    print_json(arguments.path, &slots);
  else
    kh_cli_table_print(&table, stdout, kh_cli_may_colour(stdout));
  return KH_CLI_DONE;
}
