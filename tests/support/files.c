/* SPDX-License-Identifier: GPL-2.0-only */
#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

enum { PATHS = 64, PATH_SIZE = 512, COMMAND_SIZE = 4096 };

static char folder[PATH_SIZE];
static pid_t owner;

static void die(const char *what)
{
  perror(what);
  abort();
}

static void remove_folder(void)
{
  if (getpid() != owner) /* in a child that a test forked */
    return;
  char command[PATH_SIZE + 16];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (system(command) != 0)
    perror(command);
}

static void make_folder(void)
{
  const char *parent = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/keyhold-test-XXXXXX", parent == NULL ? "/tmp" : parent);
  if (mkdtemp(folder) == NULL)
    die(folder);
  owner = getpid();
  atexit(remove_folder);
}

const char *test_path(const char *name)
{
  static char paths[PATHS][PATH_SIZE * 2];
  static unsigned next;
  if (folder[0] == '\0')
    make_folder();
  char *path = paths[next++ % PATHS];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

const char *test_file(const char *name, const void *data, size_t len, mode_t mode)
{
  const char *path = test_path(name);
  unlink(path);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd < 0 || write(fd, data, len) != (ssize_t)len || fchmod(fd, mode) != 0 || close(fd) != 0)
    die(path);
  return path;
}

const char *test_text(const char *name, const char *text, mode_t mode)
{
  return test_file(name, text, strlen(text), mode);
}

size_t test_read_content(const char *path, char *content, size_t size)
{
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t len = fread(content, 1, size - 1, file);
  fclose(file);
  content[len] = '\0';
  return len;
}

void test_expect_content(const char *path, const char *expected)
{
  size_t len = strlen(expected);
  char *content = malloc(len + 2); /* room for one byte more than expected */
  assert_non_null(content);
  size_t found = test_read_content(path, content, len + 2);
  assert_string_equal(content, expected);
  assert_int_equal(found, len);
  free(content);
}

bool test_is_there(const char *path)
{
  struct stat st;
  return lstat(path, &st) == 0;
}

struct stat test_stat(const char *path)
{
  struct stat st;
  assert_int_equal(lstat(path, &st), 0);
  return st;
}

kh_file_stamp test_stamp(const char *path)
{
  kh_file_stamp stamp;
  assert_int_equal(kh_file_stamp_of(path, &stamp, NULL), KH_OK);
  return stamp;
}

unsigned test_open_descriptors(void)
{
  unsigned count = 0;
  DIR *descriptors = opendir("/proc/self/fd");
  assert_non_null(descriptors);
  while (readdir(descriptors) != NULL)
    count++;
  closedir(descriptors);
  return count;
}

void test_run(const char *format, ...)
{
  char command[COMMAND_SIZE];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(command, sizeof command, format, arguments);
  va_end(arguments);
  if (system(command) != 0)
    die(command);
}
