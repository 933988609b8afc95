# SPDX-License-Identifier: GPL-2.0-only
"""keyhold slot add, change, remove and list"""
import command
from command import CHEAP, KEY1, OTHER, PASSPHRASE

THIRD = "a third passphrase, which lies in the safe"


class Slot(command.Case):
    def setUp(self):
        super().setUp()
        self.secrets.add(THIRD)
        self.file, self.how = self.sealed("keys")
        self.text = self.text_of(self.file, self.how)

    def new(self, text, name="new"):
        return f"--new-passphrase-file={self.passphrase(text, name)}"

    def labels(self):
        return [slot["label"] for slot in self.run_command("slot", "list", "--json", self.file).json()["slots"]]

    def opens_with(self, passphrase):
        text = self.try_export(self.file, f"--passphrase-file={self.passphrase(passphrase, 'try')}")
        self.assertIn(text, (None, self.text))
        return text is not None

    def test_list(self):
        self.run_command("slot", "add", self.file, "safe", self.how, self.new(OTHER), "--kdf=pbkdf2-hmac-sha512",
                         "--iterations=1000")
        self.assertEqual(self.run_command("slot", "list", self.file).out,
                         "SLOT  KEY DERIVATION      MEMORY (KIB)  PASSES  ITERATIONS\n"
                         "main  argon2id                    1024       1\n"
                         "safe  pbkdf2-hmac-sha512                              1000\n")

    def test_add(self):
        self.run_command("slot", "add", self.file, "safe", self.how, self.new(OTHER), *CHEAP)
        self.assertEqual(self.labels(), ["main", "safe"])
        self.assertTrue(self.opens_with(PASSPHRASE))
        self.assertTrue(self.opens_with(OTHER))
        self.assertFalse(self.opens_with(THIRD))
        self.run_command("slot", "add", self.file, "third", f"--passphrase-file={self.path('new')}",
                         self.new(THIRD, "third"), *CHEAP)
        self.assertTrue(all(map(self.opens_with, (PASSPHRASE, OTHER, THIRD))))

    def test_add_asks(self):
        terminal = self.terminal("slot", "add", self.file, "safe", *CHEAP)
        terminal.answer("Passphrase for .*: ", PASSPHRASE)
        terminal.answer_new(OTHER, "slot safe of .*")
        self.assert_ends(terminal, 0)
        self.assertTrue(self.opens_with(OTHER))

    def test_add_errors(self):
        before = self.read("keys")
        result = self.run_command("slot", "add", self.file, "main", status=1)
        self.assertIn("'main'", result.err)
        for label in ("a b", "", "x" * 33):
            result = self.run_command("slot", "add", self.file, label, status=1)
            self.assertIn(f"Invalid slot label for '{self.file}' (expected 1 to 32", result.err)
        self.run_command("slot", "add", self.file, "safe", "--digest=sha1", status=2)
        self.run_command("slot", "add", self.file, status=2)
        self.passphrase(THIRD, "keys.passphrase")
        result = self.run_command("slot", "add", self.file, "safe", self.how, self.new(OTHER), *CHEAP, status=1)
        self.assertIn("Wrong key?", result.err)
        self.assertEqual(self.read("keys"), before)

    def test_change_the_only_slot(self):
        out = self.run_command("slot", "change", self.file, "main", self.how, self.new(OTHER), *CHEAP).out
        self.assertIn("A server whose passphrase no longer opens the file cannot reload", out)
        self.assertFalse(self.opens_with(PASSPHRASE))
        self.assertTrue(self.opens_with(OTHER))

    def test_change_with_the_passphrase_of_another_slot(self):
        self.run_command("slot", "add", self.file, "safe", self.how, self.new(OTHER), *CHEAP)
        self.run_command("slot", "change", self.file, "main", f"--passphrase-file={self.path('new')}",
                         self.new(THIRD, "third"), *CHEAP)
        self.assertEqual(self.labels(), ["main", "safe"])
        self.assertEqual([self.opens_with(text) for text in (PASSPHRASE, OTHER, THIRD)], [False, True, True])

    def test_change_asks(self):
        terminal = self.terminal("slot", "change", self.file, "main", *CHEAP)
        terminal.answer("Passphrase for .*: ", PASSPHRASE)
        terminal.answer_new(OTHER)
        self.assert_ends(terminal, 0)
        self.assertEqual([self.opens_with(text) for text in (PASSPHRASE, OTHER)], [False, True])

    def test_change_costs(self):
        self.run_command("slot", "change", self.file, "main", self.how, self.new(PASSPHRASE), "--memory=2", "--passes=3")
        slots = self.run_command("slot", "list", "--json", self.file).json()["slots"]
        self.assertEqual(slots, [{"label": "main", "kdf": "argon2id", "memory_kib": 2048, "passes": 3}])

    def test_total_cost_is_limited(self):
        """Refused before a passphrase is asked for, since there is no terminal here."""
        costs = ["--memory=1024", "--passes=8"]
        self.run_command("slot", "add", self.file, "safe", self.how, self.new(OTHER), *CHEAP)
        for verb, label in (("add", "third"), ("change", "main"), ("change", "safe")):
            result = self.run_command("slot", verb, self.file, label, *costs, status=1)
            self.assertRegex(result.err, "^keyhold: Cannot make slot '.*' of '.*': its key derivation cost is too low, or too high with the other slots")

    def test_change_a_missing_slot(self):
        self.assertIn("'safe'", self.run_command("slot", "change", self.file, "safe", status=1).err)
        self.assertIn("'safe'", self.run_command("slot", "remove", self.file, "safe", status=1).err)

    def test_remove(self):
        self.run_command("slot", "add", self.file, "safe", self.how, self.new(OTHER), *CHEAP)
        before = self.read("keys")
        self.run_command("slot", "remove", self.file, "main", self.how, status=1)  # its own passphrase is not enough
        self.assertEqual(self.read("keys"), before)
        out = self.run_command("slot", "remove", self.file, "main", f"--passphrase-file={self.path('new')}").out
        self.assertIn("A server whose passphrase no longer opens the file cannot reload", out)
        self.assertEqual(self.labels(), ["safe"])
        self.assertEqual([self.opens_with(text) for text in (PASSPHRASE, OTHER)], [False, True])

    def test_the_last_slot_cannot_be_removed(self):
        result = self.run_command("slot", "remove", self.file, "main", status=1)  # before it asks for a passphrase
        self.assertIn("it is the last slot", result.err)
        self.assertEqual(self.labels(), ["main"])

    def test_a_rotation_keeps_the_slots(self):
        self.run_command("slot", "add", self.file, "safe", self.how, self.new(OTHER), *CHEAP)
        self.run_command("rotate", "--all", self.file, self.how)
        self.assertEqual(self.labels(), ["main", "safe"])
        self.assertEqual(list(self.keys(self.file, f"--passphrase-file={self.path('new')}")), [(1, 1), (1, 3)])

    def test_files_without_slots(self):
        path = self.write("text", f"1;{KEY1}\n")
        for verb in (["list"], ["add"], ["change"], ["remove"]):
            label = [] if verb == ["list"] else ["safe"]
            self.assertIn("is not sealed", self.run_command("slot", *verb, path, *label, status=1).err)

    def test_memory_limit(self):
        how = [self.file, self.how]
        for arguments in (["list", *how], ["check", *how], ["rotate", "--all", *how], ["export", "--yes-print-the-keys", *how],
                          ["slot", "change", *how, "main", self.new(OTHER), *CHEAP],
                          ["slot", "add", *how, "safe", self.new(OTHER), *CHEAP]):
            before = self.read("keys")
            result = self.run_command(*arguments, "--argon2-memory-max=1023", status=1)
            self.assertIn(f"'{self.file}': slot 'main' needs 1024 KiB of memory, more than argon2_memory_max allows (1023 KiB)",
                          result.err)
            self.assertEqual(self.read("keys"), before)
        self.run_command("list", *how, "--argon2-memory-max=1024")
        for value in ("7", "1048577", "1M", "-1", ""):
            result = self.run_command("list", *how, f"--argon2-memory-max={value}", status=2)
            self.assertIn(f"invalid memory limit '{value}' (expected 8 to 1048576 KiB)", result.err)
        self.run_command("create", "--argon2-memory-max=1024", self.how, self.path("new_file"), status=2)

    def test_check_judges_the_costs(self):
        report = self.run_command("check", "--json", self.file, self.how, status=3).json()
        self.assertIn("there is only one passphrase", str([f for f in report["findings"] if f["level"] == "note"]))
        self.assertIn("guesses at the passphrase are too cheap", str([f for f in report["findings"] if f["level"] == "bad"]))
        self.run_command("slot", "change", self.file, "main", self.how, self.new(OTHER))
        self.run_command("check", self.file, f"--passphrase-file={self.path('new')}")


if __name__ == "__main__":
    command.main()
