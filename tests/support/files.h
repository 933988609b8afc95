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

/** Returns the path of `name` in this program's folder, which is made at the first call and removed
 * at exit. Valid for 64 calls. */
const char *test_path(const char *name);

/** Writes a file with these bytes and this mode, replacing an existing one. Returns its path. */
const char *test_file(const char *name, const void *data, size_t len, mode_t mode);

/** Writes a file with the bytes of a string. */
const char *test_text(const char *name, const char *text, mode_t mode);

/** Reads the first size - 1 bytes of a file and adds a NUL. Returns their number. */
size_t test_read_content(const char *path, char *content, size_t size);

/** Asserts that the file has exactly this content. */
void test_expect_content(const char *path, const char *expected);

/** Returns whether something has this name, even a dangling symbolic link. */
bool test_is_there(const char *path);

/** Returns what lstat(2) reports of a file, which must exist, and its stamp. */
struct stat test_stat(const char *path);
kh_file_stamp test_stamp(const char *path);

/** Returns how many descriptors are open, the one that counts them included. */
unsigned test_open_descriptors(void);

/** Runs a shell command, formatted as by printf; it must succeed. */
__attribute__((format(printf, 1, 2))) void test_run(const char *format, ...);

#endif
