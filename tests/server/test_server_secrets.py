# SPDX-License-Identifier: GPL-2.0-only
"""A server with a key file of each form and each source of its passphrase: no passphrase and no key is in its logs, in what
SQL shows, on its command line, in what mariadb-backup prints and writes, or in the arguments and environment of a program that it
runs. A passphrase that is written into the option is shown, and a warning reports that."""
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))
import command  # noqa: E402
import throwaway  # noqa: E402
from command import CHEAP, KEY1, KEY2, KEY3, OTHER, PASSPHRASE  # noqa: E402

TEXT = f"1;{KEY1}\n2;{KEY2}\n"
WRONG = "wrong as it can be"
PREFIX = "file-key-management-"
OPENSSL = {"digest": "sha256", "use-pbkdf2": "1000"}
OPTIONS = ["--plugin-maturity=unknown", "--log-warnings=9"]
ENCRYPTED = ["--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON", "--innodb-encryption-threads=1",
             "--aria-encrypt-tables=ON", "--encrypt-tmp-files=ON"]
QUESTIONS = ["SHOW GLOBAL VARIABLES", "SHOW GLOBAL STATUS", "SHOW PLUGINS", "SHOW FULL PROCESSLIST", "SHOW ENGINE INNODB STATUS",
             *(f"SELECT * FROM information_schema.{table}" for table in
               ("GLOBAL_VARIABLES", "SESSION_VARIABLES", "SYSTEM_VARIABLES", "GLOBAL_STATUS", "ALL_PLUGINS", "PROCESSLIST",
                "INNODB_TABLESPACES_ENCRYPTION", "TABLES")),
             "SELECT file_key_management_keys()"]
SPY = """#!/bin/sh
for what in cmdline environ; do
  cat /proc/$PPID/$what >> '{folder}/spied.parent.'$what
  cat /proc/$$/$what >> '{folder}/spied.'$what
done
cat '{folder}/passphrase'
"""


class SecretsCase(command.Case):
    fresh = None

    @classmethod
    def setUpClass(cls):
        cls.fresh = throwaway.fresh_server(cls)

    def setUp(self):
        super().setUp()
        self.secrets = {KEY1, KEY2, KEY3, PASSPHRASE, OTHER, WRONG}
        self.heard = []  # (where, bytes)
        self.server = None
        self.passphrase()
        self.write("spy", SPY.format(folder=self.folder), 0o700)
        self.file = self.path("keys")
        self.text = self.write("text", TEXT)
        # each form and the arguments that open it
        self.forms = {"text": (self.text, []), "sealed": (self.path("sealed"), []), "openssl": (self.path("openssl"), [])}
        how = f"--new-passphrase-file={self.path('passphrase')}"
        self.run_command("seal", self.text, f"--output={self.path('sealed')}", how, *CHEAP)
        self.run_command("convert", "--to=openssl", "--new-digest=sha256", "--new-pbkdf2-iterations=1000", self.text, how,
                         f"--output={self.path('openssl')}")
        self.settings = {"FILE": f"FILE:{self.path('passphrase')}", "ENV": "ENV:KEYHOLD_PW", "CREDENTIAL": "CREDENTIAL:passphrase",
                         "EXEC": f"EXEC:{self.path('spy')} its argument", "SOCKET": f"SOCKET:{self.path('socket')}"}
        self.serve()
        for name, value in (("KEYHOLD_PW", PASSPHRASE), ("CREDENTIALS_DIRECTORY", self.folder)):
            os.environ[name] = value
            self.addCleanup(os.environ.pop, name)

    def serve(self):
        """Sends the content of the passphrase file to every client that connects."""
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(self.path("socket"))
        listening.listen(8)

        def answer():
            try:
                while True:
                    connection = listening.accept()[0]
                    with connection:
                        connection.sendall(self.read("passphrase"))
            except OSError:  # the socket was closed
                pass

        thread = threading.Thread(target=answer)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(listening.close)
        self.addCleanup(listening.shutdown, socket.SHUT_RDWR)

    def start(self, form, filekey, plugin=True, options=()):
        """A server of its own, whose option file has the filekey."""
        shutil.copy(self.forms[form][0], self.file)
        loose = "" if plugin else "loose-"
        settings = {"filename": self.file, "filekey": filekey, **(OPENSSL if form == "openssl" else {})}
        lines = [f"{loose}{PREFIX}{name}={value}" for name, value in settings.items() if value]
        option_file = self.write("options", "\n".join(["[mariadbd]", *lines, ""]))
        self.general = self.path("general.log")
        home = self.path("server")
        self.server = throwaway.Server(home, os.environ["KEYHOLD_PLUGINS"], [
            *OPTIONS, *(["--plugin-load-add=keyhold_file", *ENCRYPTED] if plugin else []), "--general-log",
            f"--general-log-file={self.general}", *options], option_file=option_file)
        shutil.copytree(self.fresh.home, home, symlinks=True)
        self.addCleanup(shutil.rmtree, home, True)
        self.addCleanup(self.server.kill)
        self.server.start()

    def hear(self, where, data):
        self.heard.append((where, data.encode() if isinstance(data, str) else data))

    def ask(self, sql):
        done = self.server.client(sql, "--force", "--show-warnings", "--verbose")
        self.hear(sql, done.stdout + done.stderr)
        return done

    def use(self):
        """Repeats all that needs the passphrase, and runs every statement that shows something."""
        self.ask("CREATE FUNCTION file_key_management_keys RETURNS STRING SONAME 'keyhold_file.so'")
        self.ask("SET GLOBAL file_key_management_reload = ON")
        self.assertEqual(self.ask("SET GLOBAL file_key_management_rotate_key = -1").stderr, "")
        self.ask("SET GLOBAL file_key_management_filekey = 'x'")
        for question in QUESTIONS:
            self.assertNotIn("ERROR", self.ask(question).stderr)
        process = f"/proc/{self.server.process.pid}/"
        self.assertIn("mariadbd", Path(process + "comm").read_text())
        self.hear("the command line", Path(process + "cmdline").read_bytes())

    def back_up(self):
        """Backs up and prepares; searches the logs and the small files of the copy."""
        copy = self.path("copy")
        for step in (["--no-defaults", "--backup", f"--socket={self.server.socket}", "--user=root", f"--datadir={self.server.data}",
                      f"--plugin-dir={self.server.home / 'plugins'}"],
                     ["--prepare", f"--plugin-dir={self.server.home / 'plugins'}"]):
            done = subprocess.run([throwaway.program("mariadb-backup"), *step, f"--target-dir={copy}"],
                                  capture_output=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr[-3000:])
            self.hear("mariadb-backup " + ("--prepare" if "--prepare" in step else "--backup"), done.stdout + done.stderr)
            for path in Path(copy).iterdir():
                if path.is_file() and path.stat().st_size < 100000:
                    self.hear(path.name, path.read_bytes())
        self.assertIn(("backup-my.cnf", Path(copy, "backup-my.cnf").read_bytes()), self.heard)
        shutil.rmtree(copy)

    def end(self):
        self.server.stop()
        self.hear("the error log", self.server.log.read_bytes())
        self.hear("the general log", self.read("general.log"))
        for name in ("spied.parent.cmdline", "spied.cmdline"):
            if os.path.exists(self.path(name)):
                self.hear(name, self.read(name))
        shutil.rmtree(self.path("server"))
        os.unlink(self.general)

    def learn_keys(self, form):
        """Key versions that a rotation has made."""
        how = {"text": [], "sealed": [f"--passphrase-file={self.path('passphrase')}"]}
        how["openssl"] = [*how["sealed"], "--digest=sha256", "--pbkdf2-iterations=1000"]
        before = len(self.secrets)
        self.text_of(self.file, *how[form])
        self.assertGreater(len(self.secrets), before)

    def search(self):
        for where, data in self.heard:
            self.assert_no_secret(data, where)

    def log(self):
        return dict(self.heard)["the error log"].decode(errors="replace")


class Secrets(SecretsCase):
    def run_form(self, form, filekey, backs_up):
        self.start(form, filekey)
        self.use()
        if backs_up:
            self.back_up()
        self.end()
        self.learn_keys(form)
        self.assertIn("Keyhold", self.log())

    def test_in_the_clear(self):
        self.run_form("text", "", True)
        self.search()

    def test_sealed(self):
        for source, filekey in self.settings.items():
            with self.subTest(source=source):
                self.heard.clear()
                self.run_form("sealed", filekey, True)
                self.search()

    def test_openssl(self):
        for source, filekey in self.settings.items():
            with self.subTest(source=source):
                self.heard.clear()
                self.run_form("openssl", filekey, source == "FILE")
                self.search()

    def test_what_a_program_gets(self):
        """The arguments and the environment of the program, in the server and in mariadb-backup."""
        del os.environ["KEYHOLD_PW"]
        try:
            self.run_form("sealed", self.settings["EXEC"], True)
        finally:
            os.environ["KEYHOLD_PW"] = PASSPHRASE
        self.search()
        words = self.read("spied.cmdline").split(b"/bin/sh\0")[1:]
        self.assertGreater(len(words), 4)  # at the start, a reload, a rotation and twice in mariadb-backup
        self.assertEqual(set(words), {self.path("spy").encode() + b"\0its\0argument\0"})
        parents = self.read("spied.parent.cmdline")
        for parent in (b"mariadbd\0", b"mariadb-backup\0", b"--prepare\0"):
            self.assertIn(parent, parents)
        self.assertEqual(self.read("spied.environ"), self.read("spied.parent.environ"))

    def test_a_literal_passphrase_is_shown_and_warned_of(self):
        for form in ("sealed", "openssl"):
            self.heard.clear()
            self.run_form(form, PASSPHRASE, form == "sealed")
            shown = {where for where, data in self.heard if PASSPHRASE.encode() in data}
            variables = {question for question in QUESTIONS if "VARIABLES" in question}
            # mariadb-backup prints the parameters with which it loads the plugin
            backups = {"backup-my.cnf", "mariadb-backup --backup", "mariadb-backup --prepare"} if form == "sealed" else set()
            self.assertEqual(shown, variables | backups)
            self.assertIn("[Warning] mariadbd: file_key_management: the passphrase is in filekey itself: SHOW VARIABLES shows it "
                          "to every user, and backups contain it", self.log())
            self.assertIn("use FILE:, CREDENTIAL:, EXEC:, SOCKET: or ENV:", self.log())
            self.secrets.remove(PASSPHRASE)
            self.search()
            self.secrets.add(PASSPHRASE)

    def test_what_does_not_open(self):
        """The plugin is tried with one bad file or passphrase after the other."""
        for source, filekey in self.settings.items():
            with self.subTest(source=source):
                self.heard.clear()
                self.start("sealed", filekey, plugin=False)
                for name, content, passphrase, message in self.bad():
                    Path(self.file).write_bytes(content)
                    self.passphrase(passphrase)
                    if source == "ENV" and passphrase != PASSPHRASE:
                        continue  # a process's environment stays as it is
                    done = self.ask("INSTALL SONAME 'keyhold_file'; SHOW WARNINGS")
                    self.assertIn("ERROR", done.stderr, name)
                    self.assertIn(message, done.stderr + done.stdout, name)
                self.passphrase()
                self.end()
                self.search()

    def bad(self):
        """(case, content of the key file, passphrase, message)"""
        sealed, openssl = self.read("sealed"), self.read("openssl")
        lines = sealed.splitlines(keepends=True)
        yield "a wrong passphrase", sealed, WRONG, "Wrong key?"
        yield "a wrong passphrase of openssl's", openssl, OTHER, "Wrong key?"
        yield "no passphrase", sealed, "", ""
        yield "one that is too long", sealed, PASSPHRASE * 12, "too long"
        yield "cut short", sealed[:-100], PASSPHRASE, "truncated or damaged"
        yield "a line too few", b"".join(lines[:1] + lines[2:]), PASSPHRASE, "truncated or damaged"
        yield "cut short by openssl", openssl[:-1], PASSPHRASE, "is cut short, or was not encrypted with aes-256-cbc"
        yield "a line too many in the passphrase", openssl, f"{PASSPHRASE}\n# a note", "The passphrase has 2 lines"
        yield "a blank too many in it", openssl, f"{PASSPHRASE} ", "The passphrase ends with white space"
        yield "quotation marks around it", openssl, f'"{PASSPHRASE}"', "The passphrase is in quotation marks"
        yield "plain text", TEXT.encode(), PASSPHRASE, "Not encrypted"

    def test_bad_lines(self):
        self.start("text", "", plugin=False)
        for line in (f"2;{KEY2}0", f"2{KEY2}", f"x;{KEY2}", f"2;1;2;{KEY2}",
                     f"2;{KEY2[:-1]}x", f"{KEY2};{KEY3}", f"2;{KEY2};cipher={KEY3}", KEY2):
            self.write("keys", f"1;{KEY1};created=2026-01-01T00:00:00Z\n{line}\n")
            self.assertIn("ERROR", self.ask("INSTALL SONAME 'keyhold_file'; SHOW WARNINGS").stderr, line)
        self.end()
        self.search()
        self.assertIn("line 2, column", self.log())


if __name__ == "__main__":
    command.main()
