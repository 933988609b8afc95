# SPDX-License-Identifier: GPL-2.0-only
"""Every command and every option stands in the manual page and in docs/command.md, and nothing else does."""
import re
import subprocess
from pathlib import Path

import command

ROOT = Path(__file__).resolve().parents[2]
OPTION = re.compile(r"--[a-z][a-z0-9-]+")
COMMON = {"--help", "--usage", "--version"}
# of other programs, in examples
FOREIGN = {"--no-replace"}


def manual():
    return (ROOT / "docs/man/keyhold.1").read_text().replace("\\-", "-")


class Documentation(command.Case):
    def setUp(self):
        super().setUp()
        listed = self.run_command("--help").out.split("Commands:\n")[1].split("\n\n")[0]
        self.commands = [re.match(r"  (\w+(?: \w+)?)  ", line).group(1) for line in listed.splitlines()]
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

    def test_the_manual_page_is_well_formed(self):
        done = subprocess.run(["man", "--warnings", "-l", str(ROOT / "docs/man/keyhold.1")], capture_output=True, text=True,
                              env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "MANPAGER": "cat", "MANWIDTH": "80"})
        self.assertEqual(done.stderr, "")
        self.assertIn("keyhold slot change", done.stdout)

    def test_exit_statuses(self):
        for status in "0123":
            self.assertIn(f"\n.TP\n.B {status}\n", manual())


if __name__ == "__main__":
    command.main()
