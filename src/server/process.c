/* SPDX-License-Identifier: GPL-2.0-only */
#include "process.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>

/* The plugin interface has no call for this. These are variables of the server, which exports them
 * to its plugins: one byte each, or an array of characters. */
static bool is_set(const char *name)
{
  const char *flag = dlsym(RTLD_DEFAULT, name);
  return flag != NULL && __atomic_load_n(flag, __ATOMIC_ACQUIRE) != 0;
}

static bool has_variable(const char *name)
{
  return dlsym(RTLD_DEFAULT, name) != NULL;
}

bool kh_process_is_backup(void)
{
  return has_variable("xtrabackup_backup");
}

bool kh_process_is_server(void)
{
  return has_variable("mysqld_server_started") && !kh_process_is_backup() && !is_set("opt_help") &&
         !is_set("opt_bootstrap");
}

bool kh_process_is_up(void)
{
  return is_set("mysqld_server_started");
}

const char *kh_process_data_directory(void)
{
  return dlsym(RTLD_DEFAULT, "mysql_real_data_home");
}

void kh_process_end_as_told(void)
{
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  if (kh_process_is_up() || signal(SIGTERM, SIG_DFL) == SIG_ERR)
    return;
  pthread_sigmask(SIG_UNBLOCK, &term, NULL);
}
