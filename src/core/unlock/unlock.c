/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/unlock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "passphrase.h"
#include "source.h"
#include "stream.h"

/* the first whose prefix fits; the literal one always fits and is the last */
static const kh_unlock_source *const sources[] = {&kh_unlock_file,   &kh_unlock_credential,
                                                  &kh_unlock_env,    &kh_unlock_exec,
                                                  &kh_unlock_socket, &kh_unlock_literal};

/* never quotes the argument: it may be a part of a passphrase */
static kh_status refuse_argument(const kh_unlock_source *source, kh_fault *ret_fault)
{
  kh_fault_set(ret_fault, KH_E_SOURCE_SYNTAX, source->prefix, 0);
  if (ret_fault != NULL)
    snprintf(ret_fault->quote, sizeof ret_fault->quote, "%s", source->takes);
  return KH_E_SOURCE_SYNTAX;
}

/* The server's own plugin uses a filekey with a prefix that it does not know as the passphrase. */
static void hint_at_literal(const kh_unlock_source *source, const kh_log *log)
{
  kh_log_write(log, KH_LOG_HINT,
               "filekey begins with '%s' and so names a source of the passphrase; if this is the "
               "passphrase itself, put it into a file and use FILE:path",
               source->prefix);
}

static kh_status read_source(const kh_unlock_source *source, const char *argument,
                             const kh_unlock_how *how, const kh_log *log,
                             kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  bool fits = source->fits == NULL || source->fits(argument);
  kh_status status = fits ? source->read(argument, how, log, ret_passphrase, ret_fault)
                          : refuse_argument(source, ret_fault);
  if (status != KH_OK && how->may_be_literal && source->takes != NULL)
    hint_at_literal(source, log);
  return status;
}

static const kh_unlock_source *source_of(const char *filekey)
{
  size_t i = 0;
  while (strncmp(filekey, sources[i]->prefix, strlen(sources[i]->prefix)) != 0)
    i++;
  return sources[i];
}

bool kh_unlock_is_literal(const char *filekey)
{
  return source_of(filekey) == &kh_unlock_literal;
}

kh_status kh_unlock(const char *filekey, const kh_unlock_how *how, const kh_log *log,
                    kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  if (filekey == NULL || filekey[0] == '\0') {
    *ret_passphrase = NULL;
    return KH_OK;
  }
  const kh_unlock_source *source = source_of(filekey);
  return read_source(source, filekey + strlen(source->prefix), how, log, ret_passphrase, ret_fault);
}

kh_status kh_unlock_fd(int fd, const char *name, const kh_log *log, kh_secret **ret_passphrase,
                       kh_fault *ret_fault)
{
  KH_AUTO_SECRET content = NULL;
  if (fd < 0) /* poll() would wait forever */
    return kh_fault_set(ret_fault, KH_E_FILE_READ, name, EBADF);
  kh_status status = kh_stream_new(&content);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, name, 0);
  status = kh_stream_read_all(fd, KH_DEADLINE_NEVER, content);
  if (status == KH_E_SECRET_TOO_LONG)
    return kh_passphrase_too_long(name, ret_fault);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, name, errno);
  return kh_passphrase_take(&content, name, log, ret_passphrase, ret_fault);
}
