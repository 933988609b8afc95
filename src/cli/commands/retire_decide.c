/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include "cli/output/message.h"
#include "retire.h"

static bool is_servers_file(const kh_cli_retire_facts *facts, const char *path)
{
  kh_file_stamp ours;
  kh_file_stamp theirs;
  if (kh_file_stamp_of(path, &ours, NULL) == KH_OK &&
      kh_file_stamp_of(facts->key_file, &theirs, NULL) == KH_OK && kh_file_is_same(&ours, &theirs))
    return true;
  kh_cli_message("the server uses another key file: %s", kh_show_path(facts->key_file).text);
  return false;
}

/* What it has not loaded it does not encrypt with; what it has loaded and the file lacks it may. */
static bool has_its_keys(const kh_cli_retire_facts *facts, const kh_keytable *table)
{
  if (facts->fingerprint.text[0] == '\0')
    kh_cli_message(
        "the server does not say which keys it has: its plugin is not this keyhold_file");
  else if (strcmp(facts->fingerprint.text, kh_keytable_fingerprint(table).text) != 0)
    kh_cli_message("the server has other keys in use than the file; reload it");
  else
    return true;
  return false;
}

bool kh_cli_decide(const kh_cli_question *question, kh_cli_decision *decision)
{
  if (!kh_cli_retire_facts_read(question->server, &decision->facts) ||
      !is_servers_file(&decision->facts, question->path) ||
      !has_its_keys(&decision->facts, question->table))
    return false;
  kh_status status = kh_cli_retire_plan_make(&decision->facts, question->table, question->id,
                                             question->forced, &decision->plan);
  if (status != KH_OK)
    kh_cli_fail_status(status, question->path);
  return status == KH_OK;
}

void kh_cli_decision_free(kh_cli_decision *decision)
{
  kh_cli_retire_plan_free(&decision->plan);
  kh_cli_retire_facts_free(&decision->facts);
}

bool kh_cli_is_still_decided(const kh_cli_question *question, const kh_cli_decision *before)
{
  KH_CLI_AUTO_DECISION now = KH_CLI_DECISION_NONE;
  if (!kh_cli_decide(question, &now))
    return false;
  const kh_cli_retire_verdict *changed = kh_cli_retire_plan_changed(&before->plan, &now.plan);
  if (changed == NULL)
    return true;
  const kh_key *key = kh_keytable_at(question->table, changed->index);
  const char *by = changed->need.needed_by;
  kh_cli_message("key id %" PRIu32 " version %" PRIu32 " became needed meanwhile%s%s", key->id,
                 key->version, by == NULL ? "" : ": ", by == NULL ? "" : by);
  return false;
}
