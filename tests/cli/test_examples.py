# SPDX-License-Identifier: GPL-2.0-only
"""The examples of --help are those of the manual pages, and each of them works: in a folder in the place of /etc/mysql/keys, as
the user of the test in the place of the server's. Those that ask a server are run in test_server.py."""
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import command
from command import CHEAP, KEY1, KEY2, OTHER, PASSPHRASE

MAN = Path(os.environ.get("KEYHOLD_MAN", ""))
FOLDER = "/etc/mysql/keys"
SERVER = ("watch", "retire")
TEXT = f"1;{KEY1}\n3;{KEY2}\n"


def examples_of(help_text):
    """[(purpose, shell command)] at the end of a help text."""
    found = re.findall(r"(?m)^  (\S.*):\n((?:    .*\n)+)", help_text.split("\nExamples:\n")[1])
    return [(purpose, re.sub(r"(?m)^    ", "", lines)) for purpose, lines in found]


def examples_of_page(page):
    """The same from the source of a manual page."""
    section = re.search(r"(?s)\n\.SH EXAMPLES\n(.*?)\n\.SH ", page).group(1)
    found = re.findall(r"(?m)^(\w.*):\n\.PP\n\.nf\n((?:    .*\n)+)\.fi", section)
    return [(purpose, re.sub(r"(?m)^    ", "", lines).replace("\\e", "\\").replace("\\-", "-")) for purpose, lines in found]


def example_commands(run):
    """{command: its examples}; `run` gives the help of words."""
    listed = run("--help").out.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    names = ["", *(line[2:14].strip() for line in listed)]
    return {name: examples_of(run(*name.split(), "--help").out) for name in names}


class Examples(command.Case):
    def setUp(self):
        super().setUp()
        self.examples = example_commands(self.run_command)

    def test_the_manual_pages_have_the_same(self):
        for name in {name.split(" ")[0] for name in self.examples}:
            of_help = [example for command_name, found in self.examples.items() if command_name.split(" ")[0] == name
                       for example in found]
            page = (MAN / "man1" / f"keyhold{'-' if name else ''}{name}.1").read_text()
            self.assertEqual(examples_of_page(page), of_help, name)
            self.assertGreaterEqual(len(of_help), 3, name)

    def make_files(self):
        """All files that examples name; every passphrase is known, and nothing exists that an example creates."""
        for name in os.listdir(self.folder):
            os.unlink(self.path(name))
        for name, content in self.files.items():
            with open(self.path(name), "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(content)

    def remember_files(self):
        self.write("text", TEXT)
        self.passphrase(OTHER, "new")
        self.openssl("keys.enc", TEXT, iterations=600000)
        self.run_command("seal", self.path("text"), f"--output={self.path('keys')}",
                         f"--new-passphrase-file={self.path('passphrase')}", *CHEAP)
        self.run_command("seal", self.path("text"), f"--output={self.path('older')}",
                         f"--new-passphrase-file={self.path('passphrase')}", *CHEAP)
        self.passphrase(PASSPHRASE, "other")
        self.files = {name: self.read(name) for name in ("text", "new", "passphrase", "other", "keys.enc", "keys", "older")}

    def run_line(self, line, name):
        """Runs on a terminal, which answers what is asked."""
        line = line.replace(FOLDER, self.folder).replace("sudo -u mysql keyhold", shlex.quote(command.PROGRAM))
        self.assertNotIn("sudo", line)
        words = shlex.split(line.replace("\\\n", " "))
        creates = name in ("", "create") and "create" in words
        if creates:
            for file in words:
                if file.startswith(self.folder) and os.path.basename(file) in ("keys", "text") and os.path.exists(file):
                    os.unlink(file)
        if name == "slot remove" or name == "slot list":
            self.run_command("slot", "add", self.path("keys"), "safe", f"--passphrase-file={self.path('passphrase')}",
                             f"--new-passphrase-file={self.path('new')}", *CHEAP)
        terminal = self.shell(line)
        status = self.answer_all(terminal)
        self.assertEqual(status, 3 if name == "check" and "||" not in line else 0, (line, terminal.all))  # the cost is too low

    def shell(self, line):
        program, command.PROGRAM = command.PROGRAM, "/bin/bash"
        try:
            return self.terminal("-c", line)
        finally:
            command.PROGRAM = program

    def answer_all(self, terminal):
        end = time.monotonic() + command.PATIENCE
        while terminal.process.poll() is None:
            self.assertLess(time.monotonic(), end, terminal.all)
            if terminal.read_some(0.05) and re.search("assphrase for [^\n]*: $", terminal.seen):
                terminal.seen = ""
                os.write(terminal.master, PASSPHRASE.encode() + b"\n")
        return terminal.close()[0]

    def test_each_works(self):
        count = 0
        self.remember_files()
        for name, found in self.examples.items():
            for purpose, line in found:
                if name in SERVER or "watch" in line:
                    continue
                with self.subTest(command=name, purpose=purpose):
                    self.make_files()
                    self.run_line(line, name)
                    count += 1
        self.assertGreater(count, 35)

    def test_those_of_a_server_are_parsed(self):
        """Wrong usage ends with 2, before a server is asked."""
        for name in SERVER:
            for purpose, line in self.examples[name]:
                words = [word for word in shlex.split(re.sub(r"\\\n", " ", line), posix=True) if word != "sudo"]
                words = words[words.index("keyhold") + 1:]
                end = next((i for i, word in enumerate(words) if word in (">", ">>")), len(words))
                done = subprocess.run([command.PROGRAM, *words[:end], f"--socket={self.path('none')}", "--defaults-file=/dev/null"],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True,
                                      timeout=command.PATIENCE)
                self.assertEqual(done.returncode, 1, (purpose, done.stderr))
                self.assertNotIn("--help", done.stderr)


if __name__ == "__main__":
    command.main()
