/* SPDX-License-Identifier: GPL-2.0-only */
#include "source.h"

#include <string.h>

enum { KEY_SIZE = 16 };

/* Set by SET GLOBAL while other threads read it; so each access of ours is atomic. */
static unsigned version;

static void update_version(MYSQL_THD thd, struct st_mysql_sys_var *variable, void *value,
                           const void *wanted)
{
  (void)thd;
  (void)variable;
  __atomic_store_n((unsigned *)value, *(const unsigned *)wanted, __ATOMIC_RELEASE);
}

static MYSQL_SYSVAR_UINT(version, version, PLUGIN_VAR_RQCMDARG, "Latest version of key 1", NULL,
                         update_version, 1, KH_KEY_VERSION_MIN, KH_KEY_VERSION_MAX, 1);

struct st_mysql_sys_var *kh_debug_options[] = {MYSQL_SYSVAR(version), NULL};

static kh_status debug_latest(void *unused, uint32_t id, uint32_t *ret_version)
{
  (void)unused;
  if (id != KH_KEY_ID_SYSTEM)
    return KH_E_KEY_NOT_FOUND;
  *ret_version = __atomic_load_n(&version, __ATOMIC_ACQUIRE);
  return KH_OK;
}

/* Every version has a key: a test may lower the variable and still read older data. */
static kh_status debug_copy(void *unused, uint32_t id, uint32_t wanted, uint8_t *ret_key,
                            size_t room, size_t *ret_len)
{
  (void)unused;
  if (id != KH_KEY_ID_SYSTEM)
    return KH_E_KEY_NOT_FOUND;
  *ret_len = KEY_SIZE;
  if (room < KEY_SIZE)
    return KH_OK;
  memset(ret_key, 0, KEY_SIZE);
  for (unsigned i = 0; i < sizeof wanted; i++)
    ret_key[i] = (uint8_t)(wanted >> (24 - 8 * i)); /* big-endian */
  return KH_OK;
}

const kh_key_source kh_debug_source = {.latest = debug_latest, .copy = debug_copy};
