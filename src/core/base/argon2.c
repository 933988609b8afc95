/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/argon2.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keyhold/limits.h"
#include "keyhold/stop.h"

_Static_assert(KH_ARGON2_SALT_SIZE == crypto_pwhash_argon2id_SALTBYTES &&
                   KH_ARGON2_MEMORY_MIN * 1024 == crypto_pwhash_argon2id_MEMLIMIT_MIN &&
                   KH_ARGON2_PASSES_MIN == crypto_pwhash_argon2id_OPSLIMIT_MIN,
               "libsodium disagrees");

/* more than the derivation takes, which keeps a few of its blocks of 1 KiB there */
enum { STACK_USED = 32768 };

static kh_status derive(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                        kh_secret *ret_derived)
{
  size_t len = kh_secret_capacity(ret_derived);
  const char *data = passphrase.len == 0 ? "" : (const char *)passphrase.data;
  errno = 0;
  int result = crypto_pwhash_argon2id(kh_secret_data(ret_derived), len, data, passphrase.len, salt,
                                      cost->passes, (size_t)cost->memory * 1024,
                                      crypto_pwhash_argon2id_ALG_ARGON2ID13);
  int error = errno;
  sodium_stackzero(STACK_USED); /* libsodium leaves a copy of the key there */
  if (result != 0)
    return error == ENOMEM ? KH_E_NO_MEMORY : KH_E_CRYPTO;
  kh_secret_set_len(ret_derived, len);
  return KH_OK;
}

/* A derivation that may be left running, with all that it uses. */
typedef struct derivation {
  kh_secret *passphrase;
  uint8_t salt[KH_ARGON2_SALT_SIZE];
  kh_argon2_cost cost;
  kh_secret *derived;
  kh_status status;
} derivation;

static void run_derivation(void *self)
{
  derivation *running = self;
  running->status =
      derive(kh_secret_bytes(running->passphrase), running->salt, &running->cost, running->derived);
}

static void free_derivation(void *self)
{
  derivation *ended = self;
  kh_secret_free(&ended->passphrase);
  kh_secret_free(&ended->derived);
  free(ended);
}

static const kh_stop_work derivation_work = {
    .name = "keyhold-derive", .run = run_derivation, .free = free_derivation};

/* NULL: there is not enough memory, or not enough locked memory, for more copies */
static derivation *new_derivation(kh_bytes passphrase, const uint8_t *salt,
                                  const kh_argon2_cost *cost, size_t len)
{
  derivation *made = calloc(1, sizeof *made);
  if (made == NULL)
    return NULL;
  bool is_made = kh_secret_new(passphrase.len, &made->passphrase) == KH_OK &&
                 kh_secret_new(len, &made->derived) == KH_OK &&
                 kh_secret_is_locked(made->passphrase) && kh_secret_is_locked(made->derived);
  if (!is_made) {
    free_derivation(made);
    return NULL;
  }
  if (passphrase.len > 0)
    memcpy(kh_secret_data(made->passphrase), passphrase.data, passphrase.len);
  kh_secret_set_len(made->passphrase, passphrase.len);
  memcpy(made->salt, salt, sizeof made->salt);
  made->cost = *cost;
  return made;
}

static kh_status take_derived(const derivation *done, kh_secret *ret_derived)
{
  kh_bytes derived = kh_secret_bytes(done->derived);
  if (done->status != KH_OK)
    return done->status;
  memcpy(kh_secret_data(ret_derived), derived.data, derived.len);
  kh_secret_set_len(ret_derived, derived.len);
  return KH_OK;
}

/* Returns how it ended; ret_status is set when it is done. */
static kh_stop_end derive_until_stop(kh_bytes passphrase, const uint8_t *salt,
                                     const kh_argon2_cost *cost, kh_secret *ret_derived,
                                     kh_status *ret_status)
{
  derivation *work = new_derivation(passphrase, salt, cost, kh_secret_capacity(ret_derived));
  if (work == NULL)
    return KH_STOP_NOT_BEGUN;
  kh_stop_end end = kh_stop_run(&derivation_work, work);
  if (end == KH_STOP_LEFT)
    return end;
  if (end == KH_STOP_DONE)
    *ret_status = take_derived(work, ret_derived);
  free_derivation(work);
  return end;
}

kh_status kh_argon2id(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                      kh_secret *ret_derived)
{
  kh_status status = KH_E_GIVEN_UP;
  kh_stop_end end = KH_STOP_NOT_BEGUN;
  if (kh_stop_is_set())
    return KH_E_GIVEN_UP;
  if (kh_stop_is_followed())
    end = derive_until_stop(passphrase, salt, cost, ret_derived, &status);
  return end == KH_STOP_NOT_BEGUN ? derive(passphrase, salt, cost, ret_derived) : status;
}
