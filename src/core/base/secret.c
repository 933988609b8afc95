/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/secret.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

enum { ALIGNMENT = 64 };

struct kh_secret {
  uint8_t *data;
  size_t len;
  size_t capacity;
  size_t allocated; /* capacity rounded up, so that data, which ends at a guard page, is aligned */
  bool locked;
  bool frozen;
};

kh_status kh_secret_new(size_t capacity, kh_secret **ret_secret)
{
  if (sodium_init() < 0)
    return KH_E_CRYPTO;
  if (capacity > SIZE_MAX - ALIGNMENT)
    return KH_E_NO_MEMORY;
  kh_secret *secret = calloc(1, sizeof *secret);
  if (secret == NULL)
    return KH_E_NO_MEMORY;
  secret->allocated = (capacity + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (secret->allocated == 0)
    secret->allocated = ALIGNMENT;
  secret->data = sodium_malloc(secret->allocated);
  if (secret->data == NULL) {
    free(secret);
    return KH_E_NO_MEMORY;
  }
  /* sodium_malloc() locks too, but does not report whether it succeeded */
  secret->locked = sodium_mlock(secret->data, secret->allocated) == 0;
  sodium_memzero(secret->data, secret->allocated);
  secret->capacity = capacity;
  *ret_secret = secret;
  return KH_OK;
}

void kh_secret_free(kh_secret **secret)
{
  if (secret == NULL || *secret == NULL)
    return;
  sodium_free((*secret)->data); /* makes it writable and wipes it */
  free(*secret);
  *secret = NULL;
}

uint8_t *kh_secret_data(kh_secret *secret)
{
  return secret->data;
}

size_t kh_secret_capacity(const kh_secret *secret)
{
  return secret->capacity;
}

void kh_secret_set_len(kh_secret *secret, size_t len)
{
  assert(len <= secret->capacity && !secret->frozen);
  sodium_memzero(secret->data + len, secret->allocated - len);
  secret->len = len;
}

kh_bytes kh_secret_bytes(const kh_secret *secret)
{
  if (secret == NULL)
    return (kh_bytes){NULL, 0};
  return (kh_bytes){secret->data, secret->len};
}

void kh_secret_freeze(kh_secret *secret)
{
  secret->frozen = true;
  sodium_mprotect_readonly(secret->data);
}

bool kh_secret_is_locked(const kh_secret *secret)
{
  return secret == NULL || secret->locked;
}

void kh_wipe(void *data, size_t len)
{
  sodium_memzero(data, len);
}

bool kh_is_same_secret(const void *a, const void *b, size_t len)
{
  return sodium_memcmp(a, b, len) == 0;
}
