/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plugin keyhold_bench: measures the encryption plugin that the server runs with.
 *
 *   SET GLOBAL keyhold_bench_run = '/path/of/results.json'
 *
 * measures with the other variables' settings and writes a new file. It is an audit plugin only
 * because the version of that interface does not change between servers.
 */
#include <mysql/plugin.h>
#include <mysql/plugin_audit.h>
#include <mysql/service_my_print_error.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "keyhold/version.h"
#include "run.h"

enum {
  ER_UNKNOWN_ERROR = 1105, /* part of the wire protocol */
  PATH_ROOM = 512          /* the longest path that the server itself takes */
};

static unsigned threads;
static unsigned rounds;
static unsigned milliseconds;
static unsigned key_id_128;
static unsigned key_id_256;
static unsigned many_ids;
static unsigned many_versions;
static char *only;
static char *run;

/* Two measurements at once would measure each other. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

/* Reports an error to the client. Returns the result of a check function that failed. */
static int refuse_with(const char *reason)
{
  my_printf_error(ER_UNKNOWN_ERROR, "keyhold_bench: %s", 0, reason);
  return 1;
}

static int measure_into(const char *path)
{
  kh_bench_settings settings = {
      .threads = threads,
      .rounds = rounds,
      .milliseconds = milliseconds,
      .ids = {key_id_128, key_id_256, many_ids, many_versions},
      .only = only,
  };
  kh_bench_results *results = NULL;
  const char *failure = kh_bench_run(&settings, &results);
  if (failure != NULL)
    return refuse_with(failure);
  bool saved = kh_bench_json_save(path, &settings, results);
  free(results);
  return saved ? 0 : refuse_with("the file cannot be written; it must not exist yet");
}

/* Reads the value as a path. Returns false when it is not one. */
static bool read_path(struct st_mysql_value *value, char ret_path[static PATH_ROOM])
{
  char room[PATH_ROOM];
  int len = sizeof room;
  const char *text = value->val_str(value, room, &len);
  if (text == NULL || len <= 0 || len >= PATH_ROOM)
    return false;
  memcpy(ret_path, text, (size_t)len);
  ret_path[len] = '\0';
  return true;
}

/*
 * Measures in the check function: no lock of the server is held here, unlike in the update
 * function, so other sessions are not blocked.
 */
static int check_run(MYSQL_THD thd, struct st_mysql_sys_var *variable, void *save,
                     struct st_mysql_value *value)
{
  (void)thd, (void)variable;
  char path[PATH_ROOM];
  *(const char **)save = "";
  if (!read_path(value, path))
    return refuse_with("keyhold_bench_run takes the path of a new file");
  if (pthread_mutex_trylock(&busy) != 0)
    return refuse_with("another session measures");
  int result = measure_into(path);
  pthread_mutex_unlock(&busy);
  return result;
}

/* The variable stays empty. */
static void update_run(MYSQL_THD thd, struct st_mysql_sys_var *variable, void *to, const void *save)
{
  (void)thd, (void)variable, (void)to, (void)save;
}

static MYSQL_SYSVAR_UINT(threads, threads, PLUGIN_VAR_RQCMDARG,
                         "Threads that do the same at the same time", NULL, NULL, 1, 1,
                         KH_BENCH_THREADS_MAX, 0);
static MYSQL_SYSVAR_UINT(rounds, rounds, PLUGIN_VAR_RQCMDARG,
                         "Rounds over all cases, of which the median is taken", NULL, NULL, 7, 1,
                         KH_BENCH_ROUNDS_MAX, 0);
static MYSQL_SYSVAR_UINT(milliseconds, milliseconds, PLUGIN_VAR_RQCMDARG,
                         "About how long a case is timed in a round", NULL, NULL, 3, 1,
                         KH_BENCH_MILLISECONDS_MAX, 0);
static MYSQL_SYSVAR_UINT(key_id_128, key_id_128, PLUGIN_VAR_RQCMDARG, "Id of a key of 128 bits",
                         NULL, NULL, 1, 1, UINT32_MAX, 0);
static MYSQL_SYSVAR_UINT(key_id_256, key_id_256, PLUGIN_VAR_RQCMDARG, "Id of a key of 256 bits",
                         NULL, NULL, 2, 1, UINT32_MAX, 0);
static MYSQL_SYSVAR_UINT(many_ids, many_ids, PLUGIN_VAR_RQCMDARG,
                         "Keys 1 to this are looked up at random; 0: no such cases", NULL, NULL, 0,
                         0, UINT32_MAX, 0);
static MYSQL_SYSVAR_UINT(many_versions, many_versions, PLUGIN_VAR_RQCMDARG,
                         "Versions 1 to this are what each of those keys has", NULL, NULL, 1, 1,
                         UINT32_MAX - 1, 0);
static MYSQL_SYSVAR_STR(only, only, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_MEMALLOC,
                        "Pattern of the names of the cases to measure; empty for all", NULL, NULL,
                        "");
static MYSQL_SYSVAR_STR(run, run, PLUGIN_VAR_NOCMDOPT | PLUGIN_VAR_MEMALLOC,
                        "Set to the path of a new file, measures and writes the results there",
                        check_run, update_run, "");

static struct st_mysql_sys_var *variables[] = {
    MYSQL_SYSVAR(threads),       MYSQL_SYSVAR(rounds),
    MYSQL_SYSVAR(milliseconds),  MYSQL_SYSVAR(key_id_128),
    MYSQL_SYSVAR(key_id_256),    MYSQL_SYSVAR(many_ids),
    MYSQL_SYSVAR(many_versions), MYSQL_SYSVAR(only),
    MYSQL_SYSVAR(run),           NULL,
};

static void ignore_event(MYSQL_THD thd, unsigned event_class, const void *event)
{
  (void)thd, (void)event_class, (void)event;
}

/* The server refuses an audit plugin without events; connections are the rarest event. */
static struct st_mysql_audit audit = {
    .interface_version = MYSQL_AUDIT_INTERFACE_VERSION,
    .event_notify = ignore_event,
    .class_mask = {MYSQL_AUDIT_CONNECTION_CLASSMASK},
};

maria_declare_plugin(keyhold_bench){
    MYSQL_AUDIT_PLUGIN,
    &audit,
    "keyhold_bench",
    "Keyhold",
    "Measures the encryption plugin from inside the server",
    PLUGIN_LICENSE_GPL,
    NULL,
    NULL,
    KEYHOLD_VERSION_HEX,
    NULL,
    variables,
    KEYHOLD_VERSION,
    MariaDB_PLUGIN_MATURITY_EXPERIMENTAL,
} maria_declare_plugin_end;
