# SPDX-License-Identifier: GPL-2.0-only
"""Tab completion in bash."""
import os
import subprocess
from pathlib import Path

import command

SCRIPT = Path(__file__).resolve().parents[2] / "packaging/bash-completion/keyhold"


class Completion(command.Case):
    def complete(self, *words):
        """The completions of the last word; "=" is a word of its own, as in bash."""
        program = f'''source "$1"; shift
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            _keyhold; printf '%s\\n' "${{COMPREPLY[@]}}"'''
        done = subprocess.run(["bash", "-c", program, "bash", str(SCRIPT), command.PROGRAM, *words], cwd=self.folder,
                              capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return sorted(done.stdout.split())

    def test_commands(self):
        self.assertLessEqual({"create", "slot", "watch", "help", "--help"}, set(self.complete("")))
        self.assertEqual(self.complete("cr"), ["create"])
        self.assertEqual(self.complete("c"), ["check", "convert", "create"])
        self.assertEqual(self.complete("slot", ""), ["add", "change", "list", "remove"])
        self.assertEqual(self.complete("slot", "ch"), ["change"])
        self.assertEqual(self.complete("nonesuch", ""), [])

    def test_help(self):
        self.assertEqual(self.complete("help", "c"), ["check", "convert", "create"])
        self.assertEqual(self.complete("help", "slot", ""), ["add", "change", "list", "remove"])
        self.assertEqual(self.complete("help", "list", ""), [])
        self.assertEqual(self.complete("help", "slot", "add", ""), [])

    def test_options(self):
        self.assertEqual(self.complete("list", "--js"), ["--json"])
        self.assertEqual(self.complete("slot", "add", "--new-f"), ["--new-filekey="])
        self.assertEqual(self.complete("list", "--new"), [])
        self.assertIn("--bits=", self.complete("create", "--"))
        self.assertIn("--force=", self.complete("retire", "keys", "--"))

    def test_every_option_of_every_command(self):
        """Those of the help; an option that takes a value ends with =."""
        commands = self.complete("")
        for name in [[word] for word in commands if word not in ("slot", "help", "--help", "--version")] + [
                ["slot", word] for word in self.complete("slot", "")]:
            help_text = self.run_command(*name, "--help").out
            options = set(command.re.findall(r"(?m)^ .*?(--[a-z0-9-]+=?)", help_text))
            self.assertGreater(len(options), 2)
            self.assertEqual(set(self.complete(*name, "--")), options, name)

    def test_values(self):
        self.assertEqual(self.complete("create", "--format", "=", "s"), ["sealed"])
        self.assertEqual(self.complete("convert", "--to", "="), ["openssl", "sealed", "text"])
        self.assertEqual(self.complete("create", "--cipher", "=", "aes256"), ["aes256-cbc", "aes256-ctr", "aes256-xts"])
        self.assertEqual(self.complete("add", "--cipher", "="), ["aes-cbc", "aes-ctr", "aes256-cbc", "aes256-ctr", "aes256-xts", "default"])

    def test_free_values(self):
        self.write("7", "")
        self.assertEqual(self.complete("rotate", "--id", "="), [])
        self.assertEqual(self.complete("seal", "--memory", "=", "7"), [])

    def test_labels(self):
        path, how = self.sealed("keys")
        self.passphrase(command.OTHER, "other")
        self.run_command("slot", "add", path, "safe", how, f"--new-passphrase-file={self.path('other')}", *command.CHEAP)
        self.assertEqual(self.complete("slot", "remove", path, ""), ["main", "safe"])
        self.assertEqual(self.complete("slot", "change", "--passphrase-file", "=", "p", path, "s"), ["safe"])
        self.assertEqual(self.complete("slot", "add", path, ""), [])
        self.assertEqual(self.complete("slot", "remove", "nonesuch", ""), [])

    def test_files(self):
        self.write("keys.txt", "")
        os.mkdir(self.path("keys.d"))
        self.assertEqual(self.complete("list", "ke"), ["keys.d", "keys.txt"])
        self.assertEqual(self.complete("list", "--json", "keys.t"), ["keys.txt"])
        self.assertEqual(self.complete("list", "--passphrase-file", "=", "ke"), ["keys.d", "keys.txt"])
        self.assertEqual(self.complete("slot", "add", "ke"), ["keys.d", "keys.txt"])


if __name__ == "__main__":
    command.main()
