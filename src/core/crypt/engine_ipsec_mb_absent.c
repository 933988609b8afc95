/* SPDX-License-Identifier: GPL-2.0-only */
/* Replaces engine_ipsec_mb.c where libIPSec_MB's header is not available at build time, or the
 * processor is not x86-64. */
#include "engine.h"

static kh_status open_nothing(void **ret_engine)
{
  (void)ret_engine;
  return KH_E_NO_ENGINE;
}

static void close_nothing(void *engine)
{
  (void)engine;
}

static void nothing_to_do(kh_area *area)
{
  (void)area;
}

const kh_engine kh_engine_ipsec_mb = {
    .name = "ipsec_mb",
    .open = open_nothing,
    .close = close_nothing,
    .thread_size = sizeof(kh_area),
    .sweep = nothing_to_do,
    .end_thread = nothing_to_do,
};
