/* SPDX-License-Identifier: GPL-2.0-only */
#include "facts.h"

#include <stdio.h>
#include <stdlib.h>

#include "keyhold/limits.h"
#include "say.h"

static const char settings_question[] =
    "SELECT @@innodb_encrypt_log, @@log_bin, @@aria_encrypt_tables, "
    "IF(LEFT(@@file_key_management_filename, 1) = '/', @@file_key_management_filename, "
    "CONCAT(@@datadir, @@file_key_management_filename))";

/* An account sees the tables that it may use: the tables of the system are among those of Aria. */
static const char aria_question[] =
    "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME), UNIX_TIMESTAMP(CREATE_TIME) "
    "FROM information_schema.TABLES WHERE ENGINE = 'Aria' AND TABLE_TYPE = 'BASE TABLE' "
    "AND COALESCE(ROW_FORMAT, 'Page') = 'Page' ORDER BY CREATE_TIME LIMIT 1";

static uint64_t number(const char *text)
{
  return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static bool read_settings(kh_cli_server *server, kh_cli_facts *facts)
{
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, settings_question);
  const char *const *row = rows == NULL ? NULL : kh_cli_rows_next(rows);
  if (row == NULL)
    return false;
  facts->encrypts_redo = number(row[0]) != 0;
  facts->has_binary_logs = number(row[1]) != 0;
  facts->encrypts_aria = number(row[2]) != 0;
  snprintf(facts->key_file, sizeof facts->key_file, "%s", row[3] == NULL ? "" : row[3]);
  return true;
}

/* a replica has relay logs */
static bool read_replication(kh_cli_server *server, kh_cli_facts *facts)
{
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, "SHOW ALL SLAVES STATUS");
  if (rows == NULL)
    return false;
  facts->has_binary_logs = facts->has_binary_logs || kh_cli_rows_count(rows) > 0;
  return true;
}

static bool read_aria(kh_cli_server *server, kh_cli_facts *facts)
{
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, aria_question);
  if (rows == NULL)
    return false;
  const char *const *row = kh_cli_rows_next(rows);
  if (row == NULL)
    return true;
  snprintf(facts->oldest_aria, sizeof facts->oldest_aria, "%s", row[0]);
  facts->oldest_aria_time = number(row[1]);
  return true;
}

bool kh_cli_facts_read(kh_cli_server *server, kh_cli_facts *ret_facts)
{
  kh_cli_facts facts = {.key_file = ""};
  if (!read_settings(server, &facts) || !read_replication(server, &facts) ||
      !read_aria(server, &facts) || !kh_cli_spaces_read(server, &facts.spaces))
    return false;
  *ret_facts = facts;
  return true;
}

void kh_cli_facts_free(kh_cli_facts *facts)
{
  kh_cli_spaces_free(&facts->spaces);
}

/* While a tablespace is worked on, and while InnoDB has no key for it, its numbers say nothing. */
static bool space_needs(const kh_cli_space *space, const kh_key *key)
{
  if (space->key_id != key->id || !(space->is_encrypted || space->is_moving))
    return false;
  return space->is_moving || space->current_version == UINT32_MAX ||
         key->version >= space->least_version;
}

/* An Aria table that was not made anew since the next version was there has pages of this one, or
 * of one before it. */
static bool aria_needs(const kh_cli_facts *facts, const kh_key *key, const kh_key *next)
{
  if (key->id != KH_KEY_ID_SYSTEM || !facts->encrypts_aria || facts->oldest_aria[0] == '\0')
    return false;
  return next->policy.created == 0 || facts->oldest_aria_time <= next->policy.created;
}

/* A table that was made anew later may have been so before the server had read the next version. */
static unsigned unknown_of(const kh_cli_facts *facts, const kh_key *key)
{
  if (key->id != KH_KEY_ID_SYSTEM)
    return KH_CLI_UNKNOWN_ELSEWHERE;
  return KH_CLI_UNKNOWN_ELSEWHERE | KH_CLI_UNKNOWN_ARIA |
         (facts->encrypts_redo ? KH_CLI_UNKNOWN_REDO_LOG : 0u) |
         (facts->has_binary_logs ? KH_CLI_UNKNOWN_BINARY_LOGS : 0u);
}

kh_cli_need kh_cli_need_of(const kh_cli_facts *facts, const kh_keytable *table, size_t index)
{
  const kh_key *key = kh_keytable_at(table, index);
  for (size_t i = 0; i < facts->spaces.count; i++)
    if (space_needs(&facts->spaces.at[i], key))
      return (kh_cli_need){.needed_by = facts->spaces.at[i].name};
  if (aria_needs(facts, key, kh_keytable_at(table, index + 1)))
    return (kh_cli_need){.needed_by = facts->oldest_aria};
  return (kh_cli_need){.unknown = unknown_of(facts, key)};
}
