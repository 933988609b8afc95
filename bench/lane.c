/* SPDX-License-Identifier: GPL-2.0-only */
#include "lane.h"

#include <mysql/plugin.h>
#include <mysql/service_encryption.h>
#include <stdlib.h>
#include <string.h>

/*
 * Sixteen bytes that are stored at once. Two stores of eight, and a plugin that loads sixteen,
 * would wait for each other.
 */
typedef uint64_t words __attribute__((vector_size(16)));

enum {
  KEY_MIN = 16,
  KEY_MAX = 32,
  CONTEXT_MAX = 4096, /* of a streamed message; the server's own plugin takes about 200 */
  TEXT_EXTRA = 64,    /* room for padding or a tag, up to the next multiple of 64 */
  MESSAGES = 64,      /* for decryption with padding, where only a real message can be used */
  MESSAGES_LARGE = 4, /* of more than LARGE bytes */
  LARGE = 4096,
  EVENT_HEADER = 15,  /* what is encrypted of the header of an event of the binlog, */
  EVENT_CHUNK = 4096, /* its body, in pieces of this length, */
  EVENT_CHECKSUM = 4, /* and its end */
  TEXTS_SIZE = MESSAGES_LARGE * (KH_BENCH_SIZE_MAX + TEXT_EXTRA),
};

/* A message to encrypt or decrypt, with its key and IV. */
typedef struct {
  words key[2];
  words iv;
  const unsigned char *text;
  unsigned len;
} message;

struct kh_bench_lane {
  kh_bench_key_ids ids;
  uint64_t random;
  uint64_t choice; /* of a key out of many */
  uint64_t turn;   /* of the key that is used now, of KH_BENCH_TURNS */
  const kh_bench_case *what;
  unsigned key_id, key_version, key_len;
  unsigned result_len;  /* the expected length of the output */
  message own;          /* gets a new IV each time, and a new key if the case has new keys */
  message *current;     /* own, or one of messages */
  size_t message_count; /* 0: own is used */
  message messages[MESSAGES];
  unsigned char *plain; /* KH_BENCH_SIZE_MAX random bytes */
  unsigned char *made;  /* the output of an operation */
  unsigned char *texts; /* the messages' */
  _Alignas(64) unsigned char context[CONTEXT_MAX];
};

/* --- Making a lane --- */

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t random_word(kh_bench_lane *lane)
{
  uint64_t z = lane->random += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static words random_words(kh_bench_lane *lane)
{
  return (words){random_word(lane), random_word(lane)};
}

kh_bench_lane *kh_bench_lane_new(uint64_t seed, kh_bench_key_ids ids)
{
  kh_bench_lane *lane = aligned_alloc(_Alignof(kh_bench_lane), sizeof *lane);
  if (lane == NULL)
    return NULL;
  memset(lane, 0, sizeof *lane);
  lane->ids = ids;
  lane->random = seed;
  lane->choice = random_word(lane);
  lane->plain = aligned_alloc(64, KH_BENCH_SIZE_MAX);
  lane->made = aligned_alloc(64, KH_BENCH_SIZE_MAX + TEXT_EXTRA);
  lane->texts = aligned_alloc(64, TEXTS_SIZE);
  if (lane->plain == NULL || lane->made == NULL || lane->texts == NULL) {
    kh_bench_lane_free(&lane);
    return NULL;
  }
  for (size_t at = 0; at < KH_BENCH_SIZE_MAX; at += sizeof(words))
    memcpy(lane->plain + at, &(words){random_word(lane), random_word(lane)}, sizeof(words));
  memset(lane->made, 0, KH_BENCH_SIZE_MAX + TEXT_EXTRA);
  memset(lane->texts, 0, TEXTS_SIZE);
  return lane;
}

void kh_bench_lane_free(kh_bench_lane **lane)
{
  if (*lane == NULL)
    return;
  free((*lane)->plain);
  free((*lane)->made);
  free((*lane)->texts);
  free(*lane);
  *lane = NULL;
}

/* --- Each operation once --- */

/* Since 11.8, the header of the server asserts that *ret_len holds the room in `to` at first. */
static inline int crypt_message(kh_bench_lane *lane, const message *from, int flags,
                                unsigned char *to, unsigned *ret_len)
{
  *ret_len = from->len + ((flags & ENCRYPTION_FLAG_ENCRYPT) != 0 ? TEXT_EXTRA : 0);
  return encryption_crypt(from->text, from->len, to, ret_len, (const unsigned char *)from->key,
                          lane->key_len, (const unsigned char *)&from->iv, sizeof from->iv, flags,
                          lane->key_id, lane->key_version);
}

static inline int flags_of(const kh_bench_case *what)
{
  return (what->operation == KH_BENCH_DECRYPT ? ENCRYPTION_FLAG_DECRYPT : ENCRYPTION_FLAG_ENCRYPT) |
         (what->padded ? 0 : ENCRYPTION_FLAG_NOPAD);
}

/* One piece of a streamed message; *at is where the next output goes. */
static inline int put_piece(kh_bench_lane *lane, const unsigned char *piece, unsigned len,
                            unsigned *at)
{
  unsigned made = 0;
  int result = encryption_ctx_update(lane->context, piece, len, lane->made + *at, &made);
  *at += made;
  return result;
}

static inline int put_event(kh_bench_lane *lane, const message *from, unsigned *at)
{
  int result = put_piece(lane, from->text, EVENT_HEADER, at);
  unsigned end = from->len - EVENT_CHECKSUM;
  for (unsigned done = EVENT_HEADER; done < end; done += EVENT_CHUNK)
    result |=
        put_piece(lane, from->text + done, end - done < EVENT_CHUNK ? end - done : EVENT_CHUNK, at);
  return result | put_piece(lane, from->text + end, EVENT_CHECKSUM, at);
}

static inline int stream_message(kh_bench_lane *lane, const message *from, unsigned *ret_len)
{
  int result = encryption_ctx_init(lane->context, (const unsigned char *)from->key, lane->key_len,
                                   (const unsigned char *)&from->iv, sizeof from->iv,
                                   ENCRYPTION_FLAG_ENCRYPT | ENCRYPTION_FLAG_NOPAD, lane->key_id,
                                   lane->key_version);
  if (result != 0)
    return result;
  unsigned at = 0, last = 0;
  result = put_event(lane, from, &at);
  result |= encryption_ctx_finish(lane->context, lane->made + at, &last);
  *ret_len = at + last;
  return result;
}

/* --- The loops that are timed --- */

/* Gives the next operation its IV and key. */
static inline void advance(kh_bench_lane *lane, bool new_key, bool in_turn)
{
  if (lane->message_count > 0) {
    message *next = lane->current + 1;
    lane->current = next == lane->messages + lane->message_count ? lane->messages : next;
    return;
  }
  lane->own.iv += (words){0, 1};
  if (new_key)
    lane->own.key[0] += (words){1, 1};
  if (in_turn) {
    lane->turn = lane->turn == KH_BENCH_TURNS - 1 ? 0 : lane->turn + 1;
    lane->own.key[0][0] = lane->turn;
  }
}

static uint64_t run_crypt(kh_bench_lane *lane, uint64_t times)
{
  const bool new_key = lane->what->new_key;
  const bool in_turn = lane->what->in_turn;
  const int flags = flags_of(lane->what);
  uint64_t failures = 0;
  for (; times > 0; times--) {
    unsigned len = 0;
    advance(lane, new_key, in_turn);
    int result = crypt_message(lane, lane->current, flags, lane->made, &len);
    failures += result != 0 || len != lane->result_len;
  }
  return failures;
}

static uint64_t run_stream(kh_bench_lane *lane, uint64_t times)
{
  const bool new_key = lane->what->new_key;
  uint64_t failures = 0;
  for (; times > 0; times--) {
    unsigned len = 0;
    advance(lane, new_key, false);
    int result = stream_message(lane, lane->current, &len);
    failures += result != 0 || len != lane->result_len;
  }
  return failures;
}

static uint64_t run_latest_version(kh_bench_lane *lane, uint64_t times)
{
  uint64_t failures = 0;
  for (; times > 0; times--)
    failures += encryption_key_get_latest_version(lane->key_id) != lane->key_version;
  return failures;
}

static uint64_t run_get_key(kh_bench_lane *lane, uint64_t times)
{
  uint64_t failures = 0;
  for (; times > 0; times--) {
    unsigned len = KEY_MAX;
    unsigned result = encryption_key_get(lane->key_id, lane->key_version, lane->made, &len);
    failures += result != 0 || len != lane->key_len;
  }
  return failures;
}

/* --- The same over many keys --- */

/* Knuth's generator of MMIX: the upper half is a good random number, and the upper bits of the
 * lower half are good enough. */
static inline uint64_t next_choice(uint64_t choice, unsigned answer)
{
  return choice * 6364136223846793005u + 1442695040888963407u + answer;
}

static inline unsigned chosen_id(uint64_t choice, kh_bench_key_ids ids)
{
  return 1 + (unsigned)((choice >> 32) * ids.ids >> 32);
}

static inline unsigned chosen_version(uint64_t choice, kh_bench_key_ids ids)
{
  return 1 + (unsigned)((choice & UINT32_MAX) * ids.versions >> 32);
}

static uint64_t run_latest_version_many(kh_bench_lane *lane, uint64_t times)
{
  const kh_bench_key_ids ids = lane->ids;
  uint64_t failures = 0;
  unsigned answer = 0;
  for (; times > 0; times--) {
    lane->choice = next_choice(lane->choice, answer);
    answer = encryption_key_get_latest_version(chosen_id(lane->choice, ids));
    failures += answer != ids.versions;
  }
  return failures;
}

static uint64_t run_get_key_many(kh_bench_lane *lane, uint64_t times)
{
  const kh_bench_key_ids ids = lane->ids;
  uint64_t failures = 0;
  for (; times > 0; times--) {
    unsigned len = KEY_MAX;
    lane->choice = next_choice(lane->choice, lane->made[0]);
    unsigned result = encryption_key_get(chosen_id(lane->choice, ids),
                                         chosen_version(lane->choice, ids), lane->made, &len);
    failures += result != 0 || len < KEY_MIN;
  }
  return failures;
}

static uint64_t run_choose_many(kh_bench_lane *lane, uint64_t times)
{
  const kh_bench_key_ids ids = lane->ids;
  uint64_t failures = 0;
  unsigned answer = 0;
  for (; times > 0; times--) {
    lane->choice = next_choice(lane->choice, answer);
    answer = chosen_id(lane->choice, ids) + chosen_version(lane->choice, ids);
    failures += answer < 2;
  }
  return failures;
}

/* --- Checks --- */

/* Returns whether this ciphertext, decrypted in one piece, is the plaintext. */
static bool decrypts(kh_bench_lane *lane, const message *cipher, const unsigned char *plain)
{
  unsigned len = 0;
  const kh_bench_case decrypt = {.operation = KH_BENCH_DECRYPT, .padded = lane->what->padded};
  memset(lane->made, 0, lane->what->size);
  return crypt_message(lane, cipher, flags_of(&decrypt), lane->made, &len) == 0 &&
         len == lane->what->size && memcmp(lane->made, plain, len) == 0;
}

/* The length of a ciphertext, as the plugin reports it. */
static unsigned cipher_len(const kh_bench_lane *lane)
{
  if (!lane->what->padded)
    return lane->what->size;
  return encryption_encrypted_length(lane->what->size, lane->key_id, lane->key_version);
}

/* Encrypts the plaintext with the message's key and IV into its place, and checks it. */
static bool make_message(kh_bench_lane *lane, message *to, unsigned char *place)
{
  const kh_bench_case encrypt = {.operation = KH_BENCH_ENCRYPT, .padded = lane->what->padded};
  message plain = *to;
  plain.text = lane->plain;
  plain.len = lane->what->size;
  to->text = place;
  return crypt_message(lane, &plain, flags_of(&encrypt), place, &to->len) == 0 &&
         to->len == cipher_len(lane) && memcmp(place, lane->plain, plain.len) != 0 &&
         decrypts(lane, to, lane->plain);
}

/* Messages that can be decrypted with padding. */
static bool make_messages(kh_bench_lane *lane)
{
  lane->message_count = lane->what->size > LARGE ? MESSAGES_LARGE : MESSAGES;
  size_t room = ((size_t)lane->what->size + TEXT_EXTRA + 63) / 64 * 64;
  for (size_t i = 0; i < lane->message_count; i++) {
    message *next = &lane->messages[i];
    *next = lane->own;
    next->iv = random_words(lane);
    if (lane->what->new_key)
      next->key[0] = random_words(lane);
    if (!make_message(lane, next, lane->texts + i * room))
      return false;
  }
  lane->current = lane->messages;
  return true;
}

static bool prepare_crypt(kh_bench_lane *lane)
{
  bool decrypt = lane->what->operation == KH_BENCH_DECRYPT;
  unsigned promised = cipher_len(lane);
  if (promised < lane->what->size || promised > lane->what->size + TEXT_EXTRA)
    return false;
  lane->result_len = decrypt ? lane->what->size : promised;
  if (decrypt && lane->what->padded)
    return make_messages(lane);
  message trial = lane->own;
  return make_message(lane, &trial, lane->texts);
}

static bool prepare_stream(kh_bench_lane *lane)
{
  if (encryption_ctx_size(lane->key_id, lane->key_version) > CONTEXT_MAX)
    return false;
  lane->result_len = lane->what->size;
  message cipher = lane->own;
  if (stream_message(lane, &lane->own, &cipher.len) != 0 || cipher.len != lane->result_len)
    return false;
  memcpy(lane->texts, lane->made, cipher.len);
  cipher.text = lane->texts;
  return memcmp(lane->texts, lane->plain, cipher.len) != 0 && decrypts(lane, &cipher, lane->plain);
}

static bool prepare_latest_version(kh_bench_lane *lane)
{
  return lane->key_version != ENCRYPTION_KEY_VERSION_INVALID &&
         lane->key_version != ENCRYPTION_KEY_NOT_ENCRYPTED;
}

static bool prepare_get_key(kh_bench_lane *lane)
{
  unsigned char key[2][KEY_MAX] = {{0}};
  static const unsigned char zeros[KEY_MAX];
  for (size_t i = 0; i < 2; i++) {
    unsigned len = KEY_MAX;
    if (encryption_key_get(lane->key_id, lane->key_version, key[i], &len) != 0 ||
        len != lane->key_len)
      return false;
  }
  return memcmp(key[0], key[1], lane->key_len) == 0 && memcmp(key[0], zeros, lane->key_len) != 0;
}

static bool has_all_versions(kh_bench_lane *lane, unsigned id)
{
  for (unsigned version = 1; version <= lane->ids.versions; version++) {
    unsigned len = KEY_MAX;
    if (encryption_key_get(id, version, lane->made, &len) != 0 || len < KEY_MIN)
      return false;
  }
  return encryption_key_get_latest_version(id) == lane->ids.versions;
}

static bool prepare_many(kh_bench_lane *lane)
{
  for (unsigned id = 1; id <= lane->ids.ids; id++)
    if (!has_all_versions(lane, id))
      return false;
  return true;
}

static const struct {
  bool (*prepare)(kh_bench_lane *lane);
  uint64_t (*run)(kh_bench_lane *lane, uint64_t times); /* returns the number of failures */
} operations[KH_BENCH_OPERATION_COUNT] = {
    [KH_BENCH_ENCRYPT] = {prepare_crypt, run_crypt},
    [KH_BENCH_DECRYPT] = {prepare_crypt, run_crypt},
    [KH_BENCH_STREAM] = {prepare_stream, run_stream},
    [KH_BENCH_LATEST_VERSION] = {prepare_latest_version, run_latest_version},
    [KH_BENCH_GET_KEY] = {prepare_get_key, run_get_key},
    [KH_BENCH_LATEST_VERSION_MANY] = {prepare_many, run_latest_version_many},
    [KH_BENCH_GET_KEY_MANY] = {prepare_many, run_get_key_many},
    [KH_BENCH_CHOOSE_MANY] = {prepare_many, run_choose_many},
};

bool kh_bench_lane_prepare(kh_bench_lane *lane, const kh_bench_case *what)
{
  lane->what = what;
  lane->key_id = what->key_bits == 128 ? lane->ids.id_128 : lane->ids.id_256;
  lane->key_len = what->key_bits / 8;
  lane->key_version = encryption_key_get_latest_version(lane->key_id);
  lane->message_count = 0;
  lane->own = (message){.key = {random_words(lane), random_words(lane)},
                        .iv = random_words(lane),
                        .text = lane->plain,
                        .len = what->size};
  lane->current = &lane->own;
  return operations[what->operation].prepare(lane);
}

bool kh_bench_lane_run(kh_bench_lane *lane, uint64_t times)
{
  return operations[lane->what->operation].run(lane, times) == 0;
}
