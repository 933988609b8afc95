#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the steps of packaging/container/Dockerfile without a Docker engine, and a server in what they made.

  test_container.py SOURCE ROOT   ROOT: a root made by debootstrap; it stays as it is

In the place of the official image is that root with the distribution's mariadb-server. It needs the network."""
import re
import shutil
import sys
from pathlib import Path

import throwaway_root

OPTIONS = """[mariadb]
plugin_load_add = keyhold_file
file_key_management = FORCE
file_key_management_filename = /etc/keyhold/keys
file_key_management_filekey = FILE:/run/secrets/keyhold
file_key_management_strict_permissions = ON
innodb_encrypt_tables = ON
innodb_encrypt_log = ON
innodb_encrypt_temporary_tables = ON
encrypt_tmp_disk_tables = ON
"""
START = """
install -d -m 0755 /run/secrets; install -d -o mysql -g mysql /run/mysqld
echo 'correct horse battery staple' > /run/secrets/keyhold; chown mysql /run/secrets/keyhold; chmod 0400 /run/secrets/keyhold
runuser -u mysql -- keyhold create --with-key-2 --passphrase-file=/run/secrets/keyhold /etc/keyhold/keys
rm -rf /var/lib/mysql; install -d -o mysql -g mysql /var/lib/mysql
mariadb-install-db --user=mysql --skip-test-db --rpm > /dev/null
runuser -u mysql -- mariadbd --skip-networking > /run/error.log 2>&1 &
server=$!
trap 'kill $server; wait $server || true' EXIT
for i in $(seq 900); do mariadb -e 'SELECT 1' > /dev/null 2>&1 && break; sleep 0.1; done
mariadb -e "CREATE TABLE mysql.keyhold_try (a INT) ENGINE=InnoDB; SET GLOBAL file_key_management_rotate_key = -1" || { cat /run/error.log; exit 1; }
grep -E 'Keyhold|AES engines|rotated|Warning.*file_key' /run/error.log
! ldd /usr/lib/mysql/plugin/keyhold_*.so /usr/local/bin/keyhold | grep 'not found'
"""


def instructions(text):
    """(word, rest) of each instruction, with its lines joined."""
    text = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", " ")
    return [line.split(None, 1) for line in text.splitlines() if line.strip()]


class Stage:
    def __init__(self, base, name, bottom, over):
        self.root = throwaway_root.Root(base, name, over, bottom)

    def run(self, command):
        print("RUN", re.sub(r"\s+", " ", command)[:100], flush=True)
        done = self.root.bash(command, timeout=1500)
        if done.status != 0:
            errors = "\n".join(re.findall(r".*(?:error|Error):.*", done.output))
            raise RuntimeError(f"exit status {done.status}:\n{errors}\n--- the end:\n{done.output[-2000:]}")
        return done.output

    def copy(self, words, stages, source):
        *options, origin, target = words.split()
        origin = stages[options[0].split("=")[1]].root.path / origin.lstrip("/") if options else Path(source, origin)
        shutil.copytree(origin, self.root.path / target.lstrip("/"), symlinks=True, dirs_exist_ok=True,
                        ignore=None if options else shutil.ignore_patterns("build*", ".git"))


def build(base, source, bottom, over):
    """The last stage of the Dockerfile."""
    stages, stage = {}, None
    for word, rest in instructions((source / "packaging/container/Dockerfile").read_text()):
        if word == "FROM":
            name = rest.split(" AS ")[-1] if " AS " in rest else "last"
            stage = stages[name] = Stage(base, name, bottom, over)
        elif word == "RUN":
            stage.run(rest)
        elif word == "COPY":
            stage.copy(rest, stages, source)
        elif word != "ARG":
            raise RuntimeError(f"the Dockerfile has {word}, which this test does not know")
    return stage


def main():
    source, bottom = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    if not throwaway_root.can_mount():
        print("skipped: this needs root, and the right to mount")
        return 77
    throwaway_root.enter()
    with throwaway_root.memory_folder("keyhold-container-") as base:
        image = Stage(base, "image", bottom, [])
        shutil.copy("/etc/resolv.conf", image.root.path / "etc/resolv.conf")
        image.run("apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mariadb-server")
        stage = build(base, source, bottom, [image.root])
        stage.root.write("/etc/mysql/mariadb.conf.d/99-keyhold.cnf", OPTIONS)
        print(stage.run(START))
        return 0


if __name__ == "__main__":
    sys.exit(main())
