# SPDX-License-Identifier: GPL-2.0-only
"""Help, suggestions, and errors of usage."""
import os
import re

import command


class Usage(command.Case):
    def test_without_arguments(self):
        self.assertEqual(self.run_command(status=2).err, "keyhold: no command given\nTry 'keyhold --help'.\n")

    def test_help_lists_the_commands(self):
        help_text = self.run_command("--help").out
        for name in ("create", "list", "check"):
            self.assertRegex(help_text, rf"\n  {name} +\w")

    def test_version(self):
        for option in ("--version", "-V"):
            for words in ([], ["list"], ["slot", "add"], ["watch"]):
                self.assertRegex(self.run_command(*words, option).out, r"^keyhold \d+\.\d+\.\d+\n$")

    def test_unknown_command(self):
        for word, meant in (("lst", "list"), ("lsit", "list"), ("crate", "create"), ("conv", "convert"), ("rotat", "rotate"),
                            ("slto", "slot"), ("slots", "slot"), ("hlep", "help"), ("check-", "check"), ("ADD", None),
                            ("nonesuch", None), ("x", None), ("", None), ("l" * 80, None)):
            expected = f"'{word[:63]}'. Did you mean '{meant}'?" if meant else f"'{word[:63]}' (see 'keyhold help')"
            for words in ([word], [word, "--json", "keys"], ["help", word]):
                self.assertEqual(self.run_command(*words, status=2).err, f"keyhold: unknown command {expected}\n")

    def test_help_of_a_command(self):
        """All ways to ask for help print the same text, also after other arguments."""
        commands = [[], *(name.split() for name in self.names())]
        for words in commands:
            help_text = self.run_command(*words, "--help").out
            self.assertRegex(help_text, f"^Usage: {' '.join(['keyhold', *words])} ")
            for same in (["help", *words], ["help", *words, "--help"] if not words else [*words, "-?"], [*words, "-h"]):
                self.assertEqual(self.run_command(*same).out, help_text, same)
            self.assertIn("Usage: ", self.run_command(*words, "--usage").out)
            if words:
                self.assertEqual(self.run_command(*words, "keys", "--help").out, help_text)

    def test_h_is_the_host_where_a_server_is_asked(self):
        for words in (["watch"], ["retire", "keys"]):
            self.assertIn("Usage: ", self.run_command(*words, "-h").out)
            self.assertNotIn("Usage: ", self.run_command(*words, "-h", "127.0.0.1", "-P", "1", status=1).out)

    def test_help_on_a_full_disk(self):
        for words in (["--help"], ["--version"], ["list", "-h"], ["help", "slot"]):
            self.assertEqual(self.run_into_full_output(*words), "keyhold: cannot write to the standard output\n")

    def test_form_of_the_help(self):
        """Groups with headings, lines of 80 characters, three examples, and the same for every user."""
        for name in self.names():
            help_text = self.run_command(*name.split(), "--help").out
            self.assertLessEqual(max(map(len, help_text.splitlines())), 80, help_text)
            options, examples = help_text.split("\nExamples:\n")
            groups = options.split("\n\n")[1:]
            self.assertGreater(len(groups), 1, name)
            for group in groups:
                self.assertRegex(group, r"^ [A-Z][^-]*:\n {2,6}-", name)
            self.assertEqual(len({group.split("\n")[0] for group in groups}), len(groups), help_text)
            self.assertEqual(len(re.findall(r"(?m)^  \S.*:$", examples)), 3, name)
            self.assertNotRegex(options, r"otherwise|if it is not given|likewise", name)
            other = self.run_command(*name.split(), "--help", env={**os.environ, "ARGP_HELP_FMT": "rmargin=40"}).out
            self.assertEqual(other, help_text)

    def test_a_default_has_one_form(self):
        for name in self.names():
            help_text = " ".join(self.run_command(*name.split(), "--help").out.split())
            # 'default' is a value of --cipher
            for word in re.findall(r".{20}(?<!['=])\bdefault\b(?!-|s).{20}", help_text):
                self.assertRegex(word, r"\(default: |\w \(default\)", name)

    def test_half_a_command(self):
        self.assertRegex(self.run_command("slot", "--help").out, r"\n  slot change +\w")
        for words, message in ((["slot"], "incomplete command 'slot'"), (["slot", "--json"], "incomplete command 'slot'"),
                               (["slot", "lsit"], "unknown command 'slot lsit'. Did you mean 'slot list'?"),
                               (["slot", "frobnicate"], "unknown command 'slot frobnicate' (see 'keyhold help')")):
            errors = self.run_command(*words, status=2).err
            self.assertIn(f"keyhold: {message}\n", errors)
            self.assertRegex(errors, r"\n  slot list +\w")
        self.assertEqual(self.run_command("help", "slot").out, self.run_command("slot", "-h").out)
        self.assertTrue(self.run_command("help", "slot").out.endswith(
            "\n\n'keyhold help slot remove' shows the options of that command, and examples.\n"))

    def test_help_of_each_command(self):
        for name in self.names():
            self.assertIn(f"Usage: keyhold {name} ", self.run_command(*name.split(), "--help").out)

    def names(self):
        """Of all commands."""
        listed = self.run_command("--help").out.split("Commands:\n")[1].split("\n\n")[0].splitlines()
        self.assertGreater(len(listed), 14)
        return [line[2:14].strip() for line in listed]

    def test_wrong_options(self):
        for words, message in (
                (["create", "--fromat=text"], "unknown option '--fromat'. Did you mean '--format'?"),
                (["create", "--with-key2", "x"], "unknown option '--with-key2'. Did you mean '--with-key-2'?"),
                (["list", "--jsn"], "unknown option '--jsn'. Did you mean '--json'?"),
                (["list", "--nonesuch=7", "keys"], "unknown option '--nonesuch'"),
                (["list", "--" + "n" * 40], f"unknown option '--{31 * 'n'}'"),
                (["watch", "--passwordSECRET"], "unknown option '--password...'"),
                (["watch", "--password:SECRET"], "unknown option '--password...'"),
                (["list", "--passphrase:SECRET"], "unknown option '--pass...'"),
                (["seal", "--new-pass:SECRET"], "unknown option '--new-pass...'"),
                (["list", "--filekeySECRET"], "unknown option '--filekey...'"),
                (["list", "-x"], "unknown option '-x'"),
                (["seal", "--new"], "ambiguous option '--new': write it in full"),
                (["create", "--format"], "option '--format' needs a value"),
                (["watch", "-P"], "option '--port' needs a value"),
                (["list", "--json=yes", "keys"], "option '--json' takes no value"),
                (["list"], "no key file given"),
                (["list", "a", "b"], "too many arguments")):
            result = self.run_command(*words, status=2)
            self.assertEqual(result.err, f"keyhold {words[0]}: {message}\nTry 'keyhold {words[0]} --help'.\n")
            self.assertEqual(result.out, "")
        self.assertIn("keyhold: unknown option '--hlp'. Did you mean '--help'?\n", self.run_command("--hlp", status=2).err)

    def test_options_that_are_cut_short_or_come_late(self):
        path = self.write("keys", f"1;{command.KEY1}\n")
        self.run_command("list", path, "--js")
        self.run_command("list", "--json", "--", path)
        self.run_command("list", "--passphrase-file", "--json", path, status=1)  # which is the name of the file

    def test_full_output(self):
        path = self.write("keys", f"1;{command.KEY1}\n")
        for arguments in (["list"], ["check"], ["export", "--yes-print-the-keys"], ["rotate", "--due"]):
            self.assertEqual(self.run_into_full_output(*arguments, path), "keyhold: cannot write to the standard output\n")

    def test_full_output_after_a_change(self):
        path, how = self.write("keys", f"1;{command.KEY1}\n"), self.passphrase()
        opens, new = f"--passphrase-file={how}", f"--new-passphrase-file={how}"
        changes = [["rotate", "--all", path], ["add", path], ["seal", path, new, *command.CHEAP],
                   ["slot", "add", path, "safe", opens, new, *command.CHEAP], ["slot", "remove", path, "main", opens],
                   ["convert", "--to=openssl", "--output=" + self.path("other"), path, opens, new], ["unseal", path, opens],
                   ["create", "--format=text", self.path("new")]]
        for arguments in changes:
            before = self.state()
            self.assertEqual(self.run_into_full_output(*arguments),
                             "keyhold: cannot write to the standard output; the change to the key file is complete\n")
            self.assertNotEqual(self.state(), before, arguments)

    def test_a_cost_above_the_limit(self):
        """Refused before a file is read and a passphrase is asked for."""
        path, costs = self.path("none"), ["--memory=1024", "--passes=9"]
        for arguments in (["create", path], ["seal", path], ["convert", "--to=sealed", path], ["slot", "add", path, "safe"],
                          ["slot", "change", path, "main"], ["retire", path]):
            result = self.run_command(*arguments, *costs, status=2)
            self.assertIn("--memory times --passes is too large: 9437184 KiB (at most 8388608)", result.err)
        self.assertNotIn("too large", self.run_command("seal", path, "--memory=1024", "--passes=8", status=1).err)

    def state(self):
        return {name: self.read(name) for name in os.listdir(self.folder)}

    def test_no_core_dump_and_no_look_from_outside(self):
        path = self.openssl("keys", f"1;{command.KEY1}\n")[0]
        terminal = self.terminal("list", path)
        terminal.read_until("Passphrase for .*: ")
        with open(f"/proc/{terminal.process.pid}/limits") as limits:
            self.assertRegex(limits.read(), r"Max core file size +0 +0 ")
        # the files of a process that cannot be dumped belong to root
        if os.geteuid() != 0:
            self.assertEqual(os.stat(f"/proc/{terminal.process.pid}/environ").st_uid, 0)
        terminal.process.kill()
        terminal.close()


if __name__ == "__main__":
    command.main()
