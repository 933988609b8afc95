/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file program.h
 * Runs a program and reads its standard output.
 */
#ifndef KEYHOLD_UNLOCK_PROGRAM_H
#define KEYHOLD_UNLOCK_PROGRAM_H

#include "keyhold/fault.h"
#include "keyhold/secret.h"

/**
 * Runs a program to its end.
 *
 * It gets this process's environment and folder; /dev/null as its standard input; no other
 * descriptor; every signal unblocked and with its default action; its own session, and so its own
 * process group, without a terminal. When it has ended, or its time has passed, the whole group is
 * killed; only the program itself is reaped. If this process ignores SIGCHLD, the exit status is
 * lost: KH_E_PROGRAM_RUN with ECHILD. Thread-safe.
 *
 * @param arguments     the program's path first, absolute; NULL last.
 * @param milliseconds  the longest time that it may take.
 * @param output        of kh_stream_new(); on success it has all that the program wrote.
 * @param ret_fault     may be NULL; quotes the first line of the program's standard error, unless
 * that contains the beginning of its output.
 * @return KH_OK; KH_E_PROGRAM_RUN, KH_E_PROGRAM_EXIT, KH_E_PROGRAM_SIGNAL; KH_E_SOURCE_TIME;
 * KH_E_SECRET_TOO_LONG; KH_E_FILE_READ.
 */
KH_MUST_USE kh_status kh_program_run(char *const arguments[], unsigned milliseconds,
                                     kh_secret *output, kh_fault *ret_fault);

#endif
