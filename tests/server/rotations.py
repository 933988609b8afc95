# SPDX-License-Identifier: GPL-2.0-only
"""A server with encrypted tables and a key file, rotations with injected failures (faults.c), and the checks after each."""
from collections import namedtuple

import keyfiles
from throwaway import Failure, Server, require

ROTATE = "SET GLOBAL file_key_management_rotate_key = -1"
RELOAD = "SET GLOBAL file_key_management_reload = ON"
IDS = (1, 2, 3)
TABLES = ("test.i1", "test.i2", "test.i3", "test.a1")
PAGE = 16384

# malloc() asks the system for memory once; else the number of calls would vary
MALLOC = ("MALLOC_ARENA_MAX=1", f"MALLOC_TOP_PAD_={1 << 26}", f"MALLOC_TRIM_THRESHOLD_={1 << 30}",
          f"MALLOC_MMAP_THRESHOLD_={1 << 25}")

# one name for calls that are the same for a caller
SAME = {"openat": "open", "openat+creat": "open+creat", "newfstatat": "stat", "fstat": "stat", "lstat": "stat", "statx": "stat",
        "readlinkat": "readlink", "pread64": "read", "pwrite64": "write", "fdatasync": "fsync", "renameat": "rename",
        "renameat2": "rename", "unlinkat": "unlink", "fchownat": "fchown", "fchmodat": "fchmod"}

Call = namedtuple("Call", "number kind file fired")
Outcome = namedtuple("Outcome", "errors calls")


def page_versions(path):
    """The key versions in a data file, where InnoDB's full_crc32 format has them."""
    data = path.read_bytes()
    return {int.from_bytes(data[page:page + 4], "big") for page in range(0, len(data), PAGE)} - {0}


class Rotations:
    def __init__(self, home, build, key_file):
        self.key_file = key_file
        self.lock = key_file.path.with_name(key_file.path.name + ".lock")
        self.without_lock_file = False  # before each rotation, as before a server's first one
        self.faults = home / "faults"
        self.faults.mkdir()
        (self.faults / "end").write_text("end\n")
        options = ["--plugin-load-add=keyhold_file", "--file-key-management=FORCE", *key_file.options(),
                   "--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON", "--innodb-encryption-threads=1",
                   "--aria-encrypt-tables=ON", "--encrypt-tmp-files=ON", "--innodb-tablespaces-encryption"]
        shim = (build / "tests/server/keyhold_faults.so").resolve(strict=True)
        environment = [*MALLOC, f"LD_PRELOAD={shim}", f"KEYHOLD_FAULTS={self.faults}"]
        self.server = Server(home / "server", build / "plugins", options, environment)

    def create(self):
        self.key_file.create()
        self.server.create()
        self.server.start()
        columns = "(n INT PRIMARY KEY AUTO_INCREMENT, t VARCHAR(200), KEY (t))"
        self.server.sql("CREATE DATABASE test")
        for key_id in IDS:
            self.server.sql(f"CREATE TABLE test.i{key_id} {columns} ENGINE=InnoDB ENCRYPTED=YES ENCRYPTION_KEY_ID={key_id}")
        self.server.sql(f"CREATE TABLE test.a1 {columns} ENGINE=Aria TRANSACTIONAL=1")
        self.server.sql("".join(f"INSERT INTO {table} (t) SELECT REPEAT(seq, 20) FROM test.seq_1_to_500;" for table in TABLES))

    # --- Actions ---

    def rotate(self, order="count"):
        """One rotation of all keys, with the failure that an order to the shim has."""
        if self.without_lock_file:
            self.lock.unlink(missing_ok=True)
        return self._run(ROTATE, order)

    def reload(self, order="count"):
        return self._run(RELOAD, order)

    def _run(self, statement, order):
        (self.faults / "begin").write_text(order + "\n")
        (self.faults / "trace").unlink(missing_ok=True)
        done = self.server.client(f"SELECT LOAD_FILE('{self.faults}/begin') IS NULL; {statement}; "
                                  f"SELECT LOAD_FILE('{self.faults}/end') IS NULL", "--force")
        errors = "\n".join(line for line in done.stderr.splitlines() if line.startswith("ERROR"))
        return Outcome(errors, self._calls())

    def _calls(self):
        calls = []
        for line in (self.faults / "trace").read_text().splitlines():
            number, name, file, fired = line.split("\t")
            calls.append(Call(int(number), SAME.get(name, name), file, fired != ""))
        while calls and calls[-1].kind == "readlink" and not calls[-1].fired and self.faults.is_relative_to(calls[-1].file):
            calls.pop()  # made for opening "end"
        return calls

    def write_rows(self):
        self.server.sql("".join(f"INSERT INTO {table} (t) VALUES (UUID());" for table in TABLES))

    def checksums(self):
        return self.server.checksums(TABLES)

    # --- Checks ---

    def check_tables(self):
        self.server.check_tables(TABLES)

    def versions_in_use(self):
        """{id: latest version} as the server has it; all that it names must be in the file."""
        in_file = keyfiles.versions(self.key_file.text())
        in_use = {}
        for key_id, current, least in self.server.sql("SELECT CURRENT_KEY_ID, CURRENT_KEY_VERSION, MIN_KEY_VERSION "
                                                      "FROM information_schema.INNODB_TABLESPACES_ENCRYPTION"):
            for version in (current, least):
                require(version == "0" or (int(key_id), int(version)) in in_file,
                        f"the server has version {version} of key {key_id}, the file has not")
            in_use[int(key_id)] = int(current)
        return in_use

    def check_pages(self):
        """The key versions in the data files must be in the key file."""
        in_file = keyfiles.versions(self.key_file.text())
        for key_id in IDS:
            found = page_versions(self.server.data / f"test/i{key_id}.ibd")
            require(found, f"no page of table i{key_id} is encrypted")
            for version in found:
                require((key_id, version) in in_file, f"a page has version {version} of key {key_id}, the file has not")

    def check_file(self, before):
        """The new versions {id: version}: none, or one of each key."""
        new = keyfiles.added(before, self.key_file.text())
        require(not new or set(new) == set(IDS), f"only the keys {sorted(new)} have new versions")
        return new

    def check_folder(self):
        """No other file is in the folder."""
        names = {path.name for path in self.key_file.folder.iterdir()}
        wanted = {path.name for path in self.key_file.paths}
        require(wanted <= names <= wanted | {self.lock.name}, f"in the key file's folder are {sorted(names)}")
        require(self.key_file.path.stat().st_mode & 0o7777 == 0o600, "the key file has another mode")

    def check_rotation(self):
        """A rotation without a failure works; rows can be written afterwards. Returns its calls."""
        before, in_use = self.key_file.text(), self.versions_in_use()
        outcome = self.rotate()
        require(not outcome.errors, f"an undisturbed rotation fails: {outcome.errors}")
        # versions that a failed rotation left in the file are used, and no others are made
        is_ahead = keyfiles.latest(before) != in_use
        require(bool(self.check_file(before)) != is_ahead, "versions were left unused, or made in vain")
        if is_ahead:
            self.check_flushed(outcome.calls)
        self.check_latest_in_use()
        self.check_folder()
        require(self.lock.exists(), "nothing was locked")
        self.write_rows()
        return outcome.calls

    def check_flushed(self, calls):
        """Versions that another process wrote are flushed before they are used."""
        flushed = {call.file for call in calls if call.kind == "fsync"}
        require({str(self.key_file.path), str(self.key_file.folder)} <= flushed,
                f"unflushed versions are used; flushed: {flushed}")

    def check_reload(self):
        """A reload without a failure works. Returns its calls."""
        outcome = self.reload()
        require(not outcome.errors, f"an undisturbed reload fails: {outcome.errors}")
        self.check_latest_in_use()
        self.check_flushed(outcome.calls)
        return outcome.calls

    def check_latest_in_use(self):
        require(self.versions_in_use() == keyfiles.latest(self.key_file.text()), "the server does not use the latest versions")

    def check_restart(self, sums):
        """Starts the server that has ended. Returns its exit status."""
        status = self.server.wait_end()
        self.check_pages()
        self.server.start()
        self.check_tables()
        require(self.checksums() == sums, "rows have changed")
        self.check_latest_in_use()
        self.check_rotation()
        return status
