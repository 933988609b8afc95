# SPDX-License-Identifier: GPL-2.0-only
"""Sources of the passphrase: the terminal, a file, a descriptor, a filekey; never an argument."""
import contextlib
import os
import select
import signal
import socket
import threading
import time

import command
from command import KEY1, OTHER, PASSPHRASE

TEXT = f"1;{KEY1}\n"
QUESTION = "Passphrase for .*: "


class FromTheTerminal(command.Case):
    def setUp(self):
        super().setUp()
        self.file = self.openssl("keys", TEXT)[:3]
        os.unlink(self.path("passphrase"))

    def test_no_echo(self):
        terminal = self.terminal("list", *self.file)
        terminal.read_until(QUESTION)
        self.assertFalse(terminal.is_shown())
        os.write(terminal.master, PASSPHRASE.encode() + b"\n")
        seen = self.assert_ends(terminal, 0)
        self.assertIn("FINGERPRINT", seen)

    def test_the_terminal_is_restored(self):
        terminal = self.terminal("list", *self.file)
        terminal.read_until(QUESTION)
        os.write(terminal.master, PASSPHRASE.encode() + b"\n")
        terminal.process.wait(command.PATIENCE)
        self.assertTrue(terminal.is_as_before())
        self.assert_ends(terminal, 0)

    def test_the_terminal_is_used_whatever_the_standard_streams_are(self):
        terminal = command.Terminal(["list", *self.file])
        terminal.answer(QUESTION, PASSPHRASE)
        self.assert_ends(terminal, 0)

    def test_a_wrong_passphrase(self):
        terminal = self.terminal("list", *self.file)
        terminal.answer(QUESTION, OTHER)
        seen = self.assert_ends(terminal, 1)
        self.assertRegex(seen, "tried '.*' with the passphrase, digest ")
        self.assertIn("Cannot decrypt", seen)

    def test_a_wrong_passphrase_of_a_sealed_file(self):
        self.passphrase(OTHER, "other")
        result = self.run_command("list", self.sealed()[0], f"--passphrase-file={self.path('other')}", status=1)
        self.assertIn(f"tried '{self.path('sealed')}' with the passphrase in each of its slots\n", result.err)

    def test_end_of_input(self):
        terminal = self.terminal("list", *self.file)
        terminal.read_until(QUESTION)
        os.write(terminal.master, b"\x04")
        self.assertIn("no passphrase was entered", self.assert_ends(terminal, 1))

    def test_256_bytes_and_one_more(self):
        terminal = self.terminal("list", *self.file)
        terminal.answer(QUESTION, "p" * 256)
        self.assertIn("Cannot decrypt", self.assert_ends(terminal, 1))
        terminal = self.terminal("list", *self.file)
        terminal.answer(QUESTION, "p" * 257)
        self.assertIn("at most 256 bytes", self.assert_ends(terminal, 1))

    def test_signals_restore_the_terminal(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            terminal = self.terminal("list", *self.file)
            terminal.read_until(QUESTION)
            terminal.process.send_signal(number)
            terminal.process.wait(command.PATIENCE)
            self.assertTrue(terminal.is_as_before(), number)
            self.assert_ends(terminal, -number)

    def test_the_interrupt_key(self):
        terminal = self.terminal("list", *self.file)
        terminal.read_until(QUESTION)
        os.write(terminal.master, b"half of it\x03")
        terminal.process.wait(command.PATIENCE)
        self.assertTrue(terminal.is_as_before())
        self.assert_ends(terminal, -signal.SIGINT)

    def test_it_asks_again_after_a_stop(self):
        terminal = self.terminal("list", *self.file)
        terminal.read_until(QUESTION)
        os.write(terminal.master, b"half of it")
        # without a shell the process is not stopped, but it still asks again
        terminal.process.send_signal(signal.SIGTSTP)
        terminal.read_until(QUESTION)
        self.assertFalse(terminal.is_shown())
        os.write(terminal.master, PASSPHRASE.encode() + b"\n")
        self.assert_ends(terminal, 0)

    def test_no_secret_in_the_command_line(self):
        terminal = self.terminal("list", *self.file)
        terminal.read_until(QUESTION)
        with open(f"/proc/{terminal.process.pid}/cmdline") as line:
            self.assert_no_secret(line.read(), "the command line")
        os.write(terminal.master, PASSPHRASE.encode() + b"\n")
        self.assert_ends(terminal, 0)

    def test_without_a_terminal(self):
        result = self.run_command("list", *self.file, status=1)
        self.assertIn("there is no terminal; use an option such as --passphrase-file", result.err)


class FromElsewhere(command.Case):
    def setUp(self):
        super().setUp()
        self.file = self.openssl("keys", TEXT)[:3]

    def test_file(self):
        self.run_command("list", *self.file, "--passphrase-file", self.path("passphrase"))

    def test_missing_file(self):
        result = self.run_command("list", *self.file, "--passphrase-file", self.path("none"), status=1)
        self.assertIn(f"File '{self.path('none')}' not found", result.err)

    def test_descriptor(self):
        self.run_command("list", *self.file, "--passphrase-fd=0", stdin=PASSPHRASE + "\n")
        ends = os.pipe()
        os.write(ends[1], PASSPHRASE.encode())
        os.close(ends[1])
        self.run_command("list", *self.file, f"--passphrase-fd={ends[0]}", pass_fds=[ends[0]])
        os.close(ends[0])

    def test_descriptor_by_its_name(self):
        self.run_command("list", *self.file, "--passphrase-file=/dev/stdin", stdin=PASSPHRASE)
        self.run_command("list", *self.file, "--passphrase-file=/dev/fd/0", stdin=PASSPHRASE)

    def test_descriptor_by_its_name_for_a_user_without_rights(self):
        """Only root may open it by that name, since the memory of the process is private, and /proc too."""
        as_other = []
        if os.geteuid() == 0:
            as_other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            for name in ("", "keys"):
                os.chown(self.path(name), 65534, 65534)
        done = command.subprocess.run([*as_other, command.PROGRAM, "list", *self.file, "--passphrase-file=/dev/stdin"],
                                      input=PASSPHRASE, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_invalid_descriptors(self):
        self.assertIn("invalid file descriptor", self.run_command("list", *self.file, "--passphrase-fd=x", status=2).err)
        self.run_command("list", *self.file, "--passphrase-fd=77", status=1)

    def test_source(self):
        passphrase = self.path("passphrase")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("socket"))
            listener.listen()
            for source in (f"FILE:{passphrase}", "ENV:KEYHOLD_PASSPHRASE", "CREDENTIAL:passphrase",
                           f"EXEC:/bin/cat {passphrase}", f"SOCKET:{self.path('socket')}"):
                with self.subTest(source), self.serving(listener):
                    self.run_command("list", *self.file, f"--filekey={source}", env={
                        **os.environ, "KEYHOLD_PASSPHRASE": PASSPHRASE, "CREDENTIALS_DIRECTORY": self.folder})
                    failed = self.run_command("list", *self.file, f"--filekey={source}x", status=1)
                    self.assertNotIn("that itself begins so", failed.err)  # a literal is refused before

    @contextlib.contextmanager
    def serving(self, listener):
        """Sends the passphrase to a process that connects, if one does."""
        def serve():
            ready, _, _ = select.select([listener, ends[0]], [], [])
            if listener in ready:
                with listener.accept()[0] as connection:
                    connection.sendall(PASSPHRASE.encode() + b"\n")
        ends = os.pipe()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            os.write(ends[1], b".")
            thread.join()
            os.close(ends[0])
            os.close(ends[1])

    def test_a_literal_is_refused(self):
        self.secrets.add("not so secret")
        done = command.subprocess.run([command.PROGRAM, "list", *self.file, "--filekey=not so secret"],
                                      capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("visible to every user", done.stderr)
        self.assert_no_secret(done.stderr, "the message")
        self.run_command("list", *self.file, "--filekey=", status=2)

    def test_one_source_only(self):
        result = self.run_command("list", *self.file, "--passphrase-fd=0", "--passphrase-file=x", status=2)
        self.assertIn("specify one passphrase source only", result.err)

    def test_for_a_file_that_needs_none(self):
        path = self.write("text", TEXT)
        result = self.run_command("list", path, "--passphrase-fd=0", stdin=PASSPHRASE, status=1)
        self.assertIn("Not encrypted", result.err)


if __name__ == "__main__":
    command.main()
