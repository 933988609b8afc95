/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "command.h"
#include "keyhold/keyfile_change.h"
#include "retire.h"

/* byte for byte: every passphrase of the file opens its copy too */
static kh_status copy_as_it_is(const kh_cli_target *target, const kh_keyfile_info *loaded,
                               const char *to, kh_fault *ret_fault)
{
  KH_AUTO_SECRET file = NULL;
  kh_file_info info;
  kh_status status =
      kh_file_read(target->path, KH_KEYFILE_MAX, KH_FILE_REGULAR, &file, &info, ret_fault);
  if (status != KH_OK)
    return status;
  if (!kh_file_is_same(&info.stamp, &loaded->stamp))
    return kh_fault_set(ret_fault, KH_E_FILE_CHANGED, target->path, 0);
  return kh_file_create(to, kh_secret_bytes(file), ret_fault);
}

static kh_status copy_sealed(const kh_cli_target *target, const kh_secret *passphrase,
                             const kh_cli_costs *costs, const char *to, kh_fault *ret_fault)
{
  kh_keyfile_options how = kh_cli_target_options(target);
  kh_keyfile_form form = {.format = "sealed",
                          .passphrase = passphrase,
                          .slot = kh_cli_slot(costs, KH_SEALED_LABEL_DEFAULT)};
  return kh_keyfile_convert(&how, target->crypt, &form, to, &target->log, ret_fault);
}

int kh_cli_keep_copy(const kh_cli_target *target, const kh_keyfile_info *info,
                     const kh_cli_source *new_source, const kh_cli_costs *costs, const char *to)
{
  KH_AUTO_SECRET passphrase = NULL;
  kh_fault fault;
  kh_status status;
  if (strcmp(info->format, "sealed") == 0)
    status = copy_as_it_is(target, info, to, &fault);
  else if (target->passphrase != NULL)
    status = copy_sealed(target, target->passphrase, costs, to, &fault);
  else if (kh_cli_get_new_passphrase(new_source, to, &passphrase))
    status = copy_sealed(target, passphrase, costs, to, &fault);
  else
    return KH_CLI_FAILED;
  return status == KH_OK ? KH_CLI_DONE : kh_cli_fail_with(&fault);
}
