/* SPDX-License-Identifier: GPL-2.0-only */
#include "retire_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/message.h"
#include "cli/server/plugin.h"
#include "keyhold/file.h"
#include "keyhold/limits.h"

static const char settings_question[] =
    "SELECT @@innodb_encrypt_log, @@log_bin, @@aria_encrypt_tables, "
    "BINARY IF(LEFT(@@file_key_management_filename, 1) = '/', @@file_key_management_filename, "
    "CONCAT(@@datadir, @@file_key_management_filename))";

/* InnoDB's table of tablespaces has only those that it could open. */
static const char not_open_question[] =
    "SELECT NAME FROM information_schema.INNODB_SYS_TABLES WHERE SPACE NOT IN (SELECT SPACE FROM "
    "information_schema.INNODB_SYS_TABLESPACES) ORDER BY SPACE LIMIT 1";

/* An account sees the tables that it may use; the system tables are Aria tables too. For a
 * partitioned table, TABLES has the time of one partition, PARTITIONS that of each. */
static const char aria_question[] =
    "SELECT CONCAT(t.TABLE_SCHEMA, '.', t.TABLE_NAME), UNIX_TIMESTAMP(p.CREATE_TIME) "
    "FROM information_schema.TABLES t LEFT JOIN information_schema.PARTITIONS p "
    "ON p.TABLE_SCHEMA = t.TABLE_SCHEMA AND p.TABLE_NAME = t.TABLE_NAME "
    "WHERE t.ENGINE = 'Aria' AND t.TABLE_TYPE <> 'SYSTEM VIEW' "
    "AND COALESCE(t.ROW_FORMAT, 'Page') = 'Page' ORDER BY p.CREATE_TIME LIMIT 1";

static bool read_retire_settings(kh_cli_server *server, kh_cli_retire_facts *facts)
{
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, settings_question);
  const char *const *row = rows == NULL ? NULL : kh_cli_rows_next(rows);
  if (row == NULL)
    return false;
  facts->encrypts_redo = kh_cli_row_number(row[0]) != 0;
  facts->has_binary_logs = kh_cli_row_number(row[1]) != 0;
  facts->encrypts_aria = kh_cli_row_number(row[2]) != 0;
  snprintf(facts->key_file, sizeof facts->key_file, "%s", row[3] == NULL ? "" : row[3]);
  return true;
}

static bool read_not_open(kh_cli_server *server, kh_cli_retire_facts *facts)
{
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, not_open_question);
  if (rows == NULL)
    return false;
  const char *const *row = kh_cli_rows_next(rows);
  if (row != NULL && row[0] != NULL)
    snprintf(facts->not_open, sizeof facts->not_open, "%s", row[0]);
  return true;
}

/* a replica has relay logs */
static bool read_replication(kh_cli_server *server, kh_cli_retire_facts *facts)
{
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, "SHOW ALL SLAVES STATUS");
  if (rows == NULL)
    return false;
  facts->has_binary_logs = facts->has_binary_logs || kh_cli_rows_count(rows) > 0;
  return true;
}

static bool read_aria(kh_cli_server *server, kh_cli_retire_facts *facts)
{
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, aria_question);
  if (rows == NULL)
    return false;
  const char *const *row = kh_cli_rows_next(rows);
  if (row == NULL)
    return true;
  snprintf(facts->oldest_aria, sizeof facts->oldest_aria, "%s", row[0]);
  facts->oldest_aria_time = kh_cli_row_number(row[1]);
  return true;
}

static bool is_servers_file(const kh_cli_retire_facts *facts, const char *path)
{
  kh_file_stamp ours;
  kh_file_stamp theirs;
  if (kh_file_stamp_of(path, &ours, NULL) == KH_OK &&
      kh_file_stamp_of(facts->key_file, &theirs, NULL) == KH_OK && kh_file_is_same(&ours, &theirs))
    return true;
  kh_cli_message("the server uses another key file: '%s', not '%s'",
                 kh_show_path(facts->key_file).text, kh_show_path(path).text);
  return false;
}

/* False: a message has the reason. */
static bool runs_keyhold(const kh_cli_plugin *plugin)
{
  if (plugin->fingerprint.text[0] != '\0')
    return true;
  if (plugin->library[0] == '\0')
    kh_cli_message("the server has no encryption plugin; its error log has the reason");
  else if (!kh_cli_plugin_warn_of_servers_own(plugin))
    kh_cli_message("cannot tell which keys the server uses: its plugin is '%s', not keyhold_file",
                   plugin->library);
  return false;
}

/* The server may still encrypt with a version that only it has; it does not encrypt with one that
 * only the file has. */
static bool has_its_keys(const kh_cli_plugin *plugin, const kh_keytable *table)
{
  if (strcmp(plugin->fingerprint.text, kh_keytable_fingerprint(table).text) == 0)
    return true;
  kh_cli_message("the keys in use by the server differ from those in the file; first run: SET "
                 "GLOBAL file_key_management_reload = ON");
  return false;
}

bool kh_cli_retire_facts_read(kh_cli_server *server, const char *path, const kh_keytable *table,
                              kh_cli_retire_facts *ret_facts)
{
  kh_cli_retire_facts facts = {.key_file = ""};
  kh_cli_plugin plugin;
  if (kh_cli_plugin_read(server, &plugin) && runs_keyhold(&plugin) &&
      read_retire_settings(server, &facts) && read_replication(server, &facts) &&
      read_aria(server, &facts) && read_not_open(server, &facts) &&
      kh_cli_tablespaces_read(server, &facts.tablespaces) && is_servers_file(&facts, path) &&
      has_its_keys(&plugin, table)) {
    *ret_facts = facts;
    return true;
  }
  kh_cli_retire_facts_free(&facts);
  return false;
}

void kh_cli_retire_facts_free(kh_cli_retire_facts *facts)
{
  kh_cli_tablespaces_free(&facts->tablespaces);
}
