/* SPDX-License-Identifier: GPL-2.0-only */
#include "encryption.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "keyhold/limits.h"
#include "keyhold/secret.h"

/*
 * What the methods return for a failure. Callers in the server know these numbers from its own AES
 * functions. InnoDB takes -1 for a page that cannot be decrypted, and fails one table; any other
 * number aborts the server.
 */
enum { RC_BAD_DATA = -100, RC_CRYPTO = -101, RC_KEY_SIZE = -102, RC_SOFT = -1 };

/* Start sets it before the server's first call, stop clears it after the last one. */
static struct {
  const kh_key_source *source;
  void *keys;
  kh_crypt *crypt;
  _Atomic(void *) in_use; /* the same keys, for threads that ask before start or after stop */
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

/* Tells the source of a key that it does not have. Out of line: keys that it has do not need it. */
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

/* With a NULL key, the server wants only the length, and *key_length is uninitialised. */
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

/* Pages are read by decrypting without padding: a failure that is not the page's must not abort the
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

/* Starts a message with its data key. Out of line: other messages need no buffer for one. */
__attribute__((noinline)) static kh_status init_derived(void *ctx, kh_cipher cipher, unsigned flags,
                                                        const kh_datakey *wanted, kh_bytes iv)
{
  uint8_t data_key[KH_DATAKEY_MAX];
  size_t len = kh_datakey_size(wanted->kind);
  kh_crypt_key both = {{data_key, len}, iv};
  if (wanted->passed.len != 16 && wanted->passed.len != 24 && wanted->passed.len != 32)
    return KH_E_KEY_SIZE;
  kh_status status = plugin.source->data_key(plugin.keys, wanted, data_key);
  if (status == KH_OK)
    status = kh_crypt_init(plugin.crypt, ctx, cipher, flags, &both);
  else
    report_miss(status, wanted->id, wanted->version);
  kh_wipe(data_key, len);
  return status;
}

/* Refuses a message of a version whose cipher is not known. Encrypted with another one, it could
 * never be read. */
__attribute__((cold, noinline)) static kh_status refuse_version(uint32_t id, uint32_t version)
{
  report_miss(KH_E_KEY_NOT_FOUND, id, version);
  return KH_E_KEY_NOT_FOUND;
}

static int crypt_ctx_init(void *ctx, const unsigned char *key, unsigned klen,
                          const unsigned char *iv, unsigned ivlen, int flags, unsigned key_id,
                          unsigned key_version)
{
  kh_crypt_key both = {{key, klen}, {iv, ivlen}};
  kh_cipher cipher = plugin.source->cipher(plugin.keys, key_id, key_version);
  kh_datakey_kind kind = kh_cipher_data_key(cipher, ((unsigned)flags & KH_CRYPT_NOPAD) == 0);
  kh_status status;
  if (cipher == KH_CIPHER_UNSET)
    status = refuse_version(key_id, key_version);
  else if (kind == KH_DATAKEY_NONE)
    status = kh_crypt_init(plugin.crypt, ctx, cipher, (unsigned)flags, &both);
  else
    status = init_derived(ctx, cipher, (unsigned)flags,
                          &(kh_datakey){kind, key_id, key_version, both.key}, both.iv);
  return code_of(status, (unsigned)flags);
}

/* If this fails, the server still calls finish, with dst + *dlen: the core sets the length to 0. */
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
  unsigned flags = kh_crypt_flags(ctx); /* before finish wipes them */
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
