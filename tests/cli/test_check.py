# SPDX-License-Identifier: GPL-2.0-only
"""keyhold check: a file with each single problem, and one without problems."""
import gzip
import json
import os
import pwd
import re
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

    def test_a_lock_file_that_is_none(self):
        path = self.write("keys", GOOD)
        os.symlink("keys", path + ".lock")
        self.assertRegex(" ".join(self.bad(path)), "a rotation would fail: .*keys.lock' is a symbolic link, not a lock file; remove it")
        os.unlink(path + ".lock")
        self.findings(path, status=0)

    @unittest.skipIf(os.geteuid() != 0, "only root can give files away")
    def test_what_keeps_the_owner_from_rotating(self):
        """Root checks with the rights of the file's owner."""
        path = self.write("keys", GOOD, 0o600)
        os.chown(path, 65534, 65534)
        os.chown(self.folder, 65534, 65534)
        self.assertNotIn("would fail", str(self.findings(path, status=0)))
        lock = self.write("keys.lock", "", 0o600)
        self.assertRegex(" ".join(self.bad(path)), "keys.lock' .mode 0600, owner root.; give it the owner, group and mode")
        os.unlink(lock)
        os.chown(path, 65534, 0)
        self.assertRegex(" ".join(self.bad(path)), "owns the file, but is not in its group 0; give the file a group of that user")
        os.chown(path, 65534, 65534)
        os.chown(self.folder, 0, 0)
        os.chmod(self.folder, 0o755)
        notes = [f["text"] for f in self.findings(path, status=0) if f["level"] == "note"]
        self.assertRegex(" ".join(notes), "a rotation would fail: .*cannot write folder")
        os.chmod(self.folder, 0o1777)
        left = self.write(".keys.keyhold-new", "", 0o600)
        self.assertRegex(" ".join(self.bad(path)), "keyhold-new' was left by a process of user root")
        os.unlink(left)

    def test_folder(self):
        os.chmod(self.folder, 0o707)
        self.assertRegex(self.bad_text(GOOD)[0], r"every user can write to its folder '.*' \(mode 0707\)")
        os.mkdir(self.path("below"), 0o700)
        os.symlink(self.write("keys", GOOD), self.path("below/link"))
        self.assertIn("every user can write", self.bad(self.path("below/link"))[0])

    def test_inside_a_data_directory(self):
        for name in ("ibdata1", "aria_log_control"):
            os.makedirs(self.path("data/below"), exist_ok=True)
            path = self.write("data/below/keys", GOOD)
            self.findings(path, status=0)
            self.write(f"data/{name}", "")
            self.assertEqual(self.bad(path), [f"it is inside the data directory '{self.path('data')}', so every copy of that "
                                              "directory has it too; move it to a folder of its own"])
            os.symlink(path, self.path("link"))  # the file itself counts, not its name
            self.assertEqual(len(self.bad(self.path("link"))), 1)
            os.symlink(self.write("outside", GOOD), self.path("data/link"))
            self.assertEqual([f for f in self.findings(self.path("data/link"), status=0) if f["about"] == "place"], [])
            for used in (f"data/{name}", "link", "data/link", "outside"):
                os.remove(self.path(used))
        os.mkdir(self.path("data/ibdata1"))  # a folder is not a data file
        self.findings(path, status=0)

    def test_what_a_change_kept_beside_it(self):
        path = self.write("keys", GOOD)
        self.write("other.kept-20261122T010555Z", "1;\n")
        kept = [self.write(f"keys.kept-20261122T010555Z{end}", f"{GOOD}9;{KEY3}\n") for end in ("", "-2")]
        says = [f"'{name}' beside it is an older content with lines that the file may lack; add its keys by 'keyhold merge', then move "
                "it to a safe place" for name in kept]
        os.symlink(path, self.path("link"))
        for name in (path, self.path("link")):
            found = [(f["level"], f["text"]) for f in self.findings(name, status=0) if f["about"] == "kept"]
            self.assertEqual(sorted(found), [("note", text) for text in says])
        out = self.run_command("check", path).out
        for text in says:
            self.assertRegex(out, f"note +(kept +)?.*{re.escape(text)}")

    def copies(self, *arguments, status):
        return [(f["level"], f["text"]) for f in self.findings(*arguments, status=status) if f["about"] == "copies"]

    def test_a_plain_copy_beside_it(self):
        sealed, how = self.sealed("keys")
        text = self.text_of(sealed, how)
        self.assertEqual(self.copies(sealed, how, status=3), [])  # 3: its slot is cheap
        count = len(re.findall("(?m)^[0-9]", text))
        says = f"has {count} of its keys in plain text"
        for name, content in (("keys~", text), (".keys.swp", "b0VIM\0\0" + text.replace("\n", "\0").lower()),
                              ("keys.txt", "\ufeff" + text.replace("\n", "\r\n").upper())):
            copy = self.write(name, content)
            self.assertEqual(self.copies(sealed, how, status=3),
                             [("bad", f"'{copy}' beside it {says}; move it to a safe place, or delete it")])
            self.write(name, content + f"7;{KEY1}\n8;{KEY2[:48]}\n")
            self.assertEqual(self.copies(sealed, how, status=3),
                             [("bad", f"'{copy}' beside it {says}, and 2 more that may be keys, which data may need; "
                                      "move it to a safe place")])
            os.remove(copy)

    def test_what_is_beside_it_and_not_a_copy(self):
        sealed, how = self.sealed("keys")
        text = self.text_of(sealed, how)
        digits = re.search(";([0-9a-fA-F]{32,})", text)[1]
        self.write("other", f"1;{KEY1}\n2;{digits[:-2]}\n3;{digits}0\n4;{digits[1:]}\n")
        self.write("large", text + " " * (1 << 20))
        os.mkdir(self.path("elsewhere"))
        os.symlink(self.write("elsewhere/keys", text), self.path("link"))
        os.mkfifo(self.path("fifo"))
        os.link(sealed, self.path("second name"))
        self.assertEqual(self.copies(sealed, how, status=3), [])  # 3: its slot is cheap
        self.write("just", text + " " * ((1 << 20) - len(text)))
        self.assertEqual(len(self.copies(sealed, how, status=3)), 1)

    def test_a_copy_of_a_plain_file(self):
        path, copy = self.write("keys", GOOD), self.write("keys.orig", f"1;{KEY1}\n")
        self.assertEqual(self.copies(path, status=0), [("note", f"'{copy}' beside it has 1 of its keys in plain text; "
                                                                "move it to a safe place, or delete it")])

    def test_too_many_files_beside_it(self):
        path = self.write("keys", GOOD)
        for number in range(1000):
            self.write(f"file{number}", "x")
        self.assertEqual(self.copies(path, status=0), [])
        self.write("one more", "x")
        self.assertEqual(self.copies(path, status=0),
                         [("note", f"folder '{self.folder}' has too many files: not all were searched for copies of the keys")])

    def test_key_1(self):
        self.assertRegex(self.bad_text(f"2;{KEY1}\n")[0], "^System key id 1 is missing at .* line 1")

    def test_content(self):
        for text, fault in (("1;x\n", "Invalid key at"), (f"1;{KEY1}\n0;{KEY1}\n", "Invalid key id at"),
                            (f"1;{KEY1};rotate=3x\n", "Invalid value of an attribute"), ("", "System key id 1")):
            self.assertIn(fault, self.bad_text(text)[0])

    def places(self, *arguments):
        return [(f["line"], f["column"], f["text"]) for f in self.findings(*arguments, status=3) if f["about"] == "content"]

    def test_every_wrong_line_has_its_place(self):
        """In plain text, and in the text of an encrypted file."""
        text = f"bad\n1; {KEY1}\n2;{KEY2}\n3;{{{{ key }}}}\n4;{'ab' * 20}\n2;2;{KEY2}\n2;2;{KEY1}\n"
        expected = [(1, 1, "expected a key id, or # for a comment, found a letter"),
                    (2, 3, "found white space after the semicolon; remove it"),
                    (4, 3, "found a template that was not rendered"),
                    (5, 43, "expected 32, 48 or 64 hexadecimal digits, found 40, then the end of the line"),
                    (7, 1, "Two different keys for key id 2 version 2")]
        for arguments in ([self.write("keys", text)], self.openssl("keys.enc", text, iterations=100000)):
            found = self.places(*arguments)
            self.assertEqual([place[:2] for place in found], [place[:2] for place in expected])
            for (_, _, told), (_, _, wanted) in zip(found, expected):
                self.assertIn(wanted, told)
        out = self.run_command("check", self.path("keys"), status=3).out
        for line, column, wanted in expected:
            self.assertRegex(out, f"(?m)^bad   .* line {line}, column {column}.*{re.escape(wanted) if line < 7 else ''}")

    def test_files_of_another_kind(self):
        for name, content, wanted in (
                ("vault", b"$ANSIBLE_VAULT;1.1;AES256\n6162\n6364\n", "the file is encrypted by ansible-vault"),
                ("utf16", f"\ufeff1;{KEY1}\n".encode("utf-16-le"), "the file is UTF-16"),
                ("gzip", gzip.compress(GOOD.encode()), "the file is compressed by gzip"),
                ("lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
                ("json", b'{\n"1":\n"x"}\n', "the file is JSON"), ("empty", b"", "the file is empty")):
            path = self.write(name, "")
            with open(path, "wb") as file:
                file.write(content)
            found = self.places(path)
            self.assertEqual(len(found), 1, found)
            self.assertIn(wanted, found[0][2])
            if content:
                self.assertIn(wanted, self.run_command("list", path, status=1).err)

    def test_a_text_of_another_kind_in_an_encrypted_file(self):
        """Which is not taken for what a wrong passphrase gives."""
        for content, wanted in ((f"\ufeff1;{KEY1}\n".encode("utf-16-le"), "the file is UTF-16"),
                                (gzip.compress(GOOD.encode()), "the file is compressed by gzip")):
            found = self.places(*self.openssl("keys", content, iterations=100000))
            self.assertEqual(len(found), 1, found)
            self.assertIn(wanted, found[0][2])

    def test_a_second_key_in_a_line(self):
        found = self.places(self.write("keys", f"1;{KEY1};{KEY2}\n2;{KEY2}\\n3;{KEY3}\n"))
        self.assertEqual([place[:2] for place in found], [(1, 35), (2, 67)])
        self.assertIn("a second key follows, as in id;iv;key of MariaDB 10.1.3", found[0][2])
        self.assertIn("another id;key follows in the same line", found[1][2])

    def test_a_nul_byte(self):
        """What follows it is ignored, and never silently."""
        for text, place in ((f"1;{KEY1}\n\0002;{KEY2}\n", (2, 1)), (f"1;{KEY1}\n#\0\n2;{KEY2}\n", (2, 2)),
                            (f"1;{KEY1}\n2;{KEY2}\n" + 64 * "\0", (3, 1))):
            path = self.write("keys", text)
            found = [entry for entry in self.findings(path, status=3) if "A NUL byte ends the text" in entry["text"]]
            self.assertEqual([(entry["line"], entry["column"]) for entry in found], [place])
            self.assertIn("A NUL byte ends the text", self.run_command("list", path).err)

    def test_more_wrong_lines_than_are_listed(self):
        texts = self.bad_text("x\n" * 102)
        self.assertEqual(len([text for text in texts if "Syntax error" in text]), 100)
        self.assertEqual(texts[-1], "2 more lines are wrong")

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

    def test_the_cipher_of_the_redo_log(self):
        """A note: the server may not encrypt its redo log."""
        for lines, cipher in ((f"1;{KEY2}", "default"), (f"1;{KEY2};cipher=aes256-ctr", "aes256-ctr"),
                              (f"1;1;retired\n1;3;{KEY2};cipher=aes256-xts\n2;{KEY3};cipher=aes-ctr", None),
                              (f"1;{KEY2};cipher=aes256-xts\n1;3;{KEY3};cipher=aes-cbc", "aes-cbc")):
            with self.subTest(lines):
                found = [f for f in self.findings(self.write("keys", lines + "\n"), status=0) if f["about"] == "cipher"]
                self.assertEqual([f["level"] for f in found], ["note"] if cipher else [])
                if cipher:
                    self.assertRegex(found[0]["text"], f"^Key id 1 version [13] has the cipher {cipher}: .* rows,? without the key; "
                                                       "'keyhold rotate --id=1 --cipher=aes256-xts FILE'")
        older = self.write("keys", f"1;{KEY1};cipher=aes-ctr\n1;3;{KEY2};cipher=aes256-xts\n")
        self.assertIn("Key id 1 version 1 has the cipher aes-ctr: the redo log and Aria tables may use this version until they are rebuilt, and a copy "
                      "of such files shows rows without the key; rebuild them, see keyhold-operations(7), and retire this version",
                      " ".join(f["text"] for f in self.findings(older, status=0) if f["level"] == "note" and f["about"] == "cipher"))
        path, how = self.sealed("new")
        self.assertNotIn("cipher", str(self.findings(path, how, status=3)))  # its slot is cheap

    def test_notes(self):
        notes = [f["text"] for f in self.findings(self.write("keys", f"1;{KEY1};rotate=3d"), status=0)]
        self.assertIn("key id 1 is due for rotation", notes)
        self.assertIn("the last line has no line end; auto_reload waits for one", notes)

    def test_a_version_that_follows_the_one_before(self):
        """Only the latest version of a key counts, and a retired one before it does not."""
        numbers = ("1;1", "1;2", "2;7", "2;9", "3;1", "3;2", "3;4")
        steps = "".join(f"{number};{KEY1[:30]}{index:02x}\n" for index, number in enumerate(numbers))
        notes = [f["text"] for f in self.findings(self.write("keys", steps), status=0) if f["about"] == "rotation"]
        self.assertEqual(notes, ["InnoDB does not re-encrypt data from key id 1 version 1 to 2: a new version must be more than "
                                 "innodb_encryption_rotate_key_age (default: 1) above the one before; use 'keyhold rotate "
                                 "--id=1', which adds 2"])
        self.run_command("rotate", "--id=1", self.path("keys"))
        self.assertNotIn("rotation", [f["about"] for f in self.findings(self.path("keys"), status=0)])
        self.findings(self.write("keys", f"1;{KEY1}\n2;1;retired\n2;2;{KEY2}\n"), status=0)
        self.assertNotIn("re-encrypt", self.run_command("check", self.path("keys")).out)

    def test_a_file_that_cannot_be_checked(self):
        self.run_command("check", self.path("none"), status=1)
        arguments = self.openssl("keys", GOOD)
        self.passphrase(command.OTHER)
        result = self.run_command("check", *arguments, status=1)
        self.assertEqual(result.out, "")
        self.assertIn("Cannot decrypt", result.err)


if __name__ == "__main__":
    command.main()
