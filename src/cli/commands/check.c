/* SPDX-License-Identifier: GPL-2.0-only */
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_place.h"
#include "cli/args/form.h"
#include "cli/args/target.h"
#include "cli/output/findings.h"
#include "command.h"
#include "keyhold/clock.h"
#include "keyhold/fingerprint.h"

static const struct argp_child children[] = {{&kh_cli_report_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .args_doc = "FILE",
    .doc =
        "Check a key file for problems: format, encryption parameters, permissions and keys. The "
        "exit status is 0 if there are none, and 3 if there are.",
    .children = children,
};

/* Checks that need no passphrase: encryption parameters and permissions. */

/* With fewer, guesses are too fast on today's processors; OWASP recommends 210000 (sha512) to
 * 1300000 (sha1). */
enum { FEW_ITERATIONS = 100000 };

static void check_openssl(const kh_cli_target *target, kh_cli_findings *findings)
{
  const char *digest = kh_digest_name(target->digest);
  uint32_t iterations = target->pbkdf2_iterations;
  bool is_weak = iterations < FEW_ITERATIONS;
  if (iterations == 0)
    kh_cli_findings_add(
        findings, KH_CLI_BAD, "parameters",
        "the key derivation is one round of %s: guesses at the passphrase are fast; use "
        "'keyhold seal'",
        digest);
  else
    kh_cli_findings_add(findings, is_weak ? KH_CLI_BAD : KH_CLI_GOOD, "parameters",
                        "key derivation PBKDF2-HMAC-%s with %u iterations%s", digest, iterations,
                        is_weak ? ": guesses at the passphrase are fast; use at least 100000" : "");
  kh_cli_findings_add(
      findings, KH_CLI_NOTE, "format",
      "the format openssl does not detect changes to the file; the format sealed does");
}

/* Writes " with 65536 KiB and 3 passes"; a value that does not fit is left out. */
static void write_values(const kh_sealed_slot *slot, size_t size, char *ret_values)
{
  const kh_sealed_parameter *parameter = slot->kind->parameters;
  size_t len = 0;
  ret_values[0] = '\0';
  for (size_t i = 0; parameter[i].name != NULL && len < size; i++) {
    const char *unit = parameter[i].unit[0] != '\0' ? parameter[i].unit : parameter[i].name;
    const char *word = len == 0 ? " with " : " and ";
    int written = parameter[i].is_text ? snprintf(ret_values + len, size - len, "%s%s %s", word,
                                                  parameter[i].name, slot->texts[i])
                                       : snprintf(ret_values + len, size - len, "%s%u %s", word,
                                                  slot->values[i], unit);
    len += written < 0 ? 0 : (size_t)written;
  }
}

static void check_slot(const kh_sealed_slot *slot, kh_cli_findings *findings)
{
  bool is_cheap = kh_cli_is_cheap(slot);
  kh_cli_colour level = is_cheap ? KH_CLI_BAD : KH_CLI_GOOD;
  const char *verdict =
      is_cheap ? ": guesses at the passphrase are too cheap; use 'keyhold slot change'" : "";
  char values[KH_MESSAGE_MAX];
  write_values(slot, sizeof values, values);
  kh_cli_findings_add(findings, level, "parameters", "slot %s: %s%s%s", slot->label,
                      slot->kind->name, values, verdict);
}

/* Returns true for a file that cannot be read, or has a newer format: opening it reports that. */
static bool check_slots(const kh_cli_target *target, kh_cli_findings *findings)
{
  kh_sealed_slots slots;
  kh_fault fault;
  kh_status status = kh_keyfile_list_slots(target->path, &slots, &fault);
  if (kh_status_class(status) == KH_CLASS_FORMAT) {
    kh_cli_findings_add_fault(findings, "content", &fault);
    return false;
  }
  if (status != KH_OK)
    return true;
  for (size_t i = 0; i < slots.count; i++)
    check_slot(&slots.at[i], findings);
  if (slots.count == 1 && kh_sealed_needs_passphrase(&slots))
    kh_cli_findings_add(
        findings, KH_CLI_NOTE, "slots",
        "there is only one passphrase; add a second one for a safe place ('keyhold slot add')");
  return true;
}

/* False: no passphrase opens the file, and the findings have the reason. */
static bool check_format(const kh_cli_target *target, kh_cli_findings *findings)
{
  const kh_keyfile_format *format = target->format;
  if (format->has_slots)
    return check_slots(target, findings);
  if (format->has_digest)
    check_openssl(target, findings);
  else if (!format->is_encrypted)
    kh_cli_findings_add(findings, KH_CLI_NOTE, "format",
                        "the keys are in plain text; only the file's permissions protect them");
  return true;
}

/* Judges the owner as strict_permissions does. Root may check the file for any user, so an owner is
 * never wrong for root. */
static void check_permissions(const char *path, kh_cli_findings *findings)
{
  struct stat st;
  if (stat(path, &st) != 0)
    return; /* opening it will report the error */
  const struct passwd *user = getpwuid(st.st_uid);
  const char *owner = user == NULL ? "unknown" : user->pw_name;
  unsigned mode = st.st_mode & 07777;
  if ((mode & S_IWGRP) != 0)
    kh_cli_findings_add(findings, KH_CLI_BAD, "permissions",
                        "mode %04o: the group can write the file; use mode 0600 or 0640", mode);
  if (kh_file_is_open_to_others(st.st_mode))
    kh_cli_findings_add(findings, KH_CLI_BAD, "permissions",
                        "mode %04o: other users can read or write the file; use mode 0600", mode);
  if ((mode & (S_IWGRP | S_IRWXO)) == 0)
    kh_cli_findings_add(findings, KH_CLI_GOOD, "permissions", "mode %04o, owner %s", mode, owner);
  if (geteuid() != 0 && st.st_uid != 0 && st.st_uid != geteuid())
    kh_cli_findings_add(findings, KH_CLI_BAD, "permissions",
                        "owner %s is neither root nor you, and can change the file", owner);
}

static void check_folder(const char *path, kh_cli_findings *findings)
{
  struct stat st;
  char *real = realpath(path, NULL);
  if (real == NULL)
    return;
  const char *folder = dirname(real);
  if (stat(folder, &st) == 0 && (st.st_mode & S_IWOTH) != 0)
    kh_cli_findings_add(findings, KH_CLI_BAD, "permissions",
                        "every user can write to its folder '%s' (mode %04o)",
                        kh_show_path(folder).text, (unsigned)st.st_mode & 07777);
  free(real);
}

/* Checks of the keys: weak, equal, due for rotation, too near the version before. */

/* A key version and its fingerprint. */
struct known {
  const kh_key *key;
  kh_fingerprint fingerprint;
};

static int compare_fingerprints(const void *left, const void *right)
{
  const struct known *a = left;
  const struct known *b = right;
  int order = strcmp(a->fingerprint.text, b->fingerprint.text);
  if (order != 0)
    return order;
  return a->key < b->key ? -1 : a->key > b->key; /* the table's order: id, then version */
}

static void check_duplicates(const kh_keytable *table, kh_cli_findings *findings)
{
  size_t count = kh_keytable_version_count(table);
  struct known *known = calloc(count + 1, sizeof *known);
  if (known == NULL) {
    kh_cli_findings_add(findings, KH_CLI_BAD, "keys", "cannot compare the keys: out of memory");
    return;
  }
  for (size_t i = 0; i < count; i++) {
    const kh_key *key = kh_keytable_at(table, i);
    known[i] = (struct known){key, kh_key_fingerprint(key)};
  }
  qsort(known, count, sizeof *known, compare_fingerprints);
  for (size_t i = 1; i < count; i++) {
    const kh_key *a = known[i - 1].key;
    const kh_key *b = known[i].key;
    if (kh_key_is_same_secret(a, b))
      kh_cli_findings_add(findings, KH_CLI_BAD, "keys",
                          "key id %u version %u has the same bytes as key id %u version %u", b->id,
                          b->version, a->id, a->version);
  }
  free(known);
}

static void check_due(const kh_keytable *table, kh_cli_findings *findings)
{
  kh_clock clock = kh_clock_system();
  uint32_t now = kh_clock_now(&clock);
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    const kh_key *key = kh_keytable_at(table, i);
    if (kh_keytable_is_latest(table, i) && kh_policy_due(&key->policy) <= now)
      kh_cli_findings_add(findings, KH_CLI_NOTE, "rotation", "key id %u is due for rotation",
                          key->id);
  }
}

/* Notes latest versions that InnoDB re-encrypts nothing for. */
static void check_steps(const kh_keytable *table, kh_cli_findings *findings)
{
  for (size_t i = 1; i < kh_keytable_version_count(table); i++) {
    const kh_key *before = kh_keytable_at(table, i - 1);
    const kh_key *key = kh_keytable_at(table, i);
    if (kh_keytable_is_latest(table, i) && before->id == key->id &&
        key->version - before->version < KH_ROTATION_STEP)
      kh_cli_findings_add(
          findings, KH_CLI_NOTE, "rotation",
          "InnoDB does not re-encrypt data from key id %u version %u to %u: a new version must be "
          "more than innodb_encryption_rotate_key_age (default: 1) above the one before; use "
          "'keyhold rotate --id=%u', which adds %u",
          key->id, before->version, key->version, key->id, KH_ROTATION_STEP);
  }
}

static void add_foreseen(void *user, const kh_fault *fault)
{
  kh_cli_findings_add_fault(user, "rotation", fault);
}

/* What a server warns of when it loads the keys. */
static void check_future(const kh_keytable *table, kh_cli_findings *findings)
{
  kh_clock clock = kh_clock_system();
  kh_faults faults = {.add = add_foreseen, .user = findings};
  kh_keytable_foresee(table, kh_clock_now(&clock), &faults);
}

/* A note, since the server may not encrypt its redo log, and reads the data with any cipher. */
static void check_redo_log(const kh_keytable *table, kh_cli_findings *findings)
{
  char text[KH_MESSAGE_MAX];
  kh_fault fault;
  if (kh_keytable_check_redo_log(table, KH_CIPHER_UNSET, &fault) == KH_OK)
    return;
  kh_fault_describe(&fault, text, sizeof text);
  kh_cli_findings_add(findings, KH_CLI_NOTE, "cipher", "%s", text);
}

static void check_keys(const kh_keytable *table, kh_cli_findings *findings)
{
  size_t bad = findings->bad;
  size_t ids = kh_keytable_id_count(table);
  size_t versions = kh_keytable_version_count(table);
  for (size_t i = 0; i < versions; i++) {
    const kh_key *key = kh_keytable_at(table, i);
    if (kh_is_same_secret(key->bytes, key->bytes + 1,
                          key->len - 1)) /* each byte equals the next one */
      kh_cli_findings_add(findings, KH_CLI_BAD, "keys",
                          "key id %u version %u is weak: all bytes are %s", key->id, key->version,
                          key->bytes[0] == 0 ? "zero" : "equal");
  }
  check_duplicates(table, findings);
  if (findings->bad == bad)
    kh_cli_findings_add(findings, KH_CLI_GOOD, "keys",
                        "%zu key id%s, %zu version%s: none weak, all different", ids,
                        ids == 1 ? "" : "s", versions, versions == 1 ? "" : "s");
  check_redo_log(table, findings);
  check_due(table, findings);
  check_steps(table, findings);
  check_future(table, findings);
}

/* Adds a warning of the core as a problem. */
static void add_warning(void *user, kh_severity severity, const char *message)
{
  if (severity == KH_LOG_WARNING)
    kh_cli_findings_add(user, KH_CLI_BAD, "content", "%s", message);
  else
    kh_cli_message("%s", message);
}

static void add_fault(void *user, const kh_fault *fault)
{
  kh_cli_findings_add_fault(user, "content", fault);
}

/* Opens the file, and adds what is wrong with its content. */
static kh_status open_and_find(const kh_cli_target *target, kh_cli_findings *findings,
                               kh_keyfile **ret_file, kh_fault *ret_fault)
{
  kh_log log = {add_warning, findings};
  kh_faults faults = {.add = add_fault, .user = findings};
  kh_keyfile_options how = kh_cli_target_options(target);
  how.permissions = KH_PERMISSIONS_SEEN; /* check_permissions() reports them */
  how.faults = &faults;
  kh_keyfile_search search = {.limit = 0}; /* the other commands do not search: it takes long */
  how.search = &search;
  kh_status status = kh_keyfile_open(&how, target->crypt, &log, ret_file, ret_fault);
  if (kh_status_class(status) == KH_CLASS_FORMAT && faults.count == 0)
    add_fault(findings, ret_fault);
  if (faults.count > KH_FAULTS_MAX)
    kh_cli_findings_add(findings, KH_CLI_BAD, "content", "%zu more lines are wrong",
                        faults.count - KH_FAULTS_MAX);
  return status;
}

/* False: a message has the reason. */
static bool check_content(const kh_cli_target *target, kh_cli_findings *findings)
{
  KH_AUTO_KEYFILE file = NULL;
  KH_AUTO_KEYTABLE table = NULL;
  kh_fault fault;
  kh_status status = open_and_find(target, findings, &file, &fault);
  if (kh_status_class(status) == KH_CLASS_FORMAT)
    return true; /* the content is wrong; the file could be read */
  if (status != KH_OK) {
    kh_cli_fail_with(&fault);
    return false;
  }
  if (!kh_keyfile_ends_line(file))
    kh_cli_findings_add(findings, KH_CLI_NOTE, "content",
                        "the last line has no line end; auto_reload waits for one");
  status = kh_keytable_new(kh_keyfile_keys(file), &table);
  if (status == KH_OK) {
    check_keys(table, findings);
    kh_cli_check_copies(target->path, target->format->is_encrypted, table, findings);
  } else
    kh_cli_fail_status(status, target->path);
  return status == KH_OK;
}

int kh_cli_check(int argc, char **argv)
{
  kh_cli_target arguments = KH_CLI_TARGET_NONE;
  kh_cli_parse_arguments(&argp, argc, argv, &arguments);
  KH_CLI_AUTO_TARGET target = arguments;
  KH_CLI_AUTO_FINDINGS findings = {.out = NULL};
  if (!kh_cli_findings_begin(target.json, kh_cli_may_colour(stdout), &findings) ||
      !kh_cli_target_recognise(&target))
    return KH_CLI_FAILED;
  bool may_open = check_format(&target, &findings);
  check_permissions(target.path, &findings);
  check_folder(target.path, &findings);
  kh_cli_check_place(target.path, &findings);
  if (may_open && (!kh_cli_target_unlock(&target) || !check_content(&target, &findings)))
    return KH_CLI_FAILED;
  kh_cli_findings_print(&findings, target.path, target.format->name);
  return findings.bad == 0 ? KH_CLI_DONE : KH_CLI_NO;
}
