# SPDX-License-Identifier: GPL-2.0-only
"""Each command with each source of a passphrase: no passphrase and no key is on a command line, in the output, in a file that
is left, or in the arguments and environment of a program that it runs."""
import contextlib
import os
import select
import socket
import struct
import subprocess

import command
from command import CHEAP, KEY1, KEY2, OTHER, PASSPHRASE

TEXT = f"1;{KEY1}\n2;{KEY2}\n"
SPY = """#!/bin/sh
cat /proc/$PPID/cmdline > '{folder}/{name}.parent'
cat /proc/$$/cmdline > '{folder}/{name}.line'
cat /proc/$$/environ > '{folder}/{name}.environment'
cat '{folder}/{name}'
{end}
"""


class Source:
    """One source of a passphrase. The waiting process is inspected before the passphrase arrives."""

    def __init__(self, case, text, name, new=""):
        self.case, self.text, self.name, self.new = case, text, name, new
        self.arguments, self.environment, self.descriptors = [], {}, []
        self.prepare()

    def prepare(self):
        """Sets the arguments and the environment that name the source."""

    def give(self, terminal):
        """Called once, while the command runs."""

    def clean_up(self):
        """Called when it has ended."""

    def path(self):
        return self.case.path(self.name)


class Prompt(Source):
    def give(self, terminal):
        """Answers the question for this passphrase; a new one is asked for twice."""
        questions = ["New passphrase for ", "Repeat passphrase for "] if self.new == "twice" else ["Passphrase for "]
        for question in questions:
            terminal.read_until(question + ".*: ")
            self.case.command_line(terminal.process)
            os.write(terminal.master, self.text.encode() + b"\n")


class Descriptor(Source):
    def prepare(self):
        self.ends = os.pipe()
        self.descriptors = [self.ends[0]]
        self.arguments = [f"--{self.new}passphrase-fd={self.ends[0]}"]

    def give(self, terminal):
        self.case.command_line(terminal.process)
        os.write(self.ends[1], self.text.encode() + b"\n")
        os.close(self.ends[1])

    def clean_up(self):
        os.close(self.ends[0])


class Fifo(Source):
    """A file that waits for its content."""

    def prepare(self):
        os.mkfifo(self.path(), 0o600)
        self.arguments = [f"--{self.new}passphrase-file={self.path()}"]

    def give(self, terminal):
        fifo = self.case.open_fifo(self.path(), terminal.process)
        self.case.command_line(terminal.process)
        os.write(fifo, self.text.encode() + b"\n")
        os.close(fifo)

    def clean_up(self):
        os.unlink(self.path())


class FileSetting(Fifo):
    def prepare(self):
        super().prepare()
        self.arguments = [f"--{self.new}filekey=FILE:{self.path()}"]


class Credential(Fifo):
    def prepare(self):
        super().prepare()
        self.arguments = [f"--{self.new}filekey=CREDENTIAL:{self.name}"]
        self.environment = {"CREDENTIALS_DIRECTORY": self.case.folder}


class Variable(Source):
    def prepare(self):
        self.arguments = [f"--{self.new}filekey=ENV:{self.name.upper()}"]
        self.environment = {self.name.upper(): self.text}


class Program(Source):
    end = ""
    spied = (".parent", ".line", ".environment")

    def prepare(self):
        self.case.passphrase(self.text, self.name)
        spy = self.case.write(self.name + ".spy", SPY.format(folder=self.case.folder, name=self.name, end=self.end), 0o700)
        self.arguments = [f"--{self.new}filekey=EXEC:{spy} its argument"]

    def clean_up(self):
        """The program got its own arguments and the environment of the user, and nothing else."""
        self.case.assert_no_secret(self.case.read(self.name + ".parent"), "the command line")
        self.case.assertEqual(self.case.read(self.name + ".line").split(b"\0")[1:-1],
                              [self.path().encode() + b".spy", b"its", b"argument"])
        environment = self.case.read(self.name + ".environment").split(b"\0")[:-1]
        self.case.assertEqual(sorted(line for line in environment if not line.startswith(b"__LLVM_PROFILE_")),  # the profiler's own
                              sorted(os.fsencode(f"{name}={value}") for name, value in self.case.environment.items()))
        for end in ("", ".spy", *self.spied):
            os.unlink(self.path() + end)


class FailingProgram(Program):
    end = "echo the vault is closed >&2; exit 3"


class Socket(Source):
    def prepare(self):
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.settimeout(command.PATIENCE)
        self.listening.bind(self.path())
        self.listening.listen()
        self.arguments = [f"--{self.new}filekey=SOCKET:{self.path()}"]

    def give(self, terminal):
        connection = self.listening.accept()[0]
        pid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        self.case.assertEqual(pid, terminal.process.pid)
        self.case.command_line(terminal.process)
        connection.sendall(self.text.encode() + b"\n")
        self.case.assertFalse(select.select([connection], [], [], 0)[0], "it sends something")
        connection.close()

    def clean_up(self):
        self.listening.close()
        os.unlink(self.path())


SOURCES = (Prompt, Descriptor, Fifo, FileSetting, Credential, Variable, Program, Socket)


class SecretsCase(command.Case):
    def setUp(self):
        super().setUp()
        self.start_anew()

    def start_anew(self):
        self.environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        self.heard = []  # all output, to be searched again when more keys are known

    def run_with(self, sources, *arguments, status=0, may_show_keys=False, new_files=()):
        """Runs on a terminal, and returns the output. The folder gets no other new files than these."""
        words = [*arguments, *(word for source in sources for word in source.arguments)]
        before = set(os.listdir(self.folder))
        self.environment = {**self.environment, **{n: v for source in sources for n, v in source.environment.items()}}
        for word in words:
            self.assert_no_secret(word, "an argument")
        terminal = self.terminal(*words, env=self.environment,
                                 pass_fds=[fd for source in sources for fd in source.descriptors])
        for source in sources:
            source.give(terminal)
        ended, seen = terminal.close()
        self.assertEqual(ended, status, f"{words}: {seen}")
        if not may_show_keys:
            self.heard.append(terminal.all)
            self.assert_no_secret(terminal.all, f"the output of {words}")
        spied = {source.name + end for source in sources if isinstance(source, Program) for end in Program.spied}
        self.assertLessEqual(set(os.listdir(self.folder)) - before - spied, {*new_files, os.path.basename(self.file) + ".lock"})
        for source in sources:
            source.clean_up()
        return seen

    def search_files(self):
        """Only the plain-text key files have secrets."""
        for name in os.listdir(self.folder):
            if name not in ("text", "out.text"):
                self.assert_no_secret(self.read(name), name)

    def search_again(self, *arguments):
        self.text_of(*arguments)
        for output in self.heard:
            self.assert_no_secret(output, "the output")


class Subcommands(SecretsCase):
    """In each test `here` is a key file with the passphrase of the test, of the format sealed or openssl."""

    file = "here"

    def old(self):
        return self.kind(self, PASSPHRASE, "old")

    def new(self, prefix="new-"):
        return self.kind(self, OTHER, "fresh", "twice" if self.kind is Prompt else prefix)

    def here(self, form):
        path = self.path(self.file)
        self.write("text", TEXT)
        how = CHEAP if form == "sealed" else ["--new-digest=sha1", "--new-pbkdf2-iterations=0"]
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.run_command("convert", f"--to={form}", self.path("text"), f"--output={path}", *how,
                         "--new-passphrase-fd=0", stdin=PASSPHRASE)
        return path

    def open_how(self, text=PASSPHRASE):
        return f"--passphrase-file={self.passphrase(text, 'opens')}"

    def finish(self, path, text=PASSPHRASE):
        self.search_files()
        self.search_again(path, self.open_how(text))
        for name in os.listdir(self.folder):
            os.unlink(self.path(name))

    def for_each(self, act, forms=("sealed", "openssl")):
        for kind in SOURCES:
            for form in forms:
                self.kind = kind
                self.start_anew()
                try:
                    act(self.here(form))
                except AssertionError as fault:
                    raise AssertionError(f"{kind.__name__}, {form}: {fault}") from fault

    def test_create(self):
        def act(_):
            path = self.path("made")
            self.run_with([self.new("")], "create", path, *CHEAP, new_files=["made"])
            self.finish(path, OTHER)
        self.for_each(act, ["sealed"])

    def test_commands_that_read(self):
        def act(path):
            for words in (["list"], ["list", "--json"], ["check"], ["check", "--json"]):
                seen = self.run_with([self.old()], *words, path, status=3 if "check" in words else 0)
                self.assertRegex(seen, "FINGERPRINT|fingerprint|BAD|bad")
            self.finish(path)
        self.for_each(act)

    def test_commands_that_change_keys(self):
        def act(path):
            self.run_with([self.old()], "add", path)
            self.run_with([self.old()], "rotate", "--all", path)
            self.finish(path)
        self.for_each(act)

    def test_export_prints_the_keys_and_not_the_passphrase(self):
        def act(path):
            seen = self.run_with([self.old()], "export", "--yes-print-the-keys", path, may_show_keys=True)
            self.assertIn(KEY1, seen)
            self.secrets = {PASSPHRASE, OTHER}
            self.assert_no_secret(seen, "what is exported")
            self.secrets = {KEY1, KEY2, PASSPHRASE, OTHER}
            self.assertIn("--yes-print-the-keys", self.run_command("export", path, status=2).err)
            self.finish(path)
        self.for_each(act)

    def test_conversions(self):
        def act(path):
            self.run_with([self.old()], "unseal", path, f"--output={self.path('out.text')}", new_files=["out.text"])
            self.run_with([self.old(), self.new()], "convert", "--to=openssl", path, f"--output={self.path('b')}",
                          new_files=["b"])
            self.run_with([self.old(), self.new()], "convert", "--to=sealed", path, *CHEAP)
            self.finish(path, OTHER)
        self.for_each(act)

    def test_seal_a_plain_text_file(self):
        def act(_):
            path = self.path("out")
            self.run_with([self.new()], "seal", self.path("text"), f"--output={path}", *CHEAP, new_files=["out"])
            self.finish(path, OTHER)
        self.for_each(act, ["sealed"])

    def test_slots(self):
        def act(path):
            self.run_with([self.old(), self.new()], "slot", "add", path, "safe", *CHEAP)
            self.run_with([self.old(), self.new()], "slot", "change", path, "safe", *CHEAP)
            self.run_with([], "slot", "list", path)
            self.run_with([], "slot", "list", "--json", path)
            self.run_with([self.old()], "slot", "remove", path, "safe")
            self.finish(path)
        self.for_each(act, ["sealed"])

    def test_wrong_passphrases(self):
        def act(path):
            self.secrets.add("wrong as it can be")
            for words in (["list"], ["check"], ["rotate", "--all"], ["convert", "--to=text"]):
                before = self.read(self.file)
                wrong = self.kind(self, "wrong as it can be", "old")
                seen = self.run_with([wrong], *words, path, status=1)
                self.assertIn("Wrong key?", seen)
                self.assertEqual(self.read(self.file), before)
            self.finish(path)
        self.for_each(act)


class Failures(SecretsCase):
    file = "here"

    def test_a_program_that_fails(self):
        path, _ = self.sealed(self.file)
        seen = self.run_with([FailingProgram(self, PASSPHRASE, "old")], "list", path, status=1)
        self.assertIn('its standard error: "the vault is closed"', seen)

    def test_damaged_files(self):
        path, how = self.sealed(self.file)
        self.text_of(path, how)
        whole = self.read(self.file)
        for at in range(0, len(whole), 37):
            with open(path, "wb") as file:
                file.write(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            for words in (["list"], ["check"], ["rotate", "--all"], ["slot", "list"]):
                self.assertNotEqual(self.run_any(*words, path, *([] if words[0] == "slot" else [how])), 0)

    def test_plain_text_files_with_errors(self):
        for line in (f"2;{KEY2}0", f"2{KEY2}", f"x;{KEY2}", f"2;1;2;{KEY2}", f"2;{KEY2} {KEY1}", f"2;{KEY2};{KEY1}",
                     f"2;{KEY2[:-1]}x", f"1;{KEY2}", f"{KEY2};{KEY1}", f"2;{KEY2};cipher={KEY1}", KEY2, f"#{KEY2}\x00"):
            path = self.write(self.file, f"1;{KEY1};created=2026-01-01T00:00:00Z\n{line}\n")
            for words in (["list"], ["check"], ["add"], ["rotate", "--all"], ["seal", *CHEAP, "--new-passphrase-fd=0"],
                          ["check", "--json"]):
                self.run_any(*words, path)

    def run_any(self, *words):
        done = subprocess.run([command.PROGRAM, *words], input=PASSPHRASE.encode(), capture_output=True,
                              timeout=command.PATIENCE, start_new_session=True)
        self.assertIn(done.returncode, (0, 1, 3))
        self.assert_no_secret(done.stdout + done.stderr, f"the output of {words}")
        return done.returncode


class WrongPlaces(command.Case):
    """A message, which may be logged, does not repeat a secret that was typed in the wrong place."""

    def refused(self, *words, status=2):
        done = subprocess.run([command.PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=command.PATIENCE, start_new_session=True)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assert_no_secret(done.stdout + done.stderr, f"the output of {words}")
        return done.stderr.decode()

    def test_a_passphrase_as_the_value_of_an_option(self):
        path = self.write("keys", TEXT)
        for option in ("--passphrase", "--filekey"):
            for words in (["list", path], ["create", self.path("new")], ["slot", "add", path, "safe"]):
                self.assertIn("visible to every user", self.refused(*words, f"{option}={PASSPHRASE}"))
                self.assertIn("visible to every user", self.refused(*words, option, PASSPHRASE))
        for option in ("--new-passphrase", "--new-filekey"):
            self.assertIn("visible to every user", self.refused("seal", path, f"{option}={PASSPHRASE}"))
        for option in ("--passphrase-fd", "--new-passphrase-fd"):
            self.assertIn("file descriptor", self.refused("seal", path, f"{option}={PASSPHRASE}"))

    def test_a_passphrase_as_a_word(self):
        path = self.write("keys", TEXT)
        self.refused("list", path, PASSPHRASE)
        self.refused("create", self.path("new"), PASSPHRASE)
        self.refused("slot", "add", path, "safe", PASSPHRASE)
        sealed, how = self.sealed()
        self.refused("slot", "add", sealed, PASSPHRASE, how, status=1)

    def test_a_key_as_a_word(self):
        path = self.write("keys", TEXT)
        self.refused("add", path, KEY2)
        self.refused("add", path, "3", KEY2)
        for option in ("--bits", "--rotate", "--cipher"):
            self.refused("add", path, f"{option}={KEY2}")
        self.refused("rotate", path, f"--id={KEY2}")

    def test_the_password_of_a_database_account(self):
        for password in ("secret of the account", "Secret of the account", "Port", "user", "host"):
            self.secrets.add(password if " " in password else "no such thing")
            for words in (["watch"], ["retire", self.path("keys")]):
                for option in (f"-p{password}", f"--password={password}"):
                    self.assertIn("visible to every user", self.refused(*words, option))
                    self.assertIn("visible to every user", self.refused(*words, "-p", "-S", "/none", option, "-u", "name"))
        # the value of an option is not a password
        self.assertIn("not found", self.run_command("list", self.write("keys", TEXT), "--passphrase-file", "-pass", status=1).err)


if __name__ == "__main__":
    command.main()
