/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file lockfile.h
 * Locks a file, so that only one process at a time changes it: a server or the command, on one host
 * or on several that share the folder.
 */
#ifndef KEYHOLD_LOCKFILE_H
#define KEYHOLD_LOCKFILE_H

#include "keyhold/fault.h"
#include "keyhold/status.h"

/** A lock that is held. */
typedef struct kh_lockfile kh_lockfile;

/**
 * Takes the lock of a file: an exclusive flock(2) on "NAME.lock" beside the file that `path` leads
 * to through symbolic links. The lock file is created if it does not exist: empty, with the file's
 * owner, group and mode, but always readable and writable by its owner. It is never removed. One
 * that exists gets the same, without losing a permission, if root or its owner takes the lock: only
 * an empty file with one name, never one of a third user. A process that can only read the lock
 * file locks it too, except on NFS. A link, a folder or a special file of that name is refused. The
 * file itself is locked in the same way, where possible (not on NFS), so that two processes exclude
 * each other even if the lock file is removed.
 *
 * The end of the process releases the lock.
 *
 * @param path          of the file that is to be changed.
 * @param milliseconds  longest wait for another process or thread; 0 tries once.
 * @param ret_lock      for kh_lockfile_release(); untouched on failure.
 * @param ret_fault     may be NULL.
 * @return KH_OK, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN (the file itself), KH_E_FILE_LOCK,
 * KH_E_FILE_LOCKED, KH_E_NO_MEMORY. Thread-safe: two threads exclude each other too.
 */
KH_MUST_USE kh_status kh_lockfile_take(const char *path, unsigned milliseconds,
                                       kh_lockfile **ret_lock, kh_fault *ret_fault);

/** Releases the lock; sets the pointer to NULL. Takes NULL and a pointer to NULL. */
void kh_lockfile_release(kh_lockfile **lock);

/** For `__attribute__((cleanup))`: releases the lock when the scope ends. */
static inline void kh_lockfile_cleanup(kh_lockfile **lock)
{
  kh_lockfile_release(lock);
}
/** A pointer to a lock, released when its scope ends. */
#define KH_AUTO_LOCKFILE __attribute__((cleanup(kh_lockfile_cleanup))) kh_lockfile *

#endif
