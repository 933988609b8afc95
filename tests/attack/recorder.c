/* SPDX-License-Identifier: GPL-2.0-only */
/* keyhold_recorder.so: the plugin keyhold_file.so, which it loads, with a record of what is
 * encrypted. It is for repeats.py, and is not installed: its file has digests of plain texts.
 *
 * Each message that is encrypted without or with padding is a line of the file that the environment
 * variable KEYHOLD_RECORD names: length of the key, "nopad" or "pad", digest of the key, IV,
 * length, digest of the first 16 bytes, digest of all. */
#include <dlfcn.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mysql/plugin_encryption.h>

#define BLOCK         16
#define DIGEST        16
#define ALIGNMENT     64
#define LINE_MAX_SIZE 256

/* In front of the plugin's own context. */
typedef struct recording {
  crypto_generichash_state all; /* first: it must be aligned */
  unsigned char first[BLOCK];
  unsigned char iv[BLOCK];
  unsigned char key[DIGEST];
  unsigned long length;
  unsigned key_length;
  int flags;
} recording;

#define RECORDING_SIZE ((unsigned)((sizeof(recording) + 2 * ALIGNMENT) / ALIGNMENT * ALIGNMENT))

static const struct st_mariadb_encryption *recorded;
static struct st_mariadb_encryption recorder;
static int record_file = -1;

/* The server does not align contexts. */
static recording *recording_of(void *ctx)
{
  return (recording *)(((uintptr_t)ctx + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

static void *context_of(void *ctx)
{
  return (char *)recording_of(ctx) + RECORDING_SIZE - ALIGNMENT;
}

static unsigned int recorded_ctx_size(unsigned int key_id, unsigned int key_version)
{
  return recorded->crypt_ctx_size(key_id, key_version) + RECORDING_SIZE;
}

static int start_recording(void *ctx, const unsigned char *key, unsigned int klen,
                           const unsigned char *iv, unsigned int ivlen, int flags,
                           unsigned int key_id, unsigned int key_version)
{
  recording *message = recording_of(ctx);
  memset(message, 0, sizeof *message);
  message->flags = flags;
  message->key_length = klen;
  memcpy(message->iv, iv, ivlen < BLOCK ? ivlen : BLOCK);
  crypto_generichash_init(&message->all, NULL, 0, DIGEST);
  crypto_generichash_update(&message->all, key, klen);
  crypto_generichash_final(&message->all, message->key, DIGEST);
  crypto_generichash_init(&message->all, NULL, 0, DIGEST);
  return recorded->crypt_ctx_init(context_of(ctx), key, klen, iv, ivlen, flags, key_id,
                                  key_version);
}

static int record_part(void *ctx, const unsigned char *src, unsigned int slen, unsigned char *dst,
                       unsigned int *dlen)
{
  recording *message = recording_of(ctx);
  crypto_generichash_update(&message->all, src, slen);
  if (message->length < BLOCK) {
    size_t missing = BLOCK - message->length;
    memcpy(message->first + message->length, src, slen < missing ? slen : missing);
  }
  message->length += slen;
  return recorded->crypt_ctx_update(context_of(ctx), src, slen, dst, dlen);
}

static void write_line(recording *message)
{
  unsigned char all[DIGEST];
  unsigned char first[DIGEST];
  char texts[4][2 * DIGEST + 1];
  char line[LINE_MAX_SIZE];
  crypto_generichash_final(&message->all, all, DIGEST);
  crypto_generichash(first, DIGEST, message->first, BLOCK, message->key, DIGEST);
  const unsigned char *values[] = {message->key, message->iv, first, all};
  for (int i = 0; i < 4; i++)
    sodium_bin2hex(texts[i], sizeof texts[i], values[i], DIGEST);
  int size = snprintf(line, sizeof line, "%u %s %s %s %lu %s %s\n", message->key_length,
                      message->flags & ENCRYPTION_FLAG_NOPAD ? "nopad" : "pad", texts[0], texts[1],
                      message->length, texts[2], texts[3]);
  if (write(record_file, line, (size_t)size) != size)
    abort(); /* a record with a gap would be worth nothing */
}

static int end_recording(void *ctx, unsigned char *dst, unsigned int *dlen)
{
  recording *message = recording_of(ctx);
  if (message->flags & ENCRYPTION_FLAG_ENCRYPT)
    write_line(message);
  return recorded->crypt_ctx_finish(context_of(ctx), dst, dlen);
}

/* The server finds all other symbols, such as the service pointers, in the library that this one
 * needs. */
extern struct st_maria_plugin _maria_plugin_declarations_[];
__attribute__((visibility("default"))) struct st_maria_plugin _maria_plugin_declarations_[2];

__attribute__((constructor)) static void wrap_plugin(void)
{
  const struct st_maria_plugin *plugin = dlsym(RTLD_NEXT, "_maria_plugin_declarations_");
  const char *name = getenv("KEYHOLD_RECORD");
  if (plugin == NULL || name == NULL)
    return; /* the server finds no plugin then */
  record_file = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  recorded = plugin->info;
  recorder = *recorded;
  recorder.crypt_ctx_size = recorded_ctx_size;
  recorder.crypt_ctx_init = start_recording;
  recorder.crypt_ctx_update = record_part;
  recorder.crypt_ctx_finish = end_recording;
  _maria_plugin_declarations_[0] = *plugin;
  _maria_plugin_declarations_[0].info = &recorder;
}
