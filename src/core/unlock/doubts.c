/* SPDX-License-Identifier: GPL-2.0-only */
/* What settings and passphrases look like that are most likely a mistake. Nothing of their value is
 * repeated. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "keyhold/limits.h"
#include "source.h"

static bool is_quoted(kh_bytes text)
{
  static const char marks[] = "\"'";
  return text.len >= 2 && memchr(marks, text.data[0], sizeof marks - 1) != NULL &&
         text.data[text.len - 1] == text.data[0];
}

static bool is_blank(uint8_t byte)
{
  return byte == ' ' || byte == '\t';
}

static bool begins_with(kh_bytes text, const char *start)
{
  size_t len = strlen(start);
  return text.len >= len && memcmp(text.data, start, len) == 0;
}

/* A random passphrase in base64 may begin with '/'; it mostly ends with '='. */
static bool is_like_path(const char *filekey)
{
  size_t len = strlen(filekey);
  bool begins_so =
      filekey[0] == '/' || strncmp(filekey, "./", 2) == 0 || strncmp(filekey, "../", 3) == 0;
  return begins_so && len > 2 && filekey[len - 1] != '=';
}

static bool is_file(const char *filekey)
{
  struct statx found;
  return statx(AT_FDCWD, filekey, 0, STATX_TYPE, &found) == 0 &&
         (S_ISREG(found.stx_mode) || S_ISFIFO(found.stx_mode));
}

/* Returns the prefix that a setting begins with in another case, or after white space; NULL: none.
 */
static const char *prefix_meant(const char *filekey)
{
  static const kh_unlock_source *const sources[] = {
      &kh_unlock_file, &kh_unlock_credential, &kh_unlock_env, &kh_unlock_exec, &kh_unlock_socket};
  filekey += strspn(filekey, " \t");
  for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
    if (strncasecmp(filekey, sources[i]->prefix, strlen(sources[i]->prefix)) == 0)
      return sources[i]->prefix;
  return NULL;
}

/* Returns what the setting looks like; NULL: a passphrase. */
static const char *looks_like(const char *filekey)
{
  if (is_quoted((kh_bytes){(const uint8_t *)filekey, strlen(filekey)}))
    return "it is in quotation marks, which are a part of it";
  if (filekey[0] == '~')
    return "it begins with '~', which is not expanded";
  if (is_like_path(filekey))
    return "it looks like a path";
  if (is_file(filekey))
    return "it is the name of an existing file";
  return NULL;
}

bool kh_unlock_doubt_literal(const char *filekey, char *ret_sentence)
{
  if (filekey == NULL || filekey[0] == '\0' || !kh_unlock_is_literal(filekey))
    return false;
  const char *prefix = prefix_meant(filekey);
  const char *look = prefix != NULL ? NULL : looks_like(filekey);
  if (prefix != NULL)
    snprintf(ret_sentence, KH_ADVICE_MAX,
             "filekey is the passphrase itself, but it begins like '%s', in another case or after "
             "white space; for that source, begin it with %s in capitals",
             prefix, prefix);
  else if (look != NULL)
    snprintf(ret_sentence, KH_ADVICE_MAX,
             "filekey is the passphrase itself, but %s; to read the passphrase from a file, write "
             "FILE:/path",
             look);
  return prefix != NULL || look != NULL;
}

static bool has_blank_first(kh_bytes text)
{
  return text.len > 0 && is_blank(text.data[0]);
}

static bool has_blank_last(kh_bytes text)
{
  return text.len > 0 && is_blank(text.data[text.len - 1]);
}

static bool has_byte_order_mark(kh_bytes text)
{
  return begins_with(text, "\xEF\xBB\xBF") || begins_with(text, "\xFF\xFE") ||
         begins_with(text, "\xFE\xFF");
}

static bool is_comment(kh_bytes text)
{
  return begins_with(text, "#");
}

static bool has_cr_inside(kh_bytes text)
{
  return text.len > 0 && memchr(text.data, '\r', text.len) != NULL;
}

static const struct fact {
  bool (*is_true)(kh_bytes passphrase);
  const char *words;
} facts[] = {
    {has_byte_order_mark, "begins with a byte order mark"},
    {is_comment, "begins with '#'"},
    {is_quoted, "is in quotation marks"},
    {has_blank_first, "begins with white space"},
    {has_blank_last, "ends with white space"},
    {has_cr_inside, "has a carriage return in it"},
};

/* Appends a fact to the sentence; leaves out one that does not fit. */
static void add_fact(const char *words, char *sentence)
{
  size_t len = strlen(sentence);
  const char *before = len == 0 ? "The passphrase " : ", ";
  if (len + strlen(before) + strlen(words) < KH_ADVICE_BESIDE_PATH_MAX)
    snprintf(sentence + len, KH_ADVICE_BESIDE_PATH_MAX - len, "%s%s", before, words);
}

static size_t count_lines(kh_bytes text)
{
  size_t lines = 1;
  for (size_t i = 0; i < text.len; i++)
    lines += text.data[i] == '\n';
  return lines;
}

bool kh_unlock_describe_passphrase(kh_bytes passphrase, bool has_cr, char *ret_sentence)
{
  char sentence[KH_ADVICE_MAX] = "";
  char words[KH_ADVICE_MAX];
  size_t lines = count_lines(passphrase);
  snprintf(words, sizeof words, "has %zu lines, of which 'openssl enc -pass file:' reads the first",
           lines);
  if (lines > 1)
    add_fact(words, sentence);
  if (has_cr)
    add_fact("has a line end CR LF, of which 'openssl enc -pass file:' keeps the CR", sentence);
  for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
    if (facts[i].is_true(passphrase))
      add_fact(facts[i].words, sentence);
  if (sentence[0] == '\0')
    return false;
  snprintf(ret_sentence, KH_ADVICE_MAX, "%s", sentence);
  return true;
}
