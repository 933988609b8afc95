/* SPDX-License-Identifier: GPL-2.0-only */
#include "toy_service.h"

#include <mysql/plugin.h>
#include <mysql/service_encryption.h>
#include <string.h>

enum { TAG = 16, LATE = 20 };

toy_fault toy_does;
toy_calls toy_called;

typedef struct {
  unsigned char stream; /* every byte is XORed with this, plus its position */
  int flags;
  unsigned done;
  unsigned updates;
} context;

void toy_reset(void)
{
  toy_does = TOY_RIGHT;
  memset(&toy_called, 0, sizeof toy_called);
}

static unsigned latest_version(unsigned id)
{
  static atomic_uint calls;
  if (toy_does == TOY_NO_PLUGIN || id > TOY_IDS)
    return ENCRYPTION_KEY_VERSION_INVALID;
  if (++toy_called.latest_of[id] > LATE && toy_does == TOY_KEY_GOES && id == 1)
    return ENCRYPTION_KEY_VERSION_INVALID;
  return toy_does == TOY_VERSION_CHANGES ? ++calls : 1;
}

static unsigned get_key(unsigned id, unsigned version, unsigned char *key, unsigned *len)
{
  static atomic_uint calls;
  if (id > TOY_IDS || version != 1)
    return ENCRYPTION_KEY_VERSION_INVALID;
  if (++toy_called.keys_of[id] > LATE && toy_does == TOY_KEY_GOES && id == 1)
    return ENCRYPTION_KEY_VERSION_INVALID;
  *len = toy_does == TOY_KEY_SHORT ? 8 : id % 2 == 1 ? 16 : 32;
  memset(key, toy_does == TOY_KEY_ZERO ? 0 : 'k', *len);
  if (toy_does == TOY_KEY_CHANGES)
    key[0] = (unsigned char)++calls;
  return 0;
}

static unsigned context_size(unsigned id, unsigned version)
{
  (void)id, (void)version;
  return toy_does == TOY_CONTEXT_HUGE ? 100000 : sizeof(context);
}

/* Notes a call, compared with this thread's call before. */
static void note_init(const unsigned char *key, unsigned klen, const unsigned char *iv)
{
  static _Thread_local unsigned char last_key[32], last_iv[16];
  bool same_key = memcmp(key, last_key, klen) == 0;
  toy_called.contexts++;
  toy_called.same_key += same_key;
  toy_called.same_iv += same_key && memcmp(iv, last_iv, sizeof last_iv) == 0;
  memcpy(last_key, key, klen);
  memcpy(last_iv, iv, sizeof last_iv);
}

static int init(void *room, const unsigned char *key, unsigned klen, const unsigned char *iv,
                unsigned ivlen, int flags, unsigned id, unsigned version)
{
  context *ctx = room;
  (void)ivlen, (void)id, (void)version;
  note_init(key, klen, iv);
  if (toy_does == TOY_INIT_FAILS)
    return -101;
  *ctx = (context){.stream = 0x5a, .flags = flags};
  for (unsigned i = 0; i < klen; i++)
    ctx->stream = (unsigned char)(ctx->stream * 5 + key[i]);
  for (unsigned i = 0; i < 16; i++)
    ctx->stream = (unsigned char)(ctx->stream * 5 + iv[i]);
  if (toy_does == TOY_IDENTITY)
    ctx->stream = 0;
  return 0;
}

static bool padded(const context *ctx)
{
  return (ctx->flags & ENCRYPTION_FLAG_NOPAD) == 0;
}

static bool encrypts(const context *ctx)
{
  return (ctx->flags & ENCRYPTION_FLAG_ENCRYPT) != 0;
}

static int update(void *room, const unsigned char *src, unsigned slen, unsigned char *dst,
                  unsigned *dlen)
{
  context *ctx = room;
  toy_called.first = ctx->updates++ == 0 ? slen : toy_called.first;
  toy_called.updates = ctx->updates;
  toy_called.last = slen;
  *dlen = 0;
  if (toy_does == TOY_UPDATE_FAILS ||
      (toy_does == TOY_UPDATE_FAILS_LATE && toy_called.contexts > LATE))
    return -100;
  unsigned len = padded(ctx) && !encrypts(ctx) ? slen - TAG : slen;
  unsigned place = toy_does == TOY_STREAMS_WRONG ? 0 : ctx->done;
  for (unsigned i = 0; i < len; i++)
    dst[i] = toy_does == TOY_IDENTITY
                 ? src[i]
                 : (unsigned char)(src[i] ^ (unsigned char)(ctx->stream + (place + i) * 7) ^ 1);
  if (toy_does == TOY_DECRYPTS_WRONG && !encrypts(ctx))
    dst[len - 1] ^= 1;
  ctx->done += len;
  *dlen = toy_does == TOY_ENCRYPTS_SHORT && encrypts(ctx) ? len - 1 : len;
  return 0;
}

static int finish(void *room, unsigned char *dst, unsigned *dlen)
{
  context *ctx = room;
  toy_called.finished++;
  *dlen = 0;
  if (padded(ctx) && encrypts(ctx)) {
    memset(dst, 't', TAG);
    *dlen = TAG;
  }
  return 0;
}

static unsigned encrypted_length(unsigned slen, unsigned id, unsigned version)
{
  (void)id, (void)version;
  if (toy_does == TOY_LENGTH_HUGE)
    return slen + 4096;
  return toy_does == TOY_LENGTH_LIES ? slen + TAG + 1 : slen + TAG;
}

static struct encryption_service_st service = {
    latest_version, get_key, context_size, init, update, finish, encrypted_length,
};
struct encryption_service_st *encryption_service = &service;
