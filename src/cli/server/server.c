/* SPDX-License-Identifier: GPL-2.0-only */
#include "server.h"

#include <mysql.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/output/message.h"
#include "cli/output/terminal.h"
#include "keyhold/fault.h"
#include "keyhold/secret.h"

enum { CONNECT_SECONDS = 10 };

/* Handles of libmariadb under the names of the interface. */
struct kh_cli_server {
  MYSQL handle;
};

struct kh_cli_rows {
  MYSQL_RES result;
};

static MYSQL *handle_of(kh_cli_server *server)
{
  return (MYSQL *)server;
}

static MYSQL_RES *rows_as_result(const kh_cli_rows *rows)
{
  return (MYSQL_RES *)rows;
}

/* Sets options as the mariadb client does: an option file overrides the host of the environment,
 * and a port without a host is a port of the local host. */
static void set_options(MYSQL *mysql, const kh_cli_login *login)
{
  const char *host = getenv("MYSQL_HOST");
  unsigned protocol = MYSQL_PROTOCOL_TCP;
  unsigned seconds = CONNECT_SECONDS;
  if (host != NULL && host[0] != '\0')
    mysql_optionsv(mysql, MARIADB_OPT_HOST, host);
  if (login->port != 0 && login->socket == NULL)
    mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_ssl_set(mysql, NULL, NULL, NULL, NULL, NULL); /* TLS with a server that has it */
  if (login->defaults_file != NULL)
    mysql_optionsv(mysql, MYSQL_READ_DEFAULT_FILE, login->defaults_file);
  mysql_optionsv(mysql, MYSQL_READ_DEFAULT_GROUP, "keyhold"); /* and "client" automatically */
  mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
}

/* Asks for the password if the user wants that; without one, option files and the environment
 * apply.
 */
static bool get_password(const kh_cli_login *login, kh_secret **ret_password)
{
  if (!login->ask_password)
    return true;
  kh_secret *password = NULL;
  if (!kh_cli_ask("Password of the database account: ", "an option file", &password))
    return false;
  kh_secret_data(password)[kh_secret_bytes(password).len] = '\0'; /* within the capacity */
  *ret_password = password;
  return true;
}

/* Overrides settings of the server or the account that would shorten or change results. */
static bool set_session(MYSQL *mysql)
{
  static const char settings[] =
      "SET SESSION sql_select_limit = 18446744073709551615, sql_big_selects = 1, "
      "time_zone = '+00:00', character_set_results = utf8mb4, join_cache_level = 4";
  if (mysql_query(mysql, settings) == 0)
    return true;
  kh_cli_message("cannot query the server: %s", mysql_error(mysql));
  return false;
}

static bool connect_with_login(MYSQL *mysql, const kh_cli_login *login)
{
  KH_AUTO_SECRET password = NULL;
  const char *file = login->defaults_file;
  if (file != NULL && access(file, R_OK) != 0) { /* libmariadb would ignore it silently */
    kh_cli_message("cannot read the option file '%s': %m", kh_show_path(file).text);
    return false;
  }
  if (!get_password(login, &password))
    return false;
  set_options(mysql, login);
  const char *text = password == NULL ? NULL : (const char *)kh_secret_data(password);
  if (mysql_real_connect(mysql, login->host, login->user, text, NULL, login->port, login->socket,
                         0))
    return set_session(mysql);
  kh_cli_message("cannot connect to the server: %s", mysql_error(mysql));
  return false;
}

kh_cli_server *kh_cli_server_connect(const kh_cli_login *login)
{
  MYSQL *mysql = mysql_init(NULL);
  if (mysql == NULL) {
    kh_cli_fail_status(KH_E_NO_MEMORY, NULL);
    return NULL;
  }
  if (connect_with_login(mysql, login))
    return (kh_cli_server *)mysql;
  mysql_close(mysql);
  return NULL;
}

bool kh_cli_server_is_local(kh_cli_server *server)
{
  struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
  socklen_t len = sizeof address;
  return getpeername(mysql_get_socket(handle_of(server)), (struct sockaddr *)&address, &len) == 0 &&
         address.ss_family == AF_UNIX;
}

void kh_cli_server_close(kh_cli_server **server)
{
  if (server == NULL || *server == NULL)
    return;
  mysql_close(handle_of(*server));
  *server = NULL;
}

kh_cli_rows *kh_cli_server_ask(kh_cli_server *server, const char *sql)
{
  MYSQL *mysql = handle_of(server);
  if (mysql_query(mysql, sql) == 0) {
    MYSQL_RES *result = mysql_store_result(mysql);
    if (result != NULL)
      return (kh_cli_rows *)result;
  }
  kh_cli_message("cannot query the server: %s", mysql_error(mysql));
  return NULL;
}

size_t kh_cli_rows_count(const kh_cli_rows *rows)
{
  return mysql_num_rows(rows_as_result(rows));
}

const char *const *kh_cli_rows_next(kh_cli_rows *rows)
{
  return (const char *const *)mysql_fetch_row(rows_as_result(rows));
}

uint64_t kh_cli_row_number(const char *value)
{
  return value == NULL ? 0 : strtoull(value, NULL, 10);
}

void kh_cli_rows_free(kh_cli_rows **rows)
{
  if (rows == NULL || *rows == NULL)
    return;
  mysql_free_result(rows_as_result(*rows));
  *rows = NULL;
}
