# SPDX-License-Identifier: GPL-2.0-only
"""Runs the command `keyhold` with pipes, or on a terminal of its own, and searches the output of each run for the keys and
passphrases of the test."""
import base64
import fcntl
import functools
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

PROGRAM = os.environ["KEYHOLD"]
PATIENCE = 240  # seconds; key derivation under a sanitizer on a busy machine

KEY1 = "770A8A65DA156D24EE2A093277530142"
KEY2 = "966050D7777350B6FD5CCB3E5F648DA45C63BEFB6DEDDFA13443F156B7D35C84"
KEY3 = "18420B5CBA31CCDFFE9716E91EB61374D05914F3ADE23E03"
PASSPHRASE = "correct horse battery staple"
CHEAP = ["--memory=1", "--passes=1"]
OTHER = "Tr0ub4dor&3 is another one"


def base64_forms(data):
    """Yields the text that base64 output contains if the data is in it, for each offset in a group of three bytes."""
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data)
        yield text[-(-shift * 8 // 6):(shift + len(data)) * 8 // 6]


@functools.lru_cache(maxsize=None)
def forms(secret):
    """Returns the forms in which a secret could leak: plain, its bytes, hexadecimal digits, base64."""
    values = {secret.encode()}
    if re.fullmatch("(?:[0-9a-fA-F]{2})+", secret):
        values.add(bytes.fromhex(secret))
    return [form.lower() for value in values for form in (value, value.hex().encode(), *base64_forms(value))]


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def json(self):
        return json.loads(self.out)


class Terminal:
    """A process on a pseudo-terminal whose other end belongs to the test."""

    def __init__(self, arguments, env=None, pass_fds=()):
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.seen = ""
        self.all = b""  # all output so far

        def become_owner():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, preexec_fn=become_owner, env=env, pass_fds=pass_fds)

    def read_until(self, pattern):
        """Returns the output up to the first match of the pattern."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.seen):
            if not self.read_some(end - time.monotonic()):
                raise AssertionError(f"no match of '{pattern}' in the output: {self.seen!r}")
        match = re.search(pattern, self.seen)
        taken, self.seen = self.seen[:match.end()], self.seen[match.end():]
        return taken

    def read_some(self, seconds):
        """Reads output that arrives within this time; False: there was none."""
        ready, _, _ = select.select([self.master], [], [], max(0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # no process has the other end any more
            return False
        self.seen += data.decode(errors="replace")
        self.all += data
        return bool(data)

    def answer(self, question, text):
        before = self.read_until(question)
        os.write(self.master, text.encode() + b"\n")
        return before

    def answer_new(self, text, of=".*"):
        """Answers both questions for a new passphrase."""
        self.answer(f"New passphrase for {of}: ", text)
        self.answer(f"Repeat passphrase for {of}: ", text)

    def is_shown(self):
        """Returns whether the terminal echoes input."""
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before

    def end(self):
        """Ends the process, also after a failed test."""
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()

    def close(self):
        """Returns the exit status and the rest of the output."""
        status = None
        end = time.monotonic() + PATIENCE
        while status is None:
            self.read_some(0.02)
            status = self.process.poll()
            if time.monotonic() > end:
                self.process.kill()
                raise AssertionError(f"the process does not end; output: {self.seen!r}")
        while self.read_some(0):
            pass
        os.close(self.slave)
        os.close(self.master)
        return status, self.seen.replace("\r\n", "\n")


class Case(unittest.TestCase):
    """Each test has a folder of its own, and a set of secrets that no output may contain."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyhold-cli-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.secrets = {KEY1, KEY2, KEY3, PASSPHRASE, OTHER}

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        with open(path, "w", newline="", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def passphrase(self, text=PASSPHRASE, name="passphrase"):
        return self.write(name, text + "\n")

    def openssl(self, name, text, iterations=1000, digest="sha256", passphrase=PASSPHRASE):
        """Makes a key file of a text or of bytes with openssl, and returns the arguments that open it."""
        content = text if isinstance(text, bytes) else text.encode()
        path = self.path(name)
        pbkdf2 = ["-pbkdf2", "-iter", str(iterations)] if iterations else []
        subprocess.run(["openssl", "enc", "-aes-256-cbc", "-md", digest, *pbkdf2, "-pass",
                        f"file:{self.passphrase(passphrase)}", "-out", path], input=content, check=True,
                       capture_output=True)
        os.chmod(path, 0o600)
        return [path, f"--digest={digest}", f"--pbkdf2-iterations={iterations}",
                f"--passphrase-file={self.path('passphrase')}"]

    def sealed(self, name="sealed", passphrase=PASSPHRASE, *arguments):
        """Makes a sealed key file with a low cost, and returns the arguments that open it."""
        how = f"--passphrase-file={self.passphrase(passphrase, name + '.passphrase')}"
        self.run_command("create", self.path(name), how, *CHEAP, *arguments)
        return [self.path(name), how]

    def text_of(self, *arguments):
        """Returns the text of a key file, and adds its keys to the secrets."""
        text = self.run_command("export", "--yes-print-the-keys", *arguments, may_show_keys=True).out
        self.secrets.update(re.findall(r"(?m)^\d+;(?:\d+;)?([0-9a-fA-F]{32,64})", text))
        return text

    def run_command(self, *arguments, status=0, stdin="", env=None, pass_fds=(), may_show_keys=False):
        """Runs the command without a terminal, and compares its exit status."""
        for argument in arguments:
            self.assert_no_secret(argument, "an argument")
        done = subprocess.run([PROGRAM, *arguments], input=stdin.encode(), capture_output=True, timeout=PATIENCE,
                              env=env, pass_fds=pass_fds, start_new_session=True)
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, status, f"{arguments}: {out}{err}")
        self.assert_no_secret(done.stderr, "the standard error output")
        if not may_show_keys:
            self.assert_no_secret(done.stdout, "the standard output")
        return Result(done.returncode, out, err)

    def run_into_full_output(self, *arguments):
        """Returns the messages of a run whose standard output is full."""
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1, arguments)
        return done.stderr

    def run_on_full_disk(self, *arguments, signal_kills):
        """Runs the command with a limit on file sizes, which acts as a full disk and also sends a signal."""
        return subprocess.run(["prlimit", "--fsize=10000", PROGRAM, *arguments], capture_output=True, text=True,
                              restore_signals=signal_kills)

    def try_export(self, *arguments):
        """Returns the text of a key file; None: it does not open."""
        done = subprocess.run([PROGRAM, "export", "--yes-print-the-keys", *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, start_new_session=True)
        return done.stdout if done.returncode == 0 else None

    def assert_no_secret(self, text, where):
        data = (os.fsencode(text) if isinstance(text, str) else text).lower()
        for secret in self.secrets:
            for form in forms(secret):
                self.assertFalse(form in data, f"a secret is in {where}: {text!r:.2000}")

    def terminal(self, *arguments, env=None, pass_fds=()):
        terminal = Terminal(arguments, env, pass_fds)
        self.addCleanup(terminal.end)
        return terminal

    def open_fifo(self, path, process):
        """Opens a FIFO for writing as soon as the process has it open for reading."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # no process reads it yet
                self.assertTrue(process.poll() is None and time.monotonic() < end, "the process does not read the passphrase")
                time.sleep(0.005)

    def command_line(self, process):
        """Returns the command line of a process that waits for its passphrase."""
        with open(f"/proc/{process.pid}/cmdline", "rb") as line:
            words = line.read()
        self.assertIn(os.path.basename(PROGRAM).encode(), words)
        self.assert_no_secret(words, "the command line")
        return words

    def assert_ends(self, terminal, status):
        ended, seen = terminal.close()
        self.assertEqual(ended, status, seen)
        self.assert_no_secret(terminal.all, "the terminal")
        return seen

    def keys(self, *arguments):
        """Returns the report of `list`: {(id, version): row}."""
        report = self.run_command("list", "--json", *arguments).json()
        return {(key["key_id"], version["version"]): version for key in report["keys"] for version in key["versions"]}

    def mode(self, name):
        return os.stat(self.path(name)).st_mode & 0o7777


def main():
    unittest.main(argv=sys.argv, verbosity=2)
