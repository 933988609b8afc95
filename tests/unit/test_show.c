/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdbool.h>
#include <string.h>

#include "server/show.h"
#include "unit.h"

/* the server's buffer, and a byte after it that must not change */
static struct {
  _Alignas(8) char buff[SHOW_VAR_FUNC_BUFF_SIZE];
  char behind;
} server;

struct stats {
  size_t ids;
  uint32_t small;
  uint64_t large;
  uint32_t at;
  uint64_t due;
  const char *text;
  char chars[8];
  bool flag;
};

static const kh_show_field fields[] = {
    KH_SHOW_FIELD("ids", KH_SHOW_NUMBER, struct stats, ids),
    KH_SHOW_FIELD("small", KH_SHOW_NUMBER, struct stats, small),
    KH_SHOW_FIELD("large", KH_SHOW_NUMBER, struct stats, large),
    KH_SHOW_FIELD("at", KH_SHOW_TIME, struct stats, at),
    KH_SHOW_FIELD("due", KH_SHOW_TIME, struct stats, due),
    KH_SHOW_FIELD("text", KH_SHOW_TEXT, struct stats, text),
    KH_SHOW_FIELD("chars", KH_SHOW_CHARS, struct stats, chars),
    KH_SHOW_FIELD("flag", KH_SHOW_NUMBER, struct stats, flag),
    KH_SHOW_FIELD("at_timestamp", KH_SHOW_TIMESTAMP, struct stats, at),
    KH_SHOW_FIELD("due_timestamp", KH_SHOW_TIMESTAMP, struct stats, due),
};

/* as the server does: the variable is a copy of the table's entry */
static const struct st_mysql_show_var *show(const kh_show_field *table, size_t count,
                                            const void *stats)
{
  struct st_mysql_show_var var = {"File_key_management", NULL, SHOW_FUNC};
  memset(&server, 0xaa, sizeof server);
  kh_show_fields(table, count, stats, server.buff, &var);
  assert_int_equal(var.type, SHOW_ARRAY);
  assert_ptr_equal(var.value, server.buff);
  assert_int_equal((unsigned char)server.behind, 0xaa);
  return var.value;
}

static void assert_number(const struct st_mysql_show_var *var, const char *name, uint64_t number)
{
  assert_string_equal(var->name, name);
  assert_int_equal(var->type, SHOW_ULONGLONG);
  assert_int_equal(*(unsigned long long *)var->value, number);
}

static void assert_text(const struct st_mysql_show_var *var, const char *name, const char *text)
{
  assert_string_equal(var->name, name);
  assert_int_equal(var->type, SHOW_CHAR);
  assert_string_equal(var->value, text);
}

static void assert_end(const struct st_mysql_show_var *var)
{
  assert_null(var->name);
}

/* the structure no longer exists when the server reads */
static void every_kind(void **state)
{
  (void)state;
  struct stats stats = {(size_t)-1, 4294967295u, 18446744073709551615u,
                        1795309555, 4294967295u, "a text",
                        "0123456",  true};
  const struct st_mysql_show_var *var = show(fields, COUNT(fields), &stats);
  memset(&stats, 0, sizeof stats);
  assert_number(&var[0], "ids", SIZE_MAX);
  assert_number(&var[1], "small", 4294967295u);
  assert_number(&var[2], "large", UINT64_MAX);
  assert_text(&var[3], "at", "2026-11-22T01:05:55Z");
  assert_text(&var[4], "due", "2106-02-07T06:28:15Z");
  assert_text(&var[5], "text", "a text");
  assert_text(&var[6], "chars", "0123456");
  assert_number(&var[7], "flag", 1);
  assert_number(&var[8], "at_timestamp", 1795309555);
  assert_number(&var[9], "due_timestamp", 4294967295u);
  assert_end(&var[10]);
}

static void nothing_and_never(void **state)
{
  (void)state;
  struct stats stats = {.due = 4294967297u};
  const struct st_mysql_show_var *var = show(fields, COUNT(fields), &stats);
  assert_number(&var[0], "ids", 0);
  assert_number(&var[1], "small", 0);
  assert_number(&var[2], "large", 0);
  assert_text(&var[3], "at", "never");
  assert_text(&var[4], "due", "never");
  assert_text(&var[5], "text", "");
  assert_text(&var[6], "chars", "");
  assert_number(&var[7], "flag", 0);
  assert_number(&var[8], "at_timestamp", 0);
  assert_number(&var[9], "due_timestamp", 0);
  assert_end(&var[10]);
  assert_end(show(fields, 0, &stats));
}

/* three texts of which two fill the room, or are one byte more */
static void texts_that_fill_the_room(void **state)
{
  (void)state;
  struct texts {
    const char *one, *two, *three;
  };
  static const kh_show_field table[] = {
      KH_SHOW_FIELD("one", KH_SHOW_TEXT, struct texts, one),
      KH_SHOW_FIELD("two", KH_SHOW_TEXT, struct texts, two),
      KH_SHOW_FIELD("three", KH_SHOW_TEXT, struct texts, three),
  };
  static char long_text[2 * KH_SHOW_TEXTS];
  memset(long_text, 'x', sizeof long_text - 1);
  for (size_t len = 0; len < sizeof long_text; len++) {
    const char *one = long_text + sizeof long_text - 1 - len;
    struct texts texts = {one, "second", "third"};
    const struct st_mysql_show_var *var = show(table, COUNT(table), &texts);
    size_t room = KH_SHOW_TEXTS - 1;
    size_t first = len < room ? len : room;
    size_t left = room > len + 1 ? room - len - 1 : 0;
    size_t second = left < 6 ? left : 6;
    assert_int_equal(strlen(var[0].value), first);
    assert_int_equal(strlen(var[1].value), second);
    assert_memory_equal(var[1].value, "second", second);
    size_t more = left > second + 1 ? left - second - 1 : 0;
    assert_int_equal(strlen(var[2].value), more < 5 ? more : 5);
  }
}

static void as_many_as_there_can_be(void **state)
{
  (void)state;
  kh_show_field table[KH_SHOW_MAX];
  struct stats stats = {.large = 77};
  for (size_t i = 0; i < KH_SHOW_MAX; i++)
    table[i] = (kh_show_field)KH_SHOW_FIELD("large", KH_SHOW_NUMBER, struct stats, large);
  const struct st_mysql_show_var *var = show(table, KH_SHOW_MAX, &stats);
  for (size_t i = 0; i < KH_SHOW_MAX; i++)
    assert_number(&var[i], "large", 77);
  assert_end(&var[KH_SHOW_MAX]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind),
      cmocka_unit_test(nothing_and_never),
      cmocka_unit_test(texts_that_fill_the_room),
      cmocka_unit_test(as_many_as_there_can_be),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
