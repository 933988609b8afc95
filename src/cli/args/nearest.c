/* SPDX-License-Identifier: GPL-2.0-only */
#include "nearest.h"

#include <assert.h>
#include <string.h>

enum { PREFIX_MIN = 2, LETTERS_PER_MISTAKE = 3, MISTAKES_MAX = 2 };

static size_t least_of(size_t a, size_t b)
{
  return a < b ? a : b;
}

/* The optimal string alignment distance; row i has the distances of the first i letters of a. */
size_t kh_cli_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
  size_t rows[KH_CLI_NAME_MAX][KH_CLI_NAME_MAX];
  assert(a_len < KH_CLI_NAME_MAX && b_len < KH_CLI_NAME_MAX);
  for (size_t j = 0; j <= b_len; j++)
    rows[0][j] = j;
  for (size_t i = 1; i <= a_len; i++) {
    rows[i][0] = i;
    for (size_t j = 1; j <= b_len; j++) {
      size_t replaced = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      rows[i][j] = least_of(replaced, least_of(rows[i - 1][j], rows[i][j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        rows[i][j] = least_of(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a_len][b_len];
}

void kh_cli_nearest_try(kh_cli_nearest *nearest, const char *name, size_t len)
{
  size_t word_len = strlen(nearest->word);
  if (word_len >= KH_CLI_NAME_MAX || len >= KH_CLI_NAME_MAX)
    return;
  bool is_beginning =
      word_len >= PREFIX_MIN && word_len < len && memcmp(nearest->word, name, word_len) == 0;
  size_t distance = is_beginning ? 1 : kh_cli_distance(nearest->word, word_len, name, len);
  size_t limit = least_of((word_len + 1) / LETTERS_PER_MISTAKE, MISTAKES_MAX);
  if (!is_beginning && distance > limit)
    return;
  if (nearest->name[0] != '\0' && distance >= nearest->distance)
    return;
  memcpy(nearest->name, name, len);
  nearest->name[len] = '\0';
  nearest->distance = distance;
}
