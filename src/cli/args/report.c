/* SPDX-License-Identifier: GPL-2.0-only */
#include "report.h"

enum { KEY_JSON = 0x300 };

static error_t parse(int key, char *value, struct argp_state *state)
{
  kh_cli_report *report = state->input;
  (void)value;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &report->target;
    return 0;
  case KEY_JSON:
    report->json = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"json", KEY_JSON, NULL, 0, "as JSON", 0},
    {0},
};
static const struct argp_child children[] = {{&kh_cli_target_argp, 0, NULL, 0}, {0}};
const struct argp kh_cli_report_argp = {.options = options, .parser = parse, .children = children};
