/* SPDX-License-Identifier: GPL-2.0-only */
#include "check.h"

#include "command.h"
#include "report.h"
#include "say.h"
#include "terminal.h"

static const struct argp_child children[] = {{&kh_cli_report_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .args_doc = "FILE",
    .doc = "Says whether a key file is good: its format and parameters, its permissions, its keys. "
           "Ends with 0 when it is, and with 3 when it is not.",
    .children = children,
};

/* What the core warns of is not good. */
static void take_warning(void *user, kh_severity severity, const char *message)
{
  if (severity == KH_LOG_WARNING)
    kh_cli_found(user, KH_CLI_BAD, "content", "%s", message);
  else
    kh_cli_say("%s", message);
}

/* false: a message has said why */
static bool check_keys(const kh_cli_target *target, const kh_keylist *list,
                       kh_cli_findings *findings)
{
  kh_keytable *table = NULL;
  kh_status status = kh_keytable_new(list, &table);
  if (status != KH_OK) {
    kh_cli_fail_status(status, target->path);
    return false;
  }
  kh_cli_check_keys(table, findings);
  kh_keytable_free(&table);
  return true;
}

static bool check_content(kh_cli_target *target, kh_cli_findings *findings)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_keyfile_info info;
  kh_fault fault;
  char message[KH_MESSAGE_MAX];
  target->log = (kh_log){take_warning, findings};
  kh_keyfile_options how = kh_cli_target_options(target);
  how.permissions = KH_PERMISSIONS_SEEN; /* by kh_cli_check_file() */
  kh_status status = kh_keyfile_load(&how, target->crypt, &target->log, &list, &info, &fault);
  if (kh_status_class(status) == KH_CLASS_FORMAT) { /* not only that it could not be read */
    kh_fault_describe(&fault, message, sizeof message);
    kh_cli_found(findings, KH_CLI_BAD, "content", "%s", message);
    return true;
  }
  if (status != KH_OK) {
    kh_cli_fail_with(&fault);
    return false;
  }
  if (!info.ends_line)
    kh_cli_found(findings, KH_CLI_NOTE, "content",
                 "the last line has no line end: auto_reload does not take it");
  return check_keys(target, list, findings);
}

int kh_cli_check(int argc, char **argv)
{
  kh_cli_report arguments = KH_CLI_REPORT_NONE;
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  KH_CLI_AUTO_FINDINGS findings = {.out = NULL};
  if (!kh_cli_findings_begin(arguments.json, kh_cli_may_colour(stdout), &findings) ||
      !kh_cli_target_look(&target))
    return KH_CLI_FAILED;
  if (kh_cli_check_file(&target, &findings) &&
      (!kh_cli_target_unlock(&target) || !check_content(&target, &findings)))
    return KH_CLI_FAILED;
  kh_cli_findings_print(&findings, target.path, target.look.format);
  return findings.bad == 0 ? KH_CLI_DONE : KH_CLI_NO;
}
