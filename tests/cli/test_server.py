# SPDX-License-Identifier: GPL-2.0-only
"""keyhold watch and retire, with a real server"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))
import command  # noqa: E402
import test_examples  # noqa: E402
import test_secrets  # noqa: E402
import throwaway  # noqa: E402
from command import CHEAP, OTHER, PASSPHRASE  # noqa: E402

OPTIONS = ["--plugin-load-add=keyhold_file", "--plugin-maturity=unknown", "--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON",
           "--aria-encrypt-tables=ON", "--innodb-encryption-threads=0", "--innodb-file-per-table=ON"]
LATIN1 = "[client]\ndefault-character-set=latin1\n"
ACCOUNT_PASSWORD = "a password of the database"


class ServerCase(command.Case):
    """Each test has a server of its own, with a sealed key file of the keys 1 and 3, at version 1."""

    fresh = None  # a new data directory, to be copied
    cipher = []  # an option of the keys

    @classmethod
    def setUpClass(cls):
        cls.fresh = throwaway.fresh_server(cls)

    def setUp(self):
        super().setUp()
        self.secrets.add(ACCOUNT_PASSWORD)
        self.file = self.path("keys")
        self.how = f"--passphrase-file={self.passphrase()}"
        self.run_command("create", self.file, self.how, *CHEAP, *self.cipher)
        self.run_command("add", self.file, self.how, "3", *self.cipher)
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

    def listen(self):
        """Restarts the server with a port on the local host, and returns the port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.server.stop()
        self.server.options = [*self.server.options, "--skip-networking=0", "--bind-address=127.0.0.1,127.0.0.2", f"--port={port}"]
        self.server.start()
        return port

    def rotate(self):
        self.sql("SET GLOBAL file_key_management_rotate_key = -1")

    def let_it_move(self, threads=2):
        self.sql(f"SET GLOBAL innodb_encryption_threads = {threads}")

    def rotate_and_wait(self):
        self.rotate()
        self.let_it_move()
        self.run_command("watch", *self.login)


class Watch(ServerCase):
    def test_all_is_done(self):
        out = self.run_command("watch", "--once", *self.login).out
        self.assertRegex(out, r"(?m)^all +\[#{20}\] 100 %  (\d+) of \1 pages$")

    def test_tablespaces_that_are_not_encrypted(self):
        self.sql("CREATE TABLE d.n (a INT) ENGINE=InnoDB ENCRYPTED=NO")
        self.rotate_and_wait()
        out = self.run_command("watch", *self.login).out  # a thread may visit a finished tablespace once more
        self.assertIn("\n1 tablespace is not encrypted\n", out)

    def test_tablespaces_that_wait(self):
        self.rotate()
        out = self.run_command("watch", "--once", *self.login, status=3).out
        self.assertRegex(out, r"(?m)^d/t +\[\.{20}\]   0 %  0 of \d+ pages$")
        self.assertIn("re-encryption is stopped: innodb_encryption_threads is 0\n", out)
        self.assertEqual(self.report("--once")[1]["stopped_by"], "threads")
        self.sql("SET GLOBAL innodb_encryption_threads = 1, GLOBAL innodb_encrypt_tables = OFF")
        self.assertEqual(self.report("--once")[1]["stopped_by"], "encrypt_tables")
        out = self.run_command("watch", "--once", *self.login, status=3).out
        self.assertIn("re-encryption is stopped: innodb_encrypt_tables is OFF", out)

    def report(self, *arguments, status=3):
        """The last report in JSON, and what it has about d/t."""
        lines = self.run_command("watch", "--json", *arguments, *self.login, status=status).out.splitlines()
        report = json.loads(lines[-1])
        return report, next(space for space in report["tablespaces"] if space["name"] == "d/t")

    def test_tablespaces_that_stay(self):
        """Nothing will move, so the command ends, and reports that it has not finished."""
        self.let_it_move()
        self.run_command("watch", *self.login)  # until all tablespaces are encrypted with version 1
        for age, remedy in ((2, "rotate again"), (0, "set it to 1")):
            self.sql(f"SET GLOBAL innodb_encryption_rotate_key_age = {age}")
            self.rotate()
            for once in ([], ["--once"]):
                report, space = self.report(*once)
                self.assertEqual((space["state"], space["stopped_by"], space["done"]), ("stays", "rotate_key_age", 0))
                self.assertEqual((report["finished"], report["seconds_left"]), (False, None))
                stays = [space["pages"] for space in report["tablespaces"] if space["state"] == "stays"]
                self.assertEqual((report["stays"], report["pages"] - report["done"]), (len(stays), sum(stays)))
                out = self.run_command("watch", *once, *self.login, status=3).out
                self.assertRegex(out, r"(?m)^d/t +stays at key version 1 \(current: " + ("3\\); moves at 4$" if age else "5\\)$"))
                self.assertIn(f"\n{report['stays']} tablespaces stay: innodb_encryption_rotate_key_age is {age}; {remedy}\n", out)
                self.assertRegex(out, r"(?m)^all +\[#*\.+\]")
                self.assertNotIn("stopped", out)

    def use_text_file(self):
        """Restarts the server with the same keys in plain text."""
        self.text = self.write("text", self.text_of(self.file, self.how))
        self.server.stop()
        self.server.options = [option.replace(self.file, self.text) for option in self.server.options if "filekey" not in option]
        self.server.start()

    def add_line(self, number):
        with open(self.text, "a") as file:
            file.write(f"{number};{os.urandom(16).hex()}\n")

    def test_version_2_follows_version_1(self):
        """Written by hand and reloaded, or found by auto_reload: the reload warns, and the other tablespaces move."""
        self.use_text_file()
        self.let_it_move()
        self.run_command("watch", *self.login)
        self.add_line("3;2")
        warning = "InnoDB does not re-encrypt data from key id 3 version 1 to 2: a new version must be more than "
        self.assertIn(warning, self.server.client("SET GLOBAL file_key_management_reload = ON; SHOW WARNINGS").stdout)
        self.assertIn("[Warning] mariadbd: file_key_management: " + warning, self.server.log.read_text())
        report, space = self.report()
        self.assertEqual((report["finished"], report["stays"]), (False, 1))
        self.assertEqual((space["state"], space["stopped_by"], space["min_key_version"], space["current_key_version"]),
                         ("stays", "rotate_key_age", 1, 2))
        self.assertEqual(report["pages"] - report["done"], space["pages"])
        out = self.run_command("watch", *self.login, status=3).out
        self.assertIn("\n1 tablespace stays: innodb_encryption_rotate_key_age is 1; rotate again\n", out)
        self.rotate()
        report, _ = self.report(status=0)
        self.assertEqual((report["finished"], report["stays"]), (True, 0))
        self.sql("SET GLOBAL file_key_management_auto_reload = ON")
        self.add_line("3;5")
        throwaway.wait(lambda: warning.replace("1 to 2", "4 to 5") in self.server.log.read_text(), "no warning of auto_reload")
        self.assertEqual(self.report()[1]["state"], "stays")

    def test_a_tablespace_whose_key_is_missing(self):
        self.use_text_file()
        self.server.stop()
        self.edit(self.text, r"(?m)^3;.*\n", "")
        self.server.start()
        self.let_it_move()
        report, space = self.report()
        self.assertEqual((space["state"], space["stopped_by"], report["finished"]), ("stays", "missing_key", False))
        out = self.run_command("watch", *self.login, status=3).out
        self.assertRegex(out, r"(?m)^d/t +stays at key version 1; key id 3 is missing$")
        self.assertIn("\n1 tablespace stays: put the missing key back and restart the server\n", out)

    @staticmethod
    def edit(path, pattern, new):
        text = Path(path).read_text()
        changed = re.sub(pattern, new, text)
        assert changed != text
        Path(path).write_text(changed)

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
        terminal = self.terminal("watch", *self.login, env={**os.environ, "TERM": "xterm"})
        self.addCleanup(terminal.process.kill)
        terminal.read_until(r"d/t +\[\.{20}\]   0 %")
        terminal.read_until(r"all +\[")
        terminal.read_until("\033\\[\\d+F\033\\[J")  # back to the first line
        self.let_it_move()
        seen = self.assert_ends(terminal, 0)
        self.assertRegex(seen, r"(?m)^.*all +\[#{20}\] 100 %  (\d+) of \1 pages$")

    def test_examples(self):
        """Those of watch and retire, in the folder of the test, with the options of its server and of its passphrase."""
        self.rotate_and_wait()
        examples = test_examples.example_commands(self.run_command)
        for purpose, line in (*examples["watch"], *examples["retire"]):
            line = re.sub(r"\bsudo ", "", line).replace("/etc/mysql/keys", self.folder).replace("/var/tmp", self.folder)
            more = [*self.login, *([self.how] if "retire" in line and "--passphrase-file" not in line else [])]
            line = f"keyhold() {{ {command.PROGRAM} \"$@\" {' '.join(more)}; }}; {line}"
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=command.PATIENCE)
            self.assert_no_secret(done.stdout + done.stderr, line)
            is_report = "retire" in line and "--force" not in line
            self.assertEqual(done.returncode, 1 if is_report else 0, (purpose, done.stdout, done.stderr))
        self.assertEqual(list(self.keys(self.file, self.how)), [(1, 1), (1, 3), (3, 3)])
        self.assertTrue(json.loads(self.read("keyhold-watch.json"))["finished"])

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

    def test_port_and_host(self):
        """As the mariadb client: a port alone means the local host over the network, and option files override MYSQL_HOST."""
        port = self.listen()
        self.sql("CREATE USER w@localhost, w@'127.0.0.1'; GRANT PROCESS ON *.* TO w@localhost, w@'127.0.0.1'")
        with_port = ["--defaults-file=/dev/null", f"--port={port}", "--user=w"]
        self.run_command("watch", "--once", *with_port)
        self.assertIn("cannot connect", self.run_command("watch", "--once", "--defaults-file=/dev/null", "--port=1", status=1).err)
        environment = {**os.environ, "MYSQL_HOST": "127.0.0.1", "MYSQL_TCP_PORT": str(port), "MYSQL_UNIX_PORT": self.path("none")}
        self.run_command("watch", "--once", "--defaults-file=/dev/null", "--user=w", env=environment)
        path = self.write("options", f"[client]\nhost=localhost\nsocket={self.server.socket}\nuser=w\n")
        self.run_command("watch", "--once", f"--defaults-file={path}", env={**environment, "MYSQL_HOST": "0.0.0.1"})

    def test_tls(self):
        """TLS is configured by option files. The client library of 11.8 verifies no certificate of 127.0.0.1: another host is asked."""
        certificate, key = self.path("certificate"), self.path("key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                        "/CN=localhost", "-days", "2", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        self.server.options = [*self.server.options, f"--ssl-cert={certificate}", f"--ssl-key={key}"]
        port = self.listen()
        self.sql("CREATE USER w@localhost REQUIRE SSL; CREATE USER w@'127.0.0.1' REQUIRE SSL;"
                 "GRANT PROCESS ON *.* TO w@localhost, w@'127.0.0.1'")
        login = "[client]\nuser=w\n"
        verify = f"ssl-ca={certificate}\nssl-verify-server-cert=1\n"
        for options, host, error in (("", "127.0.0.1", None), (f"ssl-ca={certificate}\n", "127.0.0.1", None),
                                     (f"ssl-ca={self.path('none')}\n", "127.0.0.1", "No such file"),
                                     (verify, "127.0.0.2", "Validation|Hostname verification"), (verify, "localhost", None)):
            path = self.write("options", login + options)
            result = self.run_command("watch", "--once", f"--defaults-file={path}", f"--host={host}", f"--port={port}",
                                      status=1 if error else 0)
            self.assertRegex(result.err, error or "^")

    def test_a_missing_option_file(self):
        result = self.run_command("watch", f"--defaults-file={self.path('none')}", status=1)
        self.assertIn(f"cannot read the option file '{self.path('none')}': No such file", result.err)

    def test_limits_on_results_do_not_apply(self):
        self.rotate()
        self.sql("SET GLOBAL sql_select_limit = 1, GLOBAL max_join_size = 1")
        report = self.run_command("watch", "--once", "--json", *self.login, status=3).json()
        self.assertIn("d/t", [space["name"] for space in report["tablespaces"]])

    def test_all_tablespaces_count(self):
        """Also those that were never encrypted, which the server does not list after a restart."""
        self.sql("SET GLOBAL innodb_encrypt_tables = OFF; CREATE TABLE d.n (a INT) ENGINE=InnoDB")
        before = self.run_command("watch", "--once", "--json", *self.login).json()
        self.server.options = [*self.server.options, "--innodb-encrypt-tables=OFF"]
        self.server.stop()
        self.server.start()
        after = self.run_command("watch", "--once", "--json", *self.login).json()
        self.assertEqual({space["name"]: space["state"] for space in before["tablespaces"]},
                         {space["name"]: space["state"] for space in after["tablespaces"]})
        self.assertEqual(after["plain"], sum(space["state"] == "plain" for space in after["tablespaces"]))
        space = next(space for space in after["tablespaces"] if space["name"] == "d/n")
        self.assertEqual((space["state"], space["key_id"], space["pages"]), ("plain", 0, space["done"]))

    def test_tablespaces_come_and_go(self):
        self.sql("CREATE TABLE d.stays LIKE d.t")
        self.rotate()
        process = subprocess.Popen([command.PROGRAM, "watch", "--json", *self.login], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)

        def names():
            return {space["name"] for space in json.loads(process.stdout.readline())["tablespaces"]}

        def wait_until(is_so):
            while not is_so(names()):
                pass

        with process.stdout:
            wait_until(lambda seen: "d/t" in seen)
            self.sql("CREATE TABLE d.new (a INT) ENGINE=InnoDB")
            wait_until(lambda seen: "d/new" in seen)
            self.sql("DROP TABLE d.new, d.t")
            wait_until(lambda seen: not {"d/new", "d/t"} & seen)
            self.let_it_move()
            rest = process.stdout.read()
        self.assertEqual(process.wait(command.PATIENCE), 0)
        self.assertTrue(json.loads(rest.splitlines()[-1])["finished"])

    def test_the_server_ends(self):
        self.rotate()
        terminal = self.terminal("watch", *self.login, env={**os.environ, "TERM": "xterm"})
        self.addCleanup(terminal.process.kill)
        terminal.read_until(r"all +\[")
        self.server.kill()
        self.assertIn("cannot query the server: ", self.assert_ends(terminal, 1))

    def test_a_small_terminal(self):
        self.rotate()
        for i in range(12):
            self.sql(f"CREATE TABLE d.x{i} (a INT) ENGINE=InnoDB ENCRYPTION_KEY_ID=3")
        self.rotate()
        terminal = self.terminal("watch", *self.login, env={**os.environ, "TERM": "xterm"})
        self.addCleanup(terminal.process.kill)
        terminal.read_until("\033\\[\\d+F\033\\[J")
        terminal.resize(rows=10, columns=30)
        terminal.read_until("\033\\[\\d+F\033\\[J")
        seen = terminal.read_until("\033\\[\\d+F\033\\[J")
        while "and 9 more tablespaces" not in seen:  # an older report
            seen = terminal.read_until("\033\\[\\d+F\033\\[J")
        lines = seen.replace("\r", "").split("\n")
        self.assertLessEqual(len(lines), 10)
        self.assertLess(max(map(len, lines[:-1])), 30)
        self.assertEqual(len(lines) - 1, int(lines[-1][2:-4]))  # it moves up by the lines of the last report
        terminal.resize(rows=5, columns=30)
        while "and 13 more tablespaces" not in seen:
            seen = terminal.read_until("\033\\[\\d+F\033\\[J")
        self.assertNotIn("d/x", seen)
        terminal.process.kill()
        terminal.close()

    def test_a_dumb_terminal(self):
        self.rotate()
        terminal = self.terminal("watch", *self.login, env={**os.environ, "TERM": "dumb"})
        self.addCleanup(terminal.process.kill)
        seen = terminal.read_until(r"all +\[") + terminal.read_until(r"all +\[")
        self.let_it_move()
        self.assertNotIn("\x1b", seen + self.assert_ends(terminal, 0))

    def test_a_full_output(self):
        self.rotate()
        for arguments in ((), ("--json",)):
            self.assertIn("cannot write to the standard output",
                          self.run_into_full_output("watch", *arguments, *self.login))

    def test_errors(self):
        result = self.run_command("watch", "--defaults-file=/dev/null", f"--socket={self.path('none')}", status=1)
        self.assertIn("cannot connect to the server", result.err)
        self.sql("CREATE USER n@localhost")
        result = self.run_command("watch", *self.login[:2], "--user=n", status=1)
        self.assertIn("PROCESS", result.err)
        self.run_command("watch", "--interval=0", status=2)
        self.run_command("watch", "--port=65536", status=2)
        self.run_command("watch", "--password=x", status=2)


class RetireCase(ServerCase):
    def versions(self):
        return list(self.keys(self.file, self.how))

    def retire(self, *arguments, status=0):
        return self.run_command("retire", self.file, self.how, *self.login, *arguments, status=status)

    def copies(self):
        return [name for name in os.listdir(self.folder) if ".retired-" in name]

    def rebuild_aria(self):
        time.sleep(1.1)  # makes the tables younger than the version
        for [statement] in self.sql("SELECT CONCAT('ALTER TABLE `', table_schema, '`.`', table_name, '` FORCE') FROM "
                                    "information_schema.tables WHERE engine = 'Aria' AND table_type <> 'SYSTEM VIEW' "
                                    "AND table_schema <> 'd'"):
            self.sql(statement)

    def assert_kept(self, *what, before, **how):
        """Runs retire, which must refuse and leave the file as it is."""
        result = self.retire("--force=all", *what, status=1, **how)
        self.assertEqual(self.read("keys"), before)
        return result


class RetireOwnPlugin(RetireCase):
    """The server's own plugin, which reads the data of ciphers that it has."""

    cipher = ["--cipher=default"]

    def test_what_the_command_reports(self):
        self.server.stop()
        self.run_command("unseal", self.file, self.how)
        self.how = "--defaults-file=/dev/null"
        options = [option for option in self.server.options if "filekey" not in option]
        self.server.options = [*(option for option in options if "plugin-load" not in option),
                               "--plugin-load-add=file_key_management"]
        self.server.start()
        before = self.read("keys")
        own = "the server runs its own plugin, 'file_key_management.so', not 'keyhold_file.so': remove 'plugin_load_add = "
        self.assertIn(own, self.assert_kept(before=before).err)
        watched = self.run_command("watch", "--once", "--json", *self.login)
        self.assertIn(own, watched.err)
        self.assertTrue(watched.json()["finished"])
        other = throwaway.Server(self.path("other"), os.environ["KEYHOLD_PLUGINS"], [
            "--plugin-load-add=keyhold_debug", "--plugin-maturity=unknown"])
        self.addCleanup(other.kill)
        shutil.copytree(self.fresh.home, other.home, symlinks=True)
        other.start()
        self.login[1] = f"--socket={other.socket}"
        self.assertIn("cannot tell which keys the server uses: its plugin is 'keyhold_debug.so', not keyhold_file",
                      self.assert_kept(before=before).err)
        other.stop()
        other.options = [option for option in other.options if "plugin" not in option]
        other.start()
        self.assertIn("the server has no encryption plugin; its error log has the reason", self.assert_kept(before=before).err)


class Retire(RetireCase):
    def test_no_old_versions(self):
        self.assertIn("has no old versions", self.retire().out)
        self.assertEqual(self.copies(), [])

    def test_a_needed_version_stays_with_force(self):
        self.rotate()
        before = self.read("keys")
        result = self.retire("--force=all", status=1)
        self.assertRegex(result.out, r"(?m)^  1        1  keep    (mysql|sys)\.")
        self.assertRegex(result.out, r"(?m)^  3        1  keep    d/t$")
        self.assertIn("nothing was removed", result.err)
        self.assertEqual(self.read("keys"), before)
        self.assertEqual(self.copies(), [])

    def test_uses_that_the_server_cannot_check(self):
        self.rotate_and_wait()
        before = self.read("keys")
        result = self.retire(status=1)
        self.assertRegex(result.out, r"(?m)^  1        1  keep    (mysql|sys)\.")
        self.assertRegex(result.out, r"(?m)^  3        1  keep    possibly: elsewhere$")
        self.assertIn("the server does not know about backups", result.err)
        self.rebuild_aria()
        result = self.retire(status=1)
        self.assertRegex(result.out, r"(?m)^  1        1  keep    possibly: redo-log, aria, elsewhere$")
        for what in ("its redo log needs", "each Aria table needs"):
            self.assertIn(what, result.err)
        self.retire("--force=elsewhere,aria", "--id=1", status=1)
        self.assertEqual(self.read("keys"), before)
        report = json.loads(self.retire("--id=1", "--json", status=1).out)
        self.assertEqual(report["versions"], [{"key_id": 1, "version": 1, "removed": False, "needed_by": None,
                                               "unknown": ["redo-log", "aria", "elsewhere"]}])

    def test_binary_and_relay_logs(self):
        self.server.stop()
        options = [*self.server.options, "--aria-encrypt-tables=OFF", "--innodb-encrypt-log=OFF", "--relay-log=relay"]
        for option, statement, found in (("--skip-log-bin", "", "aria, elsewhere"), ("--log-bin=log", "", "binary-logs, aria, elsewhere"),
                                         ("--skip-log-bin", "CHANGE MASTER TO MASTER_HOST = '127.0.0.1'", "binary-logs, aria, elsewhere")):
            self.server.options = [*options, option]
            self.server.start()
            self.sql(statement)
            if (1, 3) not in self.versions():
                self.rotate_and_wait()
            self.assertRegex(self.retire("--id=1", status=1).out, f"(?m)^  1        1  keep    possibly: {found}$")
            self.server.stop()

    def test_a_version_is_removed(self):
        self.rotate_and_wait()
        before = self.read("keys")
        out = self.retire("--force=elsewhere").out
        self.assertRegex(out, r"(?m)^  3        1  remove$")
        self.assertIn("keeps the removed versions in memory until it stops", out)
        self.assertIn("\n3;1;retired\n", self.text_of(self.file, self.how))
        self.assertEqual(self.versions(), [(1, 1), (1, 3), (3, 3)])
        [copy] = self.copies()
        self.assertEqual(self.read(copy), before)  # the copy has all slots
        self.assertEqual(self.mode(copy), 0o600)
        # the running server continues
        self.sql("SET GLOBAL file_key_management_reload = ON")
        self.assertIn("1 retired, kept in memory until the server stops", self.server.log.read_text())
        self.sql("SET GLOBAL file_key_management_rotate_key = 1")
        self.assertEqual(self.versions(), [(1, 1), (1, 3), (1, 5), (3, 3)])
        self.server.stop()
        self.server.start()
        self.assertEqual(self.sql("SELECT COUNT(*), SUM(LENGTH(b)) FROM d.t"), [["5000", "2000000"]])
        self.sql("SET GLOBAL file_key_management_rotate_key = 3")
        self.assertEqual(self.versions(), [(1, 1), (1, 3), (1, 5), (3, 3), (3, 5)])

    def test_a_copy_of_the_same_second_gets_a_number(self):
        self.rotate_and_wait()
        first = self.read("keys")
        self.retire("--force=elsewhere", "--id=3")
        [copy] = self.copies()
        self.sql("SET GLOBAL file_key_management_reload = ON")
        self.rotate_and_wait()
        second = self.read("keys")
        path = os.path.join(self.folder, "keys.retired-")
        for later in range(60):  # whenever the second one comes, it is in the second of another copy
            taken = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + later))
            shutil.copyfile(os.path.join(self.folder, copy), path + taken)
        self.retire("--force=elsewhere", "--id=3")
        [numbered] = [name for name in self.copies() if re.fullmatch(r"keys\.retired-[0-9]{8}T[0-9]{6}Z-2", name)]
        self.assertEqual(self.read(numbered), second)
        for name in self.copies():
            if name != numbered:
                self.assertEqual(self.read(name), first)

    def test_all_old_versions_are_removed_and_the_server_starts(self):
        """The procedure of docs/rotation.md."""
        self.rotate_and_wait()
        self.rebuild_aria()
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

    def test_a_plain_text_file_gets_a_sealed_copy(self):
        self.server.stop()
        self.run_command("unseal", self.file, self.how)
        self.server.options = [option for option in self.server.options if "filekey" not in option]
        self.server.start()
        self.rotate_and_wait()
        text = self.text_of(self.file)
        before = self.read("keys")
        self.run_command("retire", self.file, *self.login, "--force=elsewhere", f"--new-passphrase-file={self.path('none')}", status=1)
        self.assertEqual((self.read("keys"), self.copies()), (before, []))
        terminal = self.terminal("retire", self.file, *self.login, "--force=elsewhere", "--id=3", *CHEAP)
        terminal.answer_new(OTHER, ".*retired.*")
        self.assert_ends(terminal, 0)
        self.assertEqual(list(self.keys(self.file)), [(1, 1), (1, 3), (3, 3)])
        [copy] = self.copies()
        self.assertTrue(self.read(copy).startswith(b"keyhold-sealed "))
        self.assertEqual(self.text_of(self.path(copy), f"--passphrase-file={self.passphrase(OTHER, 'other')}"), text)

    def test_a_file_of_openssl_gets_a_copy_with_its_passphrase(self):
        self.server.stop()
        self.run_command("convert", self.file, self.how, "--to=openssl", f"--new-passphrase-file={self.path('passphrase')}",
                         "--new-pbkdf2-iterations=1000")
        self.server.options += ["--file-key-management-digest=sha256", "--file-key-management-use-pbkdf2=1000"]
        self.server.start()
        self.rotate_and_wait()
        how = [self.how, "--digest=sha256", "--pbkdf2-iterations=1000"]
        text = self.text_of(self.file, *how)
        self.retire(*how[1:], "--force=elsewhere", "--id=3", *CHEAP)
        self.assertEqual(list(self.keys(self.file, *how)), [(1, 1), (1, 3), (3, 3)])
        [copy] = self.copies()
        self.assertTrue(self.read(copy).startswith(b"keyhold-sealed "))
        self.assertEqual(self.text_of(self.path(copy), self.how), text)
        self.run_command("convert", self.path(copy), self.how, "--to=openssl", f"--output={self.path('back')}",
                         f"--new-passphrase-file={self.path('passphrase')}")
        self.assertEqual(self.text_of(self.path("back"), self.how, "--digest=sha256", "--pbkdf2-iterations=600000"), text)

    def test_limits_on_results_do_not_remove_versions(self):
        self.rotate()
        self.sql("SET GLOBAL sql_select_limit = 1")
        result = self.assert_kept("--id=3", before=self.read("keys"))
        self.assertRegex(result.out, r"(?m)^  3        1  keep    d/t$")

    def test_a_missing_tablespace(self):
        """Its file is restored later, as from a disk that was not mounted."""
        self.rotate()
        before = self.read("keys")
        self.server.stop()
        data = self.server.data / "d"
        (data / "t.ibd").rename(data / "away")
        self.server.start()
        result = self.assert_kept("--id=3", before=before)
        self.assertRegex(result.out, r"(?m)^  3        1  keep    d/t$")
        self.assertIn("cannot tell which keys d/t needs: its tablespace is not open", result.err)
        self.server.stop()
        (data / "away").rename(data / "t.ibd")
        self.server.start()
        self.let_it_move()
        self.run_command("watch", *self.login)
        self.retire("--force=elsewhere", "--id=3")

    def test_a_tablespace_that_is_discarded(self):
        self.rotate_and_wait()
        self.sql("ALTER TABLE d.t DISCARD TABLESPACE")
        result = self.assert_kept("--id=3", before=self.read("keys"))
        self.assertIn("cannot tell which keys d/t needs: its tablespace is not open", result.err)

    def test_keys_that_the_server_has_not_loaded(self):
        """The server would still write with its own latest version."""
        self.sql("DROP TABLE d.t")
        self.run_command("rotate", self.file, self.how, "--id=3")
        before = self.read("keys")
        self.assertIn("the keys in use by the server differ from those in the file", self.assert_kept("--id=3", before=before).err)
        self.sql("SET GLOBAL file_key_management_reload = ON")
        self.retire("--force=elsewhere", "--id=3")
        before = self.read("keys")
        result = self.assert_kept(before=before)
        self.assertIn("differ from those in the file; first run: SET GLOBAL file_key_management_reload = ON", result.err)
        self.sql("SET GLOBAL file_key_management_reload = ON")
        self.assertIn("has no old versions", self.retire("--id=3").out)

    def test_over_a_network(self):
        """Another host may have a file with the same name, or the same keys."""
        port = self.listen()
        self.login = ["--defaults-file=/dev/null", f"--port={port}", "--user=root"]
        self.assertIn("it is connected over the network; connect through its socket", self.assert_kept(before=self.read("keys")).err)

    def test_changes_while_a_passphrase_is_typed(self):
        self.server.stop()
        self.run_command("unseal", self.file, self.how)
        self.server.options = [option for option in self.server.options if "filekey" not in option]
        self.server.start()
        self.rotate_and_wait()
        self.text_of(self.file)
        before = self.read("keys")
        terminal = self.terminal("retire", self.file, *self.login, "--force=elsewhere", "--id=3", *CHEAP)
        terminal.answer("New passphrase for .*retired.*: ", OTHER)
        self.sql("ALTER TABLE d.t DISCARD TABLESPACE")
        terminal.answer("Repeat passphrase for .*: ", OTHER)
        seen = self.assert_ends(terminal, 1)
        self.assertIn("key id 3 version 1 is now needed by d/t; nothing was removed", seen)
        self.assertEqual(self.read("keys"), before)
        [copy] = self.copies()
        self.assertIn(f"the copy '{self.path(copy)}' is kept", seen)

        os.unlink(self.path(copy))
        self.sql("DROP TABLE d.t")
        terminal = self.terminal("retire", self.file, *self.login, "--force=elsewhere", "--id=3", *CHEAP)
        terminal.answer("New passphrase for .*retired.*: ", OTHER)
        self.rotate()
        self.text_of(self.file)
        terminal.answer("Repeat passphrase for .*: ", OTHER)
        self.assertIn("is kept", self.assert_ends(terminal, 1))
        self.assertEqual(list(self.keys(self.file)), [(1, 1), (1, 3), (1, 5), (3, 1), (3, 3), (3, 5)])

    def test_a_removal_with_a_full_output(self):
        self.rotate_and_wait()
        errors = self.run_into_full_output("retire", self.file, self.how, *self.login, "--id=3", "--force=elsewhere")
        self.assertIn("cannot write to the standard output; the change to the key file is complete", errors)
        self.assertNotIn((3, 1), self.versions())

    def test_the_copy_restores_everything(self):
        """The redo log still needs version 1, which --force removed."""
        self.rotate_and_wait()
        self.rebuild_aria()
        report = json.loads(self.retire("--force=all", "--json").out)
        self.assertEqual([version["removed"] for version in report["versions"]], [True, True])
        self.server.stop()
        with self.assertRaises(throwaway.ServerError):
            self.server.start()
        self.assertIn("encryption key version 1 failed", self.server.log_end())
        self.server.kill()
        shutil.copy(report["copy"], self.file)
        self.server.start()
        self.assertEqual(self.sql("SELECT COUNT(*), SUM(LENGTH(b)) FROM d.t"), [["5000", "2000000"]])
        self.assertEqual(self.versions(), [(1, 1), (1, 3), (3, 1), (3, 3)])

    def test_one_more_rotation_after_a_version_was_missing(self):
        """InnoDB's threads ran while the version was missing, so its report on the tablespace is wrong."""
        self.rotate()
        self.server.stop()
        options, text = self.server.options, self.text_of(self.file, self.how)
        without = self.write("without", re.sub(r"(?m)^3;(1;)?[0-9a-fA-F]{32,64}\b.*\n", "", text))
        self.assertEqual(list(self.keys(without)), [(1, 1), (1, 3), (3, 3)])
        self.server.options = [option.replace(self.file, without) for option in options if "filekey" not in option]
        self.server.start()
        self.let_it_move()
        self.run_command("watch", *self.login)
        self.server.stop()
        self.server.options = options
        self.server.start()
        report = json.loads(self.retire("--id=3", "--json", status=1).out)
        self.assertIsNone(report["versions"][0]["needed_by"])  # which is wrong
        self.rotate_and_wait()
        self.retire("--id=3", "--force=elsewhere")
        self.server.stop()
        self.server.start()
        self.assertEqual(self.sql("SELECT COUNT(*), SUM(LENGTH(b)) FROM d.t"), [["5000", "2000000"]])
        self.assertEqual(self.versions()[3:], [(3, 5)])

    def test_names_of_tables(self):
        """An escape sequence does not reach the terminal, and JSON has the unchanged name."""
        name = "e\x1b[31m\"\\\n" + 55 * "\u00e4"
        self.assertEqual(len(name), 64)
        self.sql(f"CREATE TABLE d.`{name}` (a INT) ENGINE=Aria")
        time.sleep(1.1)  # makes the version younger than the table
        self.rotate_and_wait()
        self.rebuild_aria()
        before = self.read("keys")
        self.login[0] = f"--defaults-file={self.write('options', LATIN1)}"
        result = self.assert_kept("--id=1", before=before)
        self.assertRegex(result.out, r'(?m)^  1        1  keep    d\.e\?\[31m"\\\?\u00e4{55}$')
        report = json.loads(self.assert_kept("--id=1", "--json", before=before).out)
        self.assertEqual(report["versions"][0]["needed_by"], "d." + name)

    def test_aria_tables_of_all_kinds(self):
        """All are older than the version; one rebuilt partition does not make the others younger."""
        self.sql("USE d; CREATE TABLE versioned (a INT) ENGINE=Aria WITH SYSTEM VERSIONING; DO SLEEP(1.1);"
                 "CREATE TABLE parted (a INT) ENGINE=Aria PARTITION BY HASH(a) PARTITIONS 2;"
                 "CREATE TABLE flat (a INT) ENGINE=Aria ROW_FORMAT=FIXED TRANSACTIONAL=0; CREATE SEQUENCE seq ENGINE=Aria")
        time.sleep(1.1)
        self.rotate_and_wait()
        self.rebuild_aria()
        self.sql("ALTER TABLE d.parted REBUILD PARTITION p0")
        self.assertEqual(self.needed_by(), "d.versioned")
        self.sql("ALTER TABLE d.versioned FORCE")
        self.assertEqual(self.needed_by(), "d.parted")
        self.sql("ALTER TABLE d.parted REBUILD PARTITION p1")
        self.assertIsNone(self.needed_by())

    def needed_by(self):
        return json.loads(self.retire("--id=1", "--json", status=1).out)["versions"][0]["needed_by"]

    def test_a_file_of_any_name(self):
        """In the option of the server, in messages, in JSON."""
        self.server.stop()
        folder = self.path("q\"\\ \u00e4 \x1b[31m")
        os.mkdir(folder)
        moved = os.path.join(folder, "k\x9b")
        os.rename(self.file, moved)
        self.server.options = [option.replace(self.file, moved) for option in self.server.options]
        self.file = moved
        self.server.start()
        self.rotate_and_wait()
        self.assertNotIn("\x1b", self.retire("--force=elsewhere", "--id=1", status=1).out)
        self.assertNotIn("\x1b", self.retire("--id=7", status=1).err)
        report = json.loads(self.retire("--force=elsewhere", "--id=3", "--json").out)
        [copy] = [name for name in os.listdir(folder) if ".retired-" in name]
        self.assertEqual((report["file"], report["copy"]), (moved, os.path.join(folder, copy)))

    def test_another_file(self):
        other = self.path("other")
        shutil.copy(self.file, other)
        result = self.run_command("retire", other, self.how, *self.login, status=1)
        self.assertIn(f"the server uses another key file: '{self.file}', not '{other}'", result.err)

    def test_a_relative_path(self):
        """It is relative to the server's data directory."""
        self.server.stop()
        self.server.options = [option.replace(self.file, "../../keys") for option in self.server.options]
        self.server.start()
        self.assertIn("has no old versions", self.retire().out)

    def test_wrong_arguments(self):
        for wrong in ("--force=", "--force=redo", "--force=all,", "--id=0"):
            self.run_command("retire", self.file, wrong, status=2)
        self.run_command("retire", self.path("none"), status=1)
        self.assertIn("No key id 7 in", self.retire("--id=7", status=1).err)


class RetireSecrets(ServerCase, test_secrets.SecretsCase):
    def test_each_source_of_the_passphrase(self):
        self.rotate()
        for kind in test_secrets.SOURCES:
            self.start_anew()
            seen = self.run_with([kind(self, PASSPHRASE, "old")], "retire", self.file, *self.login, status=1)
            self.assertIn("nothing was removed", seen)
            self.search_again(self.file, self.how)


if __name__ == "__main__":
    command.main()
