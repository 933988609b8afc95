/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file syscalls.h
 * The system calls of a watched thread: their names, and which file each is about.
 */
#ifndef KEYHOLD_TEST_SYSCALLS_H
#define KEYHOLD_TEST_SYSCALLS_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>

enum { CALL_FILE_ROOM = 2048, CALL_NAME_ROOM = 32 };

/** A call that a thread of this process is about to make. */
typedef struct call {
  const struct seccomp_data *data;
  char name[CALL_NAME_ROOM]; /**< "openat+creat" for an openat() that may make a file */
  char file[CALL_FILE_ROOM]; /**< "" if it is about none */
  bool changes;              /**< a file or a folder */
  bool by_descriptor;        /**< the file is that of a descriptor, argument 0 */
} call;

/** Calls that are not watched. */
extern const int syscalls_uncounted[];
extern const size_t syscalls_uncounted_count;

/** Finds out which file a call is about, while the thread that makes it waits. */
call call_describe(const struct seccomp_data *data);

/** Makes the call in this thread, which shares memory and descriptors with the other: as
 * syscall(2). */
long call_do(const struct seccomp_data *data);

#endif
