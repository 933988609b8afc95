#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Data directories with everything encrypted, made by this system's MariaDB and opened by a later one: docs/upgrade.md.

  upgrade.py before PLUGINS FOLDER   makes them in FOLDER, with this system's server
  upgrade.py after PLUGINS FOLDER    opens them with another system's server, on that system
  upgrade.py older PLUGINS FOLDER    starts a server with the plugins of Keyhold 0.1.0 on a key file that it must refuse

PLUGINS is a folder with the keyhold_file.so of the system that runs the script."""
import argparse
import functools
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import throwaway
from throwaway import Failure, ServerError, program, require, wait

OWN, KEYHOLD = "file_key_management", "keyhold_file"
ENCRYPTED = ["--innodb-encrypt-tables=FORCE", "--innodb-encrypt-log=ON", "--innodb-encrypt-temporary-tables=ON",
             "--aria-encrypt-tables=ON", "--encrypt-tmp-files=ON", "--encrypt-tmp-disk-tables=ON", "--encrypt-binlog=ON",
             "--log-bin=binlog", "--binlog-format=ROW", "--innodb-tablespaces-encryption", "--innodb-file-per-table=ON"]
KEYS = "1;00112233445566778899aabbccddeeff\n2;0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
TABLES = {
    "plain": "ENGINE=InnoDB", "large": "ENGINE=InnoDB ENCRYPTION_KEY_ID=2", "packed": "ENGINE=InnoDB ROW_FORMAT=COMPRESSED",
    "squeezed": "ENGINE=InnoDB PAGE_COMPRESSED=1", "parted": "ENGINE=InnoDB PARTITION BY HASH (n) PARTITIONS 3",
    "aria": "ENGINE=Aria TRANSACTIONAL=1", "plain_aria": "ENGINE=Aria TRANSACTIONAL=0"}
NAMES = ", ".join(f"d.{name}" for name in TABLES)
PAGE = 16384
MARKER = "marker-of-an-upgrade"


class Data:
    """One data directory, its key file, and the server that runs on it."""

    def __init__(self, home, plugins, plugin=KEYHOLD, options=()):
        self.home = Path(home)
        self.keys = self.home / "keys" / "keys"
        self.expected = self.home / "expected.json"
        self.server = throwaway.Server(self.home / "server", plugins, [
            f"--plugin-load-add={plugin}", "--file-key-management=FORCE", f"--file-key-management-filename={self.keys}",
            *ENCRYPTED, *options])

    def __enter__(self):
        if self.server.data.exists():
            self.server.link_plugins()  # those of the system that runs this
        return self

    def __exit__(self, *_):
        self.server.kill()

    def create(self):
        self.keys.parent.mkdir(parents=True)
        self.keys.write_text(KEYS)
        self.keys.chmod(0o600)
        self.server.create()
        self.server.start()
        self.server.sql("CREATE DATABASE d")
        for name, form in TABLES.items():
            self.server.sql(f"CREATE TABLE d.{name} (n INT PRIMARY KEY, t VARCHAR(900)) {form};"
                            f"INSERT INTO d.{name} SELECT seq, CONCAT('{MARKER} ', REPEAT(seq, 9)) FROM d.seq_1_to_1000")

    def rotate(self):
        self.server.sql("SET GLOBAL file_key_management_rotate_key = -1")

    def write_rows(self):
        self.server.sql("".join(f"INSERT INTO d.{name} SELECT MAX(n) + 1, UUID() FROM d.{name};" for name in TABLES))

    def checksums(self):
        return self.server.sql(f"CHECKSUM TABLE {NAMES}")

    def page_versions(self, name):
        """The key versions of the pages of a table's file, where InnoDB's full_crc32 format has them."""
        data = (self.server.data / f"d/{name}.ibd").read_bytes()
        return {int.from_bytes(data[page:page + 4], "big") for page in range(0, len(data), PAGE)} - {0}

    def note(self):
        self.expected.write_text(json.dumps(self.checksums()))

    def change(self):
        self.write_rows()
        self.note()

    def kill(self):
        self.server.process.send_signal(signal.SIGKILL)
        require(self.server.wait_end() == -signal.SIGKILL, "the server ended before it was killed")

    def kill_in_a_rotation(self):
        """Rotates, and kills the server while its threads move the large table. Pages are written soon after they
        have moved, not when memory has no room for more."""
        self.server.sql("SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0; SET GLOBAL innodb_max_dirty_pages_pct = 0")
        self.server.sql("INSERT INTO d.large SELECT seq, REPEAT(seq, 150) FROM d.seq_1001_to_60000")
        self.change()
        self.server.sql("SET GLOBAL innodb_encryption_threads = 1")
        self.rotate()
        wait(lambda: 3 in self.page_versions("large"), "the large table does not move")
        self.kill()
        require(self.page_versions("large") == {1, 3}, f"not in the middle of a rotation: {self.page_versions('large')}")

    def wait_moved(self, version):
        self.server.sql("SET GLOBAL innodb_encryption_threads = 2")
        wait(lambda: not self.server.sql("SELECT name FROM information_schema.innodb_tablespaces_encryption "
                                         f"WHERE min_key_version <> {version} OR rotating_or_flushing"), "not every table moves")

    def run_upgrade(self):
        done = subprocess.run([program("mariadb-upgrade"), "--no-defaults", f"--socket={self.server.socket}", "--user=root"],
                              capture_output=True, text=True)
        require(done.returncode == 0 and done.stdout.endswith("OK\n"), f"mariadb-upgrade: {done.stdout[-2000:]}{done.stderr}")

    def check(self):
        """Every row is as it was noted, every table is good."""
        sums = self.checksums()
        require(sums == json.loads(self.expected.read_text()), f"rows have changed: {sums}")
        for row in self.server.sql(f"CHECK TABLE {NAMES} EXTENDED"):
            require(row[-2] != "error" and (row[-2] != "status" or row[-1] == "OK"), f"CHECK TABLE: {row}; {self.server.log_end()}")

    def check_first_binlog(self):
        """The server reads the binary log that the other one wrote."""
        rows = self.server.sql("SHOW BINLOG EVENTS IN 'binlog.000001'")
        require(any(MARKER in row[-1] for row in rows), "the first binary log does not have its rows")

    def check_hidden(self):
        """No file of a server that has stopped has the marker but Aria's log, which MariaDB does not encrypt."""
        for path in self.server.data.rglob("*"):
            if path.is_file() and not path.name.startswith("aria_log."):
                require(MARKER.encode() not in path.read_bytes(), f"{path} has rows in plain text")


# --- Before ---

def make_clean(folder, plugins):
    """Two versions of the keys; stopped cleanly."""
    with Data(folder / "clean", plugins) as data:
        data.create()
        data.rotate()
        data.change()
        data.server.stop()
        data.check_hidden()


def make_killed(folder, plugins):
    """Killed in the middle of a rotation; a copy of it was started again by the same server and stopped cleanly."""
    with Data(folder / "killed", plugins) as data:
        data.create()
        data.kill_in_a_rotation()
    shutil.copytree(folder / "killed", folder / "recovered", symlinks=True)
    with Data(folder / "recovered", plugins) as data:
        data.server.start()
        data.check()
        data.server.stop()
        require(data.page_versions("large") == {1, 3}, "the rotation went on without threads")


def make_own(folder, plugins):
    """By the server's own plugin."""
    with Data(folder / "own", plugins, OWN) as data:
        data.create()
        data.change()
        data.server.stop()


# --- Older ---

def refuse_newer(folder, plugins):
    """A key file with the cipher aes256-xts: refused with the place of its name, so that no page is read wrongly."""
    with Data(folder / "newer", plugins) as data:
        data.keys.parent.mkdir(parents=True)
        line = f"1;3;{KEYS[-65:-1]};cipher="
        data.keys.write_text(f"{KEYS}{line}aes256-xts\n")
        data.keys.chmod(0o600)
        data.server.create()
        try:
            data.server.start()
        except ServerError as error:
            place = f"Invalid value of an attribute at {data.keys} line 3, column {len(line) + 1}"
            require(place in str(error), f"another reason: {error}")
            return
        raise Failure("the server started with a cipher that it does not have")


# --- After ---

def open_upgraded(folder, plugins, name):
    """The later server opens it, upgrades it, and ends the rotation; another one, and a restart."""
    with Data(folder / name, plugins) as data:
        data.server.start()
        data.check()
        data.check_first_binlog()
        data.run_upgrade()
        data.wait_moved(3)
        data.rotate()
        data.change()
        data.wait_moved(5)
        data.server.stop()
        data.check_hidden()
        data.server.start()
        data.check()
        data.server.stop()


def change_plugins(folder, plugins):
    """To Keyhold and back, twice: after a clean stop, and after a kill whose redo log is for the other plugin."""
    ends = (throwaway.Server.stop, throwaway.Server.kill)
    for end in ends:
        for plugin in (KEYHOLD, OWN):
            with Data(folder / "own", plugins, plugin, ["--innodb-encryption-threads=1"]) as data:
                data.server.start()
                data.check()
                data.check_first_binlog()
                data.change()
                end(data.server)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("half", choices=("before", "after", "older"))
    parser.add_argument("plugins", type=lambda path: Path(path).resolve(strict=True))
    parser.add_argument("folder", type=lambda path: Path(path).resolve(strict=True))
    return parser.parse_args()


STEPS = {"before": {"clean": make_clean, "killed": make_killed, "own": make_own},
         "older": {"newer": refuse_newer},
         "after": {**{name: functools.partial(open_upgraded, name=name) for name in ("clean", "recovered", "killed")},
                   "own": change_plugins}}


def main():
    arguments = parse_arguments()
    for name, step in STEPS[arguments.half].items():
        began = time.monotonic()
        try:
            step(arguments.folder, arguments.plugins)
        except (Failure, ServerError) as failure:
            print(f"FAILED: {arguments.half}, {name}: {failure}", file=sys.stderr)
            return 1
        print(f"{arguments.half}, {name}: {time.monotonic() - began:.0f} seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
