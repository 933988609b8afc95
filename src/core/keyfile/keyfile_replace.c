/* SPDX-License-Identifier: GPL-2.0-only */
/* Every change of a key file on the disk. */
#include <string.h>

#include "keyfile_parts.h"

/* Two paths that do not fit into one message are both shortened. */
enum { PATHS_MAX = 300, SHORT_PATH = 100, SHORT_KEPT_PATH = 200 };

static void warn_of_kept(kh_shown_path path, kh_shown_path kept, const kh_log *log)
{
  if (strlen(path.text) + strlen(kept.text) > PATHS_MAX) {
    path = kh_show_path_within(path.text, SHORT_PATH);
    kept = kh_show_path_within(kept.text, SHORT_KEPT_PATH);
  }
  kh_log_write(log, KH_LOG_WARNING,
               "'%s' was written, but another process changed the file without its lock "
               "meanwhile; the new file does not have that change: it is in '%s'; add its keys by "
               "keyhold merge",
               path.text, kept.text);
}

static void warn_of_unseen(const char *path, const kh_file_unseen *unseen, const kh_log *log)
{
  kh_shown_path shown = kh_file_show_absolute(path);
  char reason[KH_MESSAGE_MAX];
  if (unseen->is_found && unseen->fault.status == KH_OK)
    warn_of_kept(shown, unseen->kept_as, log);
  else if (unseen->is_found) {
    kh_fault_describe(&unseen->fault, reason, sizeof reason);
    kh_log_write(log, KH_LOG_WARNING,
                 "'%s' was written, but what another process may have written to the file "
                 "meanwhile, without its lock, is lost: %s",
                 shown.text, reason);
  }
  if (unseen->is_held)
    kh_log_write(log, KH_LOG_WARNING,
                 "'%s' was written, but another process still has the replaced file open for "
                 "writing, without its lock: what it writes to that from now on is lost; end that "
                 "process, and add its keys again",
                 shown.text);
}

kh_status kh_keyfile_replace(const char *path, const kh_file_seen *seen, kh_bytes content,
                             const kh_log *log, kh_file_stamp *ret_stamp, bool *ret_is_unseen,
                             kh_fault *ret_fault)
{
  kh_file_unseen unseen;
  kh_status status = kh_file_replace_seen(path, seen, content, ret_stamp, &unseen, ret_fault);
  warn_of_unseen(path, &unseen, log);
  if (ret_is_unseen != NULL)
    *ret_is_unseen = unseen.is_found || unseen.is_held;
  return status;
}
