/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file files.h
 * A folder of its own for each test program, and files in it. What fails while a file is made ends
 * the program; a check that fails ends the test.
 */
#ifndef KEYHOLD_TEST_FILES_H
#define KEYHOLD_TEST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "keyhold/file.h"

/** Path of `name` in this program's folder, which is made at the first call and removed at exit.
 * Kept for 64 calls. */
const char *test_path(const char *name);

/** Writes a file with these bytes and this mode, replacing what is there; gives its path. */
const char *test_file(const char *name, const void *data, size_t len, mode_t mode);

/** The same for a string. */
const char *test_text(const char *name, const char *text, mode_t mode);

/** Reads the first size - 1 bytes of a file and ends them with a NUL; gives their number. */
size_t test_read_content(const char *path, char *content, size_t size);

/** The file must hold exactly this. */
void test_expect_content(const char *path, const char *expected);

/** Whether there is something of this name, be it a link that leads nowhere. */
bool test_is_there(const char *path);

/** What the system tells of a file, not following links, and its stamp; it must be there. */
struct stat test_stat(const char *path);
kh_file_stamp test_stamp(const char *path);

/** How many descriptors are open; the one for looking is always among them. */
unsigned test_open_descriptors(void);

/** Runs a shell command made as by printf; it must succeed. */
__attribute__((format(printf, 1, 2))) void test_run(const char *format, ...);

#endif
