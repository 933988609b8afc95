# SPDX-License-Identifier: GPL-2.0-only
"""keyhold watch and retire, with a real server"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))
import command  # noqa: E402
import test_secrets  # noqa: E402
import throwaway  # noqa: E402
from command import CHEAP, OTHER, PASSPHRASE  # noqa: E402

OPTIONS = ["--plugin-load-add=keyhold_file", "--plugin-maturity=unknown", "--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON",
           "--aria-encrypt-tables=ON", "--innodb-encryption-threads=0", "--innodb-file-per-table=ON"]
ACCOUNT_PASSWORD = "a password of the database"


class ServerCase(command.Case):
    """Each test has a server of its own, with a sealed key file of the keys 1 and 3, at version 1."""

    fresh = None  # a data directory that was made and never used

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="keyhold-cli-")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.fresh = throwaway.Server(os.path.join(folder, "server"), os.environ["KEYHOLD_PLUGINS"], [])
        cls.fresh.create()

    def setUp(self):
        super().setUp()
        self.secrets.add(ACCOUNT_PASSWORD)
        self.file = self.path("keys")
        self.how = f"--passphrase-file={self.passphrase()}"
        self.run_command("create", self.file, self.how, *CHEAP)
        self.run_command("add", self.file, self.how, "3")
        self.server = throwaway.Server(self.path("server"), os.environ["KEYHOLD_PLUGINS"], [
            *OPTIONS, f"--file-key-management-filename={self.file}",
            f"--file-key-management-filekey=FILE:{self.path('passphrase')}"])
        self.addCleanup(self.server.kill)
        shutil.copytree(self.fresh.home, self.server.home, symlinks=True)
        self.server.start()
        self.login = ["--defaults-file=/dev/null", f"--socket={self.server.socket}", "--user=root"]
        self.server.sql("CREATE DATABASE d; USE d; CREATE TABLE d.t (a INT PRIMARY KEY, b TEXT) ENGINE=InnoDB "
                        "ENCRYPTED=YES ENCRYPTION_KEY_ID=3; INSERT INTO d.t SELECT seq, REPEAT('x', 400) FROM seq_1_to_5000")

    def sql(self, sql):
        return self.server.sql(sql)

    def rotate(self):
        self.sql("SET GLOBAL file_key_management_rotate_key = -1")

    def let_it_move(self, threads=2):
        self.sql(f"SET GLOBAL innodb_encryption_threads = {threads}")

    def rotate_and_wait(self):
        self.rotate()
        self.let_it_move()
        self.run_command("watch", *self.login)


class Watch(ServerCase):
    def test_what_is_done(self):
        out = self.run_command("watch", "--once", *self.login).out
        self.assertRegex(out, r"(?m)^all +\[#{20}\] 100 %  (\d+) of \1 pages$")

    def test_what_is_in_the_clear(self):
        self.sql("CREATE TABLE d.n (a INT) ENGINE=InnoDB ENCRYPTED=NO")
        self.rotate_and_wait()
        self.assertIn("\n1 tablespace is in the clear\n", self.run_command("watch", "--once", *self.login).out)

    def test_what_waits(self):
        self.rotate()
        out = self.run_command("watch", "--once", *self.login, status=3).out
        self.assertRegex(out, r"(?m)^d/t +\[\.{20}\]   0 %  0 of \d+ pages$")
        self.assertIn("innodb_encryption_threads is 0: nothing moves\n", out)
        self.sql("SET GLOBAL innodb_encryption_threads = 1, GLOBAL innodb_encrypt_tables = OFF")
        self.assertIn("innodb_encrypt_tables is OFF", self.run_command("watch", "--once", *self.login, status=3).out)

    def test_what_stays(self):
        self.sql("SET GLOBAL innodb_encryption_rotate_key_age = 2")
        self.rotate()
        report = self.run_command("watch", "--once", "--json", *self.login).json()
        states = {space["name"]: space["state"] for space in report["tablespaces"]}
        self.assertEqual(states["d/t"], "stays")

    def test_json(self):
        self.rotate()
        report = self.run_command("watch", "--once", "--json", *self.login, status=3).json()
        self.assertFalse(report["finished"])
        self.assertIsNone(report["pages_per_second"])
        self.assertEqual((report["threads"], report["rotate_key_age"], report["encrypt_tables"]), (0, 1, True))
        space = next(space for space in report["tablespaces"] if space["name"] == "d/t")
        self.assertEqual((space["state"], space["key_id"], space["min_key_version"], space["current_key_version"],
                          space["done"]), ("waiting", 3, 1, 3, 0))
        self.assertEqual(report["pages"], sum(s["pages"] for s in report["tablespaces"] if s["state"] != "plain"))

    def test_until_it_is_done(self):
        self.rotate()
        process = subprocess.Popen([command.PROGRAM, "watch", "--json", *self.login], stdout=subprocess.PIPE, text=True)
        first = json.loads(process.stdout.readline())
        self.assertFalse(first["finished"])
        self.let_it_move()
        with process.stdout:
            lines = process.stdout.read().splitlines()
        self.assertEqual(process.wait(command.PATIENCE), 0)
        last = json.loads(lines[-1])
        self.assertTrue(last["finished"])
        self.assertEqual(last["done"], last["pages"])
        self.assertIsNotNone(last["pages_per_second"])
        self.assertEqual(last["seconds_left"], 0)

    def test_on_a_terminal(self):
        self.rotate()
        terminal = self.terminal("watch", *self.login)
        self.addCleanup(terminal.process.kill)
        terminal.read_until(r"d/t +\[\.{20}\]   0 %")
        terminal.read_until(r"all +\[")
        terminal.read_until("\033\\[\\d+F\033\\[J")  # back to the first line
        self.let_it_move()
        seen = self.assert_ends(terminal, 0)
        self.assertRegex(seen, r"(?m)^.*all +\[#{20}\] 100 %  (\d+) of \1 pages$")

    def test_option_files_and_environment(self):
        for group in ("client", "keyhold"):
            path = self.write("options", f"[{group}]\nsocket={self.server.socket}\nuser=root\n")
            self.run_command("watch", "--once", f"--defaults-file={path}")
        self.run_command("watch", "--once", "--defaults-file=/dev/null", "--user=root",
                         env={**os.environ, "MYSQL_UNIX_PORT": str(self.server.socket)})

    def test_password(self):
        self.sql(f"CREATE USER w@localhost IDENTIFIED BY '{ACCOUNT_PASSWORD}'; GRANT PROCESS ON *.* TO w@localhost")
        login = ["--defaults-file=/dev/null", f"--socket={self.server.socket}", "--user=w"]
        terminal = self.terminal("watch", "--once", "--password", *login)
        terminal.read_until("Password of the database account: ")
        self.assertFalse(terminal.is_shown())
        with open(f"/proc/{terminal.process.pid}/cmdline") as line:
            self.assert_no_secret(line.read(), "the command line")
        os.write(terminal.master, ACCOUNT_PASSWORD.encode() + b"\n")
        self.assert_ends(terminal, 0)
        path = self.write("options", f"[client]\npassword={ACCOUNT_PASSWORD}\n")
        self.run_command("watch", "--once", f"--defaults-file={path}", *login[1:])
        self.run_command("watch", "--once", *login, env={**os.environ, "MYSQL_PWD": ACCOUNT_PASSWORD})
        self.assertIn("cannot connect", self.run_command("watch", "--once", *login, status=1).err)

    def test_what_cannot_be(self):
        result = self.run_command("watch", "--defaults-file=/dev/null", f"--socket={self.path('none')}", status=1)
        self.assertIn("cannot connect to the server", result.err)
        self.sql("CREATE USER n@localhost")
        result = self.run_command("watch", *self.login[:2], "--user=n", status=1)
        self.assertIn("PROCESS", result.err)
        self.run_command("watch", "--interval=0", status=2)
        self.run_command("watch", "--port=65536", status=2)
        self.run_command("watch", "--password=x", status=2)


class Retire(ServerCase):
    def versions(self):
        return list(self.keys(self.file, self.how))

    def retire(self, *arguments, status=0):
        return self.run_command("retire", self.file, self.how, *self.login, *arguments, status=status)

    def copies(self):
        return [name for name in os.listdir(self.folder) if ".retired-" in name]

    def test_nothing_is_old(self):
        self.assertIn("has no old versions", self.retire().out)
        self.assertEqual(self.copies(), [])

    def test_what_is_needed_stays_whatever_is_forced(self):
        self.rotate()
        before = self.read("keys")
        result = self.retire("--force=all", status=1)
        self.assertRegex(result.out, r"(?m)^  1        1  stays  mysql\.")
        self.assertRegex(result.out, r"(?m)^  3        1  stays  d/t$")
        self.assertIn("nothing is removed", result.err)
        self.assertEqual(self.read("keys"), before)
        self.assertEqual(self.copies(), [])

    def test_what_the_server_cannot_tell(self):
        self.rotate_and_wait()
        before = self.read("keys")
        result = self.retire(status=1)
        self.assertRegex(result.out, r"(?m)^  1        1  stays  mysql\.")
        self.assertRegex(result.out, r"(?m)^  3        1  stays  perhaps: elsewhere$")
        self.assertIn("it knows nothing of backups", result.err)
        time.sleep(1.1)  # the tables are to be younger than the version
        for [statement] in self.sql("SELECT CONCAT('ALTER TABLE `', table_schema, '`.`', table_name, '` FORCE') FROM "
                                    "information_schema.tables WHERE engine = 'Aria' AND table_type = 'BASE TABLE'"):
            self.sql(statement)
        result = self.retire(status=1)
        self.assertRegex(result.out, r"(?m)^  1        1  stays  perhaps: redo-log, aria, elsewhere$")
        for what in ("its redo log", "each Aria table"):
            self.assertIn(what, result.err)
        self.retire("--force=elsewhere,aria", "--id=1", status=1)
        self.assertEqual(self.read("keys"), before)
        report = json.loads(self.retire("--id=1", "--json", status=1).out)
        self.assertEqual(report["versions"], [{"key_id": 1, "version": 1, "removed": False, "needed_by": None,
                                               "unknown": ["redo-log", "aria", "elsewhere"]}])

    def test_one_that_goes(self):
        self.rotate_and_wait()
        before = self.read("keys")
        out = self.retire("--force=elsewhere").out
        self.assertRegex(out, r"(?m)^  3        1  goes$")
        self.assertIn("keeps what it has of them in memory until it ends", out)
        self.assertIn("\n3;1;retired\n", self.text_of(self.file, self.how))
        self.assertEqual(self.versions(), [(1, 1), (1, 3), (3, 3)])
        [copy] = self.copies()
        self.assertEqual(self.read(copy), before)  # with all its slots
        self.assertEqual(self.mode(copy), 0o600)
        # the running server goes on
        self.sql("SET GLOBAL file_key_management_reload = ON")
        self.assertIn("1 retired, kept in memory until the server ends", self.server.log.read_text())
        self.sql("SET GLOBAL file_key_management_rotate_key = 1")
        self.assertEqual(self.versions(), [(1, 1), (1, 3), (1, 5), (3, 3)])
        self.server.stop()
        self.server.start()
        self.assertEqual(self.sql("SELECT COUNT(*), SUM(LENGTH(b)) FROM d.t"), [["5000", "2000000"]])
        self.sql("SET GLOBAL file_key_management_rotate_key = 3")
        self.assertEqual(self.versions(), [(1, 1), (1, 3), (1, 5), (3, 3), (3, 5)])

    def test_all_that_can_go_and_the_server_starts(self):
        """The whole way of docs/rotation.md."""
        self.rotate_and_wait()
        time.sleep(1.1)
        for [statement] in self.sql("SELECT CONCAT('ALTER TABLE `', table_schema, '`.`', table_name, '` FORCE') FROM "
                                    "information_schema.tables WHERE engine = 'Aria' AND table_type = 'BASE TABLE'"):
            self.sql(statement)
        self.sql("SET GLOBAL innodb_log_file_size = 20 * 1024 * 1024")
        self.server.stop()
        self.server.start()
        report = json.loads(self.retire("--force=all", "--json").out)
        self.assertEqual([version["removed"] for version in report["versions"]], [True, True])
        self.assertEqual(report["copy"], self.path(self.copies()[0]))
        self.assertEqual(self.versions(), [(1, 3), (3, 3)])
        self.server.stop()
        self.server.start()
        self.assertEqual(self.sql("SELECT COUNT(*), SUM(LENGTH(b)) FROM d.t"), [["5000", "2000000"]])

    def test_a_file_in_the_clear_gets_a_sealed_copy(self):
        self.server.stop()
        self.run_command("unseal", self.file, self.how)
        self.server.options = [option for option in self.server.options if "filekey" not in option]
        self.server.start()
        self.rotate_and_wait()
        text = self.text_of(self.file)
        terminal = self.terminal("retire", self.file, *self.login, "--force=elsewhere", "--id=3", *CHEAP)
        terminal.answer("New passphrase for .*retired.*: ", OTHER)
        terminal.answer("Once more for .*: ", OTHER)
        self.assert_ends(terminal, 0)
        self.assertEqual(list(self.keys(self.file)), [(1, 1), (1, 3), (3, 3)])
        [copy] = self.copies()
        self.assertTrue(self.read(copy).startswith(b"keyhold-sealed "))
        self.assertEqual(self.text_of(self.path(copy), f"--passphrase-file={self.passphrase(OTHER, 'other')}"), text)

    def test_another_file(self):
        other = self.path("other")
        shutil.copy(self.file, other)
        result = self.run_command("retire", other, self.how, *self.login, status=1)
        self.assertIn(f"the server uses another key file: {self.file}", result.err)

    def test_wrong_arguments(self):
        for wrong in ("--force=", "--force=redo", "--force=all,", "--id=0"):
            self.run_command("retire", self.file, wrong, status=2)
        self.run_command("retire", self.path("none"), status=1)


class RetireSecrets(ServerCase, test_secrets.SecretsCase):
    def test_each_source_of_the_passphrase(self):
        self.rotate()
        for kind in test_secrets.SOURCES:
            self.start_anew()
            seen = self.run_with([kind(self, PASSPHRASE, "old")], "retire", self.file, *self.login, status=1)
            self.assertIn("nothing is removed", seen)
            self.search_again(self.file, self.how)


if __name__ == "__main__":
    command.main()
