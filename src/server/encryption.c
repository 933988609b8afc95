/* SPDX-License-Identifier: GPL-2.0-only */
#include "encryption.h"

#include <string.h>

#include "keyhold/limits.h"

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
} plugin;

void kh_encryption_start(const kh_key_source *source, void *keys, kh_crypt *crypt)
{
  plugin.source = source;
  plugin.keys = keys;
  plugin.crypt = crypt;
}

void kh_encryption_stop(void)
{
  if (plugin.source != NULL && plugin.source->free != NULL)
    plugin.source->free(plugin.keys);
  plugin.source = NULL;
  plugin.keys = NULL;
  kh_crypt_free(&plugin.crypt);
}

static unsigned get_latest_key_version(unsigned key_id)
{
  uint32_t version;
  if (plugin.source->latest(plugin.keys, key_id, &version) != KH_OK)
    return ENCRYPTION_KEY_VERSION_INVALID;
  return version;
}

/* With key NULL, *key_length comes uninitialised and only the length is asked for. */
static unsigned get_key(unsigned key_id, unsigned key_version, unsigned char *key,
                        unsigned *key_length)
{
  size_t room = key == NULL ? 0 : *key_length;
  size_t len = 0;
  if (plugin.source->copy(plugin.keys, key_id, key_version, key, room, &len) != KH_OK)
    return ENCRYPTION_KEY_VERSION_INVALID;
  *key_length = (unsigned)len;
  return key == NULL || len <= room ? 0 : ENCRYPTION_KEY_BUFFER_TOO_SMALL;
}

static unsigned crypt_ctx_size(unsigned key_id, unsigned key_version)
{
  (void)key_id;
  (void)key_version;
  return (unsigned)kh_crypt_ctx_size();
}

static int code_of(kh_status status)
{
  switch (status) {
  case KH_OK:
    return 0;
  case KH_E_KEY_SIZE:
    return RC_KEY_SIZE;
  case KH_E_IV_SIZE:
  case KH_E_BAD_DATA:
    return RC_BAD_DATA;
  default:
    return RC_CRYPTO;
  }
}

static int crypt_ctx_init(void *ctx, const unsigned char *key, unsigned klen,
                          const unsigned char *iv, unsigned ivlen, int flags, unsigned key_id,
                          unsigned key_version)
{
  kh_crypt_key both = {{key, klen}, {iv, ivlen}};
  kh_cipher cipher = plugin.source->cipher(plugin.keys, key_id, key_version);
  kh_status status = kh_crypt_init(plugin.crypt, ctx, cipher, (unsigned)flags, &both);
  /* no memory for a page that is being read: one table fails, not the server */
  if (status == KH_E_NO_MEMORY && flags == ENCRYPTION_FLAG_NOPAD)
    return RC_SOFT;
  return code_of(status);
}

/* The server calls finish with dst + *dlen also when this fails: the core sets 0 then. */
static int crypt_ctx_update(void *ctx, const unsigned char *src, unsigned slen, unsigned char *dst,
                            unsigned *dlen)
{
  size_t made = 0;
  kh_status status = kh_crypt_update(ctx, (kh_bytes){src, slen}, dst, &made);
  *dlen = (unsigned)made;
  return code_of(status);
}

static int crypt_ctx_finish(void *ctx, unsigned char *dst, unsigned *dlen)
{
  size_t made = 0;
  kh_status status = kh_crypt_finish(ctx, dst, &made);
  *dlen = (unsigned)made;
  return code_of(status);
}

static unsigned encrypted_length(unsigned slen, unsigned key_id, unsigned key_version)
{
  kh_cipher cipher = plugin.source->cipher(plugin.keys, key_id, key_version);
  return (unsigned)kh_crypt_encrypted_length(cipher, slen);
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
