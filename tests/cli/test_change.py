# SPDX-License-Identifier: GPL-2.0-only
"""keyhold add and rotate, in each format"""
import errno
import os
import fcntl
import signal
import subprocess
import unittest

import command
from command import KEY1, KEY2

TEXT = f"# mine\r\n1;{KEY1};rotate=3d;created=2026-01-01\r\n7;{KEY2};bits=128;cipher=aes-ctr\n"


SHIM = os.environ.get("KEYHOLD_CRASH")  # crash.c


@unittest.skipIf(SHIM is None, "the shim cannot be loaded into this build")
class Unseen(command.Case):
    """A process appends a line without the lock, after the last look at the file and before it is replaced."""

    def run_and_append(self, arguments, path, line):
        def append():
            with open(path, "a", encoding="ascii") as file:
                file.write(line)
        return self.run_and_stop(arguments, append)

    def run_and_stop(self, arguments, meanwhile):
        """Calls a function while the command is stopped before it replaces the file. Returns the exit status and the messages."""
        process = subprocess.Popen([command.PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "LD_PRELOAD": SHIM, "KEYHOLD_CRASH_AT": "rename"})
        try:
            os.waitpid(process.pid, os.WUNTRACED)
            meanwhile()
            process.send_signal(signal.SIGCONT)
            _, messages = process.communicate(timeout=240)
        finally:
            process.kill()
        return process.returncode, messages

    def kept(self):
        return [name for name in os.listdir(self.folder) if ".kept-" in name]

    def test_an_appended_line_is_kept_and_merged(self):
        for arguments in (["rotate", "--all"], ["add"], ["convert", "--to=text"]):
            with self.subTest(arguments):
                path = self.write("keys", f"1;{KEY1}\n")
                status, messages = self.run_and_append([*arguments, path], path, f"9;{KEY2}\n")
                self.assertEqual(status, 1)
                [name] = self.kept()
                self.assertIn(f"'{path}' was written, but another process changed the file without its lock", messages)
                self.assertIn(f"it is in '{self.path(name)}'", messages)
                self.assertEqual(self.read(name), f"1;{KEY1}\n9;{KEY2}\n".encode())
                self.assertNotIn((9, 1), self.keys(path))
                self.run_command("merge", path, self.path(name))
                self.assertIn((9, 1), self.keys(path))
                self.assertIn((1, 1), self.keys(path))
                os.unlink(self.path(name))

    def test_a_process_that_keeps_the_replaced_file_open_is_reported(self):
        path = self.write("keys", f"1;{KEY1}\n")
        opened = []
        status, messages = self.run_and_stop(["rotate", "--all", path], lambda: opened.append(open(path, "a", encoding="ascii")))
        opened[0].close()
        self.assertEqual(status, 1)
        self.assertIn(f"'{path}' was written, but another process still has the replaced file open for writing, without its lock: what it "
                      "writes to that from now on is lost; end that process, and add its keys again", messages)
        self.assertEqual(self.kept(), [])
        self.assertIn((1, 3), self.keys(path))


class Change(command.Case):
    def files(self):
        yield "text", [self.write("text", TEXT, 0o640)]
        yield "openssl", self.openssl("openssl", TEXT)
        path = self.write("to be sealed", TEXT, 0o640)
        how = f"passphrase-file={self.passphrase()}"
        self.run_command("seal", path, "--new-" + how, *command.CHEAP)
        yield "sealed", [path, "--" + how]

    @unittest.skipIf(os.geteuid() != 0, "only root can give folders away")
    def test_root_is_told_to_give_the_file_to_the_owner_of_its_folder(self):
        path = self.path("new")
        advice = f"give it the file: chown nobody: {path}\n"
        os.chown(self.folder, 65534, 65534)
        self.assertIn(advice, self.run_command("create", "--format=text", path).out)
        self.assertIn(advice, self.run_command("rotate", "--all", path).out)
        os.chown(path, 65534, 65534)
        self.assertNotIn("chown", self.run_command("rotate", "--all", path).out)

    def test_add(self):
        for name, arguments in self.files():
            with self.subTest(name):
                mode, before = os.stat(arguments[0]).st_mode, self.text_of(*arguments)
                out = self.run_command("add", *arguments).out
                cipher = ";cipher=aes256-xts" if name == "sealed" else ""
                self.assertIn("Added key id 8 to", out)
                self.assertIn("SET GLOBAL file_key_management_reload = ON", out)
                after = self.text_of(*arguments)
                self.assertTrue(after.startswith(before))
                self.assertRegex(after[len(before):], fr"^8;[0-9a-f]{{64}}{cipher};created=[^;]*\n$")
                (self.assertIn if cipher else self.assertNotIn)("Only Keyhold reads data of the cipher aes256-xts;", out)
                self.assertEqual(os.stat(arguments[0]).st_mode, mode)

    def test_add_with_an_id_and_attributes(self):
        for name, arguments in self.files():
            with self.subTest(name):
                self.run_command("add", *arguments, "3", "--bits=192", "--rotate=1y", "--cipher=aes-cbc")
                self.assertRegex(self.text_of(*arguments),
                                 r"\n3;[0-9a-f]{48};cipher=aes-cbc;created=[^;]*;rotate=1y\n$")

    def test_add_with_the_cipher_of_the_server(self):
        for name, arguments in self.files():
            with self.subTest(name):
                for options in (["--cipher=default"], ["--bits=192"]):
                    before = self.text_of(*arguments)
                    self.assertNotIn("Only Keyhold", self.run_command("add", *arguments, *options).out)
                    self.assertNotIn("cipher", self.text_of(*arguments)[len(before):])

    def test_add_an_existing_key(self):
        path = self.write("keys", TEXT)
        self.assertIn("Cannot add key id 7 to", self.run_command("add", path, "7", status=1).err)
        for wrong in ("0", "4294967296", "x", "-1"):
            self.run_command("add", path, "--", wrong, status=2)
        self.assertEqual(self.read("keys"), TEXT.encode())

    def test_rotate_one(self):
        for name, arguments in self.files():
            with self.subTest(name):
                mode = os.stat(arguments[0]).st_mode
                self.assertIn(": 1 new version.", self.run_command("rotate", *arguments, "--id=7").out)
                keys = self.keys(*arguments)
                self.assertEqual(list(keys), [(1, 1), (7, 1), (7, 3)])
                self.assertEqual((keys[7, 3]["bits"], keys[7, 3]["cipher"]), (128, "aes-ctr"))
                self.assertEqual(os.stat(arguments[0]).st_mode, mode)
                self.assertRegex(self.text_of(*arguments), "^# mine\r\n1;.*\r\n7;.*\n7;3;.*\n$")

    def test_rotate_to_another_cipher(self):
        """Older versions keep theirs: what they encrypted stays readable."""
        for name, arguments in self.files():
            with self.subTest(name):
                before = self.text_of(*arguments)
                out = self.run_command("rotate", *arguments, "--id=7", "--cipher=aes256-xts", "--rotate=30d").out
                self.assertIn("Only Keyhold reads data of the cipher aes256-xts.\n", out)
                self.assertRegex(self.text_of(*arguments)[len(before):],
                                 r"^7;3;[0-9a-f]{64};cipher=aes256-xts;created=[^;]*;rotate=30d\n$")
                self.run_command("rotate", *arguments, "--id=7")
                keys = self.keys(*arguments)
                self.assertEqual([(keys[7, version]["bits"], keys[7, version]["cipher"]) for version in (1, 3, 5)],
                                 [(256, "aes-ctr"), (256, "aes256-xts"), (256, "aes256-xts")])
                out = self.run_command("rotate", *arguments, "--all", "--cipher=default", "--bits=128", "--rotate=never").out
                self.assertNotIn("Only Keyhold", out)
                self.assertRegex(self.text_of(*arguments), r"(?s)\n1;3;[0-9A-Fa-f]{32};created=[^;]*Z\r\n.*\n7;7;[0-9a-f]{32};created=[^;]*Z\n$")

    def test_rotate_to_another_cipher_leaves_the_redo_log(self):
        """A reload does not change the redo log's version: the command prints what remains to be done."""
        rest = "Key id 1 has another cipher now, but the redo log and Aria tables keep their version of the key until they are rebuilt: " \
               "see keyhold-operations(7)."
        for name, arguments in self.files():
            with self.subTest(name):
                self.assertNotIn(rest, self.run_command("rotate", *arguments, "--id=7", "--cipher=aes256-xts").out)
                self.assertIn(rest, self.run_command("rotate", *arguments, "--all", "--cipher=aes256-xts").out)
                self.assertNotIn(rest, self.run_command("rotate", *arguments, "--id=1", "--cipher=aes256-xts").out)
                self.assertIn(rest, self.run_command("rotate", *arguments, "--id=1", "--cipher=aes256-ctr").out)

    def test_rotate_to_a_length_that_the_cipher_does_not_take(self):
        for name, arguments in self.files():
            with self.subTest(name):
                before = self.read(arguments[0])
                result = self.run_command("rotate", *arguments, "--id=7", "--cipher=aes256-xts", "--bits=128", status=2)
                self.assertIn("the aes256 ciphers need a key of 256 bits", result.err)
                self.assertEqual(self.read(arguments[0]), before)
                self.run_command("rotate", *arguments, "--id=7", "--cipher=aes256-xts")
                before = self.read(arguments[0])
                result = self.run_command("rotate", *arguments, "--id=7", "--bits=192", status=1)
                self.assertIn(f"Cannot rotate key id 7 in '{arguments[0]}': its cipher aes256-xts needs a key of 256 bits, not 192", result.err)
                self.assertEqual(self.read(arguments[0]), before)

    def test_rotate_all(self):
        for name, arguments in self.files():
            with self.subTest(name):
                self.assertIn(": 2 new versions.", self.run_command("rotate", *arguments, "--all").out)
                self.assertEqual(list(self.keys(*arguments)), [(1, 1), (1, 3), (7, 1), (7, 3)])

    def test_rotate_all_but_a_key_at_its_last_version(self):
        path = self.write("keys", f"1;{KEY1}\n2;4294967294;{KEY2}\n")
        run = self.run_command("rotate", path, "--all", status=1)
        self.assertIn(": 1 new version.", run.out)
        self.assertIn("Cannot rotate key id 2", run.err)
        self.assertEqual(list(self.keys(path)), [(1, 1), (1, 3), (2, 4294967294)])

    def test_rotate_where_every_key_is_at_its_last_version(self):
        path = self.write("keys", f"1;4294967294;{KEY1}\n2;4294967293;{KEY2}\n")
        before = self.read("keys")
        for choice in ("--all", "--due", "--id=1"):
            text = before if choice != "--due" else before.replace(b"\n", b";created=2020-01-01;rotate=1d\n")
            self.write("keys", text.decode())
            with self.subTest(choice):
                run = self.run_command("rotate", path, choice, status=1)
                self.assertEqual(run.out, "")
                self.assertIn("Cannot rotate key id 1", run.err)
                self.assertEqual(self.read("keys"), text)

    def test_rotate_due_keys(self):
        for name, arguments in self.files():
            with self.subTest(name):
                self.assertIn(": 1 new version.", self.run_command("rotate", *arguments, "--due").out)
                self.assertEqual(list(self.keys(*arguments)), [(1, 1), (1, 3), (7, 1)])
                before = self.read(arguments[0])
                self.assertIn(": 0 new versions.", self.run_command("rotate", *arguments, "--due").out)
                self.assertEqual(self.read(arguments[0]), before)

    def test_rotate_a_file_without_a_last_line_end(self):
        path = self.write("keys", TEXT.rstrip("\n"))
        self.assertIn(": 1 new version.", self.run_command("rotate", path, "--due").out)

    def test_rotate_a_missing_key(self):
        path = self.write("keys", TEXT)
        self.assertIn("No key id 5 in", self.run_command("rotate", path, "--id=5", status=1).err)
        self.run_command("rotate", path, status=2)
        self.run_command("rotate", path, "--id=1", "--all", status=2)
        self.run_command("rotate", path, "--id=0", status=2)

    def test_a_symbolic_link_stays(self):
        self.write("keys", TEXT)
        os.symlink("keys", self.path("link"))
        self.run_command("add", self.path("link"))
        self.assertTrue(os.path.islink(self.path("link")))
        self.assertIn(b"\n8;", self.read("keys"))

    def test_it_waits_for_the_lock_of_another_process(self):
        path = self.write("keys", TEXT)
        with open(self.path("keys.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = command.subprocess.Popen([command.PROGRAM, "add", path], stdout=command.subprocess.DEVNULL)
            with self.assertRaises(command.subprocess.TimeoutExpired):
                process.wait(0.5)
            self.assertEqual(self.read("keys"), TEXT.encode())
            fcntl.flock(lock, fcntl.LOCK_UN)
            self.assertEqual(process.wait(command.PATIENCE), 0)

    def test_two_at_a_time(self):
        path = self.write("keys", TEXT)
        processes = [command.subprocess.Popen([command.PROGRAM, "add", path], stdout=command.subprocess.DEVNULL)
                     for _ in range(8)]
        self.assertEqual([process.wait(command.PATIENCE) for process in processes], [0] * 8)
        self.assertEqual([key for key, _ in self.keys(path)], [1, 7, *range(8, 16)])

    def test_no_temporary_file_is_left(self):
        for name, arguments in self.files():
            self.run_command("rotate", *arguments, "--all")
        self.assertEqual([name for name in os.listdir(self.folder) if "keyhold-new" in name], [])

    def test_a_full_disk_is_reported(self):
        text = "".join(f"{number};{KEY1}\n" for number in range(1, 2000))
        path, copy = self.write("keys", text), self.path("copy")
        for arguments, message in ((["rotate", "--all", path], f"Cannot replace file '{path}'"),
                                   (["convert", "--to=text", f"--output={copy}", path], f"Cannot create file '{copy}'")):
            done = self.run_on_full_disk(*arguments, signal_kills=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{message} (Errcode: {errno.EFBIG} ", done.stderr)
            self.assertEqual(self.read("keys"), text.encode())
            self.assertLessEqual(set(os.listdir(self.folder)), {"keys", "keys.lock"})


if __name__ == "__main__":
    command.main()
