/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file json.h
 * Writes results as one JSON document: settings, then an array "cases" with an object for each.
 */
#ifndef KEYHOLD_BENCH_JSON_H
#define KEYHOLD_BENCH_JSON_H

#include <stdio.h>

#include "run.h"

/** @return whether all could be written. */
bool kh_bench_json_write(FILE *to, const kh_bench_settings *settings,
                         const kh_bench_results *results);

/**
 * Writes the document to a new file, which only its owner can read.
 *
 * @return whether that succeeded. False with errno EEXIST when the file exists, which is not
 * changed.
 */
bool kh_bench_json_save(const char *path, const kh_bench_settings *settings,
                        const kh_bench_results *results);

#endif
