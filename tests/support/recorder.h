/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file recorder.h
 * A log callback that records messages, of any thread.
 */
#ifndef KEYHOLD_TEST_RECORDER_H
#define KEYHOLD_TEST_RECORDER_H

#include <stdbool.h>

#include "keyhold/log.h"

/** The messages since the last recorder_log(). */
typedef struct recorder {
  unsigned count[5]; /**< messages of each kh_severity */
  char text[16384];  /**< all of them, a line each */
} recorder;

/** Empties the recorder and returns a log that writes to it. */
kh_log recorder_log(recorder *rec);

/** Returns the number of messages of a severity, also while other threads log. */
unsigned recorder_count(const recorder *rec, kh_severity severity);

/** Returns whether some message contains this. */
bool recorder_has(const recorder *rec, const char *part);

/** Asserts that some message contains this, at once or within half a minute; else prints all
 * messages. */
void recorder_expect(const recorder *rec, const char *part);
void recorder_await(const recorder *rec, const char *part);

#endif
