/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/fault.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { REASON_MAX = 128, SHORTEST_PATH = 32 };

void kh_faults_add(kh_faults *faults, const kh_fault *fault)
{
  if (faults->count++ < KH_FAULTS_MAX)
    faults->add(faults->user, fault);
}

kh_status kh_fault_set(kh_fault *ret_fault, kh_status status, const char *path, int os_error)
{
  if (ret_fault == NULL)
    return status;
  memset(ret_fault, 0, sizeof *ret_fault);
  ret_fault->status = status;
  ret_fault->os_error = os_error;
  ret_fault->path = kh_show_path(path);
  return status;
}

kh_shown_path kh_show_path_within(const char *path, size_t size)
{
  static const char gap[] = "...";
  kh_shown_path shown = {.text = ""};
  size_t len = path == NULL ? 0 : strlen(path);
  size_t half = (size - sizeof gap) / 2;
  if (len < size)
    memcpy(shown.text, path == NULL ? "" : path, len);
  else
    snprintf(shown.text, size, "%.*s%s%s", (int)half, path, gap, path + len - half);
  return shown;
}

kh_shown_path kh_show_path(const char *path)
{
  return kh_show_path_within(path, KH_PATH_SHOWN_MAX);
}

/* The fields of a fault that a sentence may name. */
enum kind { TEXT, NUMBER, MODE, OS_ERROR };

static const struct field {
  const char *name;
  enum kind kind;
  size_t at, size; /* in a kh_fault */
} fields[] = {
#define PLACE(field) offsetof(kh_fault, field), sizeof((kh_fault *)0)->field
    {"path", TEXT, PLACE(path)},
    {"os_error", OS_ERROR, PLACE(os_error)},
    {"mode", MODE, PLACE(mode)},
    {"owner", NUMBER, PLACE(owner)},
    {"ended_with", NUMBER, PLACE(ended_with)},
    {"name", TEXT, PLACE(name)},
    {"quote", TEXT, PLACE(quote)},
    {"advice", TEXT, PLACE(advice)},
    {"line", NUMBER, PLACE(line)},
    {"column", NUMBER, PLACE(column)},
    {"other_line", NUMBER, PLACE(other_line)},
    {"key_id", NUMBER, PLACE(key_id)},
    {"key_version", NUMBER, PLACE(key_version)},
    {"size", NUMBER, PLACE(size)},
    {"limit", NUMBER, PLACE(limit)},
#undef PLACE
};

/* The value of a field as text. */
struct value {
  char text[KH_ADVICE_MAX > KH_PATH_SHOWN_MAX ? KH_ADVICE_MAX : KH_PATH_SHOWN_MAX];
  bool is_set; /* neither 0 nor empty */
};

static uint64_t number_in_field(const kh_fault *fault, const struct field *field)
{
  const char *from = (const char *)fault + field->at;
  uint32_t short_number = 0;
  uint64_t number = 0;
  if (field->size == sizeof number) {
    memcpy(&number, from, sizeof number);
    return number;
  }
  memcpy(&short_number, from, sizeof short_number);
  return short_number;
}

static void show_os_error(int error, char *text, size_t size)
{
  char reason[REASON_MAX];
  if (error != 0)
    snprintf(text, size, " (Errcode: %d \"%s\")", error, strerror_r(error, reason, sizeof reason));
}

static struct value value_of(const kh_fault *fault, const struct field *field)
{
  struct value value = {.text = ""};
  if (field->kind == TEXT) {
    snprintf(value.text, sizeof value.text, "%s", (const char *)fault + field->at);
    value.is_set = value.text[0] != '\0';
    return value;
  }
  uint64_t number = number_in_field(fault, field);
  value.is_set = number != 0;
  if (field->kind == MODE)
    snprintf(value.text, sizeof value.text, "%04" PRIo64, number & 07777u);
  else if (field->kind == OS_ERROR)
    show_os_error((int)number, value.text, sizeof value.text);
  else
    snprintf(value.text, sizeof value.text, "%" PRIu64, number);
  return value;
}

/* A sentence that is being written; text that does not fit is left out. */
struct sentence {
  char *text;
  size_t size, len;
  size_t left_out; /* bytes */
};

static void append_to_sentence(struct sentence *sentence, const char *text, size_t len)
{
  size_t room = sentence->size - 1 - sentence->len;
  size_t take = len < room ? len : room;
  memcpy(sentence->text + sentence->len, text, take);
  sentence->len += take;
  sentence->left_out += len - take;
}

/* Appends the field that a template names; returns whether it is set. An unknown name is appended
 * unchanged, which a test finds. */
static bool append_field(struct sentence *sentence, const kh_fault *fault, const char *name,
                         size_t len)
{
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0) {
      struct value value = value_of(fault, &fields[i]);
      append_to_sentence(sentence, value.text, strlen(value.text));
      return value.is_set;
    }
  append_to_sentence(sentence, name - 1, len + 2);
  return true;
}

/* Expands a part of a template without brackets; returns whether all its fields are set. */
static bool expand_part(struct sentence *sentence, const kh_fault *fault, const char *part,
                        const char *end)
{
  bool all_set = true;
  while (part < end) {
    size_t len = strcspn(part, "{");
    len = len < (size_t)(end - part) ? len : (size_t)(end - part);
    append_to_sentence(sentence, part, len);
    part += len;
    if (part == end)
      break;
    len = strcspn(++part, "}");
    all_set = append_field(sentence, fault, part, len) && all_set;
    part += len + 1;
  }
  return all_set;
}

/* Expands "first|second", the inside of brackets: the first where all its fields are set, else the
 * second, which may be missing. */
static void expand_option(struct sentence *sentence, const kh_fault *fault, const char *option,
                          const char *end)
{
  struct sentence before = *sentence;
  const char *bar = memchr(option, '|', (size_t)(end - option));
  if (expand_part(sentence, fault, option, bar == NULL ? end : bar))
    return;
  *sentence = before;
  if (bar != NULL)
    (void)expand_part(sentence, fault, bar + 1, end);
}

/* Returns the number of bytes that did not fit. */
static size_t write_sentence(const kh_fault *fault, char *text, size_t size)
{
  struct sentence sentence = {.text = text, .size = size};
  for (const char *at = kh_status_sentence(fault->status); *at != '\0';) {
    const char *end = at + strcspn(at, "[");
    (void)expand_part(&sentence, fault, at, end);
    at = end;
    if (*at == '[') {
      end = at + strcspn(at, "]");
      expand_option(&sentence, fault, at + 1, end);
      at = end + 1;
    }
  }
  text[sentence.len] = '\0';
  return sentence.left_out;
}

void kh_fault_describe(const kh_fault *fault, char *text, size_t size)
{
  size_t left_out = write_sentence(fault, text, size);
  size_t path_len = strlen(fault->path.text);
  if (left_out == 0 || path_len < left_out + SHORTEST_PATH)
    return;
  kh_fault shorter = *fault;
  shorter.path = kh_show_path_within(fault->path.text, path_len - left_out + 1);
  (void)write_sentence(&shorter, text, size);
}
