/* SPDX-License-Identifier: GPL-2.0-only */
#include "encryption.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "keyhold/limits.h"
#include "keyhold/secret.h"

/*
 * What the methods answer beside 0. The server's consumers know the numbers of its own AES wrapper;
 * InnoDB treats all ones as "this page cannot be decrypted" and fails one table, and aborts the
 * server on any other number.
 */
enum { RC_BAD_DATA = -100, RC_CRYPTO = -101, RC_KEY_SIZE = -102, RC_SOFT = -1 };

/* The one writable thing of a plugin: set by start before the server's first call, cleared by stop
 * after its last. */
static struct {
  const kh_key_source *source;
  void *keys;
  kh_crypt *crypt;
  _Atomic(void *) in_use; /* the same keys, for threads that may ask before start and after stop */
} plugin;

void kh_encryption_start(const kh_key_source *source, void *keys, kh_crypt *crypt)
{
  plugin.source = source;
  plugin.keys = keys;
  plugin.crypt = crypt;
  atomic_store(&plugin.in_use, keys);
}

void *kh_encryption_in_use(void)
{
  return atomic_load(&plugin.in_use);
}

void kh_encryption_stop(void)
{
  atomic_store(&plugin.in_use, NULL);
  if (plugin.source != NULL && plugin.source->free != NULL)
    plugin.source->free(plugin.keys);
  plugin.source = NULL;
  plugin.keys = NULL;
  kh_crypt_free(&plugin.crypt);
}

/* Out of line, since a key that exists does not need it. */
__attribute__((cold, noinline)) static void report_miss(kh_status status, uint32_t id,
                                                        uint32_t version)
{
  if (status == KH_E_KEY_NOT_FOUND && plugin.source->miss != NULL)
    plugin.source->miss(plugin.keys, id, version);
}

static unsigned get_latest_key_version(unsigned key_id)
{
  uint32_t version;
  kh_status status = plugin.source->latest(plugin.keys, key_id, &version);
  if (status == KH_OK)
    return version;
  report_miss(status, key_id, 0);
  return ENCRYPTION_KEY_VERSION_INVALID;
}

/* With key NULL, *key_length comes uninitialised and only the length is asked for. */
static unsigned get_key(unsigned key_id, unsigned key_version, unsigned char *key,
                        unsigned *key_length)
{
  size_t room = key == NULL ? 0 : *key_length;
  size_t len = 0;
  kh_status status = plugin.source->copy(plugin.keys, key_id, key_version, key, room, &len);
  if (status != KH_OK) {
    report_miss(status, key_id, key_version);
    return ENCRYPTION_KEY_VERSION_INVALID;
  }
  *key_length = (unsigned)len;
  return key == NULL || len <= room ? 0 : ENCRYPTION_KEY_BUFFER_TOO_SMALL;
}

static unsigned crypt_ctx_size(unsigned key_id, unsigned key_version)
{
  (void)key_id;
  (void)key_version;
  return (unsigned)kh_crypt_ctx_size();
}

/* Pages are decrypted without padding: an error that the page did not cause must not end the
 * server. */
static int code_of(kh_status status, unsigned flags)
{
  bool reads_page = (flags & (KH_CRYPT_ENCRYPT | KH_CRYPT_NOPAD)) == KH_CRYPT_NOPAD;
  switch (status) {
  case KH_OK:
    return 0;
  case KH_E_KEY_SIZE:
    return RC_KEY_SIZE;
  case KH_E_IV_SIZE:
  case KH_E_BAD_DATA:
    return RC_BAD_DATA;
  default:
    return reads_page ? RC_SOFT : RC_CRYPTO;
  }
}

/* Starts a message with its data key. Out of line: all other messages do without its buffer. */
__attribute__((noinline)) static kh_status init_derived(void *ctx, kh_cipher cipher, unsigned flags,
                                                        const kh_crypt_key *passed, uint32_t id,
                                                        uint32_t version)
{
  uint8_t data_key[KH_DATAKEY_SIZE];
  kh_crypt_key both = {{data_key, sizeof data_key}, passed->iv};
  if (passed->key.len != 16 && passed->key.len != 24 && passed->key.len != 32)
    return KH_E_KEY_SIZE;
  kh_status status = plugin.source->data_key(plugin.keys, id, version, passed->key, data_key);
  if (status == KH_OK)
    status = kh_crypt_init(plugin.crypt, ctx, cipher, flags, &both);
  else
    report_miss(status, id, version);
  kh_wipe(data_key, sizeof data_key);
  return status;
}

static int crypt_ctx_init(void *ctx, const unsigned char *key, unsigned klen,
                          const unsigned char *iv, unsigned ivlen, int flags, unsigned key_id,
                          unsigned key_version)
{
  kh_crypt_key both = {{key, klen}, {iv, ivlen}};
  kh_cipher cipher = plugin.source->cipher(plugin.keys, key_id, key_version);
  kh_status status = kh_cipher_is_derived(cipher)
                         ? init_derived(ctx, cipher, (unsigned)flags, &both, key_id, key_version)
                         : kh_crypt_init(plugin.crypt, ctx, cipher, (unsigned)flags, &both);
  return code_of(status, (unsigned)flags);
}

/* The server calls finish with dst + *dlen also when this fails: the core sets 0 then. */
static int crypt_ctx_update(void *ctx, const unsigned char *src, unsigned slen, unsigned char *dst,
                            unsigned *dlen)
{
  size_t made = 0;
  unsigned flags = kh_crypt_flags(ctx);
  kh_status status = kh_crypt_update(ctx, (kh_bytes){src, slen}, dst, &made);
  *dlen = (unsigned)made;
  return code_of(status, flags);
}

static int crypt_ctx_finish(void *ctx, unsigned char *dst, unsigned *dlen)
{
  size_t made = 0;
  unsigned flags = kh_crypt_flags(ctx); /* which finishing wipes */
  kh_status status = kh_crypt_finish(ctx, dst, &made);
  *dlen = (unsigned)made;
  return code_of(status, flags);
}

static unsigned encrypted_length(unsigned slen, unsigned key_id, unsigned key_version)
{
  kh_cipher cipher = plugin.source->cipher(plugin.keys, key_id, key_version);
  return (unsigned)kh_cipher_encrypted_length(cipher, slen);
}

struct st_mariadb_encryption kh_encryption = {
    MariaDB_ENCRYPTION_INTERFACE_VERSION,
    get_latest_key_version,
    get_key,
    crypt_ctx_size,
    crypt_ctx_init,
    crypt_ctx_update,
    crypt_ctx_finish,
    encrypted_length,
};

struct st_mariadb_encryption kh_encryption_keys = {
    .interface_version = MariaDB_ENCRYPTION_INTERFACE_VERSION,
    .get_latest_key_version = get_latest_key_version,
    .get_key = get_key,
};
