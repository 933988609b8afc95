# SPDX-License-Identifier: GPL-2.0-only
"""The questions of each command on a terminal, in their order, without echo."""
import os

import command
from command import CHEAP, OTHER, PASSPHRASE

OPENS = ("Passphrase for .*: ", PASSPHRASE)
NEW = (("New passphrase for .*: ", OTHER), ("Repeat passphrase for .*: ", OTHER))


class Questions(command.Case):
    def setUp(self):
        super().setUp()
        self.file, self.how = self.sealed()

    def ask(self, questions, *arguments):
        """Answers the questions, and returns the output of a run that must succeed."""
        terminal = self.terminal(*arguments)
        for question, answer in questions:
            terminal.read_until(question)
            self.assertFalse(terminal.is_shown(), question)
            os.write(terminal.master, answer.encode() + b"\n")
        return self.assert_ends(terminal, 0)

    def opens_with(self, text, *arguments):
        self.run_command("list", self.file, f"--passphrase-file={self.passphrase(text)}", *arguments)

    def test_create(self):
        self.file = self.path("another")
        self.ask(NEW, "create", self.file, *CHEAP)
        self.opens_with(OTHER)

    def test_list(self):
        self.assertIn("FINGERPRINT", self.ask([OPENS], "list", self.file))

    def test_check(self):
        terminal = self.terminal("check", self.file)  # finds that the cost of the test's file is too low
        terminal.answer(*OPENS)
        self.assertIn("argon2id", self.assert_ends(terminal, 3))

    def test_add(self):
        self.assertIn("Added key id 3 to", self.ask([OPENS], "add", self.file))

    def test_rotate(self):
        self.assertIn("1 new version", self.ask([OPENS], "rotate", self.file, "--all"))
        self.assertEqual(len(self.keys(self.file, self.how)), 2)

    def test_seal(self):
        self.run_command("unseal", self.file, self.how)
        self.ask(NEW, "seal", self.file, *CHEAP)
        self.opens_with(OTHER)

    def test_unseal(self):
        self.ask([OPENS], "unseal", self.file)
        self.assertEqual(len(self.keys(self.file)), 1)

    def test_convert(self):
        self.ask([OPENS, *NEW], "convert", self.file, "--to=openssl", "--new-pbkdf2-iterations=1000")
        self.opens_with(OTHER, "--digest=sha256", "--pbkdf2-iterations=1000")

    def test_slot_add(self):
        self.ask([OPENS, *NEW], "slot", "add", self.file, "safe", *CHEAP)
        self.opens_with(PASSPHRASE)
        self.opens_with(OTHER)

    def test_slot_change(self):
        self.ask([OPENS, *NEW], "slot", "change", self.file, "main", *CHEAP)
        self.opens_with(OTHER)

    def test_slot_list_asks_no_question(self):
        self.assertIn("argon2id", self.ask([], "slot", "list", self.file))

    def test_slot_remove(self):
        self.run_command("slot", "add", self.file, "safe", self.how, f"--new-passphrase-file={self.passphrase(OTHER)}", *CHEAP)
        self.ask([OPENS], "slot", "remove", self.file, "safe")
        self.opens_with(PASSPHRASE)

    def test_export(self):
        self.text_of(self.file, self.how)
        terminal = self.terminal("export", self.file, "--yes-print-the-keys")
        terminal.answer(*OPENS)
        status, seen = terminal.close()
        self.assertEqual(status, 0)
        self.assertNotIn(PASSPHRASE, seen)
        self.assertRegex(seen, r"(?m)^1;[0-9a-f]{64};cipher=aes256-xts;created=")


if __name__ == "__main__":
    command.main()
