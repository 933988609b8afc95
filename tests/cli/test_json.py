# SPDX-License-Identifier: GPL-2.0-only
"""Reports as JSON, for files of any name (test_server.py tests those of watch and retire)"""
import json
import os
import subprocess

import command
from command import KEY1, KEY2, KEY3, PASSPHRASE

# names of files: all bytes but the slash and the NUL
NAMES = [bytes(range(1, 0x2F)), bytes(range(0x30, 0x80)), bytes(range(0x80, 0x100)), b'"', b"\\", b'\\"', b"\n", b"\x1b[31m",
         "\u00e4\u20ac\U0001f511".encode(), b"\xc3", b"\xed\xa0\x80", b"\xe2\x82x"]
PLAIN = {**os.environ, "NO_COLOR": "1"}


def shown(name):
    """Returns the name with U+FFFD for each byte that is not UTF-8, as Python finds them."""
    return "".join("\ufffd" if "\udc80" <= character <= "\udcff" else character for character in os.fsdecode(name))


class Json(command.Case):
    def report(self, *arguments, status=0):
        """Returns a report, which must be one line of UTF-8."""
        done = subprocess.run([command.PROGRAM, *arguments, "--json"], capture_output=True, timeout=command.PATIENCE,
                              stdin=subprocess.DEVNULL, start_new_session=True)
        self.assertEqual(done.returncode, status, (arguments, done.stderr))
        self.assertEqual(done.stdout.count(b"\n"), 1)
        self.assertTrue(done.stdout.endswith(b"\n"))
        self.assertNotRegex(done.stdout[:-1], rb"[\x00-\x1f\x7f]")
        text = done.stdout.decode()
        self.assert_no_secret(text, "the report")
        return json.loads(text)

    def each_name(self, content):
        """Yields the path of a file with each of the names, and the name in JSON."""
        for name in NAMES:
            path = os.path.join(os.fsencode(self.folder), name)
            with open(path, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
                file.write(content)
            yield os.fsdecode(path), os.path.join(self.folder, shown(name))

    def test_list(self):
        text = f"1;{KEY1};rotate=1d\n1;3;{KEY2};cipher=aes256-ctr;created=2026-10-22;rotate=3d\n7;{KEY3}\n"
        for path, name in self.each_name(text.encode()):
            report = self.report("list", path)
            self.assertEqual(set(report), {"file", "format", "keys"})
            self.assertEqual((report["file"], report["format"]), (name, "text"))
            self.assertEqual([[version["version"] for version in key["versions"]] for key in report["keys"]], [[1, 3], [1]])
            self.assertEqual(set(report["keys"][0]), {"key_id", "latest_version", "next_rotation", "versions"})
            self.assertEqual(set(report["keys"][0]["versions"][1]), {"version", "bits", "cipher", "created", "fingerprint"})

    def test_check(self):
        for content, status in ((f"1;{KEY1}\n", 0), (f"1;{KEY1}\n7;{'00' * 16}\n", 3), ("nonsense", 3)):
            for path, name in self.each_name(content.encode()):
                report = self.report("check", path, status=status)
                self.assertEqual(set(report), {"file", "format", "good", "findings"})
                self.assertEqual((report["file"], report["format"], report["good"]), (name, "text", status == 0))
                self.assertEqual(any(finding["level"] == "bad" for finding in report["findings"]), status == 3)
                for finding in report["findings"]:
                    self.assertEqual(set(finding) - {"line", "column"}, {"level", "about", "text"})
                    self.assertIn(finding["level"], ("good", "note", "bad"))
                places = [(f["line"], f["column"]) for f in report["findings"] if "line" in f or "column" in f]
                self.assertEqual(places, [(1, 1)] if content == "nonsense" else [])

    def test_slot_list(self):
        self.sealed("sealed", PASSPHRASE)
        for path, name in self.each_name(self.read("sealed")):
            report = self.report("slot", "list", path)
            self.assertEqual(report, {"file": name, "slots": [
                {"label": "main", "kdf": "argon2id", "memory_kib": 1024, "passes": 1}]})

    def test_no_report_after_an_error(self):
        """The standard output is empty."""
        for arguments in (["list"], ["check"], ["slot", "list"]):
            result = self.run_command(*arguments, self.path("none"), "--json", status=1)
            self.assertEqual(result.out, "")
            self.assertIn("not found", result.err)

    def test_a_full_output(self):
        path = self.write("keys", f"1;{KEY1}\n")
        self.assertIn("cannot write to the standard output", self.run_into_full_output("list", "--json", path))

    def test_messages_on_a_terminal(self):
        """No control character of a name reaches the terminal."""
        for path, _ in self.each_name(b"nonsense"):
            for arguments in (["list", path], ["check", path], ["list", path + "none"]):
                self.assert_harmless(self.terminal(*arguments, env=PLAIN).close()[1])
            terminal = self.terminal("create", path + "new", env=PLAIN)
            question = terminal.read_until("New passphrase for.*: ")
            os.write(terminal.master, b"\x04")
            self.assert_harmless(question + terminal.close()[1])
            self.assert_harmless(self.run_command("create", "--format=text", path + "new").out)

    def assert_harmless(self, seen):
        self.assertNotRegex(seen.replace("\r\n", "\n"), r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


if __name__ == "__main__":
    command.main()
