/* SPDX-License-Identifier: GPL-2.0-only */
#include "login.h"

#include "arguments.h"
#include "number.h"

enum { KEY_DEFAULTS = 0x600, PORT_MAX = 65535 };

static error_t parse_login_option(int key, char *value, struct argp_state *state)
{
  kh_cli_login *login = state->input;
  switch (key) {
  case KEY_DEFAULTS:
    login->defaults_file = value;
    return 0;
  case 'h':
    login->host = value;
    return 0;
  case 'P':
    if (!kh_cli_read_number(value, 1, PORT_MAX, &login->port))
      kh_cli_usage_error(state, "invalid port '%s' (expected 1 to %d)", value, PORT_MAX);
    return 0;
  case 'S':
    login->socket = value;
    return 0;
  case 'u':
    login->user = value;
    return 0;
  case 'p':
    login->ask_password = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Server (default: option files, groups client and keyhold):", 40},
    {"defaults-file", KEY_DEFAULTS, "FILE", 0, "read FILE instead of the usual option files", 0},
    {"host", 'h', "NAME", 0, "host name (without NAME, -h shows this help)", 0},
    {"port", 'P', "NUMBER", 0, "TCP port", 0},
    {"socket", 'S', "FILE", 0, "UNIX socket", 0},
    {"user", 'u', "NAME", 0, "database account", 0},
    {"password", 'p', NULL, 0, "ask for the account's password on the terminal", 0},
    {0},
};
const struct argp kh_cli_login_argp = {.options = options, .parser = parse_login_option};
