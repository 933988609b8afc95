/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file inventory.h
 * What keys the running plugin has, for the SQL function.
 */
#ifndef KEYHOLD_PLUGINS_FILE_INVENTORY_H
#define KEYHOLD_PLUGINS_FILE_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "keyhold/status.h"

/** Whether the plugin runs in this process: its SQL function can be called without it. Thread-safe.
 */
bool kh_file_is_running(void);

/**
 * The inventory of the keys in force, as JSON (keyhold/inventory.h). The server ends the plugin
 * only after the last statement.
 *
 * @param ret_text  NUL-terminated, for free(); untouched on failure.
 * @param ret_len   its length in bytes without the NUL; untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_KEY_NOT_FOUND: the plugin does not run. Thread-safe.
 */
KH_MUST_USE kh_status kh_file_inventory(char **ret_text, size_t *ret_len);

#endif
