/* SPDX-License-Identifier: GPL-2.0-only */
/* Every change of a key file on the disk. */
#include "keyfile_parts.h"

static void warn_of_unseen(const char *path, const kh_file_unseen *unseen, const kh_log *log)
{
  kh_shown_path shown = kh_file_show_absolute(path);
  char reason[KH_MESSAGE_MAX];
  if (unseen->fault.status == KH_OK) {
    kh_log_write(
        log, KH_LOG_WARNING,
        "'%s' was written, but another process changed the file without its lock "
        "meanwhile; the new file does not have that change: it is in '%s'; add its keys by "
        "keyhold merge",
        shown.text, unseen->kept_as.text);
    return;
  }
  kh_fault_describe(&unseen->fault, reason, sizeof reason);
  kh_log_write(log, KH_LOG_WARNING,
               "'%s' was written, but what another process may have written to the file meanwhile, "
               "without its lock, is lost: %s",
               shown.text, reason);
}

kh_status kh_keyfile_replace(const char *path, const kh_file_seen *seen, kh_bytes content,
                             const kh_log *log, kh_file_stamp *ret_stamp, bool *ret_is_unseen,
                             kh_fault *ret_fault)
{
  kh_file_unseen unseen;
  kh_status status = kh_file_replace_seen(path, seen, content, ret_stamp, &unseen, ret_fault);
  if (unseen.is_found)
    warn_of_unseen(path, &unseen, log);
  if (ret_is_unseen != NULL)
    *ret_is_unseen = unseen.is_found;
  return status;
}
