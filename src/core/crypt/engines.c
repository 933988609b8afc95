/* SPDX-License-Identifier: GPL-2.0-only */
#include "engines.h"

#include <string.h>

const kh_engine *const kh_engine_list[KH_ENGINES] = {&kh_engine_ipsec_mb, &kh_engine_openssl};

static bool is_wanted(size_t engine, kh_engine_choice choice)
{
  return engine == KH_ENGINE_LAST || choice != KH_ENGINE_OPENSSL;
}

/* An engine that is not there is an error only if it was asked for by its name. */
static kh_status open_all(kh_engines *engines, kh_engine_choice choice)
{
  for (size_t i = 0; i < KH_ENGINES; i++) {
    if (!is_wanted(i, choice))
      continue;
    kh_status status = kh_engine_list[i]->open(&engines->opened[i]);
    bool optional = i != KH_ENGINE_LAST && choice == KH_ENGINE_AUTO;
    if (status != KH_OK && !(status == KH_E_NO_ENGINE && optional))
      return status;
  }
  return KH_OK;
}

/* the first in the list that is open and offers the operation; OpenSSL, the last, offers all */
static void choose_all(kh_engines *engines)
{
  for (size_t op = 0; op < KH_OP_COUNT; op++)
    for (size_t i = KH_ENGINES; i-- > 0;)
      if (engines->opened[i] != NULL && kh_engine_list[i]->run[op] != NULL)
        engines->run_engine[op] = (uint8_t)i;
  for (size_t i = KH_ENGINES; i-- > 0;)
    if (engines->opened[i] != NULL && kh_engine_list[i]->gcm != NULL)
      engines->gcm_engine = (uint8_t)i;
}

kh_status kh_engines_open(kh_engines *engines, kh_engine_choice choice)
{
  memset(engines, 0, sizeof *engines);
  kh_status status = kh_threads_new(kh_engine_list, engines->opened, &engines->threads);
  if (status == KH_OK)
    status = open_all(engines, choice);
  if (status != KH_OK)
    return status;
  choose_all(engines);
  return kh_engines_selftest(engines);
}

void kh_engines_close(kh_engines *engines)
{
  kh_threads_free(&engines->threads);
  for (size_t i = 0; i < KH_ENGINES; i++) {
    kh_engine_list[i]->close(engines->opened[i]);
    engines->opened[i] = NULL;
  }
}

static kh_status run_with(const kh_engines *engines, size_t engine, kh_aes_op op, kh_bytes key,
                          const uint8_t *iv, kh_bytes src, uint8_t *dst)
{
  kh_area *area = kh_threads_area(engines->threads, engine);
  if (area == NULL)
    return KH_E_NO_MEMORY;
  return kh_engine_list[engine]->run[op](engines->opened[engine], area, key, iv, src, dst);
}

kh_status kh_engines_run(const kh_engines *engines, kh_aes_op op, kh_bytes key, const uint8_t *iv,
                         kh_bytes src, uint8_t *dst)
{
  size_t engine = engines->run_engine[op];
  kh_status status = KH_E_ENGINE_BUSY;
  if (src.len <= kh_engine_list[engine]->run_max[op])
    status = run_with(engines, engine, op, key, iv, src, dst);
  if (status == KH_E_ENGINE_BUSY)
    status = run_with(engines, KH_ENGINE_LAST, op, key, iv, src, dst);
  return status;
}
