# SPDX-License-Identifier: GPL-2.0-only
"""Prints what the tests ran of each folder, from what `llvm-cov export -summary-only` prints: coverage.py FOLDER <JSON. The files with the
most lines that were never run come last."""
import json
import sys
from collections import defaultdict
from pathlib import Path

LARGEST = 12  # files in the second table


def numbers(summary):
    """Counts of a file: (all, run) of lines, functions and branches."""
    return [(summary[kind]["count"], summary[kind]["covered"]) for kind in ("lines", "functions", "branches")]


def share(pair):
    count, covered = pair
    return f"{100 * covered / count:.1f} %" if count else "-"


def add(total, more):
    return [(count + other, covered + another) for (count, covered), (other, another) in zip(total, more)]


def main():
    root = Path(sys.argv[1]).resolve()
    files = {}
    for file in json.load(sys.stdin)["data"][0]["files"]:
        path = Path(file["filename"])
        if path.is_relative_to(root):
            files[path.relative_to(root)] = numbers(file["summary"])
    folders = defaultdict(lambda: [(0, 0)] * 3)
    for path, counts in files.items():
        folders[str(path.parent)] = add(folders[str(path.parent)], counts)
        folders["all"] = add(folders["all"], counts)

    print(f"{'folder':<28}{'lines':>8}{'run':>9}{'functions':>11}{'branches':>10}")
    for folder in sorted(folders, key=lambda name: (name == "all", name)):
        lines, functions, branches = folders[folder]
        print(f"{folder:<28}{lines[0]:>8}{share(lines):>9}{share(functions):>11}{share(branches):>10}")
    print("\nlines never run, by file:")
    never = sorted(((lines[0] - lines[1], str(path)) for path, (lines, *_) in files.items()), reverse=True)
    for count, path in never[:LARGEST]:
        print(f"{count:>6}  {path}")


if __name__ == "__main__":
    main()
