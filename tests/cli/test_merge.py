# SPDX-License-Identifier: GPL-2.0-only
"""keyhold merge"""
import command
from command import CHEAP, KEY1, KEY2, OTHER, PASSPHRASE

OLD = f"# mine\n1;{KEY1}\n7;{KEY2}\n"
KEY3 = "00112233445566778899aabbccddeeff"


class Merge(command.Case):
    def setUp(self):
        super().setUp()
        self.secrets.add(KEY3)

    def test_an_older_copy_gets_what_it_lacks(self):
        path, other = self.write("keys", OLD), self.write("other", OLD)
        self.run_command("rotate", other, "--all")
        self.run_command("rotate", other, "--id=7")
        self.run_command("add", other)
        newer = self.read("other")
        run = self.run_command("merge", path, other)
        self.assertEqual(run.out.splitlines()[0], f"Added 4 key versions of {other} to {path}.")
        self.assertIn("file_key_management_reload", run.out)
        self.assertEqual(self.read("keys"), newer)
        self.assertEqual(self.read("other"), newer)
        run = self.run_command("merge", path, other)
        self.assertEqual(run.out, f"Added 0 key versions of {other} to {path}.\n")

    def test_files_that_each_have_something(self):
        path, other = self.write("keys", OLD + f"8;{KEY3}\n"), self.write("other", OLD + f"7;5;{KEY3};cipher=aes-ctr\n")
        self.run_command("merge", path, other)
        self.assertEqual(sorted(self.keys(path)), [(1, 1), (7, 1), (7, 5), (8, 1)])
        self.assertEqual(self.keys(path)[7, 5]["cipher"], "aes-ctr")

    def two_sealed(self):
        """Two copies with passphrases of their own."""
        text = self.write("text", OLD)
        for name, passphrase in (("keys", PASSPHRASE), ("other", OTHER)):
            self.run_command("seal", text, f"--output={self.path(name)}", *CHEAP,
                             f"--new-passphrase-file={self.passphrase(passphrase, 'of ' + name)}")
        return self.path("keys"), f"--passphrase-file={self.path('of keys')}", self.path("other")

    def test_formats_and_passphrases(self):
        path, how, other = self.two_sealed()
        text = self.text_of(path, how)
        self.write("more", text + f"99;{KEY3}\n")
        theirs = f"--other-passphrase-file={self.passphrase(OTHER, 'theirs')}"
        self.run_command("merge", other, self.path("more"), f"--passphrase-file={self.path('theirs')}")
        self.run_command("merge", path, other, how, status=1)  # the same passphrase for both does not open it
        self.run_command("merge", path, other, how, theirs)
        self.assertEqual(self.text_of(path, how), text + f"99;{KEY3}\n")

    def test_it_asks_for_each(self):
        path, _, other = self.two_sealed()
        terminal = self.terminal("merge", path, other)
        terminal.answer(f"Passphrase for {path}: ", PASSPHRASE)
        terminal.answer(f"Passphrase for {other}: ", OTHER)
        self.assert_ends(terminal, 0)

    def test_every_conflict_is_named(self):
        path = self.write("keys", OLD + f"1;3;{KEY2}\n7;3;{KEY2}\n")
        other = self.write("other", OLD + f"1;3;{KEY3}\n7;3;{KEY2};cipher=aes-ctr\n9;{KEY3}\n")
        run = self.run_command("merge", path, other, status=1)
        self.assertRegex(run.err, f"key id 1 version 3: key [0-9a-f]{{16}} in '{path}', key [0-9a-f]{{16}} in '{other}'\n")
        self.assertIn(f"key id 7 version 3: cipher in '{path}': none of its own; in '{other}': aes-ctr\n", run.err)
        self.assertIn("nothing was changed: ", run.err)
        self.assertNotIn("key id 9", run.err)
        self.assertEqual(self.read("keys").decode(), OLD + f"1;3;{KEY2}\n7;3;{KEY2}\n")

    def test_errors(self):
        path = self.write("keys", OLD)
        self.run_command("merge", path, status=2)
        self.run_command("merge", status=2)
        self.run_command("merge", path, path, path, status=2)
        self.run_command("merge", path, self.path("missing"), status=1)
        run = self.run_command("merge", path, path, "--other-passphrase=something", status=2)
        self.assertIn("visible to every user", run.err)
        self.assertEqual(self.read("keys").decode(), OLD)


if __name__ == "__main__":
    command.main()
