# SPDX-License-Identifier: GPL-2.0-only
"""keyhold check: a file with each single problem, and one without problems."""
import json
import os
import pwd
import subprocess
import unittest

import command
from command import KEY1, KEY2, KEY3

GOOD = f"1;{KEY1}\n2;{KEY2};created=2026-01-01\n"


class Check(command.Case):
    def findings(self, *arguments, status):
        report = self.run_command("check", "--json", *arguments, status=status).json()
        self.assertEqual(report["good"], status == 0)
        return report["findings"]

    def bad(self, *arguments):
        return [finding["text"] for finding in self.findings(*arguments, status=3) if finding["level"] == "bad"]

    def bad_text(self, text, mode=0o600):
        return self.bad(self.write("keys", text, mode))

    def test_a_damaged_sealed_file_needs_no_passphrase(self):
        path, _ = self.sealed("keys")
        content = self.read("keys")
        with open(path, "wb") as file:
            file.write(content[:-3])
        self.assertTrue(any("damaged" in text for text in self.bad(path)))
        with open(path, "wb") as file:
            file.write(content)
        self.assertIn("there is no terminal", self.run_command("check", path, status=1).err)

    def test_a_good_file(self):
        path = self.write("keys", GOOD)
        out = self.run_command("check", path).out
        self.assertIn("note  the keys are in plain text", out)
        self.assertIn(f"good  mode 0600, owner {pwd.getpwuid(os.geteuid()).pw_name}\n", out)
        self.assertIn("good  2 key ids, 2 versions: none weak, all different\n", out)
        self.assertTrue(out.endswith(f"\n{path}: no problems found\n"))

    def test_one_key(self):
        self.assertIn("good  1 key id, 1 version: none", self.run_command("check", self.write("keys", f"1;{KEY1}\n")).out)

    def test_permissions(self):
        for mode in (0o600, 0o640, 0o400, 0o440):
            self.findings(self.write("keys", GOOD, mode), status=0)
        for mode, text in ((0o604, "other users can read or write the file"), (0o602, "other users can read or write the file"),
                           (0o660, "the group can write the file")):
            bad = self.bad_text(GOOD, mode)
            self.assertEqual(len(bad), 1)
            self.assertIn(text, bad[0])
        self.assertEqual(len(self.bad_text(GOOD, 0o666)), 2)

    def test_the_subject_of_a_finding(self):
        text = f"1;{KEY1}\n1;{KEY2}\n"
        for mode, level in ((0o600, "good"), (0o604, "bad"), (0o660, "bad")):
            findings = self.findings(self.write("keys", text, mode), status=3)
            self.assertEqual([f["level"] for f in findings if f["about"] == "permissions"], [level], findings)
            self.assertEqual([f["level"] for f in findings if f["about"] == "content"], ["bad"], findings)

    def test_permissions_of_a_file_that_is_not_opened(self):
        path, _ = self.sealed("keys")
        with open(path, "ab") as file:
            file.write(b"damage")
        os.chmod(path, 0o604)
        self.assertTrue(any("other users can read or write the file" in text for text in self.bad(path)))

    @unittest.skipIf(os.geteuid() != 0, "only root can give files away")
    def test_owner(self):
        """Accepts files of root and of the caller; refuses those of other users, unless the caller is root."""
        path = self.write("keys", GOOD, 0o644)
        os.chmod(self.folder, 0o755)
        as_other = ["setpriv", "--reuid=65534", "--clear-groups", command.PROGRAM, "check", "--json", path]
        for owner, is_refused in ((0, False), (65534, False), (1, True)):
            os.chown(path, owner, -1)
            texts = [f["text"] for f in json.loads(subprocess.run(as_other, capture_output=True).stdout)["findings"]
                     if f["level"] == "bad"]
            self.assertEqual([text for text in texts if "is neither root nor you" in text] != [], is_refused, texts)
            os.chmod(path, 0o600)
            self.findings(path, status=0)
            os.chmod(path, 0o644)

    def test_folder(self):
        os.chmod(self.folder, 0o707)
        self.assertRegex(self.bad_text(GOOD)[0], r"every user can write to its folder '.*' \(mode 0707\)")
        os.mkdir(self.path("below"), 0o700)
        os.symlink(self.write("keys", GOOD), self.path("below/link"))
        self.assertIn("every user can write", self.bad(self.path("below/link"))[0])

    def test_key_1(self):
        self.assertRegex(self.bad_text(f"2;{KEY1}\n")[0], "^System key id 1 is missing at .* line 1")

    def test_content(self):
        for text, fault in (("1;x\n", "Invalid key at"), (f"1;{KEY1}\n0;{KEY1}\n", "Invalid key id at"),
                            (f"1;{KEY1};rotate=3x\n", "Invalid value of an attribute"), ("", "System key id 1")):
            self.assertIn(fault, self.bad_text(text)[0])

    def test_duplicates(self):
        self.assertIn("key id 1 has different keys in lines 1 and 2", self.bad_text(f"1;{KEY1}\n1;{KEY2}\n")[0])
        self.assertIn("Two different keys for key id 1 version 3 at", self.bad_text(f"1;3;{KEY1}\n1;3;{KEY2}\n")[0])
        self.assertEqual(self.bad_text(f"1;{KEY1}\n2;3;{KEY2}\n2;5;{KEY1}\n3;{KEY2}\n"),
                         [f"key id {b} has the same bytes as key id {a}" for a, b in sorted(
                             [("1 version 1", "2 version 5"), ("2 version 3", "3 version 1")],
                             key=lambda pair: self.order(KEY1 if pair[0][0] == "1" else KEY2))])

    @staticmethod
    def order(key):
        import test_list
        return test_list.fingerprint(key)

    def test_weak_keys(self):
        for length in (16, 24, 32):
            self.assertEqual(self.bad_text(f"1;{KEY1}\n5;7;{'00' * length}\n"),
                             ["key id 5 version 7 is weak: all bytes are zero"])
            self.assertEqual(self.bad_text(f"1;{KEY1}\n5;7;{'a5' * length}\n"),
                             ["key id 5 version 7 is weak: all bytes are equal"])
            self.findings(self.write("keys", f"1;{KEY1}\n5;{'a5' * (length - 1)}a4\n"), status=0)

    def test_parameters(self):
        self.findings(*self.openssl("keys", GOOD, iterations=100000), status=0)
        self.assertIn("with 99999 iterations", self.bad(*self.openssl("keys", GOOD, iterations=99999))[0])
        self.assertIn("one round of sha512", self.bad(*self.openssl("keys", GOOD, iterations=0, digest="sha512"))[0])

    def test_cut_short(self):
        arguments = self.openssl("keys", GOOD, iterations=100000)
        os.truncate(self.path("keys"), 40)
        self.assertIn("40 bytes are not a multiple of 16: it is cut short, or was not encrypted with aes-256-cbc",
                      self.bad(*arguments)[0])
        os.truncate(self.path("keys"), 31)
        self.assertIn("truncated or damaged: 31 bytes", self.bad(*arguments)[0])

    def test_notes(self):
        notes = [f["text"] for f in self.findings(self.write("keys", f"1;{KEY1};rotate=3d"), status=0)]
        self.assertIn("key id 1 is due for rotation", notes)
        self.assertIn("the last line has no line end; auto_reload waits for one", notes)

    def test_a_file_that_cannot_be_checked(self):
        self.run_command("check", self.path("none"), status=1)
        arguments = self.openssl("keys", GOOD)
        self.passphrase(command.OTHER)
        result = self.run_command("check", *arguments, status=1)
        self.assertEqual(result.out, "")
        self.assertIn("Cannot decrypt", result.err)


if __name__ == "__main__":
    command.main()
