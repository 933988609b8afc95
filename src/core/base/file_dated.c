/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdbool.h>
#include <stdio.h>

#include "file_parts.h"
#include "keyhold/time.h"

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

char *kh_file_name_dated(const char *path, const char *word, uint32_t now)
{
  KH_AUTO_STRING real = realpath(path, NULL);
  kh_time_text time = kh_time_show(now);
  char *name = NULL;
  remove_punctuation(&time);
  const char *base = real == NULL ? path : real;
  int len = asprintf(&name, "%s.%s-%s", base, word, time.text);
  for (unsigned number = 2; len >= 0 && is_taken_name(name); number++) {
    free(name);
    len = asprintf(&name, "%s.%s-%s-%u", base, word, time.text, number);
  }
  return len < 0 ? NULL : name;
}
