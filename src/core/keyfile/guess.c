/* SPDX-License-Identifier: GPL-2.0-only */
#include "guess.h"

#include <stdio.h>
#include <string.h>

#include "armour.h"
#include "keyhold/clock.h"
#include "keyhold/enc.h"
#include "keyhold/keyfile_openssl.h"
#include "keyhold/keyfile_text.h"

enum {
  HEAD_SIZE = 8 + KH_KDF_SALT_SIZE, /* "Salted__" and the salt */
  FEW = 10000, /* iterations that take no time that matters: the default of `openssl enc -pbkdf2` */
  MANY = 600000, /* that of OWASP, and of a file that the command makes */
};

/* A key derivation. */
struct derivation {
  kh_digest digest;
  uint32_t iterations;
};

/* Those that are likely and cheap first. */
enum { AS_CONFIGURED = UINT32_MAX };
static const struct derivation usual[] = {
    {KH_DIGEST_SHA256, 0},
    {KH_DIGEST_SHA1, 0},
    {KH_DIGEST_MD5, 0},
    {KH_DIGEST_SHA512, 0},
    {KH_DIGEST_SHA384, 0},
    {KH_DIGEST_SHA224, 0},
    {KH_DIGEST_SHA256, FEW},
    {KH_DIGEST_SHA256, MANY}, /* what the command makes */
    {KH_DIGEST_SHA1, FEW},
    {KH_DIGEST_SHA512, FEW},
    {KH_DIGEST_MD5, FEW},
    {KH_DIGEST_COUNT, AS_CONFIGURED}, /* with the configured digest */
    {KH_DIGEST_SHA256, AS_CONFIGURED},
    {KH_DIGEST_SHA1, AS_CONFIGURED},
    {KH_DIGEST_SHA512, AS_CONFIGURED},
    {KH_DIGEST_MD5, AS_CONFIGURED},
    {KH_DIGEST_SHA1, MANY},
    {KH_DIGEST_SHA512, MANY},
    {KH_DIGEST_MD5, MANY},
};
enum { USUAL = sizeof usual / sizeof usual[0] };

/* A way to change a passphrase, and what to do when the file opens with the changed one. */
struct variant {
  /* Writes the changed passphrase, at most one byte longer; 0: it is not different. */
  size_t (*change)(kh_bytes passphrase, uint8_t *ret_changed);
  const char *with; /* "It opens with ..." */
  const char *cure;
};

static size_t keep_all(kh_bytes passphrase, uint8_t *ret_changed)
{
  if (passphrase.len > 0)
    memcpy(ret_changed, passphrase.data, passphrase.len);
  return passphrase.len;
}

/* `openssl enc -pass file:` reads one line, and keeps a CR before its line end. */
static size_t keep_first_line_and_cr(kh_bytes passphrase, uint8_t *ret_changed)
{
  const uint8_t *end = passphrase.len == 0 ? NULL : memchr(passphrase.data, '\n', passphrase.len);
  return end == NULL
             ? 0
             : keep_all((kh_bytes){passphrase.data, (size_t)(end - passphrase.data)}, ret_changed);
}

static size_t keep_first_line(kh_bytes passphrase, uint8_t *ret_changed)
{
  size_t len = keep_first_line_and_cr(passphrase, ret_changed);
  return len > 0 && ret_changed[len - 1] == '\r' ? len - 1 : len;
}

static size_t append_cr(kh_bytes passphrase, uint8_t *ret_changed)
{
  size_t len = keep_all(passphrase, ret_changed);
  ret_changed[len] = '\r';
  return len + 1;
}

static size_t drop_byte_order_mark(kh_bytes passphrase, uint8_t *ret_changed)
{
  static const char mark[] = "\xEF\xBB\xBF";
  size_t len = sizeof mark - 1;
  if (passphrase.len <= len || memcmp(passphrase.data, mark, len) != 0)
    return 0;
  return keep_all((kh_bytes){passphrase.data + len, passphrase.len - len}, ret_changed);
}

static bool is_blank(uint8_t byte)
{
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static size_t drop_blanks(kh_bytes passphrase, uint8_t *ret_changed)
{
  kh_bytes inner = passphrase;
  while (inner.len > 0 && is_blank(inner.data[inner.len - 1]))
    inner.len--;
  for (; inner.len > 0 && is_blank(inner.data[0]); inner.len--)
    inner.data++;
  return inner.len == passphrase.len ? 0 : keep_all(inner, ret_changed);
}

static size_t drop_quotes(kh_bytes passphrase, uint8_t *ret_changed)
{
  static const char marks[] = "\"'";
  if (passphrase.len < 3 || memchr(marks, passphrase.data[0], sizeof marks - 1) == NULL ||
      passphrase.data[passphrase.len - 1] != passphrase.data[0])
    return 0;
  return keep_all((kh_bytes){passphrase.data + 1, passphrase.len - 2}, ret_changed);
}

static const struct variant variants[] = {
    {keep_all, "", ""},
    {keep_first_line, "the first line of the passphrase alone", "remove its other lines"},
    {append_cr, "a carriage return (CR) after the passphrase",
     "'openssl enc -pass file:' took it from a line end CR LF; encrypt the key file again"},
    {keep_first_line_and_cr, "the first line of the passphrase alone, with its carriage return",
     "encrypt the key file again"},
    {drop_byte_order_mark, "the passphrase without its byte order mark", "remove the mark"},
    {drop_blanks, "the passphrase without the white space around it", "remove that"},
    {drop_quotes, "the passphrase without the quotation marks around it", "remove them"},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

/* The search, and what is tried at the moment. */
struct guess {
  const kh_keyfile_options *options;
  kh_bytes file;       /* without the form of base64 */
  bool is_armoured;    /* it had that */
  const uint8_t *salt; /* NULL: none */
  kh_bytes ciphertext;
  kh_bytes passphrase;
  int64_t until;           /* a time of kh_clock_milliseconds(); 0: no limit */
  int64_t spent;           /* milliseconds for derivations, */
  int64_t iterations_done; /* with so many iterations; both begin with an estimate */
  bool is_complete;
  struct derivation derivation;
  const struct variant *variant;
  size_t cipher;
};

/* Estimates by the derivations so far how long one with so many iterations takes. */
static bool has_time_for(const struct guess *guess, uint32_t iterations)
{
  int64_t left = guess->until - kh_clock_milliseconds();
  return guess->until == 0 ||
         (left > 0 && guess->spent * iterations / guess->iterations_done <= left);
}

static kh_status derive(struct guess *guess, kh_bytes passphrase, kh_secret **ret_derived)
{
  uint32_t iterations = guess->derivation.iterations;
  int64_t begun = kh_clock_milliseconds();
  kh_status status = kh_secret_new(KH_KDF_OPENSSL_ENC_SIZE, ret_derived);
  if (status == KH_OK)
    status = kh_kdf_openssl_enc(passphrase, guess->salt, guess->derivation.digest, iterations,
                                *ret_derived);
  guess->spent += kh_clock_milliseconds() - begun;
  guess->iterations_done += iterations;
  return status;
}

static bool opens_with_cipher(const struct guess *guess, const kh_secret *derived, size_t cipher)
{
  KH_AUTO_SECRET text = NULL;
  KH_AUTO_KEYLIST keys = NULL;
  return kh_enc_begins_as_text(cipher, derived, guess->ciphertext) &&
         kh_enc_decrypt(cipher, derived, guess->ciphertext, &text) == KH_OK &&
         kh_keyfile_parse_text(guess->options->path, kh_secret_bytes(text), KH_REPEATS_AS_UPSTREAM,
                               NULL, &keys, NULL) == KH_OK;
}

static bool is_as_configured(const struct guess *guess)
{
  return guess->derivation.digest == guess->options->digest &&
         guess->derivation.iterations == guess->options->pbkdf2_iterations;
}

/* Tries all ciphers with one passphrase and one derivation. */
static bool opens_with_variant(struct guess *guess, const struct variant *variant)
{
  KH_AUTO_SECRET changed = NULL;
  KH_AUTO_SECRET derived = NULL;
  if (kh_secret_new(guess->passphrase.len + 1, &changed) != KH_OK)
    return false;
  size_t len = variant->change(guess->passphrase, kh_secret_data(changed));
  if (len == 0 && variant != variants)
    return false;
  kh_secret_set_len(changed, len);
  if (!has_time_for(guess, guess->derivation.iterations)) {
    guess->is_complete = false;
    return false;
  }
  if (derive(guess, kh_secret_bytes(changed), &derived) != KH_OK)
    return false;
  guess->variant = variant;
  for (guess->cipher = 0; kh_enc_cipher(guess->cipher) != NULL; guess->cipher++)
    if (opens_with_cipher(guess, derived, guess->cipher))
      return true;
  return false;
}

/* Changed passphrases are tried only where that is cheap, or nothing else is changed. */
static bool opens_with_derivation(struct guess *guess, const struct derivation *derivation)
{
  guess->derivation = *derivation;
  bool is_worth_it = derivation->iterations <= FEW || is_as_configured(guess);
  for (size_t i = 0; i < (is_worth_it ? VARIANTS : 1); i++)
    if (opens_with_variant(guess, &variants[i]))
      return true;
  return false;
}

static bool is_same_derivation(const struct derivation *a, const struct derivation *b)
{
  return a->digest == b->digest && a->iterations == b->iterations;
}

/* Tries each derivation once. */
static bool opens_somehow(struct guess *guess)
{
  struct derivation list[USUAL];
  for (size_t i = 0; i < USUAL; i++) {
    size_t first = 0;
    list[i] = usual[i];
    if (list[i].iterations == AS_CONFIGURED)
      list[i].iterations = guess->options->pbkdf2_iterations;
    if (list[i].digest == KH_DIGEST_COUNT)
      list[i].digest = guess->options->digest;
    while (!is_same_derivation(&list[first], &list[i]))
      first++;
    if (first == i && opens_with_derivation(guess, &list[i]))
      return true;
  }
  return false;
}

/* A file that this program reads with other settings. */
static void describe_settings(const struct guess *guess, char *ret_advice)
{
  const char *digest = kh_digest_name(guess->derivation.digest);
  unsigned iterations = guess->derivation.iterations;
  const struct variant *variant = guess->variant;
  if (is_as_configured(guess) && variant != variants)
    snprintf(ret_advice, KH_ADVICE_MAX, "It opens with %s: %s", variant->with, variant->cure);
  else if (variant == variants && !is_as_configured(guess))
    snprintf(ret_advice, KH_ADVICE_MAX,
             "It opens with digest=%s and use_pbkdf2=%u: set these (in the command: --digest=%s "
             "--pbkdf2-iterations=%u)",
             digest, iterations, digest, iterations);
  else if (variant != variants)
    snprintf(ret_advice, KH_ADVICE_MAX, "It opens with digest=%s, use_pbkdf2=%u and %s", digest,
             iterations, variant->with);
}

static void describe_command(const struct guess *guess, char *ret_advice)
{
  char pbkdf2[40] = "";
  if (guess->derivation.iterations != 0)
    snprintf(pbkdf2, sizeof pbkdf2, " -pbkdf2 -iter %u", guess->derivation.iterations);
  snprintf(ret_advice, KH_ADVICE_MAX,
           "It was made by 'openssl enc -%s -md %s%s%s%s', which is not supported: decrypt it by "
           "that command with -d, then run 'keyhold seal'",
           kh_enc_cipher(guess->cipher), kh_digest_name(guess->derivation.digest), pbkdf2,
           guess->salt == NULL ? " -nosalt" : "", guess->is_armoured ? " -a" : "");
}

/* Finds salt and ciphertext. False: the file is too short for a key. */
static bool find_parts(struct guess *guess)
{
  bool is_salted = kh_keyfile_is_openssl(guess->file);
  size_t head = is_salted ? HEAD_SIZE : 0;
  if (guess->file.len < head + KH_ENC_PROBE_SIZE)
    return false;
  guess->salt = is_salted ? guess->file.data + HEAD_SIZE - KH_KDF_SALT_SIZE : NULL;
  guess->ciphertext = (kh_bytes){guess->file.data + head, guess->file.len - head};
  return true;
}

static bool is_base64(kh_bytes file)
{
  size_t len = 0;
  for (size_t i = 0; i < file.len; i++) {
    uint8_t byte = file.data[i];
    bool is_digit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                    (byte >= 'A' && byte <= 'Z') || byte == '+' || byte == '/' || byte == '=';
    if (!is_digit && !is_blank(byte))
      return false;
    len += is_digit;
  }
  return len > 0 && len % 4 == 0;
}

bool kh_guess_may_be_unsalted(kh_bytes file)
{
  static const char *const others[] = {"\x1F\x8B", "\xFF\xFE", "\xFE\xFF"}; /* gzip, UTF-16 */
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    if (file.len >= 2 && memcmp(file.data, others[i], 2) == 0)
      return false;
  for (size_t i = 0; i < file.len; i++)
    if ((file.data[i] < ' ' && !(file.data[i] >= '\t' && file.data[i] <= '\r')) ||
        file.data[i] == 0x7f)
      return true;
  return is_base64(file);
}

bool kh_guess_how_made(const kh_keyfile_options *options, kh_bytes file, kh_bytes passphrase,
                       int64_t limit, char *ret_advice)
{
  KH_AUTO_SECRET bare = NULL;
  struct guess guess = {.options = options,
                        .file = file,
                        .is_armoured = is_base64(file),
                        .passphrase = passphrase,
                        .spent = FEW / 1000, /* a microsecond for each */
                        .iterations_done = FEW,
                        .until = limit == 0 ? 0 : kh_clock_milliseconds() + limit,
                        .is_complete = true};
  ret_advice[0] = '\0';
  if (guess.is_armoured && kh_armour_decode(file, &bare) != KH_OK)
    return true;
  if (guess.is_armoured)
    guess.file = kh_secret_bytes(bare);
  if (!find_parts(&guess) || !opens_somehow(&guess))
    return guess.is_complete;
  if (guess.cipher == 0 && guess.salt != NULL)
    describe_settings(&guess, ret_advice);
  else
    describe_command(&guess, ret_advice);
  return true;
}
