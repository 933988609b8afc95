/* SPDX-License-Identifier: GPL-2.0-only */
#include "show.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "keyhold/time.h"

/* How the server's buffer is used. */
struct page {
  struct st_mysql_show_var vars[KH_SHOW_MAX + 1]; /* with an end mark */
  unsigned long long numbers[KH_SHOW_MAX];
  size_t used; /* of texts */
  char texts[KH_SHOW_TEXTS];
};
_Static_assert(sizeof(struct page) <= SHOW_VAR_FUNC_BUFF_SIZE, "larger than the server's buffer");

static unsigned long long read_number_member(const char *member, size_t size)
{
  bool flag = false;
  uint32_t small = 0;
  uint64_t large = 0;
  assert(size == sizeof flag || size == sizeof small || size == sizeof large);
  if (size == sizeof large)
    memcpy(&large, member, sizeof large);
  else if (size == sizeof small)
    memcpy(&small, member, sizeof small);
  else
    memcpy(&flag, member, sizeof flag);
  return large + small + flag;
}

/* Returns a time of at most 32 bits, or 0: never. */
static uint32_t read_time_member(const char *member, size_t size)
{
  unsigned long long time = read_number_member(member, size);
  return time > UINT32_MAX ? 0 : (uint32_t)time;
}

static const char *read_pointer(const char *member)
{
  const char *text = NULL;
  memcpy(&text, member, sizeof text);
  return text == NULL ? "" : text;
}

/* Copies as much of a text as there is room for. Once there is no room, every further text is the
 * last byte, a NUL. */
static char *put_text_on_page(struct page *page, const char *text)
{
  char *place = page->texts + page->used;
  size_t last = sizeof page->texts - 1;
  size_t len = strnlen(text, last - page->used);
  memcpy(place, text, len);
  place[len] = '\0';
  page->used += page->used + len < last ? len + 1 : len;
  return place;
}

static char *put_time(struct page *page, uint32_t time)
{
  return put_text_on_page(page, time == 0 ? "never" : kh_time_show(time).text);
}

static void *put_value(struct page *page, const kh_show_field *field, const char *member,
                       unsigned long long *number)
{
  switch (field->kind) {
  case KH_SHOW_NUMBER:
    *number = read_number_member(member, field->size);
    return number;
  case KH_SHOW_TIME:
    return put_time(page, read_time_member(member, field->size));
  case KH_SHOW_TIMESTAMP:
    *number = read_time_member(member, field->size);
    return number;
  case KH_SHOW_TEXT:
    return put_text_on_page(page, read_pointer(member));
  default:
    return put_text_on_page(page, member);
  }
}

static enum enum_mysql_show_type type_of(kh_show_kind kind)
{
  return kind == KH_SHOW_NUMBER || kind == KH_SHOW_TIMESTAMP ? SHOW_ULONGLONG : SHOW_CHAR;
}

void kh_show_fields(const kh_show_field *fields, size_t count, const void *stats, void *buff,
                    struct st_mysql_show_var *ret_var)
{
  struct page *page = buff;
  assert(count <= KH_SHOW_MAX);
  page->used = 0;
  for (size_t i = 0; i < count; i++) {
    const char *member = (const char *)stats + fields[i].offset;
    void *value = put_value(page, &fields[i], member, &page->numbers[i]);
    page->vars[i] = (struct st_mysql_show_var){fields[i].name, value, type_of(fields[i].kind)};
  }
  page->vars[count] = (struct st_mysql_show_var){NULL, NULL, SHOW_UNDEF};
  ret_var->type = SHOW_ARRAY;
  ret_var->value = page->vars;
}
