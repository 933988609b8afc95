/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file arguments.h
 * Parses the arguments of a command by its argp. Adds what all commands share: --help, --usage and
 * --version, the examples (examples.def), and errors of usage that suggest the option that was
 * meant.
 */
#ifndef KEYHOLD_CLI_ARGUMENTS_H
#define KEYHOLD_CLI_ARGUMENTS_H

#include <argp.h>

/**
 * Parses all arguments. Ends the process after --help, -h, --usage and --version, and with
 * KH_CLI_USAGE after an error. Not thread-safe.
 *
 * -h asks for help unless the command has an option -h of its own (--host); there it asks for help
 * if it is the last word, without a value.
 *
 * @param argp   its parsers report errors by kh_cli_usage_error().
 * @param argv   argv[0] is the command's full name, such as "keyhold slot add".
 * @param input  of argp's parser.
 */
void kh_cli_parse_arguments(const struct argp *argp, int argc, char **argv, void *input);

/** Reports an error of usage on the standard error output, points to --help, and ends the process
 * with KH_CLI_USAGE. No argument may hold a secret. */
_Noreturn __attribute__((format(printf, 2, 3))) void
kh_cli_usage_error(const struct argp_state *state, const char *format, ...);

#endif
