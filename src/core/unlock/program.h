/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file program.h
 * Runs a program for what it writes to its standard output.
 */
#ifndef KEYHOLD_UNLOCK_PROGRAM_H
#define KEYHOLD_UNLOCK_PROGRAM_H

#include "keyhold/fault.h"
#include "keyhold/secret.h"

/**
 * Runs a program to its end.
 *
 * It gets this process's environment and folder; /dev/null as its standard input; no other
 * descriptor; every signal unblocked and as by default; a session, and so a process group, of its
 * own without a terminal. When it has ended, or its time has, the whole group is killed; the
 * program itself is reaped, and no other child of this process.
 *
 * Where this process ignores SIGCHLD, no one learns how a program ended: that is KH_E_PROGRAM_RUN
 * with ECHILD. Thread-safe.
 *
 * @param arguments     the program's path first, absolute; NULL last.
 * @param milliseconds  that it has.
 * @param output        of kh_stream_new(); on success it holds all that the program wrote.
 * @param ret_fault     may be NULL; quotes the first line of the program's standard error, unless
 * that has the beginning of its output.
 * @return KH_OK; KH_E_PROGRAM_RUN, KH_E_PROGRAM_EXIT, KH_E_PROGRAM_SIGNAL; KH_E_SOURCE_TIME;
 * KH_E_SECRET_TOO_LONG; KH_E_FILE_READ.
 */
KH_MUST_USE kh_status kh_program_run(char *const arguments[], unsigned milliseconds,
                                     kh_secret *output, kh_fault *ret_fault);

#endif
