/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/engines.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine_xts.h"
#include "engines_parts.h"

const kh_engine *const kh_engine_list[KH_ENGINES] = {&kh_engine_ipsec_mb, &kh_engine_xts,
                                                     &kh_engine_openssl};

static bool is_wanted(size_t engine, kh_engine_choice choice)
{
  return engine == KH_ENGINE_LAST || engine == KH_ENGINE_XTS || choice != KH_ENGINE_OPENSSL;
}

/* A missing engine is an error only if it was chosen by its name. */
static kh_status open_wanted(kh_crypt *crypt, kh_engine_choice choice)
{
  for (size_t i = 0; i < KH_ENGINES; i++) {
    if (!is_wanted(i, choice))
      continue;
    kh_status status = kh_engine_list[i]->open(&crypt->opened[i]);
    bool optional = i != KH_ENGINE_LAST && choice == KH_ENGINE_AUTO;
    if (status != KH_OK && !(status == KH_E_NO_ENGINE && optional))
      return status;
  }
  return KH_OK;
}

/* Chooses the first in the list that is open and offers the operation; OpenSSL, the last, offers
 * all. */
static void choose_for_operations(kh_crypt *crypt)
{
  for (size_t op = 0; op < KH_OP_COUNT; op++)
    for (size_t i = KH_ENGINES; i-- > 0;)
      if (crypt->opened[i] != NULL && kh_engine_list[i]->run[op] != NULL)
        crypt->run_engine[op] = (uint8_t)i;
  for (size_t i = KH_ENGINES; i-- > 0;)
    if (crypt->opened[i] != NULL && kh_engine_list[i]->gcm != NULL)
      crypt->gcm_engine = (uint8_t)i;
}

static kh_status prepare_engines(kh_crypt *crypt, kh_engine_choice choice)
{
  kh_status status = kh_threads_new(kh_engine_list, crypt->opened, &crypt->threads);
  if (status == KH_OK)
    status = open_wanted(crypt, choice);
  if (status != KH_OK)
    return status;
  choose_for_operations(crypt);
  return kh_engines_selftest(crypt);
}

kh_status kh_crypt_new(kh_engine_choice choice, kh_crypt **ret_crypt)
{
  kh_crypt *crypt = calloc(1, sizeof *crypt);
  if (crypt == NULL)
    return KH_E_NO_MEMORY;
  kh_status status = prepare_engines(crypt, choice);
  if (status != KH_OK) {
    kh_crypt_free(&crypt);
    return status;
  }
  *ret_crypt = crypt;
  return KH_OK;
}

void kh_crypt_free(kh_crypt **crypt)
{
  if (crypt == NULL || *crypt == NULL)
    return;
  kh_threads_free(&(*crypt)->threads);
  for (size_t i = 0; i < KH_ENGINES; i++)
    kh_engine_list[i]->close((*crypt)->opened[i]);
  free(*crypt);
  *crypt = NULL;
}

/* "ipsec_mb", or "ipsec_mb to 384 bytes, else openssl" */
static void describe_op(const kh_crypt *crypt, kh_aes_op op, char *text, size_t size)
{
  const kh_engine *engine = kh_engine_list[crypt->run_engine[op]];
  if (engine->run_max[op] == SIZE_MAX)
    snprintf(text, size, "%s", engine->name);
  else
    snprintf(text, size, "%s to %zu bytes of 128-bit keys, else %s", engine->name,
             engine->run_max[op], kh_engine_list[KH_ENGINE_LAST]->name);
}

void kh_crypt_describe_engines(const kh_crypt *crypt, char *text, size_t size)
{
  char ops[KH_OP_COUNT][64];
  for (int op = 0; op < KH_OP_COUNT; op++)
    describe_op(crypt, (kh_aes_op)op, ops[op], sizeof ops[op]);
  snprintf(text, size, "CTR %s; CBC encryption %s; CBC decryption %s; GCM %s", ops[KH_OP_CTR],
           ops[KH_OP_CBC_ENCRYPT], ops[KH_OP_CBC_DECRYPT], kh_engine_list[crypt->gcm_engine]->name);
}

void kh_crypt_forget(const kh_crypt *crypt)
{
  kh_threads_forget(crypt->threads);
}

size_t kh_crypt_thread_count(const kh_crypt *crypt)
{
  return kh_threads_count(crypt->threads);
}

static kh_status run_with(const kh_crypt *crypt, size_t engine, kh_aes_op op, kh_bytes key,
                          const uint8_t *iv, kh_bytes src, uint8_t *dst)
{
  kh_area *area = kh_threads_area(crypt->threads, engine);
  if (area == NULL && engine != KH_ENGINE_LAST)
    return KH_E_ENGINE_BUSY;
  return kh_engine_list[engine]->run[op](crypt->opened[engine], area, key, iv, src, dst);
}

kh_status kh_engines_run(const kh_crypt *crypt, kh_aes_op op, kh_bytes key, const uint8_t *iv,
                         kh_bytes src, uint8_t *dst)
{
  size_t engine = crypt->run_engine[op];
  kh_status status = KH_E_ENGINE_BUSY;
  if (src.len <= kh_engine_list[engine]->run_max[op])
    status = run_with(crypt, engine, op, key, iv, src, dst);
  if (status == KH_E_ENGINE_BUSY)
    status = run_with(crypt, KH_ENGINE_LAST, op, key, iv, src, dst);
  return status;
}
