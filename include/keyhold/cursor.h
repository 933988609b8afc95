/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file cursor.h
 * Reads bytes from front to back and never past their end. The only way in which the core reads a
 * file's content.
 *
 * The functions are inline: they stand in the innermost loop of the key file reader. Not
 * thread-safe for one cursor.
 */
#ifndef KEYHOLD_CURSOR_H
#define KEYHOLD_CURSOR_H

#include <stdbool.h>

#include "keyhold/bytes.h"

/** What kh_cursor_peek() answers after the last byte. */
#define KH_CURSOR_END (-1)

/** A place in a run of bytes. The bytes must outlive it. */
typedef struct kh_cursor {
  kh_bytes bytes; /**< all of them */
  size_t at;      /**< bytes already read; never more than bytes.len */
} kh_cursor;

/** Returns a cursor at the first byte. */
static inline kh_cursor kh_cursor_over(kh_bytes bytes)
{
  return (kh_cursor){bytes, 0};
}

/** Returns the byte at `ahead` bytes from here, 0..255, or KH_CURSOR_END. */
static inline int kh_cursor_peek_at(const kh_cursor *cursor, size_t ahead)
{
  return ahead < cursor->bytes.len - cursor->at ? cursor->bytes.data[cursor->at + ahead]
                                                : KH_CURSOR_END;
}

/** Returns the next byte, 0..255, or KH_CURSOR_END. */
static inline int kh_cursor_peek(const kh_cursor *cursor)
{
  return kh_cursor_peek_at(cursor, 0);
}

/** Steps over up to `count` bytes, stopping at the end. */
static inline void kh_cursor_skip(kh_cursor *cursor, size_t count)
{
  size_t left = cursor->bytes.len - cursor->at;
  cursor->at += count < left ? count : left;
}

/** Returns whether all is read. */
static inline bool kh_cursor_at_end(const kh_cursor *cursor)
{
  return cursor->at == cursor->bytes.len;
}

/** Returns the number of bytes from here on that `is_in` accepts. */
static inline size_t kh_cursor_span(const kh_cursor *cursor, bool (*is_in)(int byte))
{
  size_t count = 0;
  while (kh_cursor_peek_at(cursor, count) != KH_CURSOR_END &&
         is_in(kh_cursor_peek_at(cursor, count)))
    count++;
  return count;
}

/** Takes up to `count` bytes as a view. */
static inline kh_bytes kh_cursor_take(kh_cursor *cursor, size_t count)
{
  size_t start = cursor->at;
  kh_cursor_skip(cursor, count);
  return (kh_bytes){cursor->bytes.len == 0 ? NULL : cursor->bytes.data + start, cursor->at - start};
}

/** Takes the bytes up to `delimiter` or the end, and steps over the delimiter. */
static inline kh_bytes kh_cursor_take_until(kh_cursor *cursor, int delimiter)
{
  size_t count = 0;
  int byte;
  while ((byte = kh_cursor_peek_at(cursor, count)) != KH_CURSOR_END && byte != delimiter)
    count++;
  kh_bytes taken = kh_cursor_take(cursor, count);
  kh_cursor_skip(cursor, 1);
  return taken;
}

#endif
