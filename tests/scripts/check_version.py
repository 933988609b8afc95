#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The version is that of version.h wherever one is shown: as a number for the server, in the news, in the package's changelog, in
the documentation's examples and in the expected output of the mysql-test suites. `--self-test ROOT` shows that another version is
noticed."""
import re
import shutil
import sys
import tempfile
from pathlib import Path

# in output, such as "Keyhold 0.2.0: 2 keys"; a page may name older versions
SHOWN = re.compile(r"\bKeyhold (\d+\.\d+\.\d+)(?=: )")
NEWS = re.compile(r"(?m)^## (\d+\.\d+\.\d+)")
CHANGELOG = re.compile(r"(?m)^\S+ \((\d+\.\d+\.\d+)")


def pages(root):
    yield from sorted(root.glob("*.md"))
    yield from sorted(root.glob("docs/**/*.md"))
    yield from sorted(root.glob("mysql-test/suite/*/r/*.result"))


def version_of(root):
    """The version as a text and as the server's number."""
    header = (root / "include/keyhold/version.h").read_text()
    return (re.search(r'KEYHOLD_VERSION "(\d+\.\d+\.\d+)"', header).group(1),
            int(re.search(r"KEYHOLD_VERSION_HEX (0x[0-9a-f]{4})\b", header).group(1), 16))


def faults_of(root):
    version, number = version_of(root)
    major, minor, _ = map(int, version.split("."))
    if number != major << 8 | minor:
        yield f"version.h: {number:#06x} is not the number of {version}"
    for name, heading in (("NEWS.md", NEWS), ("debian/changelog", CHANGELOG)):
        path = root / name
        if heading.findall(path.read_text())[:1] != [version]:
            yield f"{name} does not begin with {version}"
    shown = [(path, found) for path in pages(root) for found in SHOWN.findall(path.read_text())]
    yield from (f"{path.relative_to(root)} shows Keyhold {found}, not {version}" for path, found in shown if found != version)
    if len(shown) < 4:
        yield "this check no longer finds where a version is shown"


def self_test(root):
    """Changes one place after another in a copy."""
    version, number = version_of(root)
    changes = (("include/keyhold/version.h", f"{number:#06x}", f"{number + 1:#06x}"), ("NEWS.md", f"## {version}", "## 99.0.0"),
               ("debian/changelog", f"keyhold ({version})", "keyhold (99.0.0)"),
               ("README.md", f"Keyhold {version}", "Keyhold 99.0.0"),
               ("mysql-test/suite/keyhold_plugins/r/load.result", f"Keyhold {version}", "Keyhold 99.0.0"))
    for name, old, new in changes:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder)
            for path in [*pages(root), root / "include/keyhold/version.h", root / "debian/changelog"]:
                (copy / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy / path.relative_to(root))
            (copy / name).write_text((copy / name).read_text().replace(old, new))
            if not list(faults_of(copy)):
                yield f"not noticed: '{new}' in {name}"


def main():
    root = Path(sys.argv[-1])
    faults = list(self_test(root) if sys.argv[1] == "--self-test" else faults_of(root))
    print("\n".join(faults) or f"every version that is shown is {version_of(root)[0]}, and another one is noticed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
