/* SPDX-License-Identifier: GPL-2.0-only */
#include "files.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
  if (getpid() != owner) /* a child that a test forked */
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
