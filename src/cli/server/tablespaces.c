/* SPDX-License-Identifier: GPL-2.0-only */
#include "tablespaces.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/output/message.h"

static const char settings_question[] =
    "SELECT @@innodb_encryption_rotate_key_age, @@innodb_encryption_threads, "
    "@@innodb_encrypt_tables <> 'OFF'";

static const char tablespaces_question[] =
    "SELECT e.SPACE, COALESCE(e.NAME, CONCAT('#', e.SPACE)), e.ENCRYPTION_SCHEME, "
    "e.ROTATING_OR_FLUSHING, e.CURRENT_KEY_ID, e.MIN_KEY_VERSION, e.CURRENT_KEY_VERSION, "
    "COALESCE(t.FILE_SIZE DIV t.PAGE_SIZE, 0), COALESCE(e.KEY_ROTATION_PAGE_NUMBER, 0), "
    "COALESCE(e.KEY_ROTATION_MAX_PAGE_NUMBER, 0) "
    "FROM information_schema.INNODB_TABLESPACES_ENCRYPTION e "
    "LEFT JOIN information_schema.INNODB_SYS_TABLESPACES t ON t.SPACE = e.SPACE "
    "UNION ALL SELECT SPACE, NAME, 0, 0, 0, 0, 0, COALESCE(FILE_SIZE DIV PAGE_SIZE, 0), 0, 0 "
    "FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME <> 'innodb_temporary' AND SPACE NOT "
    "IN (SELECT SPACE FROM information_schema.INNODB_TABLESPACES_ENCRYPTION) ORDER BY 1";

enum { ID, NAME, SCHEME, MOVING, KEY, LEAST, CURRENT, PAGES, POSITION, END };

static kh_cli_tablespace tablespace_of(const char *const *row)
{
  kh_cli_tablespace tablespace = {.id = (uint32_t)kh_cli_row_number(row[ID]),
                                  .is_encrypted = kh_cli_row_number(row[SCHEME]) != 0,
                                  .is_moving = kh_cli_row_number(row[MOVING]) != 0,
                                  .key_id = (uint32_t)kh_cli_row_number(row[KEY]),
                                  .least_version = (uint32_t)kh_cli_row_number(row[LEAST]),
                                  .current_version = (uint32_t)kh_cli_row_number(row[CURRENT]),
                                  .pages = kh_cli_row_number(row[PAGES]),
                                  .position = kh_cli_row_number(row[POSITION]),
                                  .end = kh_cli_row_number(row[END])};
  snprintf(tablespace.name, sizeof tablespace.name, "%s", row[NAME] == NULL ? "" : row[NAME]);
  return tablespace;
}

static bool read_encryption_settings(kh_cli_server *server, kh_cli_tablespaces *tablespaces)
{
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, settings_question);
  const char *const *row = rows == NULL ? NULL : kh_cli_rows_next(rows);
  if (row == NULL)
    return false;
  tablespaces->rotate_key_age = (uint32_t)kh_cli_row_number(row[0]);
  tablespaces->threads = (uint32_t)kh_cli_row_number(row[1]);
  tablespaces->encrypts = kh_cli_row_number(row[2]) != 0;
  return true;
}

bool kh_cli_tablespaces_read(kh_cli_server *server, kh_cli_tablespaces *ret_tablespaces)
{
  kh_cli_tablespaces tablespaces = {.at = NULL};
  if (!read_encryption_settings(server, &tablespaces))
    return false;
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, tablespaces_question);
  if (rows == NULL)
    return false;
  tablespaces.at = calloc(kh_cli_rows_count(rows) + 1, sizeof *tablespaces.at);
  if (tablespaces.at == NULL) {
    kh_cli_fail_status(KH_E_NO_MEMORY, NULL);
    return false;
  }
  const char *const *row;
  while ((row = kh_cli_rows_next(rows)) != NULL)
    tablespaces.at[tablespaces.count++] = tablespace_of(row);
  *ret_tablespaces = tablespaces;
  return true;
}

void kh_cli_tablespaces_free(kh_cli_tablespaces *tablespaces)
{
  free(tablespaces->at);
  *tablespaces = (kh_cli_tablespaces){.at = NULL};
}

/* Returns whether InnoDB takes the oldest version of a tablespace as new enough. */
static bool is_new_enough(const kh_cli_tablespaces *tablespaces,
                          const kh_cli_tablespace *tablespace)
{
  uint64_t oldest = (uint64_t)tablespace->least_version + tablespaces->rotate_key_age;
  return tablespaces->rotate_key_age == 0 || oldest >= tablespace->current_version;
}

kh_cli_tablespace_state kh_cli_tablespace_state_of(const kh_cli_tablespaces *tablespaces,
                                                   const kh_cli_tablespace *tablespace)
{
  if (tablespace->is_moving)
    return KH_CLI_TABLESPACE_MOVING;
  if (!tablespace->is_encrypted)
    return KH_CLI_TABLESPACE_PLAIN;
  if (tablespace->least_version == tablespace->current_version)
    return KH_CLI_TABLESPACE_DONE;
  if (tablespace->current_version == KH_CLI_NO_VERSION)
    return KH_CLI_TABLESPACE_STAYS;
  if (tablespace->least_version == 0) /* it is being encrypted */
    return KH_CLI_TABLESPACE_WAITING;
  return is_new_enough(tablespaces, tablespace) ? KH_CLI_TABLESPACE_STAYS
                                                : KH_CLI_TABLESPACE_WAITING;
}

kh_cli_stop kh_cli_tablespace_stop_of(const kh_cli_tablespaces *tablespaces,
                                      const kh_cli_tablespace *tablespace)
{
  kh_cli_tablespace_state state = kh_cli_tablespace_state_of(tablespaces, tablespace);
  if (state == KH_CLI_TABLESPACE_STAYS)
    return tablespace->current_version == KH_CLI_NO_VERSION ? KH_CLI_STOP_KEY : KH_CLI_STOP_AGE;
  if (state != KH_CLI_TABLESPACE_WAITING)
    return KH_CLI_STOP_NONE;
  if (tablespaces->threads == 0)
    return KH_CLI_STOP_THREADS;
  return tablespaces->encrypts ? KH_CLI_STOP_NONE : KH_CLI_STOP_OFF;
}

uint64_t kh_cli_tablespace_done(const kh_cli_tablespaces *tablespaces,
                                const kh_cli_tablespace *tablespace)
{
  kh_cli_tablespace_state state = kh_cli_tablespace_state_of(tablespaces, tablespace);
  if (state == KH_CLI_TABLESPACE_WAITING || state == KH_CLI_TABLESPACE_STAYS)
    return 0;
  if (state != KH_CLI_TABLESPACE_MOVING || tablespace->least_version == tablespace->current_version)
    return tablespace->pages; /* all that is left is to flush them */
  if (tablespace->position >=
      tablespace->end) /* the threads count in large steps, or have not started */
    return tablespace->end == 0 ? 0 : tablespace->pages;
  return (uint64_t)((double)tablespace->pages * (double)tablespace->position /
                    (double)tablespace->end);
}
