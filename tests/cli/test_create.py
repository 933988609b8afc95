# SPDX-License-Identifier: GPL-2.0-only
"""keyhold create"""
import os
import re
import subprocess

import command
from command import CHEAP, OTHER, PASSPHRASE

NEW = r"New passphrase for .*: "
AGAIN = r"Repeat passphrase for .*: "


class Create(command.Case):
    def test_sealed_and_the_passphrase_is_asked_for_twice(self):
        path = self.path("keys")
        terminal = self.terminal("create", path, *CHEAP)
        terminal.answer(NEW, PASSPHRASE)
        terminal.read_until(AGAIN)
        self.assertFalse(terminal.is_shown())
        with open(f"/proc/{terminal.process.pid}/cmdline") as line:
            self.assert_no_secret(line.read(), "the command line")
        os.write(terminal.master, PASSPHRASE.encode() + b"\n")
        seen = self.assert_ends(terminal, 0)
        self.assertIn(f"file_key_management_filename = {path}\n", seen)
        self.assertTrue(self.read("keys").startswith(b"keyhold-sealed "))
        self.assertEqual(self.mode("keys"), 0o600)
        keys = self.keys(path, f"--passphrase-file={self.passphrase()}")
        self.assertEqual(list(keys), [(1, 1)])
        self.assertEqual((keys[1, 1]["bits"], keys[1, 1]["cipher"]), (256, "aes256-xts"))
        self.assertIsNotNone(keys[1, 1]["created"])

    def test_options_that_do_not_apply_to_the_format(self):
        path, how = self.path("keys"), f"--passphrase-file={self.passphrase()}"
        for arguments in (["--format=text", "--memory=2"], ["--format=text", "--kdf=argon2id"], ["--format=openssl", "--passes=2", how]):
            result = self.run_command("create", path, *arguments, status=2)
            self.assertIn("--kdf, --memory, --passes and --iterations apply only to the format sealed", result.err)
        for arguments in (["--format=text", "--digest=sha256"], ["--pbkdf2-iterations=7", how]):
            result = self.run_command("create", path, *arguments, status=2)
            self.assertIn("--digest and --pbkdf2-iterations apply only to the format openssl", result.err)
        self.assertFalse(os.path.exists(path))

    def test_help_has_the_defaults_of_a_new_file(self):
        help_text = self.run_command("create", "--help").out
        self.assertRegex(help_text, r"--digest=NAME [^-]*\(default:\s+sha256\)")
        self.assertRegex(help_text, r"--pbkdf2-iterations=NUMBER [^-]*\(default:\s+600000\)")
        self.assertRegex(self.run_command("list", "--help").out, r"--digest=NAME [^-]*\(default:\s+sha1\)")

    def test_it_prints_the_options_of_the_server(self):
        how = self.passphrase()
        out = self.run_command("create", self.path("a"), *CHEAP, f"--passphrase-file={how}").out
        self.assertIn(f"\n    file_key_management_filekey = FILE:{how}\n", out)
        out = self.run_command("create", self.path("b"), *CHEAP, f"--filekey=EXEC:/bin/cat {how}").out
        self.assertIn(f"\n    file_key_management_filekey = EXEC:/bin/cat {how}\n", out)
        out = self.run_command("create", self.path("c"), *CHEAP, "--passphrase-file=/dev/stdin", stdin=PASSPHRASE).out
        self.assertIn("\n    file_key_management_filekey = FILE:...", out)

    def test_passphrases_that_differ(self):
        terminal = self.terminal("create", self.path("keys"), *CHEAP)
        for _ in range(3):
            terminal.answer(NEW, PASSPHRASE)
            terminal.answer(AGAIN, OTHER)
            terminal.read_until("the passphrases do not match")
        self.assert_ends(terminal, 1)
        self.assertFalse(os.path.exists(self.path("keys")))

    def test_passphrases_that_differ_at_first(self):
        terminal = self.terminal("create", self.path("keys"), *CHEAP)
        for again in (OTHER, PASSPHRASE):
            terminal.answer(NEW, PASSPHRASE)
            terminal.answer(AGAIN, again)
        self.assert_ends(terminal, 0)

    def test_an_empty_passphrase(self):
        terminal = self.terminal("create", self.path("keys"), *CHEAP)
        terminal.answer(NEW, "")
        terminal.answer(AGAIN, "")
        self.assertIn("the passphrase is empty; choose another one", self.assert_ends(terminal, 1))
        self.assertFalse(os.path.exists(self.path("keys")))

    def test_interrupted_while_asking(self):
        terminal = self.terminal("create", self.path("keys"), *CHEAP)
        terminal.answer(NEW, PASSPHRASE)
        terminal.read_until(AGAIN)
        os.write(terminal.master, b"\x03")
        self.assert_ends(terminal, -2)
        self.assertEqual(os.listdir(self.folder), [])

    def test_passphrase_from_a_file(self):
        arguments = self.sealed()
        self.assertEqual(list(self.keys(*arguments)), [(1, 1)])

    def test_key_2_and_attributes(self):
        arguments = self.sealed("keys", PASSPHRASE, "--with-key-2", "--bits=256", "--cipher=aes256-ctr", "--rotate=90d")
        keys = self.keys(*arguments)
        self.assertEqual(list(keys), [(1, 1), (2, 1)])
        for key in keys.values():
            self.assertEqual((key["bits"], key["cipher"]), (256, "aes256-ctr"))
        self.assertRegex(self.text_of(*arguments), r"(?m)^1;[0-9a-f]{64};cipher=aes256-ctr;created=.*Z;rotate=90d$")
        self.assertNotEqual(keys[1, 1]["fingerprint"], keys[2, 1]["fingerprint"])

    def test_the_cipher_of_a_new_key(self):
        """A sealed file is Keyhold's own, so its keys have Keyhold's own cipher; a key of fewer bits cannot."""
        own, how = "Only Keyhold reads data of the cipher aes256-xts; with --cipher=default ", f"--passphrase-file={self.passphrase()}"
        for number, (arguments, cipher) in enumerate((
                (["--with-key-2"], "aes256-xts"), (["--bits=256"], "aes256-xts"), (["--cipher=default"], None), (["--bits=128"], None),
                (["--bits=192"], None), (["--cipher=aes-ctr"], "aes-ctr"), (["--format=openssl"], None), (["--format=text"], None),
                (["--format=text", "--cipher=aes256-xts"], "aes256-xts"))):
            with self.subTest(arguments):
                path = self.path(f"keys{number}")
                how_it_opens = [] if "--format=text" in arguments else [how]
                costs = [] if any("format" in argument for argument in arguments) else CHEAP
                out = self.run_command("create", path, *how_it_opens, *costs, *arguments).out
                (self.assertIn if cipher == "aes256-xts" else self.assertNotIn)(own, out)
                if "--format=openssl" in arguments:
                    how_it_opens += ["--digest=sha256", "--pbkdf2-iterations=600000"]
                self.assertEqual({key["cipher"] for key in self.keys(path, *how_it_opens).values()}, {cipher})

    def test_two_files_have_different_keys(self):
        self.assertNotEqual(self.text_of(*self.sealed("a")), self.text_of(*self.sealed("b")))

    def test_openssl(self):
        how = f"--passphrase-file={self.passphrase()}"
        out = self.run_command("create", "--format=openssl", "--bits=128", how, self.path("keys")).out
        self.assertIn("file_key_management_digest = sha256\n", out)
        self.assertIn("file_key_management_use_pbkdf2 = 600000\n", out)
        text = subprocess.run(["openssl", "enc", "-d", "-aes-256-cbc", "-md", "sha256", "-pbkdf2", "-iter", "600000",
                               "-pass", f"file:{self.path('passphrase')}", "-in", self.path("keys")],
                              check=True, capture_output=True, text=True).stdout
        self.assertRegex(text, r"^1;[0-9a-f]{32};created=\S+Z\n$")
        self.run_command("create", "--format=openssl", "--digest=sha512", "--pbkdf2-iterations=7", how, self.path("b"))
        self.keys("--digest=sha512", "--pbkdf2-iterations=7", how, self.path("b"))

    def test_text(self):
        out = self.run_command("create", "--format=text", self.path("keys")).out
        self.assertNotIn("filekey", out)
        self.assertRegex(self.read("keys").decode(), r"^1;[0-9a-f]{64};created=\S+Z\n$")
        self.assertEqual(self.mode("keys"), 0o600)
        result = self.run_command("create", "--format=text", "--passphrase-fd=0", self.path("b"), stdin=OTHER, status=2)
        self.assertIn("the format text has no passphrase", result.err)
        self.assertFalse(os.path.exists(self.path("b")))

    def test_whatever_the_umask(self):
        for mask in (0, 0o777):
            before = os.umask(mask)
            try:
                self.run_command("create", "--format=text", self.path(f"keys{mask}"))
            finally:
                os.umask(before)
            self.assertEqual(self.mode(f"keys{mask}"), 0o600)

    def test_an_existing_file_is_not_replaced(self):
        path = self.write("keys", "something", 0o644)
        self.assertIn("already exists", self.run_command("create", path, status=1).err)
        self.assertEqual(self.read("keys"), b"something")

    def test_a_missing_folder(self):
        result = self.run_command("create", "--format=text", self.path("none/keys"), status=1)
        self.assertIn("Cannot create file", result.err)

    def test_wrong_values(self):
        for option, message in (("--bits=100", "invalid key length"), ("--bits=160", "invalid key length"),
                                ("--cipher=des", "unknown cipher (expected default, aes-cbc, "), ("--rotate=90", "invalid interval (expected never, "),
                                ("--format=gpg", "unknown format 'gpg'"),
                                ("--kdf=md5", "unknown key derivation 'md5' (expected argon2id or pbkdf2-hmac-sha512)"),
                                ("--memory=0", "invalid value '0' of --memory (expected 1 to "),
                                ("--iterations=5000", "--iterations does not apply to argon2id"),
                                ("--digest=sha3", "unknown digest 'sha3'"),
                                ("--digest=md5", "the digest md5 is not secure and only for reading a file")):
            self.assertIn(message, self.run_command("create", option, self.path("keys"), status=2).err)
        result = self.run_command("create", "--bits=128", "--cipher=aes256-cbc", self.path("keys"), status=2)
        self.assertIn("256 bits", result.err)
        result = self.run_command("create", "--kdf=pbkdf2-hmac-sha512", "--passes=2", self.path("keys"), status=2)
        self.assertIn("--memory and --passes do not apply to pbkdf2-hmac-sha512", result.err)

    def test_costs(self):
        path = self.path("keys")
        how = f"--passphrase-file={self.passphrase()}"
        self.run_command("create", path, how, "--kdf=pbkdf2-hmac-sha512", "--iterations=1000")
        slots = self.run_command("slot", "list", "--json", path).json()["slots"]
        self.assertEqual(slots, [{"label": "main", "kdf": "pbkdf2-hmac-sha512", "iterations": 1000}])
        self.run_command("create", self.path("b"), how)
        slots = self.run_command("slot", "list", "--json", self.path("b")).json()["slots"]
        self.assertEqual(slots, [{"label": "main", "kdf": "argon2id", "memory_kib": 65536, "passes": 3}])

    def test_two_at_a_time(self):
        """One process creates the file, with its own passphrase; the others fail with a message."""
        for number in range(20):
            path = self.path(f"keys{number}")
            sources = [f"--passphrase-file={self.passphrase(text, text[:4])}" for text in (PASSPHRASE, OTHER)]
            processes = [subprocess.Popen([command.PROGRAM, "create", *CHEAP, source, path], stdout=subprocess.DEVNULL,
                                          stderr=subprocess.PIPE, text=True) for source in sources]
            errors = [process.communicate(timeout=command.PATIENCE)[1] for process in processes]
            statuses = [process.returncode for process in processes]
            self.assertEqual(sorted(statuses), [0, 1], errors)
            self.assertRegex("".join(errors), "already exists|another process is changing it")
            self.run_command("list", sources[statuses.index(0)], path)
            self.assertNotIn(".keyhold-new", "".join(os.listdir(self.folder)))


if __name__ == "__main__":
    command.main()
