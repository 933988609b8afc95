# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Throwaway MariaDB servers: private folders, no network, no system files touched, no root needed. Sourced.
#
#   server_begin build/plugins     one private folder, SERVER_ROOT; everything in it goes when the script ends
#   server_create one              a data directory; the server's home is $SERVER_ROOT/one
#   server_start one --log-bin     its error log: "$(server_log one)"
#   server_sql one <<< 'SELECT 1'
#   server_stop one
#
# Homes are independent: several servers can run at once. Start them in the script's own shell: a server started in a
# subshell ends with that.

SERVER_START_SECONDS=${SERVER_START_SECONDS:-180}
SERVER_STOP_SECONDS=${SERVER_STOP_SECONDS:-180}
SERVER_DEFAULTS=--no-defaults # or --defaults-file=FILE: what INSTALL SONAME reads a plugin's options from
SERVER_GIVE_UP_SECONDS=3 # as SERVER_STOP_SECONDS, when the data is not wanted any more
declare -A SERVER_PIDS=()
SERVER_ROOT=
SERVER_USER=()

# server_begin PLUGINS: makes the private folder, with links to the system's plugins and to PLUGINS/*.so;
# sets the traps that clean up.
server_begin() {
  trap server_end EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  server_check_folder "${TMPDIR:-/tmp}"
  SERVER_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/keyhold-XXXXXX")
  [ "$(id -u)" -ne 0 ] || SERVER_USER=(--user=root)
  mkdir "$SERVER_ROOT/plugins"
  ln -s "$(server_system_plugins)"/*.so "$SERVER_ROOT/plugins"
  ln -sf "$(realpath "$1")"/*.so "$SERVER_ROOT/plugins"
}

# server_end: ends every server and removes the private folder. Runs automatically, however the script ends.
server_end() {
  trap '' HUP INT TERM
  local name
  for name in "${!SERVER_PIDS[@]}"; do
    server_give_up "$name"
  done
  [ -z "$SERVER_ROOT" ] || rm -rf -- "$SERVER_ROOT"
  SERVER_ROOT=
  trap - EXIT HUP INT TERM
}

# server_check_folder FOLDER: a socket's path is short, and mariadb-install-db takes no white space.
server_check_folder() {
  [ "${#1}" -gt 60 ] || [[ $1 == *[[:space:]]* ]] || return 0
  echo "set TMPDIR to a folder with a short path without white space, instead of '$1'" >&2
  return 1
}

# server_system_plugins: prints the folder of the server's own plugins.
server_system_plugins() {
  local folder
  for folder in /usr/lib/mysql/plugin /usr/lib/mariadb/plugin /usr/lib64/mariadb/plugin /usr/lib64/mysql/plugin; do
    [ ! -e "$folder/file_key_management.so" ] || { echo "$folder"; return 0; }
  done
  echo "no folder with the server's file_key_management.so found" >&2
  return 1
}

# server_home NAME, server_data NAME, server_log NAME: print the server's folder, data directory and error log.
server_home() { echo "$SERVER_ROOT/$1"; }
server_data() { echo "$SERVER_ROOT/$1/data"; }
server_log() { echo "$SERVER_ROOT/$1/error.log"; }

# server_daemon: prints the path of mariadbd; /usr/sbin is not in every user's PATH.
server_daemon() { PATH=$PATH:/usr/sbin:/sbin command -v mariadbd; }

# server_create NAME [OPTION...]: makes a home with a new data directory. The account root has no password:
# the folder's mode is what protects it.
server_create() {
  local name=$1 output
  shift
  mkdir "$(server_home "$name")" "$(server_home "$name")/tmp"
  # --rpm: or mariadb-install-db, run as root, would change the owner of a system folder (auth_pam_tool_dir)
  output=$(mariadb-install-db --no-defaults --rpm "${SERVER_USER[@]}" --datadir="$(server_data "$name")" \
    --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve "$@" 2>&1) || {
    printf '%s\n' "$output" >&2
    return 1
  }
}

# server_launch NAME [OPTION...]: starts mariadbd and does not wait. The error log is that of this start only.
server_launch() {
  local name=$1 home log daemon
  home=$(server_home "$1") log=$(server_log "$1") daemon=$(server_daemon)
  shift
  : >"$log"
  # setpriv: the server ends with this script even when that is killed by SIGKILL
  setpriv --pdeathsig KILL "$daemon" "$SERVER_DEFAULTS" "${SERVER_USER[@]}" --skip-networking \
    --datadir="$home/data" --tmpdir="$home/tmp" --plugin-dir="$SERVER_ROOT/plugins" \
    --socket="$home/socket" --pid-file="$home/pid" --log-error="$log" "$@" </dev/null >>"$log" 2>&1 &
  SERVER_PIDS[$name]=$!
}

# server_is_running NAME
server_is_running() {
  [ -n "${SERVER_PIDS[$1]:-}" ] && kill -0 "${SERVER_PIDS[$1]}" 2>/dev/null
}

# server_wait NAME: waits until the server answers; fails when it dies or SERVER_START_SECONDS pass.
server_wait() {
  local limit=$((SECONDS + SERVER_START_SECONDS))
  until server_sql "$1" <<<'SELECT 1' >/dev/null 2>&1; do
    server_is_running "$1" || return 1
    [ "$SECONDS" -lt "$limit" ] || return 1
    sleep 0.1
  done
}

# server_start NAME [OPTION...]: starts mariadbd and waits until it answers; or shows its error log and fails.
server_start() {
  server_launch "$@"
  server_wait "$1" && return 0
  echo "the server '$1' did not start; the end of its error log:" >&2
  tail -n 40 "$(server_log "$1")" >&2
  server_give_up "$1"
  return 1
}

# server_sql NAME [CLIENT-OPTION...]: runs the SQL on standard input; rows come out tab-separated, without a header.
server_sql() {
  local name=$1
  shift
  mariadb --no-defaults --socket="$(server_home "$name")/socket" --user=root \
    --batch --raw --skip-column-names "$@"
}

# server_wait_end NAME: waits for the process's end, SERVER_STOP_SECONDS at most.
server_wait_end() {
  local limit=$((SECONDS + SERVER_STOP_SECONDS))
  while server_is_running "$1"; do
    [ "$SECONDS" -lt "$limit" ] || return 1
    sleep 0.05
  done
}

# server_stop NAME: ends the server with SIGTERM, or with SIGKILL after SERVER_STOP_SECONDS.
# Fails when the server's exit status is not 0.
server_stop() {
  local name=$1 result=0
  local pid=${SERVER_PIDS[$1]:-}
  [ -n "$pid" ] || return 0
  kill -TERM "$pid" 2>/dev/null || true
  server_wait_end "$name" || kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || result=$?
  unset "SERVER_PIDS[$name]"
  return "$result"
}

# server_give_up NAME: as server_stop, but with little patience. MariaDB forgets a SIGTERM that comes while it starts.
server_give_up() {
  local SERVER_STOP_SECONDS=$SERVER_GIVE_UP_SECONDS
  server_stop "$1" || true
}
