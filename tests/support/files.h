/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file files.h
 * A folder of its own for each test program, and files in it. Every failure ends the program.
 */
#ifndef KEYHOLD_TEST_FILES_H
#define KEYHOLD_TEST_FILES_H

#include <stddef.h>
#include <sys/types.h>

/** Path of `name` in this program's folder, which is made at the first call and removed at exit.
 * Kept for 64 calls. */
const char *test_path(const char *name);

/** Writes a file with these bytes and this mode, replacing what is there; gives its path. */
const char *test_file(const char *name, const void *data, size_t len, mode_t mode);

/** The same for a string. */
const char *test_text(const char *name, const char *text, mode_t mode);

/** Runs a shell command made as by printf; it must succeed. */
__attribute__((format(printf, 1, 2))) void test_run(const char *format, ...);

#endif
