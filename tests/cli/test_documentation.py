# SPDX-License-Identifier: GPL-2.0-only
"""The manual pages and docs/command.md have every command, option and heading of the help, and no others."""
import os
import re
import subprocess
from pathlib import Path

import command

ROOT = Path(__file__).resolve().parents[2]
MAN = Path(os.environ["KEYHOLD_MAN"])
OPTION = re.compile(r"--[a-z][a-z0-9-]+")
COMMON = {"--help", "--usage", "--version"}
# options of other commands that a page mentions
MENTIONED = {"export": {"--output"}, "slot": {"--to"}}


def page(name):
    return (MAN / "man1" / f"{name}.1").read_text().replace("\\-", "-")


def manual():
    return page("keyhold")


def shown(*arguments):
    """The output of man(1), and its warnings."""
    done = subprocess.run(["man", "-M", str(MAN), "--warnings", *arguments], capture_output=True, text=True,
                          env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "MANPAGER": "cat", "MANWIDTH": "80"})
    return done.stdout, done.stderr


class Documentation(command.Case):
    def setUp(self):
        super().setUp()
        listed = self.run_command("--help").out.split("Commands:\n")[1].split("\n\n")[0]
        self.summaries = dict(re.match(r"  (\w+(?: \w+)?)  +(.*)", line).groups() for line in listed.splitlines())
        self.commands = list(self.summaries)
        self.options = {name: set(OPTION.findall(self.run_command(*name.split(), "--help").out)) for name in self.commands}

    def all_options(self):
        return set().union(*self.options.values())

    def test_it_sees_them(self):
        self.assertGreater(len(self.commands), 14)
        self.assertGreater(len(self.all_options()), 35)

    def test_commands(self):
        page = (ROOT / "docs/command.md").read_text()
        for name in self.commands:
            self.assertIn(f"\\fBkeyhold {name}", manual())
            self.assertIn(f"\n.B {name}\n", manual())
            self.assertIn(f"| `keyhold {name}", page)

    def test_options_of_the_manual_page(self):
        self.assertEqual(set(OPTION.findall(manual())), self.all_options() | COMMON)

    def test_options_of_the_documentation(self):
        page = (ROOT / "docs/command.md").read_text()
        self.assertLessEqual(set(OPTION.findall(page)), self.all_options() | COMMON)
        # what the page leaves to the manual page
        left = {"--bits", "--cipher", "--rotate", "--interval", "--usage", "--help", "--version", "--output"}
        self.assertEqual(self.all_options() - left - set(OPTION.findall(page)), set())

    def test_each_command_has_a_page(self):
        for name in {name.split()[0] for name in self.commands}:
            text = page(f"keyhold-{name}")
            options = set().union(*(found for command, found in self.options.items() if command.split()[0] == name))
            known = options | COMMON | MENTIONED.get(name, set())
            self.assertLessEqual(options, set(OPTION.findall(text)), name)
            self.assertLessEqual(set(OPTION.findall(text)), known, name)
            # an option has an entry of its own; what is only mentioned has none
            described = {option for line in re.findall(r"(?m)^\.(?:TP|TQ)\n(.*)", text) for option in OPTION.findall(line)}
            self.assertEqual(described, options | COMMON, name)
            if name in self.summaries:
                self.assertIn(f"\nkeyhold-{name} - {self.summaries[name]}\n", text)

    def headings(self, name):
        """Of the groups of options, without what is in parentheses."""
        help_text = self.run_command(*name.split(), "--help").out
        return [re.sub(r" \(.*", "", heading) for heading in re.findall(r"(?m)^ (\S.*):$", help_text)]

    def test_each_page_has_the_headings_of_the_help(self):
        for name in {name.split()[0] for name in self.commands}:
            expected = {heading for known in self.commands if known.split()[0] == name for heading in self.headings(known)}
            self.assertGreater(len(expected), 2)
            found = {re.sub(r" \(.*", "", heading) for heading in re.findall(r"(?m)^\.SS (.*)$", page(f"keyhold-{name}"))}
            self.assertEqual(found, expected, name)
            main = {re.sub(r" \(.*", "", heading) for heading in re.findall(r"(?m)^\.SS (.*)$", manual())}
            self.assertLessEqual(expected - {"New passphrase", "Key derivation of the new file"}, main, name)

    def test_the_commands_of_slot(self):
        for name in self.commands:
            if name.startswith("slot "):
                self.assertIn(f"\\fBkeyhold {name}", page("keyhold-slot"))
                self.assertIn("The passphrases of a sealed key file".lower(), shown(f"keyhold-{name.replace(' ', '-')}")[0])

    def test_the_manual_pages_are_well_formed(self):
        names = [path.name for path in sorted(MAN.glob("man*/*"))]
        self.assertGreater(len(names), 16)
        for name in names:
            out, err = shown(name.split(".")[1], name.split(".")[0])
            self.assertEqual(err, "", name)
            self.assertIn("SEE ALSO", out, name)
            self.assertNotRegex(out, r"@[A-Z_]+@", name)
        self.assertIn("keyhold slot change", shown("keyhold")[0])

    def test_exit_statuses(self):
        for status in "0123":
            self.assertIn(f"\n.TP\n.B {status}\n", manual())


if __name__ == "__main__":
    command.main()
