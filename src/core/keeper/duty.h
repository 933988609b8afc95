/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file duty.h
 * The keeper's thread: reloads and rotates by itself.
 */
#ifndef KEYHOLD_KEEPER_DUTY_H
#define KEYHOLD_KEEPER_DUTY_H

#include "keyhold/keeper.h"

/** Has the thread look at once whether there is something to do; nothing when there is none. With
 * the mutex `state` held. */
void kh_duty_wake(const kh_keeper *keeper);

/** Ends the thread and waits for it; nothing when there is none. */
void kh_duty_end(kh_keeper *keeper);

#endif
