#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The option file of the Debian package has the settings of the README's sample, all of them as comments, and the drop-in allows
the folder that they name. `--self-test` shows that a difference is noticed."""
import re
import sys
from pathlib import Path

SAMPLE = re.compile(r"(?m)^    \[mariadb\]\n((?:    .*\n|\n)+)")
SETTING = re.compile(r"^#?([a-z]\w* = \S+)")


def settings_in(text):
    return [found.group(1) for found in map(SETTING.match, text.splitlines()) if found]


def faults_of(readme, options, drop_in):
    sample = SAMPLE.search(readme)
    wanted = settings_in(re.sub("(?m)^    ", "", sample.group(1))) if sample else []
    if len(wanted) < 5:
        yield "this check no longer finds the sample in README.md"
    if settings_in(options) != wanted:
        yield "packaging/keyhold.cnf has other settings than the sample in README.md"
    yield from (f"packaging/keyhold.cnf: '{line}' is in force" for line in options.splitlines() if line and line[0] not in "#[")
    folder = re.search(r"_filename = (\S+)/", options).group(1)
    if f"\nReadWritePaths=-{folder}\n" not in drop_in:
        yield f"packaging/systemd/keyhold.conf does not let the server write {folder}"


def self_test():
    sample = "".join(f"a_{n} = {n}\n" for n in range(5)) + "the_filename = /keys/keys  # why\n"
    readme = "    [mariadb]\n" + re.sub("(?m)^", "    ", sample) + "\ntext\n"
    options = "# text\n[mariadb]\n" + re.sub("(?m)^", "#", sample)
    drop_in = "[Service]\nReadWritePaths=-/keys\n"
    good = (readme, options, drop_in)
    bad = ((readme.replace("a_3 = 3", "a_3 = 4"), options, drop_in), (readme, options.replace("#a_2", "a_2"), drop_in),
           (readme, options, drop_in.replace("keys", "other")), (readme.replace("[mariadb]", "[other]"), options, drop_in))
    if list(faults_of(*good)):
        yield "refused: settings that are the same"
    yield from (f"not noticed: case {n}" for n, case in enumerate(bad) if not list(faults_of(*case)))


def main():
    root = Path(sys.argv[1])
    files = ("README.md", "packaging/keyhold.cnf", "packaging/systemd/keyhold.conf")
    faults = list(self_test() if sys.argv[1] == "--self-test" else faults_of(*((root / name).read_text() for name in files)))
    print("\n".join(faults) or "the package's option file has the settings of the README")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
