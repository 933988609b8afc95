# SPDX-License-Identifier: GPL-2.0-only
"""Key files that `openssl enc` made otherwise than the options say: what `keyhold check` finds out, what is read, and what is
refused."""
import gzip
import os
import subprocess

import command
from command import CHEAP, KEY1, KEY2, PASSPHRASE

TEXT = f"1;{KEY1}\n2;{KEY2}\n"
SEAL = "which is not supported: decrypt it by that command with -d, then run 'keyhold seal'"


class OpensslCase(command.Case):
    def enc(self, options, name="keys", passphrase=PASSPHRASE + "\n"):
        """Makes a key file by the openssl command, and returns the arguments that open it, without its parameters."""
        self.write("passphrase", passphrase)
        subprocess.run(["openssl", "enc", *options.split(), "-pass", f"file:{self.path('passphrase')}", "-out", self.path(name)],
                       input=TEXT.encode(), check=True, capture_output=True)
        os.chmod(self.path(name), 0o600)
        return [self.path(name), f"--passphrase-file={self.path('passphrase')}"]

    def found(self, *arguments, status=1):
        result = self.run_command("check", *arguments, status=status)
        return result.out + result.err


class Check(OpensslCase):
    def test_digest_and_iterations(self):
        for options, digest, iterations in (("-md md5", "md5", 0), ("", "sha256", 0), ("-md sha512", "sha512", 0),
                                            ("-pbkdf2", "sha256", 10000), ("-md sha1 -pbkdf2", "sha1", 10000),
                                            ("-pbkdf2 -iter 600000", "sha256", 600000), ("-a -pbkdf2", "sha256", 10000)):
            arguments = self.enc("-aes-256-cbc " + options)
            self.assertIn(f"keyhold: Cannot decrypt {arguments[0]}. Wrong key? It opens with digest={digest} and "
                          f"use_pbkdf2={iterations}: set these (in the command: --digest={digest} --pbkdf2-iterations={iterations})\n",
                          self.found(*arguments))
            self.run_command("list", *arguments, f"--digest={digest}", f"--pbkdf2-iterations={iterations}")

    def test_only_check_searches(self):
        arguments = self.enc("-aes-256-cbc")
        result = self.run_command("list", *arguments, status=1)
        self.assertTrue(result.err.endswith("Wrong key?\n"), result.err)

    def test_other_ciphers(self):
        for options in ("-aes-128-cbc -md sha256", "-aes-192-cbc -md sha256 -pbkdf2 -iter 10000", "-aes-256-ecb -md md5"):
            self.assertIn(f"Wrong key? It was made by 'openssl enc {options}', {SEAL}", self.found(*self.enc(options)))
        for options in ("-aes-256-ctr -md sha256", "-chacha20 -md sha1"):
            arguments = self.enc(options)
            size = os.stat(arguments[0]).st_size
            self.assertIn(f"Cannot decrypt '{arguments[0]}': {size} bytes are not a multiple of 16: it is cut short, or was not "
                          f"encrypted with aes-256-cbc. It was made by 'openssl enc {options}', {SEAL}",
                          self.found(*arguments, status=3))

    def test_no_salt(self):
        for options in ("-aes-256-cbc -md sha256 -nosalt", "-aes-256-cbc -md sha256 -pbkdf2 -iter 10000 -nosalt",
                        "-aes-256-cbc -md sha256 -nosalt -a"):
            self.assertIn(f"Not encrypted. It was made by 'openssl enc {options}', {SEAL}", self.found(*self.enc(options)))
        with open(self.path("keys"), "wb") as file:
            file.write(bytes(range(256)))
        self.assertIn("Not encrypted. It is not a text either: 'openssl enc -nosalt' or another program made it",
                      self.found(self.path("keys"), f"--passphrase-file={self.path('passphrase')}"))

    def test_an_encrypted_file_that_was_spoilt(self):
        """It is not said to be a plain text, since the advice for that is to remove the passphrase."""
        path, *arguments = self.enc("-aes-256-cbc -md sha1 -a")
        with open(path, "rb") as file:
            armoured = file.read()
        for content, wanted in ((b"\xef\xbb\xbf" + armoured, "Other bytes are before the first word of this encrypted file"),
                                (b"\n" + armoured, "Other bytes are before the first word of this encrypted file"),
                                (armoured.decode().encode("utf-16"), "The file is UTF-16"),
                                (gzip.compress(armoured), "The file is compressed by gzip")):
            with open(path, "wb") as file:
                file.write(content)
            self.assertIn(f"Not encrypted. {wanted}", self.found(path, *arguments))

    def test_what_it_names_is_right(self):
        """The command that it names, with -d, gives the text."""
        arguments = self.enc("-aes-192-ctr -md sha512 -pbkdf2 -iter 10000 -nosalt -a")
        options = self.found(*arguments).split("'openssl enc ")[1].split("'")[0].split()
        done = subprocess.run(["openssl", "enc", *options, "-d", "-pass", f"file:{self.path('passphrase')}", "-in", arguments[0]],
                              check=True, capture_output=True)
        self.assertEqual(done.stdout.decode(), TEXT)

    def test_password_files(self):
        for made, used, found in (
                (PASSPHRASE, PASSPHRASE + "\n# of the key file\n", "It opens with the first line of the passphrase alone"),
                (PASSPHRASE + "\r\n", PASSPHRASE + "\r\n", "It opens with a carriage return (CR) after the passphrase"),
                (PASSPHRASE, "\ufeff" + PASSPHRASE, "It opens with the passphrase without its byte order mark"),
                (PASSPHRASE, PASSPHRASE + " \n", "It opens with the passphrase without the white space around it"),
                (PASSPHRASE, f'"{PASSPHRASE}"', "It opens with the passphrase without the quotation marks around it")):
            arguments = self.enc("-aes-256-cbc -md sha1", passphrase=made)
            self.write("passphrase", used)
            self.assertIn("Wrong key? " + found, self.found(*arguments))
        self.write("passphrase", f"{PASSPHRASE} or another\n# of the key file\n")
        self.assertIn("Wrong key? The passphrase has 2 lines, of which 'openssl enc -pass file:' reads the first\n",
                      self.run_command("list", *arguments, status=1).err)


class Armour(OpensslCase):
    def test_it_is_read_and_kept(self):
        for options in ("-a", "-a -A"):
            arguments = [*self.enc("-aes-256-cbc -md sha256 -pbkdf2 " + options), "--digest=sha256", "--pbkdf2-iterations=10000"]
            self.assertEqual(self.text_of(*arguments), TEXT)
            self.run_command("rotate", "--all", *arguments)
            self.assertEqual(self.read("keys")[:10], b"U2FsdGVkX1")
            text = subprocess.run(["openssl", "enc", "-d", "-aes-256-cbc", "-pbkdf2", "-a", "-pass",
                                   f"file:{self.path('passphrase')}", "-in", self.path("keys")], check=True, capture_output=True)
            self.assertEqual(text.stdout.decode(), self.text_of(*arguments))
            self.run_command("convert", "--to=openssl", "--new-pbkdf2-iterations=1000", *arguments,
                             f"--new-passphrase-file={self.path('passphrase')}")
            self.assertEqual(self.read("keys")[:8], b"Salted__")

    def test_damaged(self):
        arguments = self.enc("-aes-256-cbc -md sha1 -a")
        self.write("keys", self.read("keys").decode()[:-3])
        self.assertIn("the base64 text of 'openssl enc -a' is truncated or damaged; restore it from a copy",
                      self.found(*arguments, status=3))


class Md5(OpensslCase):
    def test_it_is_only_read(self):
        arguments = [*self.enc("-aes-256-cbc -md md5"), "--digest=md5"]
        before = self.read("keys")
        self.assertEqual(self.text_of(*arguments), TEXT)
        for words in (["rotate", "--all"], ["add"]):
            err = self.run_command(*words, *arguments, status=1).err
            self.assertIn(f"Cannot write '{self.path('keys')}': its digest is md5, which is not secure and only read; convert the "
                          "file first: keyhold seal --digest=md5 FILE\n", err)
            self.assertEqual(self.read("keys"), before)
        self.run_command("convert", "--to=openssl", "--new-digest=md5", *arguments, status=2)
        self.run_command("create", "--format=openssl", "--digest=md5", self.path("new"), arguments[1], status=2)
        self.assertFalse(os.path.exists(self.path("new")))
        self.run_command("seal", *arguments, *CHEAP, f"--new-passphrase-file={self.path('passphrase')}")
        self.assertEqual(self.text_of(arguments[0], arguments[1]), TEXT)


class Filekey(OpensslCase):
    def test_what_looks_like_a_source(self):
        arguments = self.enc("-aes-256-cbc -md sha1")[:1]
        for value, found in (("/etc/mysql/secret", "it looks like a path; to read the passphrase from a file, write FILE:/path"),
                             ("~/secret", "it begins with '~', which is not expanded"),
                             ("'FILE:/secret'", "it is in quotation marks, which are a part of it"),
                             ("file:/secret", "it begins like 'FILE:', in another case or after white space"),
                             ("Exec:/secret", "begin it with EXEC: in capitals"),
                             (os.path.relpath(self.path("passphrase")), "")):
            err = self.run_command("list", *arguments, f"--filekey={value}", status=2).err
            self.assertIn("visible to every user", err)
            self.assertIn(found, err)
            self.assertNotIn("secret", err)


if __name__ == "__main__":
    command.main()
