/* SPDX-License-Identifier: GPL-2.0-only */
#include "retire_rules.h"

#include <string.h>

#include "keyhold/limits.h"

const kh_cli_retire_unknown kh_cli_retire_unknowns[KH_CLI_RETIRE_UNKNOWNS] = {
    {"redo-log", KH_CLI_RETIRE_UNKNOWN_REDO_LOG,
     "the server does not report which version of key id 1 its redo log needs"},
    {"binary-logs", KH_CLI_RETIRE_UNKNOWN_BINARY_LOGS,
     "the server does not report which version of key id 1 each binary or relay log needs"},
    {"aria", KH_CLI_RETIRE_UNKNOWN_ARIA,
     "the server does not report which version of key id 1 each Aria table needs"},
    {"elsewhere", KH_CLI_RETIRE_UNKNOWN_ELSEWHERE,
     "the server does not know about backups and other servers with this key file"},
};

static bool is_same_name(const char *text, size_t len, const char *name)
{
  return strlen(name) == len && memcmp(name, text, len) == 0;
}

unsigned kh_cli_retire_unknown_named(const char *name, size_t len)
{
  for (size_t i = 0; i < KH_CLI_RETIRE_UNKNOWNS; i++)
    if (is_same_name(name, len, kh_cli_retire_unknowns[i].name))
      return kh_cli_retire_unknowns[i].bit;
  return is_same_name(name, len, "all") ? KH_CLI_RETIRE_UNKNOWN_ALL : 0;
}

/* While a tablespace moves, or InnoDB has no key for it, its version numbers prove nothing. */
static bool tablespace_needs(const kh_cli_tablespace *tablespace, const kh_key *key)
{
  if (tablespace->key_id != key->id)
    return false;
  if (tablespace->is_moving)
    return true;
  if (!tablespace->is_encrypted && tablespace->least_version == 0)
    return false;
  return tablespace->current_version == KH_CLI_NO_VERSION ||
         key->version >= tablespace->least_version;
}

/* An Aria table that was not rebuilt since the next version exists has pages of this version, or of
 * an older one. */
static bool aria_needs(const kh_cli_retire_facts *facts, const kh_key *key, const kh_key *next)
{
  if (key->id != KH_KEY_ID_SYSTEM || !facts->encrypts_aria || facts->oldest_aria[0] == '\0')
    return false;
  return next->policy.created == 0 || facts->oldest_aria_time <= next->policy.created;
}

/* Even a table that was rebuilt later may have been written before the server loaded the next
 * version, so Aria is always unknown. */
static unsigned unknown_of(const kh_cli_retire_facts *facts, const kh_key *key)
{
  if (key->id != KH_KEY_ID_SYSTEM)
    return KH_CLI_RETIRE_UNKNOWN_ELSEWHERE;
  return KH_CLI_RETIRE_UNKNOWN_ELSEWHERE | KH_CLI_RETIRE_UNKNOWN_ARIA |
         (facts->encrypts_redo ? KH_CLI_RETIRE_UNKNOWN_REDO_LOG : 0u) |
         (facts->has_binary_logs ? KH_CLI_RETIRE_UNKNOWN_BINARY_LOGS : 0u);
}

kh_cli_retire_need kh_cli_retire_need_of(const kh_cli_retire_facts *facts, const kh_keytable *table,
                                         size_t index)
{
  const kh_key *key = kh_keytable_at(table, index);
  if (facts->not_open[0] != '\0') /* its key id is not known either */
    return (kh_cli_retire_need){.needed_by = facts->not_open};
  for (size_t i = 0; i < facts->tablespaces.count; i++)
    if (tablespace_needs(&facts->tablespaces.at[i], key))
      return (kh_cli_retire_need){.needed_by = facts->tablespaces.at[i].name};
  if (aria_needs(facts, key, kh_keytable_at(table, index + 1)))
    return (kh_cli_retire_need){.needed_by = facts->oldest_aria};
  return (kh_cli_retire_need){.unknown = unknown_of(facts, key)};
}

bool kh_cli_retire_may_go(const kh_cli_retire_need *need, unsigned forced)
{
  return need->needed_by == NULL && (need->unknown & ~forced) == 0;
}
