/* SPDX-License-Identifier: GPL-2.0-only */
#include "options.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyhold/store_file.h"
#include "server/key_plugin.h"
#include "server/process.h"

static char *filename;
static char *filekey;
static unsigned long digest;
static unsigned use_pbkdf2;
static char strict_permissions;
static unsigned argon2_memory_max;

static const char *digest_names[] = {"sha1", "sha224", "sha256", "sha384", "sha512", "md5", NULL};
static kh_choices digests = {
    .typelib = {.count = KH_DIGEST_COUNT, .name = "", .type_names = digest_names}};

KH_KEY_PLUGIN_SYSVARS("key file");

static MYSQL_SYSVAR_STR(filename, filename, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
                        "Path of the key file", NULL, NULL, "");

static MYSQL_SYSVAR_STR(
    filekey, filekey, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
    "Source of the passphrase of an encrypted key file: FILE:path, CREDENTIAL:name (of systemd), "
    "EXEC:/path arguments (a program's output), SOCKET:/path or ENV:NAME; anything else is the "
    "passphrase itself",
    NULL, NULL, "");

static MYSQL_SYSVAR_ENUM(
    digest, digest, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
    "Hash of the key derivation of a key file of 'openssl enc' (its option -md); md5 is only read",
    NULL, NULL, KH_DIGEST_SHA1, &digests.typelib);

static MYSQL_SYSVAR_UINT(use_pbkdf2, use_pbkdf2, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
                         "Iterations of PBKDF2 of a key file of 'openssl enc' (its option -iter); "
                         "0: it was made without -pbkdf2",
                         NULL, NULL, 0, 0, INT_MAX, 1);

static MYSQL_SYSVAR_BOOL(
    strict_permissions, strict_permissions, PLUGIN_VAR_OPCMDARG | PLUGIN_VAR_READONLY,
    "Refuse a key file or passphrase file that others can read or write, that its group can write, "
    "or whose owner is neither root nor the server's user",
    NULL, NULL, 0);

static MYSQL_SYSVAR_UINT(
    argon2_memory_max, argon2_memory_max, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
    "Most memory in KiB that a slot of a sealed key file may need; a file that needs more is "
    "refused",
    NULL, NULL, KH_ARGON2_MEMORY_MAX, KH_ARGON2_MEMORY_MIN, KH_ARGON2_MEMORY_MAX, 1);

struct st_mysql_sys_var *kh_file_options[] = {
    MYSQL_SYSVAR(filename),
    MYSQL_SYSVAR(filekey),
    MYSQL_SYSVAR(digest),
    MYSQL_SYSVAR(use_pbkdf2),
    MYSQL_SYSVAR(strict_permissions),
    MYSQL_SYSVAR(argon2_memory_max),
    KH_KEY_PLUGIN_SYSVARS_LIST,
    NULL,
};

bool kh_file_options_are_set(void)
{
  return filename != NULL && filename[0] != '\0';
}

static kh_permissions permissions(void)
{
  if (strict_permissions == 0)
    return KH_PERMISSIONS_WARN;
  return kh_process_is_server() ? KH_PERMISSIONS_STRICT : KH_PERMISSIONS_STRICT_FOR_SERVER;
}

/* Returns the path as messages should show it: the reader is not in the server's folder. An
 * absolute path passes folders that a relative one does not, so it is used only if it leads as far.
 */
static const char *make_absolute(const char *path, char *memory)
{
  if (path[0] == '/' || !kh_file_make_absolute(path, memory))
    return path;
  return access(path, F_OK) == 0 && access(memory, F_OK) != 0 ? path : memory;
}

static void warn_of_data_directory(const kh_log *log)
{
  char file[PATH_MAX];
  char folder[PATH_MAX];
  const char *data_directory = kh_process_data_directory();
  if (data_directory == NULL || realpath(filename, file) == NULL ||
      realpath(data_directory, folder) == NULL)
    return;
  size_t len = strlen(folder);
  if (strncmp(file, folder, len) == 0 && file[len] == '/')
    kh_log_write(log, KH_LOG_WARNING,
                 "key file '%s' is inside the data directory, so every copy of that directory has "
                 "it too: move it, such as to /etc/mysql/keys, and set "
                 "file_key_management_filename",
                 kh_show_path(file).text);
}

/* Many key files are never rotated, and are in a folder that the server cannot write. */
static void warn_of_rotation(const kh_log *log)
{
  char text[KH_MESSAGE_MAX];
  bool is_mistake;
  kh_fault fault;
  kh_status status = kh_file_foresee_replace(filename, &is_mistake, &fault);
  bool is_foreseen =
      status == KH_E_FILE_LOCK || status == KH_E_FILE_WRITE || status == KH_E_FILE_OWNER;
  if (!is_foreseen || (!is_mistake && kh_key_plugin_settings.auto_rotate == 0))
    return;
  kh_fault_describe(&fault, text, sizeof text);
  kh_log_write(log, KH_LOG_WARNING, "a rotation would fail: %s", text);
}

void kh_file_warn_of_place(const kh_log *log)
{
  if (!kh_process_is_server())
    return;
  warn_of_data_directory(log);
  warn_of_rotation(log);
}

kh_status kh_file_make_store(const kh_crypt *crypt, const kh_log *log, kh_store *ret_store,
                             kh_fault *ret_fault)
{
  static char memory[PATH_MAX]; /* as long as the store */
  kh_keyfile_options options = {
      .path = make_absolute(filename, memory),
      .filekey = filekey,
      .permissions = permissions(),
      .digest = (kh_digest)digest,
      .pbkdf2_iterations = use_pbkdf2,
      .argon2_memory_max = argon2_memory_max,
      .bounded_wait = kh_process_is_up(), /* INSTALL SONAME: no signal ends its wait */
  };
  kh_status status = kh_store_file_new(&options, crypt, log, ret_store);
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, filename, 0);
}
