/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/status.h"

#include <stddef.h>

static const char *const phrases[KH_STATUS_COUNT] = {
    [KH_OK] = "success",
    [KH_E_KEY_SIZE] = "key length is not 128, 192 or 256 bits",
    [KH_E_IV_SIZE] = "IV length is not 16 bytes",
    [KH_E_NO_ENGINE] = "AES engine not available",
    [KH_E_NOT_ENCRYPTED] = "not encrypted",
    [KH_E_NO_PASSPHRASE] = "encrypted, and no passphrase is given",
    [KH_E_SECRET_TOO_LONG] = "passphrase too long",
    [KH_E_VERSION_LIMIT] = "no version number left",
    [KH_E_FILE_NOT_FOUND] = "file not found",
    [KH_E_FILE_OPEN] = "cannot open file",
    [KH_E_FILE_READ] = "cannot read file",
    [KH_E_FILE_DIRECTORY] = "is a directory",
    [KH_E_FILE_SPECIAL] = "is not a regular file",
    [KH_E_FILE_TOO_LARGE] = "file too large",
    [KH_E_FILE_CHANGED] = "file changed while it was read",
    [KH_E_FILE_UNFINISHED] = "last line has no line end",
    [KH_E_FILE_WRITE] = "cannot write file",
    [KH_E_FILE_OWNER] = "cannot keep the file's owner and mode",
    [KH_E_FILE_FLUSH] = "cannot flush the file's folder",
    [KH_E_FILE_LOCKED] = "another process is changing the file",
    [KH_E_FILE_LOCK] = "cannot lock file",
    [KH_E_FILE_WATCH] = "cannot watch the file's folder",
    [KH_E_SYNTAX] = "syntax error",
    [KH_E_KEY_ID] = "invalid key id",
    [KH_E_KEY_VERSION] = "invalid key version",
    [KH_E_KEY_HEX] = "invalid key",
    [KH_E_KEY_DUPLICATE] = "two keys for one key id and version",
    [KH_E_ATTRIBUTE] = "unknown or repeated attribute",
    [KH_E_ATTRIBUTE_VALUE] = "invalid value of an attribute",
    [KH_E_KEY_TOO_SHORT] = "key too short for its cipher",
    [KH_E_NO_SYSTEM_KEY] = "system key id 1 is missing",
    [KH_E_CONTAINER_SIZE] = "encrypted file cut short or damaged",
    [KH_E_BAD_DATA] = "bad data",
    [KH_E_WRONG_PASSPHRASE] = "wrong passphrase",
    [KH_E_KEY_LOST] = "a key in use is missing",
    [KH_E_KEY_CHANGED] = "a key in use was changed",
    [KH_E_CIPHER_CHANGED] = "the cipher of a key in use was changed",
    [KH_E_KEY_NOT_FOUND] = "no such key",
    [KH_E_SELF_TEST] = "AES engine failed its self-test",
    [KH_E_ENGINE_BUSY] = "AES engine busy",
    [KH_E_CRYPTO] = "cryptographic library failed",
    [KH_E_NO_MEMORY] = "out of memory",
};

const char *kh_status_phrase(kh_status status)
{
  if ((unsigned)status >= KH_STATUS_COUNT || phrases[status] == NULL)
    return "unknown status";
  return phrases[status];
}
