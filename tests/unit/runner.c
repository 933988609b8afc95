/* SPDX-License-Identifier: GPL-2.0-only */
/* All tests without wrapped functions in one program, which links in the time of one: `unit_tests
 * NOUN` runs test_NOUN.c. */
#include <stdio.h>
#include <string.h>

/* lines TEST(NOUN), which CMake writes */
#define TEST(noun) int test_##noun##_main(void);
#include "runner_tests.h"
#undef TEST

static const struct {
  const char *noun;
  int (*main)(void);
} tests[] = {
#define TEST(noun) {#noun, test_##noun##_main},
#include "runner_tests.h"
};

enum { TESTS = sizeof tests / sizeof tests[0] };

int main(int argc, char **argv)
{
  for (size_t i = 0; argc == 2 && i < TESTS; i++)
    if (strcmp(argv[1], tests[i].noun) == 0)
      return tests[i].main();
  fputs("usage: unit_tests NOUN, one of:\n", stderr);
  for (size_t i = 0; i < TESTS; i++)
    fprintf(stderr, "  %s\n", tests[i].noun);
  return 2;
}
