# SPDX-License-Identifier: GPL-2.0-only
"""keyhold seal, unseal, convert and export"""
import os

import command
from command import CHEAP, KEY1, KEY2, OTHER, PASSPHRASE

TEXT = f"# mine\r\n1;{KEY1}  old\r\n1;3;{KEY2};created=2026-01-01;cipher=aes256-cbc;rotate=5w\n\n9;{KEY1};bits=192"


class Convert(command.Case):
    def how(self, name, new=False):
        """Returns the arguments that open a file of a format with the passphrase of the test, or create it."""
        if name == "text":
            return []
        passphrase = f"--{'new-' if new else ''}passphrase-file={self.passphrase()}"
        if name == "openssl":
            return [passphrase, *(f"--{'new-' if new else ''}{option}" for option in
                                  ("digest=sha384", "pbkdf2-iterations=3"))]
        return [passphrase, *(CHEAP if new else [])]

    def test_from_each_format_to_each(self):
        for first in ("text", "openssl", "sealed"):
            for second in ("text", "openssl", "sealed"):
                with self.subTest(f"{first} to {second}"):
                    path = self.write("keys", TEXT, 0o640)
                    self.run_command("convert", path, f"--to={first}", *self.how(first, True))
                    before = self.run_command("list", "--json", path, *self.how(first)).json()
                    out = self.run_command("convert", path, f"--to={second}", *self.how(first),
                                           *self.how(second, True)).out
                    self.assertIn(f"is now in the format {second}; all keys are unchanged", out)
                    own = "Only Keyhold reads data of its keys with a cipher aes256-..., such as key id 1 version 3 (aes256-cbc)."
                    (self.assertNotIn if second == "sealed" else self.assertIn)(own, out)
                    after = self.run_command("list", "--json", path, *self.how(second)).json()
                    self.assertEqual(after["keys"], before["keys"])
                    self.assertEqual((before["format"], after["format"]), (first, second))
                    self.assertEqual(self.text_of(path, *self.how(second)), TEXT)
                    self.assertEqual(self.mode("keys"), 0o640)

    def test_seal_and_unseal(self):
        path = self.write("keys", TEXT, 0o400)
        out = self.run_command("seal", path, *self.how("sealed", True)).out
        self.assertIn("may still hold the keys in plain text", out)
        self.assertNotIn("Remove file_key_management_filekey", out)
        self.assertTrue(self.read("keys").startswith(b"keyhold-sealed "))
        self.assertIn("it is already sealed", self.run_command("seal", path, status=1).err)
        out = self.run_command("unseal", path, *self.how("sealed")).out
        self.assertIn("Remove file_key_management_filekey", out)
        self.assertEqual(self.read("keys"), TEXT.encode())
        self.assertEqual(self.mode("keys"), 0o400)
        self.assertIn("it is already in plain text", self.run_command("unseal", path, status=1).err)

    def test_keys_that_the_servers_own_plugin_can_use(self):
        path = self.write("keys", f"1;{KEY1}\n2;{KEY2};cipher=aes-ctr\n")
        self.run_command("seal", path, *self.how("sealed", True))
        self.assertNotIn("Only Keyhold", self.run_command("unseal", path, *self.how("sealed")).out)

    def test_seal_asks(self):
        arguments = self.openssl("keys", TEXT)
        terminal = self.terminal("seal", *arguments[:3], *CHEAP)
        terminal.answer("Passphrase for .*: ", PASSPHRASE)
        terminal.answer_new(OTHER)
        self.assert_ends(terminal, 0)
        self.assertEqual(self.text_of(self.path("keys"), f"--passphrase-file={self.passphrase(OTHER)}"), TEXT)

    def test_output_to_another_file(self):
        path = self.write("keys", TEXT)
        self.run_command("seal", path, f"--output={self.path('new')}", *self.how("sealed", True))
        self.assertEqual(self.read("keys"), TEXT.encode())
        self.assertEqual(self.mode("new"), 0o600)
        self.assertEqual(self.text_of(self.path("new"), *self.how("sealed")), TEXT)
        result = self.run_command("seal", path, f"--output={self.path('new')}", status=1)
        self.assertIn("already exists", result.err)

    def test_errors(self):
        path = self.write("keys", TEXT)
        self.assertIn("specify the new format with --to", self.run_command("convert", path, status=2).err)
        result = self.run_command("convert", path, "--to=zip", status=2)
        self.assertIn("unknown format 'zip' (expected sealed, openssl or text)", result.err)
        result = self.run_command("convert", path, "--to=text", "--new-passphrase-fd=0", stdin=OTHER, status=2)
        self.assertIn("the format text has no passphrase", result.err)
        result = self.run_command("convert", path, "--to=sealed", "--new-digest=sha1", status=2)
        self.assertIn("--new-digest and --new-pbkdf2-iterations apply only to the format openssl", result.err)
        result = self.run_command("convert", path, "--to=openssl", "--passes=1", status=2)
        self.assertIn("apply only to the format sealed", result.err)
        result = self.run_command("convert", path, "--to=sealed", "--new-passphrase-fd=0", stdin="\n", status=1)
        self.assertEqual(self.read("keys"), TEXT.encode())
        bad = self.write("bad", f"1;{KEY1}\nx\n")
        self.assertIn("Syntax error", self.run_command("seal", bad, *self.how("sealed", True), status=1).err)

    def test_a_wrong_passphrase(self):
        arguments = self.sealed("keys")
        before = self.read("keys")
        self.passphrase(OTHER, "keys.passphrase")
        self.assertIn("Wrong key?", self.run_command("unseal", *arguments, status=1).err)
        self.assertEqual(self.read("keys"), before)

    def test_export_needs_its_confirmation_in_full(self):
        path = self.write("keys", TEXT)
        for beginning in ([], ["--y"], ["--yes"], ["--yes-print-the-key"]):
            self.assertIn("--yes-print-the-keys", self.run_command("export", path, *beginning, status=2).err)
        self.assertEqual(self.run_command("export", path, "--yes-print-the-keys", may_show_keys=True).out, TEXT)

    def test_only_export_prints_keys(self):
        """No message and no report about a file, also a wrong one, contains a key."""
        for text in (TEXT, TEXT + "x\n", f"1;{KEY1}{KEY1}\n", f"1;{KEY1};cipher={KEY2}\n", f"1;{KEY1}\n1;{KEY2}\n"):
            path = self.write("keys", text)
            for name in ("list", "check", "unseal", "export", "rotate", "add"):
                for more in ([], ["--json"], ["--id=1"]):
                    done = command.subprocess.run([command.PROGRAM, name, path, *more], capture_output=True, text=True)
                    self.assert_no_secret(done.stdout + done.stderr, (name, more))
                self.write("keys", text)


if __name__ == "__main__":
    command.main()
