/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>

#include "cli/output/text.h"
#include "unit.h"

static void assert_json(const char *text, const char *expected)
{
  char *json = NULL;
  size_t len;
  FILE *out = open_memstream(&json, &len);
  kh_cli_put_json(out, text);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(json, expected);
  free(json);
}

static void strings_of_json(void **state)
{
  (void)state;
  assert_json("", "\"\"");
  assert_json("plain /path", "\"plain /path\"");
  assert_json("\"\\\n\t\x01\x7f", "\"\\\"\\\\\\u000a\\u0009\\u0001\\u007f\"");
  assert_json("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x91",
              "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x91\"");
}

/* Each wrong byte is replaced; the bytes after it are kept. */
static void what_is_not_utf8(void **state)
{
  (void)state;
  assert_json("\x80x", "\"\\ufffdx\"");
  assert_json("\xc3", "\"\\ufffd\"");
  assert_json("\xc3x", "\"\\ufffdx\"");
  assert_json("\xc0\xaf", "\"\\ufffd\\ufffd\"");                         /* overlong */
  assert_json("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"");              /* overlong */
  assert_json("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");              /* a surrogate */
  assert_json("\xf4\x90\x80\x80z", "\"\\ufffd\\ufffd\\ufffd\\ufffdz\""); /* beyond U+10FFFF */
  assert_json("\xe2\x82", "\"\\ufffd\\ufffd\"");
  assert_json("\xf0\x9f\x94", "\"\\ufffd\\ufffd\\ufffd\"");
  assert_json("\xff", "\"\\ufffd\"");
}

static void assert_put(const char *text, const char *expected)
{
  char *put = NULL;
  size_t len;
  FILE *out = open_memstream(&put, &len);
  kh_cli_put_text(out, text);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(put, expected);
  assert_true(snprintf(put, len + 1, "%s", text) == (int)len); /* as many bytes */
  kh_cli_hide_controls(put);
  assert_string_equal(put, expected);
  free(put);
}

static void text_for_a_terminal(void **state)
{
  (void)state;
  assert_put("", "");
  assert_put("plain \"\\/ ~", "plain \"\\/ ~");
  assert_put("\x1b[31mred\x1b[0m", "?[31mred?[0m");
  assert_put("a\rb\nc\td\x1f\x7f", "a?b?c?d??");
  assert_put("\xc3\xa4 \xc2\xa0 \xe2\x82\xac \xf0\x9f\x94\x91",
             "\xc3\xa4 \xc2\xa0 \xe2\x82\xac \xf0\x9f\x94\x91");
  assert_put("\xc2\x80x\xc2\x9b"
             "31m\xc2\x9f",
             "\?\?x\?\?31m\?\?"); /* C1 */
  assert_put("\x9b"
             "31m\xc3\xe2\x82",
             "\?31m\?\?\?");
}

static void null_is_not_a_string(void **state)
{
  (void)state;
  assert_json(NULL, "null");
  assert_json("null", "\"null\"");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(strings_of_json),
      cmocka_unit_test(what_is_not_utf8),
      cmocka_unit_test(null_is_not_a_string),
      cmocka_unit_test(text_for_a_terminal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
