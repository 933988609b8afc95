/* SPDX-License-Identifier: GPL-2.0-only */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "file_parts.h"
#include "keyhold/time.h"
#include "temp_file.h"

enum { SUFFIX_MAX = 64 };

static void remove_punctuation(kh_time_text *time)
{
  size_t len = 0;
  for (const char *from = time->text; *from != '\0'; from++)
    if (*from != '-' && *from != ':')
      time->text[len++] = *from;
  time->text[len] = '\0';
}

static bool is_taken_name(const char *name)
{
  struct stat st;
  return lstat(name, &st) == 0;
}

/* Returns whether a byte is not the first of a UTF-8 character. */
static bool is_inside_character(char byte)
{
  return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Makes the name, of which the file's own name is shortened where the whole is too long for the
 * file system, or for the temporary file that is renamed to it. Returns NULL: no memory. */
static char *join_name(const char *path, const char *suffix)
{
  char *name = NULL;
  const char *slash = strrchr(path, '/');
  size_t folder_len = slash == NULL ? 0 : (size_t)(slash + 1 - path);
  size_t room = NAME_MAX - strlen(KH_TEMP_FILE_PREFIX KH_TEMP_FILE_SUFFIX) - strlen(suffix);
  size_t len = strlen(path + folder_len);
  if (len > room) {
    len = room;
    while (len > 0 && is_inside_character(path[folder_len + len]))
      len--;
  }
  return asprintf(&name, "%.*s%s", (int)(folder_len + len), path, suffix) < 0 ? NULL : name;
}

char *kh_file_name_dated(const char *path, const char *word, uint32_t now)
{
  KH_AUTO_STRING real = realpath(path, NULL);
  kh_time_text time = kh_time_show(now);
  char suffix[SUFFIX_MAX];
  remove_punctuation(&time);
  const char *base = real == NULL ? path : real;
  snprintf(suffix, sizeof suffix, ".%s-%s", word, time.text);
  char *name = join_name(base, suffix);
  for (unsigned number = 2; name != NULL && is_taken_name(name); number++) {
    free(name);
    snprintf(suffix, sizeof suffix, ".%s-%s-%u", word, time.text, number);
    name = join_name(base, suffix);
  }
  return name;
}

bool kh_file_is_name_dated(const char *path, const char *word, const char *name)
{
  char start[SUFFIX_MAX];
  snprintf(start, sizeof start, ".%s-2", word); /* of a year */
  const char *suffix = NULL;
  for (const char *at = strstr(name, start); at != NULL; at = strstr(at + 1, start))
    suffix = at;
  if (suffix == NULL || strlen(suffix) >= SUFFIX_MAX)
    return false;
  KH_AUTO_STRING whole = join_name(path, suffix);
  const char *slash = whole == NULL ? NULL : strrchr(whole, '/');
  return slash != NULL && strcmp(slash + 1, name) == 0;
}
