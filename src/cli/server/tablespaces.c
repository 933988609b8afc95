/* SPDX-License-Identifier: GPL-2.0-only */
#include "tablespaces.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/output/message.h"

static const char settings_question[] =
    "SELECT @@innodb_encryption_rotate_key_age, @@innodb_encryption_threads, "
    "@@innodb_encrypt_tables <> 'OFF'";

static const char spaces_question[] =
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

static uint64_t number(const char *text)
{
  return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static kh_cli_space space_of(const char *const *row)
{
  kh_cli_space space = {.id = (uint32_t)number(row[ID]),
                        .is_encrypted = number(row[SCHEME]) != 0,
                        .is_moving = number(row[MOVING]) != 0,
                        .key_id = (uint32_t)number(row[KEY]),
                        .least_version = (uint32_t)number(row[LEAST]),
                        .current_version = (uint32_t)number(row[CURRENT]),
                        .pages = number(row[PAGES]),
                        .position = number(row[POSITION]),
                        .end = number(row[END])};
  snprintf(space.name, sizeof space.name, "%s", row[NAME] == NULL ? "" : row[NAME]);
  return space;
}

static bool read_settings(kh_cli_server *server, kh_cli_spaces *spaces)
{
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, settings_question);
  const char *const *row = rows == NULL ? NULL : kh_cli_rows_next(rows);
  if (row == NULL)
    return false;
  spaces->rotate_key_age = (uint32_t)number(row[0]);
  spaces->threads = (uint32_t)number(row[1]);
  spaces->encrypts = number(row[2]) != 0;
  return true;
}

bool kh_cli_spaces_read(kh_cli_server *server, kh_cli_spaces *ret_spaces)
{
  kh_cli_spaces spaces = {.at = NULL};
  if (!read_settings(server, &spaces))
    return false;
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, spaces_question);
  if (rows == NULL)
    return false;
  spaces.at = calloc(kh_cli_rows_count(rows) + 1, sizeof *spaces.at);
  if (spaces.at == NULL) {
    kh_cli_fail_status(KH_E_NO_MEMORY, NULL);
    return false;
  }
  const char *const *row;
  while ((row = kh_cli_rows_next(rows)) != NULL)
    spaces.at[spaces.count++] = space_of(row);
  *ret_spaces = spaces;
  return true;
}

void kh_cli_spaces_free(kh_cli_spaces *spaces)
{
  free(spaces->at);
  *spaces = (kh_cli_spaces){.at = NULL};
}

kh_cli_space_state kh_cli_space_state_of(const kh_cli_spaces *spaces, const kh_cli_space *space)
{
  if (space->is_moving)
    return KH_CLI_SPACE_MOVING;
  if (!space->is_encrypted)
    return KH_CLI_SPACE_PLAIN;
  if (space->least_version == space->current_version)
    return KH_CLI_SPACE_DONE;
  if (space->least_version == 0) /* it is being encrypted */
    return KH_CLI_SPACE_WAITING;
  uint64_t oldest = (uint64_t)space->least_version + spaces->rotate_key_age;
  return spaces->rotate_key_age == 0 || oldest >= space->current_version ? KH_CLI_SPACE_STAYS
                                                                         : KH_CLI_SPACE_WAITING;
}

uint64_t kh_cli_space_done(const kh_cli_spaces *spaces, const kh_cli_space *space)
{
  kh_cli_space_state state = kh_cli_space_state_of(spaces, space);
  if (state == KH_CLI_SPACE_WAITING)
    return 0;
  if (state != KH_CLI_SPACE_MOVING || space->least_version == space->current_version)
    return space->pages;             /* what is left is to be written to the disk */
  if (space->position >= space->end) /* the threads count in large steps; or have not begun */
    return space->end == 0 ? 0 : space->pages;
  return (uint64_t)((double)space->pages * (double)space->position / (double)space->end);
}
