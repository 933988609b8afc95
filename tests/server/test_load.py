# SPDX-License-Identifier: GPL-2.0-only
"""The plugins of KEYHOLD_PLUGINS in a server and in its mariadb-backup: they load, report, encrypt, rotate, and read again what
they wrote. One binary is for all versions of the server, so tools/test runs this with servers of others than the one whose
headers the plugins were compiled with."""
import shutil
import subprocess
import sys
import time
import unittest

import throwaway

KEYS = "1;770a8a65da156d24ee2a093277530142\n2;0102030405060708090a0b0c0d0e0f1011121314151617181920212223242526\n"
MARKER = "a row that must be encrypted"
ENCRYPTED = ["--innodb-encrypt-tables=FORCE", "--innodb-encrypt-log=ON", "--innodb-encryption-threads=1",
             "--aria-encrypt-tables=ON", "--encrypt-tmp-files=ON",
             "--plugin-maturity=unknown"]
SETTLE_SECONDS = 240


class LoadCase(unittest.TestCase):
    fresh = None

    @classmethod
    def setUpClass(cls):
        cls.fresh = throwaway.fresh_server(cls)
        version = subprocess.run([throwaway.program("mariadbd"), "--no-defaults", "--version"], capture_output=True, text=True)
        print(f"\nserver: {version.stdout.strip()}", file=sys.stderr)

    def serve(self, plugin, *options):
        """A server with a plugin, which has an encrypted table."""
        home = self.fresh.home.parent / f"{self.id().rsplit('.', 1)[1]}-{plugin}"
        shutil.copytree(self.fresh.home, home, symlinks=True)
        server = throwaway.Server(home, self.fresh.plugins, [f"--plugin-load-add=keyhold_{plugin}", *ENCRYPTED, *options])
        self.addCleanup(server.kill)
        server.start()
        server.sql("CREATE DATABASE d; USE d; CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(99)) ENGINE=InnoDB;"
                   f"INSERT INTO t SELECT seq, '{MARKER}' FROM seq_1_to_1000")
        return server

    def assert_readable(self, server):
        self.assertEqual(server.sql("SELECT COUNT(*), COUNT(DISTINCT b) FROM d.t"), [["1000", "1"]])
        self.assertEqual(server.sql("CHECK TABLE d.t")[0][3], "OK")

    def assert_restarts(self, server):
        server.stop()
        self.assertNotIn(MARKER.encode(), (server.data / "d" / "t.ibd").read_bytes())
        server.start()
        self.assert_readable(server)
        server.kill()
        server.start()
        self.assert_readable(server)

    def wait_for_new_version(self, server):
        limit = time.monotonic() + SETTLE_SECONDS
        asked = "SELECT MIN(min_key_version) > 1 FROM information_schema.innodb_tablespaces_encryption WHERE name = 'd/t'"
        while server.sql(asked) != [["1"]]:
            self.assertLess(time.monotonic(), limit, "the table is not encrypted anew")
            time.sleep(0.2)

    def serve_keys(self):
        self.keys = self.fresh.home.parent / "keys"
        self.keys.write_text(KEYS)
        self.keys.chmod(0o600)
        return self.serve("file", f"--file-key-management-filename={self.keys}")

    def test_the_file_plugin_encrypts_and_rotates(self):
        server = self.serve_keys()
        server.sql("SET GLOBAL file_key_management_rotate_key = 1")
        self.wait_for_new_version(server)
        self.assertGreater(len(self.keys.read_text()), len(KEYS))
        self.assertIn("file_key_management: ", server.log.read_text())
        self.assert_restarts(server)

    def test_a_refusal_reaches_the_client_and_the_log(self):
        server = self.serve_keys()
        refused = server.client("SET GLOBAL file_key_management_rotate_key = 77")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("the key was not rotated: ", refused.stderr)
        self.assertIn("the key was not rotated: ", server.log.read_text())

    @unittest.skipIf(throwaway.BASEDIR, "skipped: an unpacked server has no mariadb-backup")
    def test_mariadb_backup_reads_and_prepares(self):
        server = self.serve_keys()
        target = self.fresh.home.parent / "backup"
        for arguments in (["--no-defaults", f"--socket={server.socket}", "--user=root", "--backup", f"--datadir={server.data}"],
                          [f"--defaults-file={target}/backup-my.cnf", "--prepare"]):
            done = subprocess.run([throwaway.program("mariadb-backup"), *arguments, f"--target-dir={target}",
                                   f"--plugin-dir={server.home / 'plugins'}"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr[-4000:])
            self.assertIn("completed OK!", done.stderr)
        self.assertNotIn(MARKER.encode(), (target / "d" / "t.ibd").read_bytes())
        server.kill()
        server.data.rename(server.home / "old")
        target.rename(server.data)
        server.start()
        self.assert_readable(server)

    def test_the_plugins_for_tests_encrypt(self):
        for plugin in ("example", "debug"):
            with self.subTest(plugin):
                server = self.serve(plugin)
                self.assertIn(f"{plugin}_key_management", server.log.read_text())
                self.assert_restarts(server)
                server.kill()


if __name__ == "__main__":
    unittest.main()
