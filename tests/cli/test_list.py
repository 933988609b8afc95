# SPDX-License-Identifier: GPL-2.0-only
"""keyhold list"""
import hashlib
import hmac
import os

import command
from command import KEY1, KEY2, KEY3

TEXT = f"""# a comment
1;{KEY1};rotate=1d
1;3;{KEY2};cipher=aes256-ctr;created=2026-10-22;rotate=3d
4000000000;{KEY3};created=2100-01-01
"""
TABLE = """\
       KEY  VERSION  BITS  CIPHER      CREATED               NEXT ROTATION               FINGERPRINT
         1        1   128  default                                                       {0}
         1        3   256  aes256-ctr  2026-10-22T00:00:00Z  2026-10-25T00:00:00Z (due)  {1}
4000000000        1   192  default     2100-01-01T00:00:00Z                              {2}
"""


def fingerprint(key):
    return hmac.new(bytes.fromhex(key), b"Keyhold fingerprint", hashlib.sha256).hexdigest()[:16]


class List(command.Case):
    def test_table(self):
        expected = TABLE.format(*map(fingerprint, (KEY1, KEY2, KEY3)))
        self.assertEqual(self.run_command("list", self.write("keys", TEXT)).out, expected)

    def test_table_of_an_encrypted_file(self):
        expected = TABLE.format(*map(fingerprint, (KEY1, KEY2, KEY3)))
        self.assertEqual(self.run_command("list", *self.openssl("keys", TEXT)).out, expected)

    def test_json(self):
        path = self.write('quoted "keys" \\ \xe4\n', TEXT)
        report = self.run_command("list", "--json", path).json()
        self.assertEqual(report["file"], path)
        self.assertEqual(report["format"], "text")
        self.assertEqual([key["key_id"] for key in report["keys"]], [1, 4000000000])
        self.assertEqual(report["keys"][0]["latest_version"], 3)
        self.assertIsNone(report["keys"][0]["versions"][0]["cipher"])
        self.assertEqual(report["keys"][0]["versions"][1],
                         {"version": 3, "bits": 256, "cipher": "aes256-ctr", "created": "2026-10-22T00:00:00Z",
                          "fingerprint": fingerprint(KEY2)})

    def test_due_without_a_time_of_creation(self):
        out = self.run_command("list", self.write("keys", f"1;{KEY1};rotate=3d\n")).out
        self.assertRegex(out, r"\n  1        1   128  default           due            [0-9a-f]{16}\n")

    def test_colour_only_on_a_terminal(self):
        path = self.write("keys", TEXT)
        self.assertNotIn("\033", self.run_command("list", path, env={**os.environ, "TERM": "xterm"}).out)
        plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        for more, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)):
            terminal = self.terminal("list", path, env={**plain, "TERM": "xterm", **more})
            self.assertEqual("\033[" in self.assert_ends(terminal, 0), coloured, more)

    def test_files_that_cannot_be_read(self):
        self.assertIn("not found", self.run_command("list", self.path("none"), status=1).err)
        self.assertIn("it is a directory", self.run_command("list", self.folder, status=1).err)
        self.assertIn("Syntax error at", self.run_command("list", self.write("bad", "x\n"), status=1).err)
        self.assertIn(" line 2, column 1", self.run_command("list", self.write("bad", "#\nx\n"), status=1).err)
        self.assertIn("System key id 1 is missing", self.run_command("list", self.write("bad", f"2;{KEY1}\n"), status=1).err)

    def test_warning_of_permissions(self):
        self.assertIn("warning: key file", self.run_command("list", self.write("keys", TEXT, 0o644)).err)


if __name__ == "__main__":
    command.main()
