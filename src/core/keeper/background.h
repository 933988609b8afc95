/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file background.h
 * The background thread of a keeper: runs its tasks (task.h).
 */
#ifndef KEYHOLD_KEEPER_BACKGROUND_H
#define KEYHOLD_KEEPER_BACKGROUND_H

#include "state.h"

/** Ends the thread and waits for it. Does nothing if it is not running. */
void kh_background_end(kh_keeper *keeper);

#endif
