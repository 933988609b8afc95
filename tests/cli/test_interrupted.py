# SPDX-License-Identifier: GPL-2.0-only
"""A command that is killed at any moment, or whose system calls fail, leaves the old file or the new one, whole, and what it
leaves next to it does no harm."""
import errno
import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))
import command  # noqa: E402
from command import CHEAP, KEY1, KEY2  # noqa: E402
from rotations import MALLOC  # noqa: E402

TEXT = f"# keys\n1;{KEY1}\n2;{KEY2};rotate=90d\n"
CHANGING = ("openat+creat", "write", "fsync", "fchmod", "fchown", "flock", "renameat", "renameat2", "unlinkat")
LOOKING = ("openat", "newfstatat", "readlink", "read", "close")
SHIM = os.environ.get("KEYHOLD_FAULTS_SHIM")  # tests/server/faults.c
OPENSSL = ["--digest=sha256", "--pbkdf2-iterations=1000"]


@unittest.skipIf(SHIM is None, "the shim cannot be loaded into this build")
class Disturbed(command.Case):
    """The preloaded library acts from the moment when the command reads its passphrase, which has the instruction for it."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("faults"))
        os.mkdir(self.path("keys"))
        self.file = self.path("keys/file")
        self.begin = f"passphrase-file={self.path('faults/begin')}"
        self.other = f"passphrase-file={self.passphrase(command.OTHER)}"

    def prepare(self, form, order):
        """Makes a key file, or none, whose passphrase is the instruction."""
        for name in os.listdir(self.path("keys")):
            os.unlink(self.path("keys/" + name))
        self.write("faults/begin", order + "\n")
        if form is not None:
            self.write("keys/file", TEXT)
        if form == "sealed":
            self.run_command("seal", self.file, f"--new-{self.begin}", *CHEAP)
            self.run_command("slot", "add", self.file, "other", f"--{self.begin}", f"--new-{self.other}", *CHEAP)

    def content(self):
        return self.read("keys/file") if os.path.exists(self.file) else None

    def run_disturbed(self, arguments):
        environment = dict(pair.split("=") for pair in MALLOC)
        return subprocess.run([command.PROGRAM, *arguments], capture_output=True, text=True, env={
            **os.environ, **environment, "LD_PRELOAD": SHIM, "KEYHOLD_FAULTS": self.path("faults")})

    def how_it_opens(self):
        for how in ([], [f"--{self.begin}"], [f"--{self.other}"], [f"--{self.other}", *OPENSSL]):
            text = self.try_export(self.file, *how)
            if text is not None:
                return how, text
        raise AssertionError("the file does not open")

    def check(self, form, before):
        """The file is the old one, or a new one with all keys; other files do not matter."""
        for name in os.listdir(self.path("keys")):
            self.assertEqual(self.mode("keys/" + name), 0o600, name)
        if self.content() is None:
            self.assertIsNone(before)
            self.run_command("create", "--format=text", self.file)
            self.assertEqual(os.listdir(self.path("keys")), ["file"])
            return
        how, text = self.how_it_opens()
        if form is not None:
            self.assertEqual([line for line in TEXT.splitlines() if line not in text.splitlines()], [])
        self.run_command("rotate", "--all", self.file, *how)
        self.assertEqual(sorted(os.listdir(self.path("keys"))), ["file", "file.lock"])

    def calls(self, form, arguments):
        """Returns the numbers of the calls on files, those that change one first."""
        self.prepare(form, "count")
        done = self.run_disturbed(arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = [line.split("\t")[:2] for line in self.read("faults/trace").decode().splitlines()]
        changing = [int(number) for number, name in calls if name in CHANGING]
        self.assertGreater(len(changing), 6)
        return changing, [int(number) for number, name in calls if name in LOOKING]

    def disturb(self, form, *arguments):
        changing, looking = self.calls(form, arguments)
        for number in changing:
            self.prepare(form, f"kill {number}")
            before = self.content()
            self.assertEqual(self.run_disturbed(arguments).returncode, -signal.SIGKILL)
            self.check(form, before)
        for number in changing + looking:
            self.prepare(form, f"fail {number} {errno.EIO}")
            before = self.content()
            done = self.run_disturbed(arguments)
            is_written = any(words in done.stderr for words in ("it is in place", "was written, but"))
            if done.returncode != 0 and not is_written:
                self.assertEqual(self.content(), before, (number, done.stderr))
            self.check(form, before)

    def test_create(self):
        self.disturb(None, "create", self.file, f"--{self.begin}", *CHEAP)

    def test_add(self):
        self.disturb("sealed", "add", self.file, f"--{self.begin}")

    def test_rotate(self):
        self.disturb("sealed", "rotate", "--all", self.file, f"--{self.begin}")

    def test_seal(self):
        self.disturb("text", "seal", self.file, f"--new-{self.begin}", *CHEAP)

    def test_unseal(self):
        self.disturb("sealed", "unseal", self.file, f"--{self.begin}")

    def test_convert(self):
        self.disturb("sealed", "convert", "--to=openssl", "--new-pbkdf2-iterations=1000", self.file, f"--{self.begin}",
                     f"--new-{self.other}")

    def test_slot_add(self):
        self.disturb("sealed", "slot", "add", self.file, "third", f"--{self.begin}", f"--new-{self.other}", *CHEAP)

    def test_slot_change(self):
        self.disturb("sealed", "slot", "change", self.file, "main", f"--{self.begin}", f"--new-{self.other}", *CHEAP)

    def test_slot_remove(self):
        self.disturb("sealed", "slot", "remove", self.file, "other", f"--{self.begin}")


class Interrupted(command.Case):
    def test_the_disk_is_full(self):
        text = "".join(f"{number};{KEY1}\n" for number in range(1, 2000))
        path = self.write("keys", text)
        done = self.run_on_full_disk("rotate", "--all", path, signal_kills=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.read("keys"), text.encode())


if __name__ == "__main__":
    command.main()
