/* SPDX-License-Identifier: GPL-2.0-only */
#include "tasks.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* gives the line of a task's status that begins with a word; "" when the task has ended */
static void read_line(const char *task, const char *word, char *ret_line, int size)
{
  char path[300];
  ret_line[0] = '\0';
  snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
  FILE *status = fopen(path, "r");
  if (status == NULL)
    return;
  while (fgets(ret_line, size, status) != NULL && strncmp(ret_line, word, strlen(word)) != 0)
    ret_line[0] = '\0';
  fclose(status);
}

unsigned test_tasks(const char *name, uint64_t *ret_blocked)
{
  char line[256];
  char found[256];
  unsigned count = 0;
  DIR *tasks = opendir("/proc/self/task");
  if (tasks == NULL)
    abort();
  for (struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks)) {
    read_line(task->d_name, "Name:", line, sizeof line);
    if (sscanf(line, "Name: %255s", found) != 1 || strcmp(found, name) != 0)
      continue;
    count++;
    read_line(task->d_name, "SigBlk:", line, sizeof line);
    if (ret_blocked != NULL)
      sscanf(line, "SigBlk: %lx", ret_blocked);
  }
  closedir(tasks);
  return count;
}

void test_pause(long milliseconds)
{
  struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
  while (nanosleep(&time, &time) != 0)
    ;
}
