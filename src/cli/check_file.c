/* SPDX-License-Identifier: GPL-2.0-only */
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "costs.h"

/* Fewer are guessed too fast with today's processors; OWASP asks for 210000 (sha512) to 1300000
 * (sha1). */
enum { FEW_ITERATIONS = 100000 };

static void check_mode(const struct stat *st, const char *owner, kh_cli_findings *findings)
{
  unsigned mode = st->st_mode & 07777;
  if ((mode & S_IWGRP) != 0)
    kh_cli_found(findings, KH_CLI_BAD, "permissions",
                 "its mode is %04o: its group can write it; give it mode 0600 or 0640", mode);
  if (kh_file_is_open_to_others(st->st_mode))
    kh_cli_found(findings, KH_CLI_BAD, "permissions",
                 "its mode is %04o: others can read or write it; give it mode 0600", mode);
  if ((mode & (S_IWGRP | S_IRWXO)) == 0)
    kh_cli_found(findings, KH_CLI_GOOD, "permissions", "its mode is %04o, its owner %s", mode,
                 owner);
}

/* as strict_permissions judges it; root looks at the file for a user that is not known */
static void check_owner(const struct stat *st, const char *owner, kh_cli_findings *findings)
{
  if (geteuid() != 0 && st->st_uid != 0 && st->st_uid != geteuid())
    kh_cli_found(findings, KH_CLI_BAD, "permissions",
                 "it belongs to another user, %s, who can change it", owner);
}

static void check_permissions(const kh_cli_target *target, kh_cli_findings *findings)
{
  struct stat st;
  if (stat(target->path, &st) != 0)
    return; /* it was there a moment ago; loading will say what is wrong */
  const struct passwd *user = getpwuid(st.st_uid);
  const char *owner = user == NULL ? "unknown" : user->pw_name;
  check_mode(&st, owner, findings);
  check_owner(&st, owner, findings);
}

static void check_folder(const kh_cli_target *target, kh_cli_findings *findings)
{
  struct stat st;
  char *real = realpath(target->path, NULL);
  if (real == NULL)
    return;
  const char *folder = dirname(real);
  if (stat(folder, &st) == 0 && (st.st_mode & S_IWOTH) != 0)
    kh_cli_found(findings, KH_CLI_BAD, "permissions",
                 "everybody can write in its folder '%s' (mode %04o)", kh_show_path(folder).text,
                 (unsigned)st.st_mode & 07777);
  free(real);
}

static void check_openssl(const kh_cli_target *target, kh_cli_findings *findings)
{
  const char *digest = kh_digest_name(target->digest);
  uint32_t iterations = target->pbkdf2_iterations;
  if (iterations == 0)
    kh_cli_found(findings, KH_CLI_BAD, "parameters",
                 "one round of %s makes the key of the passphrase: a weak passphrase is guessed "
                 "fast; seal the file",
                 digest);
  else
    kh_cli_found(findings, iterations < FEW_ITERATIONS ? KH_CLI_BAD : KH_CLI_GOOD, "parameters",
                 "PBKDF2-HMAC-%s with %u iterations makes the key of the passphrase%s", digest,
                 iterations, iterations < FEW_ITERATIONS ? ": too few, 100000 at least" : "");
  kh_cli_found(findings, KH_CLI_NOTE, "format",
               "the format 'openssl' does not notice changes; 'sealed' does");
}

static void check_slot(const kh_sealed_slot *slot, kh_cli_findings *findings)
{
  bool is_cheap = kh_cli_is_cheap(slot);
  const char *verdict =
      is_cheap ? ": a guess costs too little; 'keyhold slot change' mends it" : "";
  if (slot->kdf == KH_SEALED_ARGON2ID)
    kh_cli_found(findings, is_cheap ? KH_CLI_BAD : KH_CLI_GOOD, "parameters",
                 "slot %s: argon2id with %u KiB and %u passes%s", slot->label, slot->memory,
                 slot->passes, verdict);
  else
    kh_cli_found(findings, is_cheap ? KH_CLI_BAD : KH_CLI_GOOD, "parameters",
                 "slot %s: %s with %u iterations%s", slot->label, kh_sealed_kdf_name(slot->kdf),
                 slot->iterations, verdict);
}

/* A file that cannot be read, or is of a newer format, is found so by loading it. */
static bool check_slots(const kh_cli_target *target, kh_cli_findings *findings)
{
  KH_AUTO_SECRET file = NULL;
  kh_sealed_slots slots;
  kh_fault fault;
  char message[KH_MESSAGE_MAX];
  if (kh_file_read(target->path, KH_KEYFILE_MAX, KH_FILE_REGULAR, &file, NULL, NULL) != KH_OK)
    return true;
  kh_status status = kh_sealed_list(target->path, kh_secret_bytes(file), &slots, &fault);
  if (kh_status_class(status) == KH_CLASS_FORMAT) {
    kh_fault_describe(&fault, message, sizeof message);
    kh_cli_found(findings, KH_CLI_BAD, "content", "%s", message);
    return false;
  }
  if (status != KH_OK)
    return true;
  for (size_t i = 0; i < slots.count; i++)
    check_slot(&slots.at[i], findings);
  if (slots.count == 1)
    kh_cli_found(
        findings, KH_CLI_NOTE, "slots",
        "it has one passphrase only: a second one in a safe place helps when that is lost");
  return true;
}

static bool check_format(const kh_cli_target *target, kh_cli_findings *findings)
{
  const char *format = target->look.format;
  if (strcmp(format, "openssl") == 0)
    check_openssl(target, findings);
  else if (target->look.is_encrypted)
    return check_slots(target, findings);
  else
    kh_cli_found(findings, KH_CLI_NOTE, "format",
                 "the keys are in the clear: its permissions are all that protects them");
  return true;
}

bool kh_cli_check_file(const kh_cli_target *target, kh_cli_findings *findings)
{
  bool may_open = check_format(target, findings);
  check_permissions(target, findings);
  check_folder(target, findings);
  return may_open;
}
