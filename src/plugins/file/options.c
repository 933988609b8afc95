/* SPDX-License-Identifier: GPL-2.0-only */
#include "options.h"

#include <limits.h>
#include <stdint.h>
#include <typelib.h>

#include "control.h"
#include "server/process.h"

static char *filename;
static char *filekey;
static unsigned long encryption_algorithm;
static unsigned long digest;
static unsigned use_pbkdf2;
static unsigned long crypto_engine;
static char strict_permissions;
static char reload;
static long long rotate_key;
static char auto_reload;
static char auto_rotate;

/* A TYPELIB grows at its end in later servers; the zeros are what they find there. */
struct choices {
  TYPELIB typelib;
  void *later[4];
};

static const char *algorithm_names[] = {"aes_cbc", "aes_ctr", NULL};
static struct choices algorithms = {.typelib = {2, "", algorithm_names, NULL}};

static const char *digest_names[] = {"sha1", "sha224", "sha256", "sha384", "sha512", NULL};
static struct choices digests = {.typelib = {KH_DIGEST_COUNT, "", digest_names, NULL}};

static const char *engine_names[] = {"auto", "openssl", "ipsec_mb", NULL};
static struct choices engines = {.typelib = {3, "", engine_names, NULL}};

static MYSQL_SYSVAR_STR(filename, filename, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
                        "Path of the file with the keys", NULL, NULL, "");

static MYSQL_SYSVAR_STR(
    filekey, filekey, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
    "Where the passphrase of an encrypted key file comes from: FILE:path, CREDENTIAL:name (of "
    "systemd), EXEC:/path arguments (a program's output), SOCKET:/path, ENV:NAME; anything else is "
    "the passphrase itself",
    NULL, NULL, "");

static MYSQL_SYSVAR_ENUM(encryption_algorithm, encryption_algorithm,
                         PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
                         "Cipher: aes_cbc, or aes_ctr (with GCM where the server asks for padding)",
                         NULL, NULL, 0, &algorithms.typelib);

static MYSQL_SYSVAR_ENUM(
    digest, digest, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
    "Hash that 'openssl enc' derived the key of an encrypted key file with (-md)", NULL, NULL,
    KH_DIGEST_SHA1, &digests.typelib);

static MYSQL_SYSVAR_UINT(
    use_pbkdf2, use_pbkdf2, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
    "Iterations of PBKDF2 that 'openssl enc' derived the key of an encrypted key file with "
    "(-pbkdf2 -iter); 0 for a file made without PBKDF2",
    NULL, NULL, 0, 0, INT_MAX, 1);

static MYSQL_SYSVAR_ENUM(
    crypto_engine, crypto_engine, PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,
    "Library that works AES: auto takes the fastest that is there for each operation", NULL, NULL,
    KH_ENGINE_AUTO, &engines.typelib);

static MYSQL_SYSVAR_BOOL(
    strict_permissions, strict_permissions, PLUGIN_VAR_OPCMDARG | PLUGIN_VAR_READONLY,
    "Refuse a key file or passphrase file that others may read or write, that its group may write, "
    "or that belongs to another user than root or the server's",
    NULL, NULL, 0);

static MYSQL_SYSVAR_BOOL(reload, reload, PLUGIN_VAR_OPCMDARG,
                         "ON reads the key file again; shown as OFF always", kh_file_check_reload,
                         kh_file_update_reload, 0);

static MYSQL_SYSVAR_LONGLONG(rotate_key, rotate_key, PLUGIN_VAR_RQCMDARG,
                             "Makes a new version of the key with this id, or of all keys with -1, "
                             "and writes it into the key "
                             "file; shown as 0 always",
                             kh_file_check_rotate_key, kh_file_update_rotate_key, 0, -1,
                             KH_KEY_ID_MAX, 1);

static MYSQL_SYSVAR_BOOL(auto_reload, auto_reload, PLUGIN_VAR_OPCMDARG,
                         "Reload the key file when it changes", NULL, kh_file_update_background, 0);

static MYSQL_SYSVAR_BOOL(auto_rotate, auto_rotate, PLUGIN_VAR_OPCMDARG,
                         "Rotate keys whose interval (rotate= in the key file) has passed", NULL,
                         kh_file_update_background, 0);

struct st_mysql_sys_var *kh_file_options[] = {
    MYSQL_SYSVAR(filename),
    MYSQL_SYSVAR(filekey),
    MYSQL_SYSVAR(encryption_algorithm),
    MYSQL_SYSVAR(digest),
    MYSQL_SYSVAR(use_pbkdf2),
    MYSQL_SYSVAR(crypto_engine),
    MYSQL_SYSVAR(strict_permissions),
    MYSQL_SYSVAR(reload),
    MYSQL_SYSVAR(rotate_key),
    MYSQL_SYSVAR(auto_reload),
    MYSQL_SYSVAR(auto_rotate),
    NULL,
};

static kh_permissions permissions(void)
{
  if (strict_permissions == 0)
    return KH_PERMISSIONS_WARN;
  return kh_process_is_server() ? KH_PERMISSIONS_STRICT : KH_PERMISSIONS_STRICT_FOR_SERVER;
}

kh_keyfile_options kh_file_options_keyfile(void)
{
  return (kh_keyfile_options){
      .path = filename == NULL ? "" : filename,
      .filekey = filekey,
      .permissions = permissions(),
      .digest = (kh_digest)digest,
      .pbkdf2_iterations = use_pbkdf2,
  };
}

kh_key_cipher kh_file_options_cipher(void)
{
  return encryption_algorithm == 0 ? KH_KEY_CIPHER_AES_CBC : KH_KEY_CIPHER_AES_CTR;
}

kh_keeper_background kh_file_options_background(void)
{
  return (kh_keeper_background){.reload = auto_reload != 0, .rotate = auto_rotate != 0};
}

void kh_file_options_calm(void)
{
  reload = 0;
  rotate_key = 0;
}

kh_engine_choice kh_file_options_engine(void)
{
  return (kh_engine_choice)crypto_engine;
}
