# SPDX-License-Identifier: GPL-2.0-only
"""A command that is killed at any moment leaves the old file or the new one, whole, and what it leaves beside harms
nobody."""
import os
import random
import signal
import subprocess
import time

import command
from command import KEY1, KEY2

TEXT = "".join(f"{number};{KEY1}\n" for number in range(1, 2000))
RUNS = 60


class Interrupted(command.Case):
    def kill_after(self, seconds, *arguments):
        """Whether it was killed before it ended."""
        process = subprocess.Popen([command.PROGRAM, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL

    def duration(self, *arguments):
        start = time.monotonic()
        self.run_command(*arguments)
        return time.monotonic() - start

    def test_rotate(self):
        path = self.write("keys", TEXT)
        longest = 1.2 * self.duration("rotate", "--all", path)
        self.write("keys", TEXT)
        killed = 0
        for _ in range(RUNS):
            before = self.read("keys")
            was_killed = self.kill_after(random.uniform(0, longest), "rotate", "--id=1", path)
            killed += was_killed
            longest *= 1.05 if was_killed else 0.9  # however fast the machine is just now, about half are
            after = self.read("keys")
            self.assertTrue(after == before or len(after.split(b"\n")) == len(before.split(b"\n")) + 1)
            self.assertEqual(self.mode("keys"), 0o600)
        self.assertGreater(killed, RUNS // 10)
        self.run_command("rotate", "--id=1", path)
        self.assertEqual(sorted(os.listdir(self.folder)), ["keys", "keys.lock"])

    def test_create(self):
        longest = 1.2 * self.duration("create", "--format=text", self.path("first"))
        for number in range(RUNS):
            path = self.path(f"keys{number}")
            self.kill_after(random.uniform(0, longest), "create", "--format=text", path)
            if os.path.exists(path):
                self.assertEqual(len(self.keys(path)), 1)
                self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600)

    def test_the_disk_is_full(self):
        """A file size limit stands for it."""
        path = self.write("keys", TEXT)
        done = subprocess.run(["prlimit", "--fsize=10000", command.PROGRAM, "rotate", "--all", path],
                              capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.read("keys"), TEXT.encode())

    def test_no_core_dump(self):
        """Killed by a signal that dumps core, it dumps none."""
        arguments = self.openssl("keys", f"1;{KEY2}\n")[:3]
        os.unlink(self.path("passphrase"))
        terminal = self.terminal("list", *arguments)
        terminal.read_until("Passphrase of .*: ")
        os.write(terminal.master, command.PASSPHRASE.encode())
        terminal.process.send_signal(signal.SIGSEGV)
        _, status = os.waitpid(terminal.process.pid, 0)
        self.assertTrue(os.WIFSIGNALED(status))
        self.assertFalse(os.WCOREDUMP(status))
        terminal.process.returncode = -signal.SIGSEGV
        terminal.close()


if __name__ == "__main__":
    command.main()
