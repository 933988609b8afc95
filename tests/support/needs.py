# SPDX-License-Identifier: GPL-2.0-only
"""Runs a test, or skips it and reports what is missing: needs.py NAME... -- COMMAND...

A NAME is a program, or python:MODULE. Exits with 77, which CTest counts as skipped, when one is missing.
"""
import importlib
import os
import shutil
import sys

SKIPPED = 77


def missing(name):
    """The sentence about what is not here, or None."""
    kind, _, module = name.partition(":")
    if kind == "python" and module:
        try:
            importlib.import_module(module)
        except ImportError:
            return f"the Python module {module} is missing"
        return None
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return None if shutil.which(name, path=path) else f"the program {name} is missing"


def main():
    split = sys.argv.index("--")
    sentences = [sentence for sentence in map(missing, sys.argv[1:split]) if sentence]
    if sentences:
        print("skipped: " + ", ".join(sentences))
        sys.exit(SKIPPED)
    os.execvp(sys.argv[split + 1], sys.argv[split + 1:])


if __name__ == "__main__":
    main()
