# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What pages begin with, for the orders `run:` of their comments. Sourced in a throwaway root.

PASSPHRASE='correct horse battery staple' # run_pages.py types it where a command asks

# refused COMMAND...: a command that must fail
refused() {
  ! "$@" >/dev/null 2>&1 || { echo "not refused: $*"; return 1; }
}

# folder: where the key file will be, with the passphrase
folder() {
  install -d -o mysql -g mysql -m 0700 /etc/mysql/keys
  install -o mysql -g mysql -m 0600 /dev/stdin /etc/mysql/keys/passphrase <<<"$PASSPHRASE"
}

# fresh: no server runs, there is no option file and no key, and the data directory is new
fresh() {
  systemctl stop
  [ ! -e /etc/mysql/keys ] || {
    rm -rf /var/lib/mysql /etc/mysql/keys /etc/mysql/mariadb.conf.d/99-keyhold.cnf /etc/systemd/system/mariadb.service.d
    mariadb-install-db --user=mysql --skip-test-db --rpm >/dev/null
  }
}

# keys [OPTION...]: a sealed key file with keys 1 and 2, made with these options of keyhold create
keys() {
  folder
  rm -f /etc/mysql/keys/keys
  runuser -u mysql -- keyhold create --with-key-2 --passphrase-file=/etc/mysql/keys/passphrase "$@" \
    /etc/mysql/keys/keys >/dev/null 2>&1
}

# text_keys [ID;VERSION...]: /etc/mysql/keys/keys.txt, with keys 1 and 2 and these
text_keys() {
  folder
  local key
  for key in 1 2 "$@"; do
    echo "$key;$(openssl rand -hex 32)"
  done |
    install -o mysql -g mysql -m 0600 /dev/stdin /etc/mysql/keys/keys.txt
}

# config [LINE...]: the option file of the README, and these lines
config() {
  { cat /run/readme.cnf; printf '%s\n' "$@"; } >/etc/mysql/mariadb.conf.d/99-keyhold.cnf
  install -d /etc/systemd/system/mariadb.service.d
  printf '[Service]\nReadWritePaths=/etc/mysql/keys\n' >/etc/systemd/system/mariadb.service.d/override.conf
}

# server [LINE...]: runs with a new key file and the option file of the README
server() {
  fresh
  keys
  config "$@"
  systemctl start
}

# default_server [LINE...]: the same with keys whose data the server's own plugin reads too
default_server() {
  fresh
  keys --cipher=default
  config "$@"
  systemctl start
}

# text_server [LINE...]: the same with a key file in plain text
text_server() {
  fresh
  text_keys
  config 'file_key_management_filename = /etc/mysql/keys/keys.txt' 'file_key_management_filekey =' "$@"
  systemctl start
}

# table NAME ROWS [OPTION]: an InnoDB table; 3700 rows are a megabyte
table() {
  mariadb -e "CREATE DATABASE IF NOT EXISTS ${1%.*};
    CREATE TABLE $1 (id INT PRIMARY KEY, note CHAR(250)) ENGINE=InnoDB CHARSET=latin1 ${3:-};
    USE ${1%.*};
    INSERT INTO $1 SELECT seq, MD5(seq) FROM seq_1_to_$2"
}

# encrypted: waits until InnoDB's threads have done all that there is to do
encrypted() {
  keyhold watch >/dev/null || [ $? -eq 3 ] # tablespaces stay at an older version
}
