/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file lockfile.h
 * Lets one process at a time change a file, be it a server or the command, on one host or on
 * several that share the folder.
 */
#ifndef KEYHOLD_LOCKFILE_H
#define KEYHOLD_LOCKFILE_H

#include "keyhold/fault.h"
#include "keyhold/status.h"

/** A lock that is held. */
typedef struct kh_lockfile kh_lockfile;

/**
 * Takes the lock of a file: an exclusive flock(2) on "NAME.lock" beside the file that `path` leads
 * to through symbolic links. The lock file is made when it is not there, empty, with the file's
 * owner, group and mode, but always writable by its owner, and stays. The file itself is locked in
 * the same way, where it can be (not on NFS), so that removing the lock file does not let two
 * processes in.
 *
 * The lock ends with the process at the latest.
 *
 * @param path          of the file that is to be changed.
 * @param milliseconds  how long to wait for another process or thread at most; 0 tries once.
 * @param ret_lock      for kh_lockfile_release(); untouched on failure.
 * @param ret_fault     may be NULL.
 * @return KH_OK, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN (the file itself), KH_E_FILE_LOCK,
 * KH_E_FILE_LOCKED, KH_E_NO_MEMORY. Thread-safe: two threads exclude each other too.
 */
KH_MUST_USE kh_status kh_lockfile_take(const char *path, unsigned milliseconds,
                                       kh_lockfile **ret_lock, kh_fault *ret_fault);

/** Gives the lock back; sets the pointer to NULL. Takes NULL and a pointer to NULL. */
void kh_lockfile_release(kh_lockfile **lock);

/** For `__attribute__((cleanup))`: releases the lock when the scope ends. */
static inline void kh_lockfile_cleanup(kh_lockfile **lock)
{
  kh_lockfile_release(lock);
}
/** A pointer to a lock, released when its scope ends. */
#define KH_AUTO_LOCKFILE __attribute__((cleanup(kh_lockfile_cleanup))) kh_lockfile *

#endif
