#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What administrators do with the packages, in a Debian that is thrown away (tools/fresh), with a server that starts as on a
# host: install, encrypt, upgrade from an older version, upgrade Debian 12 to 13, remove, purge. After each step the rows
# are there and every key file is what it was.
#
#   test_packages.sh PACKAGES [PACKAGES-OF-DEBIAN-13]    folders that tools/package filled
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
packages=$1 next=${2:-}
names=(mariadb-plugin-keyhold keyhold mariadb-plugin-keyhold-test)
options=/etc/mysql/mariadb.conf.d/keyhold.cnf
export DEBIAN_FRONTEND=noninteractive
[ "$here" = /keyhold ] || { echo "test_packages.sh: only in a Debian that is thrown away: tools/fresh" >&2; exit 2; }

# try_server: prints what a server that cannot start says of it; Debian's script sends that to syslog
try_server() { timeout 60 runuser -u mysql -- /usr/sbin/mariadbd 2>&1; }

fail() {
  echo "test_packages.sh: $*" >&2
  sql 'SELECT 1' >/dev/null 2>&1 || try_server | tail -n 30 >&2
  exit 1
}

# run COMMAND...: quiet unless it fails
run() { "$@" >/tmp/run.log 2>&1 || { tail -n 60 /tmp/run.log >&2; fail "failed: $*"; }; }

install() { run apt-get -y --no-install-recommends -o Dpkg::Options::=--force-confold install "$@"; }

sql() { mariadb --batch --raw --skip-column-names -e "$1"; }

# allow_services STATUS: 0 lets packages start and restart services, also without an init system; 101 forbids it
allow_services() { printf '#!/bin/sh\nexit %s\n' "$1" >/usr/sbin/policy-rc.d; }

# set_files FOLDER: sets files to its packages
set_files() {
  local name
  files=()
  for name in "${names[@]}"; do files+=("$1/${name}"_[0-9]*.deb); done
}

# make_older: the same packages with a lower version and another option file, in /tmp/older
make_older() {
  local file root=/tmp/older-root
  mkdir /tmp/older
  set_files "$packages"
  for file in "${files[@]}"; do
    rm -rf "$root"
    dpkg-deb -R "$file" "$root"
    sed -i "s/^Version: .*/Version: $older/" "$root/DEBIAN/control"
    [ ! -e "$root$options" ] || echo '# of the older version' >>"$root$options"
    dpkg-deb -b "$root" /tmp/older >/dev/null
  done
}

# note_keys: names, modes, owners, times and contents of all that is in the folder of the keys
note_keys() {
  find /etc/mysql/keys -printf '%p %M %u %g %T@ %i\n' | sort
  find /etc/mysql/keys -type f -exec sha256sum {} + | sort
}

check_keys() { note_keys | diff /tmp/keys.noted - || fail "$1: the key files are not what they were"; }

# check_rows STEP: the server is up, by what the packages did and nothing else, with the plugin and with what was written
check_rows() {
  local rows
  rows=$(sql 'CHECKSUM TABLE keyhold_test.rows_innodb, keyhold_test.rows_aria') || fail "$1: the server is not up"
  [ "$rows" = "$checksums" ] || fail "$1: other rows: $rows"
  [ "$(sql "SELECT plugin_library FROM information_schema.plugins WHERE plugin_name = 'file_key_management'")" = keyhold_file.so ] ||
    fail "$1: the keys are not from Keyhold"
  check_keys "$1"
  printf '%s: server %s, packages %s: all rows and keys are there\n' "$1" "$(sql 'SELECT VERSION()')" \
    "$(dpkg-query -W -f='${Version}' mariadb-plugin-keyhold)"
}

install_older() {
  older=$(dpkg-deb -f "$packages"/mariadb-plugin-keyhold_*.deb Version)
  older=${older%%~*}~1
  make_older
  allow_services 0
  mkdir -p /etc/mysql/mariadb.conf.d
  printf '[mariadbd]\nskip_networking\n' >/etc/mysql/mariadb.conf.d/zz-test.cnf # roots share the ports of the machine
  echo 'MYSQLD_STARTUP_TIMEOUT=300' >/etc/default/mariadb # of the script; a busy machine needs more than its 30 seconds
  run apt-get update
  install mariadb-server mariadb-client mariadb-backup openssl
  set_files /tmp/older
  install "${files[@]}"
  [ "$(sql "SELECT COUNT(*) FROM information_schema.plugins WHERE plugin_type = 'ENCRYPTION'")" = 0 ] ||
    fail "the option file is in force before anyone changed it"
}

encrypt() {
  checksums=$("$here/debian/tests/server") || fail "debian/tests/server failed"
  note_keys >/tmp/keys.noted
  grep -q '/etc/mysql/keys/keys$' /tmp/keys.noted || fail "there is no key file"
  check_rows encrypted
}

upgrade() {
  set_files "$packages"
  install "${files[@]}"
  check_rows upgraded
  service mariadb restart >/dev/null
  check_rows "upgraded and restarted"
  [ -n "$(sed -n '/^plugin_load_add/p' "$options")" ] || fail "upgraded: the administrator's option file is gone"
}

# The packages of Debian 12 must do with the server of Debian 13 until those of Debian 13 replace them.
upgrade_debian() {
  sed -i 's/bookworm/trixie/g' /etc/apt/sources.list
  run apt-get update
  run apt-get -y -o Dpkg::Options::=--force-confold full-upgrade
  check_rows "Debian 13"
  set_files "$next"
  install "${files[@]}"
  check_rows "Debian 13"
  packages=$next
}

remove_and_purge() {
  run apt-get -y remove "${names[@]}"
  check_keys removed
  service mariadb stop >/dev/null
  ! try_server >/tmp/server.log || fail "removed: the server started without its keys"
  grep -q keyhold_file.so /tmp/server.log || fail "removed: the server does not say what is missing: $(cat /tmp/server.log)"
  set_files "$packages"
  install "${files[@]}"
  service mariadb restart >/dev/null || true
  check_rows "installed again"

  cp "$options" /tmp/keyhold.cnf
  service mariadb stop >/dev/null
  allow_services 101 # with systemd, no change in /etc/mysql restarts the server
  run apt-get -y purge "${names[@]}"
  check_keys purged
  [ ! -e "$options" ] || fail "purged: $options is there"
  local left
  left=$(find / -xdev -path /proc -prune -o -path /keyhold -prune -o -path /share -prune -o -path /tmp -prune -o \
    -path /var/lib/apt -prune -o -path /var/cache/apt -prune -o -name '*keyhold*' ! -path '/var/lib/mysql/*' -print)
  [ -z "$left" ] || fail "purged: left behind: $left"
  set_files "$packages"
  install "${files[@]}"
  cp /tmp/keyhold.cnf "$options"
  allow_services 0
  service mariadb restart >/dev/null || true
  check_rows "installed after the purge"
}

# check_parts: what a server without the file plugin shows of the others, and what the command's package has
check_parts() {
  local name
  for name in example debug; do
    /usr/sbin/mariadbd --no-defaults --user=mysql --plugin-maturity=experimental --plugin-load-add="keyhold_$name" --verbose --help 2>/dev/null |
      grep "^$name-key-management " >/dev/null || fail "the server does not load keyhold_$name.so"
  done
  keyhold --version >/dev/null || fail "keyhold does not run"
  for name in man/man1/keyhold.1.gz man/man5/keyhold-key-file.5.gz bash-completion/completions/keyhold doc/keyhold/docs/options.md; do
    [ -e "/usr/share/$name" ] || fail "/usr/share/$name is missing"
  done
  run dpkg --verify "${names[@]}"
}

install_older
encrypt
upgrade
[ -z "$next" ] || upgrade_debian
check_parts
remove_and_purge
