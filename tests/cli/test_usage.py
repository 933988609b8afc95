# SPDX-License-Identifier: GPL-2.0-only
"""How the command is called, and what it says when it is called wrongly."""
import os

import command


class Usage(command.Case):
    def test_without_arguments(self):
        self.assertIn("Usage: keyhold", self.run_command(status=2).err)

    def test_help_lists_the_commands(self):
        help_text = self.run_command("--help").out
        for name in ("create", "list", "check"):
            self.assertRegex(help_text, rf"\n  {name} +\w")

    def test_version(self):
        self.assertRegex(self.run_command("--version").out, r"^keyhold \d+\.\d+\.\d+\n$")

    def test_unknown_command(self):
        self.assertIn("there is no command 'lsit'", self.run_command("lsit", status=2).err)

    def test_half_a_command(self):
        self.assertRegex(self.run_command("slot", "--help").out, r"\n  slot change +\w")
        for words in (["slot"], ["slot", "lsit"]):
            said = self.run_command(*words, status=2).err
            self.assertIn(f"there is no command '{' '.join(words)}'", said)
            self.assertRegex(said, r"\n  slot list +\w")

    def test_help_of_each_command(self):
        names = [line[2:14].strip() for line in self.run_command("--help").out.split("Commands:\n")[1].split("\n\n")[0]
                 .splitlines()]
        self.assertGreater(len(names), 3)
        for name in names:
            self.assertIn(f"Usage: keyhold {name} ", self.run_command(*name.split(), "--help").out)

    def test_unknown_option_and_missing_file(self):
        self.assertIn("unrecognized option", self.run_command("list", "--nonesuch", status=2).err)
        self.assertIn("which key file?", self.run_command("list", status=2).err)
        self.assertIn("Too many arguments", self.run_command("list", "a", "b", status=2).err)

    def test_output_that_cannot_be_written(self):
        path = self.write("keys", f"1;{command.KEY1}\n")
        for arguments in (["list"], ["check"], ["export", "--yes-print-the-keys"], ["rotate", "--due"]):
            self.assertEqual(self.run_into_full_output(*arguments, path), "keyhold: the standard output cannot be written\n")

    def test_output_that_cannot_be_written_of_a_change(self):
        path, how = self.write("keys", f"1;{command.KEY1}\n"), self.passphrase()
        opens, new = f"--passphrase-file={how}", f"--new-passphrase-file={how}"
        changes = [["rotate", "--all", path], ["add", path], ["seal", path, new, *command.CHEAP],
                   ["slot", "add", path, "safe", opens, new, *command.CHEAP], ["slot", "remove", path, "main", opens],
                   ["convert", "--to=openssl", "--output=" + self.path("other"), path, opens, new], ["unseal", path, opens],
                   ["create", "--format=text", self.path("new")]]
        for arguments in changes:
            before = self.state()
            self.assertEqual(self.run_into_full_output(*arguments),
                             "keyhold: the standard output cannot be written; the key file is written nonetheless\n")
            self.assertNotEqual(self.state(), before, arguments)

    def test_costs_that_are_too_much(self):
        """Seen before a file is looked at and anything is asked for."""
        path, costs = self.path("none"), ["--memory=1024", "--passes=9"]
        for arguments in (["create", path], ["seal", path], ["convert", "--to=sealed", path], ["slot", "add", path, "safe"],
                          ["slot", "change", path, "main"], ["retire", path]):
            result = self.run_command(*arguments, *costs, status=2)
            self.assertIn("the KiB of memory times the passes are 9437184, at most 8388608 are allowed", result.err)
        self.assertNotIn("allowed", self.run_command("seal", path, "--memory=1024", "--passes=8", status=1).err)

    def state(self):
        return {name: self.read(name) for name in os.listdir(self.folder)}

    def test_no_core_dump_and_no_look_from_outside(self):
        path = self.openssl("keys", f"1;{command.KEY1}\n")[0]
        terminal = self.terminal("list", path)
        terminal.read_until("Passphrase of .*: ")
        with open(f"/proc/{terminal.process.pid}/limits") as limits:
            self.assertRegex(limits.read(), r"Max core file size +0 +0 ")
        # the files of a process that cannot be dumped belong to root
        if os.geteuid() != 0:
            self.assertEqual(os.stat(f"/proc/{terminal.process.pid}/environ").st_uid, 0)
        terminal.process.kill()
        terminal.close()


if __name__ == "__main__":
    command.main()
