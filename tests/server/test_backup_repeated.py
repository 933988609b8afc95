# SPDX-License-Identifier: GPL-2.0-only
"""mariadb-backup --prepare of a full backup and an increment, with a wrong key file first: a repetition in the same folders
reports success and loses tables, with the server's own plugin too; a copy of both folders, prepared with the right key file,
has every row. docs/rotation.md gives the procedure."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import throwaway

KEYS = "1;00112233445566778899aabbccddeeff\n"
OTHER_KEYS = "1;ffeeddccbbaa99887766554433221100\n"
TABLES = ("d.untouched", "d.settled", "d.fresh", "d.latest")


class Backup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fresh = throwaway.fresh_server(cls)

    def start(self, plugin):
        self.folder = Path(tempfile.mkdtemp(prefix="keyhold-backup-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.keys = self.folder / "keys"
        self.put_keys(KEYS)
        self.server = throwaway.Server(self.folder / "server", os.environ["KEYHOLD_PLUGINS"], [
            f"--plugin-load-add={plugin}", "--file-key-management=FORCE", f"--file-key-management-filename={self.keys}",
            "--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON", "--innodb-encryption-threads=1"])
        shutil.copytree(self.fresh.home, self.server.home, symlinks=True)
        self.addCleanup(self.server.kill)
        self.server.start()

    def put_keys(self, text):
        self.keys.write_text(text)
        self.keys.chmod(0o600)

    def run_backup(self, *arguments):
        return subprocess.run([throwaway.program("mariadb-backup"), *arguments, f"--plugin-dir={self.server.home / 'plugins'}"],
                              capture_output=True, text=True, timeout=120)

    def back_up(self, name, *arguments):
        done = self.run_backup("--no-defaults", "--backup", f"--target-dir={self.folder / name}", f"--socket={self.server.socket}",
                               "--user=root", f"--datadir={self.server.data}", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])

    def add_table(self, name):
        self.server.sql(f"CREATE TABLE {name} (n INT PRIMARY KEY, t VARCHAR(99)) ENGINE=InnoDB;"
                        f"INSERT INTO {name} SELECT seq, REPEAT(seq, 9) FROM d.seq_1_to_2000")

    def back_up_full(self):
        """Two tables are settled in their files, another one is fresh."""
        self.server.sql("CREATE DATABASE d")
        self.add_table("d.untouched")
        self.add_table("d.settled")
        self.server.sql("FLUSH TABLES d.untouched, d.settled FOR EXPORT; UNLOCK TABLES")
        self.add_table("d.fresh")
        self.back_up("full")

    def back_up_increment(self):
        """Two have changed, and one is new. The server has stopped afterwards."""
        self.server.sql("UPDATE d.settled SET t = 'x' WHERE n < 9; UPDATE d.fresh SET t = 'x' WHERE n < 9")
        self.add_table("d.latest")
        self.back_up("increment", f"--incremental-basedir={self.folder / 'full'}")
        self.sums = self.checksums()
        self.server.stop()

    def checksums(self):
        return self.server.sql(f"CHECKSUM TABLE {', '.join(TABLES)}")

    def copy(self, to):
        for name in ("full", "increment"):
            shutil.copytree(self.folder / name, self.folder / to / name)

    def prepare(self, where, *increment):
        return self.run_backup("--prepare", f"--target-dir={self.folder / where / 'full'}",
                               *(f"--incremental-dir={self.folder / where / name}" for name in increment))

    def assert_ok(self, done):
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        self.assertTrue(done.stderr.rstrip().endswith("completed OK!"), done.stderr[-3000:])

    def table_files(self, where):
        return {f"d.{path.stem}" for path in Path(self.folder, where, "full", "d").glob("*.ibd")}

    def check_repetition(self, wrong):
        """Prepares one copy of the backup with a wrong key file and again with the right one, another copy with the right one only."""
        right = self.keys.read_text()
        self.copy("repeated")
        self.assert_ok(self.prepare("repeated"))
        self.put_keys(wrong)
        self.refused = self.prepare("repeated", "increment")
        self.assertNotEqual(self.refused.returncode, 0)
        self.put_keys(right)
        self.assert_ok(self.prepare("repeated", "increment"))
        self.assertEqual(self.table_files("repeated"), set(), "not every table was lost, as docs/rotation.md says")

        self.copy("anew")
        self.assert_ok(self.prepare("anew"))
        self.assert_ok(self.prepare("anew", "increment"))
        self.assertEqual(self.table_files("anew"), set(TABLES))
        self.check_restored("anew")

    def check_restored(self, where):
        shutil.rmtree(self.server.data)
        done = self.run_backup("--no-defaults", "--move-back", f"--target-dir={self.folder / where / 'full'}",
                               f"--datadir={self.server.data}")
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        self.server.start()
        self.assertEqual(self.checksums(), self.sums)
        self.server.stop()

    def test_another_key_with_the_servers_own_plugin(self):
        self.start("file_key_management")
        self.back_up_full()
        self.back_up_increment()
        self.check_repetition(OTHER_KEYS)

    def test_another_key_with_keyhold(self):
        self.start("keyhold_file")
        self.back_up_full()
        self.back_up_increment()
        self.check_repetition(OTHER_KEYS)

    def test_a_copy_of_the_key_file_from_before_a_rotation(self):
        self.start("keyhold_file")
        self.back_up_full()
        self.server.sql("SET GLOBAL file_key_management_rotate_key = -1")
        self.server.sql("ALTER TABLE d.settled FORCE; ALTER TABLE d.fresh FORCE")
        # so that --prepare must read pages of the new version: the redo log does not have them whole any more
        self.server.stop()
        self.server.start()
        self.back_up_increment()
        self.check_repetition(KEYS)
        self.assertRegex(self.refused.stderr, f"mariadb-backup: file_key_management: key id 1 version 3 is missing in '{self.keys}' and "
                         ".* prepare a new copy.* Versions of it there: 1\n")


if __name__ == "__main__":
    unittest.main()
