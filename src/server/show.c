/* SPDX-License-Identifier: GPL-2.0-only */
#include "show.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "keyhold/time.h"

/* The content of the server's buffer. */
struct page {
  struct st_mysql_show_var vars[KH_SHOW_MAX + 1]; /* with an end mark */
  unsigned long long numbers[KH_SHOW_MAX];
  size_t used; /* of texts */
  char texts[KH_SHOW_TEXTS];
};
_Static_assert(sizeof(struct page) <= SHOW_VAR_FUNC_BUFF_SIZE, "larger than the server's buffer");

static unsigned long long read_number_member(const char *member, size_t size)
{
  uint32_t small = 0;
  uint64_t large = 0;
  assert(size == sizeof small || size == sizeof large);
  if (size == sizeof large)
    memcpy(&large, member, sizeof large);
  else
    memcpy(&small, member, sizeof small);
  return large + small;
}

static const char *read_pointer(const char *member)
{
  const char *text = NULL;
  memcpy(&text, member, sizeof text);
  return text == NULL ? "" : text;
}

/* Copies as much of a text as there is room for. When there is none left, the last byte is every
 * further text. */
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

static char *put_time(struct page *page, unsigned long long time)
{
  if (time == 0 || time > UINT32_MAX)
    return put_text_on_page(page, "never");
  return put_text_on_page(page, kh_time_show((uint32_t)time).text);
}

static void *put_value(struct page *page, const kh_show_field *field, const char *member,
                       unsigned long long *number)
{
  switch (field->kind) {
  case KH_SHOW_NUMBER:
    *number = read_number_member(member, field->size);
    return number;
  case KH_SHOW_TIME:
    return put_time(page, read_number_member(member, field->size));
  case KH_SHOW_TEXT:
    return put_text_on_page(page, read_pointer(member));
  default:
    return put_text_on_page(page, member);
  }
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
    page->vars[i] = (struct st_mysql_show_var){
        fields[i].name, value, fields[i].kind == KH_SHOW_NUMBER ? SHOW_ULONGLONG : SHOW_CHAR};
  }
  page->vars[count] = (struct st_mysql_show_var){NULL, NULL, SHOW_UNDEF};
  ret_var->type = SHOW_ARRAY;
  ret_var->value = page->vars;
}
