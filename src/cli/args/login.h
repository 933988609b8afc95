/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file login.h
 * The options of a connection to a server.
 */
#ifndef KEYHOLD_CLI_LOGIN_H
#define KEYHOLD_CLI_LOGIN_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

/** The values of the options; one that was not given comes from option files or the environment.
 * Starts as all zero. */
typedef struct kh_cli_login {
  const char *defaults_file; /**< read instead of the usual option files */
  const char *host;
  const char *socket;
  const char *user;
  uint32_t port; /**< 0: not given */
  bool ask_password;
} kh_cli_login;

/** --defaults-file, --host, --port, --socket, --user and --password, as a child of a subcommand's
 * argp; its input is a kh_cli_login. */
extern const struct argp kh_cli_login_argp;

#endif
