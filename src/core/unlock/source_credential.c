/* SPDX-License-Identifier: GPL-2.0-only */
/* The passphrase is a credential of the systemd unit that the process belongs to: a file in a
 * folder that systemd names (systemd.exec(5), "Credentials"). */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "passphrase.h"
#include "source.h"

/* returns whether the name stays within the folder */
static bool is_credential_name(const char *argument)
{
  return argument[0] != '\0' && argument[0] != '.' && strchr(argument, '/') == NULL;
}

static kh_status read_credential(const char *name, const kh_unlock_how *how, const kh_log *log,
                                 kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  KH_AUTO_SECRET content = NULL;
  char path[PATH_MAX];
  const char *folder = getenv("CREDENTIALS_DIRECTORY");
  if (folder == NULL || folder[0] == '\0')
    return kh_fault_set(ret_fault, KH_E_SOURCE_CREDENTIAL, name, 0);
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
    return kh_fault_set(ret_fault, KH_E_FILE_OPEN, name, ENAMETOOLONG);
  kh_status status = kh_passphrase_read_file(path, how, log, &content, ret_fault);
  if (status != KH_OK)
    return status;
  if (kh_secret_bytes(content).len == 0)
    return kh_fault_set(ret_fault, KH_E_SOURCE_EMPTY, path, 0);
  *ret_passphrase = content; /* it is cut already, and must not be cut twice */
  content = NULL;
  return KH_OK;
}

const kh_unlock_source kh_unlock_credential = {
    .prefix = "CREDENTIAL:",
    .takes = "the name of a systemd credential: no '/' and no '.' first",
    .fits = is_credential_name,
    .read = read_credential};
