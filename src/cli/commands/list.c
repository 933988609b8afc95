/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "cli/args/target.h"
#include "cli/output/table.h"
#include "cli/output/text.h"
#include "command.h"
#include "keyhold/clock.h"
#include "keyhold/fingerprint.h"
#include "keyhold/inventory.h"
#include "keyhold/time.h"

static const struct argp_child children[] = {{&kh_cli_report_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .args_doc = "FILE",
    .doc = "List each version of each key: length, cipher, times and fingerprint. The keys "
           "themselves are not "
           "shown.",
    .children = children,
};

enum { KEY, VERSION, BITS, CIPHER, CREATED, NEXT, FINGERPRINT, COLUMNS };

static const kh_cli_column columns[COLUMNS] = {
    [KEY] = {"KEY", true},
    [VERSION] = {"VERSION", true},
    [BITS] = {"BITS", true},
    [CIPHER] = {"CIPHER", false},
    [CREATED] = {"CREATED", false},
    [NEXT] = {"NEXT ROTATION", false},
    [FINGERPRINT] = {"FINGERPRINT", false},
};

/* Only the latest version of a key is rotated. */
static void show_next(const kh_key *key, kh_cli_cell *cell)
{
  kh_clock clock = kh_clock_system();
  uint64_t due = kh_policy_due(&key->policy);
  if (due > UINT32_MAX)
    return;
  bool is_due = due <= kh_clock_now(&clock);
  snprintf(cell->text, sizeof cell->text, "%s%s",
           key->policy.created == 0 ? "" : kh_time_show((uint32_t)due).text,
           key->policy.created == 0 ? "due"
           : is_due                 ? " (due)"
                                    : "");
  cell->colour = is_due ? KH_CLI_NOTE : KH_CLI_PLAIN;
}

static void fill_key_row(const void *user, size_t row, kh_cli_cell *cells)
{
  const kh_keytable *table = user;
  const kh_key *key = kh_keytable_at(table, row);
  const char *cipher = kh_cipher_name((kh_cipher)key->policy.cipher);
  snprintf(cells[KEY].text, KH_CLI_CELL_MAX, "%" PRIu32, key->id);
  snprintf(cells[VERSION].text, KH_CLI_CELL_MAX, "%" PRIu32, key->version);
  snprintf(cells[BITS].text, KH_CLI_CELL_MAX, "%" PRIu32, key->len * 8);
  snprintf(cells[CIPHER].text, KH_CLI_CELL_MAX, "%s", cipher[0] == '\0' ? "default" : cipher);
  if (key->policy.created != 0)
    snprintf(cells[CREATED].text, KH_CLI_CELL_MAX, "%s", kh_time_show(key->policy.created).text);
  if (kh_keytable_is_latest(table, row))
    show_next(key, &cells[NEXT]);
  snprintf(cells[FINGERPRINT].text, KH_CLI_CELL_MAX, "%s", kh_key_fingerprint(key).text);
}

static int print_keys_as_json(const kh_cli_target *target, const kh_keytable *table)
{
  char *keys = NULL;
  size_t len = 0;
  kh_status status = kh_inventory_json(table, KH_CIPHER_UNSET, &keys, &len);
  if (status != KH_OK)
    return kh_cli_fail_status(status, target->path);
  printf("{\"file\":");
  kh_cli_put_json(stdout, target->path);
  printf(",\"format\":\"%s\",\"keys\":%s}\n", target->format->name, keys);
  free(keys);
  return KH_CLI_DONE;
}

int kh_cli_list(int argc, char **argv)
{
  kh_cli_target arguments = KH_CLI_TARGET_NONE;
  kh_cli_parse_arguments(&argp, argc, argv, &arguments);
  KH_CLI_AUTO_TARGET target = arguments;
  KH_AUTO_KEYTABLE keys = NULL;
  if (!kh_cli_target_load(&target, &keys))
    return KH_CLI_FAILED;
  if (target.json)
    return print_keys_as_json(&target, keys);
  kh_cli_table table = {columns, COLUMNS, kh_keytable_version_count(keys), fill_key_row, keys};
  kh_cli_table_print(&table, stdout, kh_cli_may_colour(stdout));
  return KH_CLI_DONE;
}
