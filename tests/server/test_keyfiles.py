#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What keyfiles.py, which the tests with whole servers use, must notice about a key file."""
import unittest

import keyfiles

OLD = keyfiles.START.format("1" * 32, "2" * 64, "3" * 32)
NEW_1, NEW_2 = f"1;3;{'a' * 32};created=2026-01-02T03:04:05Z\n", f"2;3;{'b' * 64};bits=256\n"
AFTER_1, AFTER_2 = "1" * 32 + "\n", "bits=256\n"


def with_lines(text=OLD):
    return text.replace(AFTER_1, AFTER_1 + NEW_1).replace(AFTER_2, AFTER_2 + NEW_2)


class Added(unittest.TestCase):
    def refuse(self, after, before=OLD):
        self.assertNotEqual(after, with_lines())
        with self.assertRaises(keyfiles.Broken):
            keyfiles.added(before, after)

    def test_nothing(self):
        self.assertEqual(keyfiles.added(OLD, OLD), {})

    def test_new_versions(self):
        self.assertEqual(keyfiles.added(OLD, with_lines()), {1: 3, 2: 3})
        self.assertEqual(keyfiles.latest(with_lines()), {1: 3, 2: 3, 3: 1})

    def test_what_was_there_is_gone(self):
        for line in OLD.splitlines(keepends=True):
            self.refuse(with_lines().replace(line, "", 1))

    def test_what_was_there_has_changed(self):
        self.refuse(with_lines().replace("1;" + "1" * 32, "1;" + "1" * 31 + "f"))
        self.refuse(with_lines().replace("Comments stay", "Comments go"))

    def test_a_file_that_is_cut_at_any_byte(self):
        whole = with_lines()
        for end in range(len(whole)):
            self.refuse(whole[:end])

    def test_a_new_line_that_is_cut(self):
        for end in range(len(NEW_1)):
            if NEW_1[:end].rpartition("\n")[2] and not keyfiles.NEW_LINE.fullmatch(NEW_1[:end]):
                self.refuse(with_lines().replace(NEW_1, NEW_1[:end] + "\n"))

    def test_a_version_that_is_not_the_latest(self):
        self.refuse(OLD.replace(AFTER_1, AFTER_1 + NEW_1), before=OLD.replace("1;" + "1" * 32, "1;5;" + "1" * 32))
        self.refuse(OLD.replace(AFTER_1, AFTER_1 + NEW_1.replace("1;3;", "1;1;")))

    def test_one_key_twice(self):
        self.refuse(with_lines().replace("a" * 32, "1" * 32))

    def test_two_new_versions_of_one_key(self):
        self.refuse(OLD.replace(AFTER_1, AFTER_1 + NEW_1 + NEW_1.replace("1;3;", "1;5;").replace("a" * 32, "c" * 32)))


if __name__ == "__main__":
    unittest.main()
