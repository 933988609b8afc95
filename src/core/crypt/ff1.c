/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * With radix 2 and n bytes, the names of SP 800-38G are: u = v = 4n bits, so that both halves have
 * one length m and fit 64 bits; b = ceil(n / 2) bytes; d = 8 for n <= 8, else 12. Q is the tweak
 * and one block more, so that the CBC-MAC of all but the last block is the same in all rounds.
 */
#include "ff1.h"

#include <endian.h>
#include <string.h>

#include "keyhold/secret.h"

enum { ROUNDS = 10, RADIX = 2, WORD = 8 };

/* A block as two big-endian numbers. */
struct words {
  uint64_t high, low;
};

/* A block that is stored at once: AES loads it at once, and would wait for two stores. */
typedef uint64_t stored_words __attribute__((vector_size(KH_AES_BLOCK)));

/* What the rounds of a message share. */
struct rounds {
  const kh_ff1_cipher *cipher;
  struct words chain; /* CBC-MAC of P and the tweak */
  size_t n;           /* bytes of the message */
  uint64_t mask;      /* 2^m - 1 */
};

static struct words words_of(const uint8_t *bytes)
{
  struct words words;
  memcpy(&words, bytes, sizeof words);
  return (struct words){be64toh(words.high), be64toh(words.low)};
}

/* Encrypts a block in place. It is wiped by one store, since a call in each round takes too long.
 */
static kh_status encrypt_words(const kh_ff1_cipher *cipher, struct words *words)
{
  stored_words block = {htobe64(words->high), htobe64(words->low)};
  uint8_t *bytes = (uint8_t *)&block;
  kh_status status = cipher->encrypt(cipher->argument, bytes, bytes);
  *words = words_of(bytes);
  *(volatile stored_words *)&block = (stored_words){0};
  return status;
}

static kh_status chain_block(struct rounds *rounds, struct words block)
{
  rounds->chain.high ^= block.high;
  rounds->chain.low ^= block.low;
  return encrypt_words(rounds->cipher, &rounds->chain);
}

/* Step 5 is P; step 6i begins Q with the tweak. */
static kh_status begin_rounds(const kh_ff1_cipher *cipher, size_t n, const uint8_t *tweak,
                              struct rounds *rounds)
{
  const uint8_t p[KH_AES_BLOCK] = {
      1, 2, 1, 0,           0, RADIX, ROUNDS, (uint8_t)(4 * n), 0, 0, 0, (uint8_t)(8 * n),
      0, 0, 0, KH_FF1_TWEAK};
  *rounds = (struct rounds){.cipher = cipher, .n = n, .mask = (UINT64_C(1) << (4 * n)) - 1};
  kh_status status = chain_block(rounds, words_of(p));
  for (size_t at = 0; at < KH_FF1_TWEAK && status == KH_OK; at += KH_AES_BLOCK)
    status = chain_block(rounds, words_of(tweak + at));
  return status;
}

/* Steps 6i to 6iv: y modulo 2^64, which is enough because m <= 60. Q ends with the number of the
 * round in one byte and the half in b bytes. */
static kh_status round_number(const struct rounds *rounds, uint64_t round, uint64_t half,
                              uint64_t *ret_y)
{
  size_t b = (rounds->n + 1) / 2;
  struct words words = rounds->chain;
  words.low ^= half;
  if (b < WORD)
    words.low ^= round << (8 * b);
  else
    words.high ^= round;
  kh_status status = encrypt_words(rounds->cipher, &words);
  *ret_y = b <= WORD / 2 ? words.high : words.high << 32 | words.low >> 32;
  return status;
}

/* Decryption does the rounds backwards, and subtracts. */
static kh_status run_rounds(const struct rounds *rounds, bool encrypt, uint64_t *a, uint64_t *b)
{
  for (uint64_t i = 0; i < ROUNDS; i++) {
    uint64_t y = 0;
    kh_status status =
        encrypt ? round_number(rounds, i, *b, &y) : round_number(rounds, ROUNDS - 1 - i, *a, &y);
    if (status != KH_OK)
      return status;
    uint64_t c = (encrypt ? *a + y : *b - y) & rounds->mask;
    if (encrypt)
      *a = *b, *b = c;
    else
      *b = *a, *a = c;
  }
  return KH_OK;
}

/* The message as one number of 2m = 8n bits, whose upper half is the first. */
static void split(kh_bytes src, const struct rounds *rounds, uint64_t *ret_a, uint64_t *ret_b)
{
  uint8_t block[KH_AES_BLOCK] = {0};
  memcpy(block + KH_AES_BLOCK - src.len, src.data, src.len);
  struct words words = words_of(block);
  size_t m = 4 * src.len;
  *ret_b = words.low & rounds->mask;
  *ret_a = (words.low >> m | words.high << 1 << (63 - m)) & rounds->mask;
  kh_wipe(block, sizeof block);
}

static void join(uint64_t a, uint64_t b, uint8_t *dst, size_t n)
{
  uint8_t block[KH_AES_BLOCK];
  size_t m = 4 * n;
  struct words words = {htobe64(a >> 1 >> (63 - m)), htobe64(a << m | b)};
  memcpy(block, &words, sizeof block);
  memcpy(dst, block + KH_AES_BLOCK - n, n);
  kh_wipe(block, sizeof block);
}

kh_status kh_ff1(const kh_ff1_cipher *cipher, bool encrypt, const uint8_t *tweak, kh_bytes src,
                 uint8_t *dst)
{
  struct rounds rounds;
  uint64_t a = 0;
  uint64_t b = 0;
  kh_status status = begin_rounds(cipher, src.len, tweak, &rounds);
  split(src, &rounds, &a, &b);
  if (status == KH_OK)
    status = run_rounds(&rounds, encrypt, &a, &b);
  if (status == KH_OK)
    join(a, b, dst, src.len);
  kh_wipe(&rounds, sizeof rounds);
  return status;
}
