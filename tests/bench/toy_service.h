/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file toy_service.h
 * An encryption service in the place of the server's, with a cipher that protects nothing. A test
 * can make it do one thing wrong; it counts its calls.
 */
#ifndef KEYHOLD_TESTS_TOY_SERVICE_H
#define KEYHOLD_TESTS_TOY_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>

typedef enum {
  TOY_RIGHT,
  TOY_NO_PLUGIN,         /* as the server without an encryption plugin */
  TOY_IDENTITY,          /* ciphertext is plaintext */
  TOY_DECRYPTS_WRONG,    /* the last byte */
  TOY_ENCRYPTS_SHORT,    /* one byte less than right */
  TOY_LENGTH_LIES,       /* reports another length than padding makes */
  TOY_LENGTH_HUGE,       /* reports more than there is room for */
  TOY_STREAMS_WRONG,     /* the first byte of a second update is as that of the first */
  TOY_INIT_FAILS,        /* always */
  TOY_UPDATE_FAILS,      /* always */
  TOY_UPDATE_FAILS_LATE, /* after the first checks */
  TOY_CONTEXT_HUGE,      /* larger than any caller's room */
  TOY_KEY_SHORT,         /* keys have 8 bytes */
  TOY_KEY_CHANGES,       /* with every call */
  TOY_KEY_ZERO,
  TOY_VERSION_CHANGES, /* with every call */
  TOY_KEY_GOES,        /* id 1 becomes unknown after the first checks */
} toy_fault;

/** Key ids 1 to this exist: odd ones have 16 bytes, even ones 32. */
enum { TOY_IDS = 4 };

/** What the service does wrong. Set while no thread calls it. */
extern toy_fault toy_does;

/** Counts of calls, of all threads together. */
typedef struct {
  atomic_ulong contexts; /* begun */
  atomic_ulong finished; /* ended */
  atomic_ulong same_key; /* begun with the key of the thread's context before */
  atomic_ulong same_iv;  /* begun with the key and the IV of the thread's context before */
  atomic_ulong updates;  /* of the thread's last context */
  atomic_uint first;     /* length of the first update of the last context */
  atomic_uint last;      /* length of its last one */
  atomic_ulong latest_of[TOY_IDS + 1]; /* how often for the latest version of each id */
  atomic_ulong keys_of[TOY_IDS + 1];   /* how often for a key of each id */
} toy_calls;

extern toy_calls toy_called;

/** Makes the service right again and sets its counts to 0. */
void toy_reset(void);

#endif
