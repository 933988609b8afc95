/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file costs.h
 * What a guess at the passphrase of a sealed file costs: the options that say it of a new slot.
 */
#ifndef KEYHOLD_CLI_COSTS_H
#define KEYHOLD_CLI_COSTS_H

#include <argp.h>
#include <stdbool.h>

#include "keyhold/sealed.h"

/** The costs of a new slot, by --kdf, --memory, --passes and --iterations. Starts as all zero:
 * the defaults. */
typedef struct kh_cli_costs {
  bool is_given; /**< any of them */
  kh_sealed_kdf kdf;
  uint32_t memory; /**< in KiB */
  uint32_t passes;
  uint32_t iterations;
} kh_cli_costs;

extern const struct argp kh_cli_costs_argp; /* its input is a kh_cli_costs */

/** A slot with these costs. */
kh_sealed_slot kh_cli_slot(const kh_cli_costs *costs, const char *label);

/** Whether the costs of a slot are less than those of a new one should be. */
bool kh_cli_is_cheap(const kh_sealed_slot *slot);

#endif
