# SPDX-License-Identifier: GPL-2.0-only
"""Tab completion in bash."""
import os
import subprocess
from pathlib import Path

import command

SCRIPT = Path(__file__).resolve().parents[2] / "packaging/bash-completion/keyhold"


class Completion(command.Case):
    def complete(self, *words):
        """What is offered for the last word; "=" is a word of its own, as in bash."""
        program = f'''source "$1"; shift
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            _keyhold; printf '%s\\n' "${{COMPREPLY[@]}}"'''
        done = subprocess.run(["bash", "-c", program, "bash", str(SCRIPT), command.PROGRAM, *words], cwd=self.folder,
                              capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return sorted(done.stdout.split())

    def test_commands(self):
        self.assertLessEqual({"create", "slot", "watch", "--help"}, set(self.complete("")))
        self.assertEqual(self.complete("cr"), ["create"])
        self.assertEqual(self.complete("c"), ["check", "convert", "create"])
        self.assertEqual(self.complete("slot", ""), ["add", "change", "list", "remove"])
        self.assertEqual(self.complete("slot", "ch"), ["change"])
        self.assertEqual(self.complete("nonesuch", ""), [])

    def test_options(self):
        self.assertEqual(self.complete("list", "--js"), ["--json"])
        self.assertEqual(self.complete("slot", "add", "--new-f"), ["--new-filekey="])
        self.assertEqual(self.complete("list", "--new"), [])
        self.assertIn("--bits=", self.complete("create", "--"))
        self.assertIn("--force=", self.complete("retire", "keys", "--"))

    def test_values(self):
        self.assertEqual(self.complete("create", "--format", "=", "s"), ["sealed"])
        self.assertEqual(self.complete("convert", "--to", "="), ["openssl", "sealed", "text"])
        self.assertEqual(self.complete("create", "--cipher", "=", "aes256"), ["aes256-cbc", "aes256-ctr"])

    def test_files(self):
        self.write("keys.txt", "")
        os.mkdir(self.path("keys.d"))
        self.assertEqual(self.complete("list", "ke"), ["keys.d", "keys.txt"])
        self.assertEqual(self.complete("list", "--json", "keys.t"), ["keys.txt"])
        self.assertEqual(self.complete("list", "--passphrase-file", "=", "ke"), ["keys.d", "keys.txt"])
        self.assertEqual(self.complete("slot", "add", "ke"), ["keys.d", "keys.txt"])


if __name__ == "__main__":
    command.main()
