#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each header compiles alone, and a second time in one file."""
import subprocess
import sys
from pathlib import Path


def main():
    root, compiler, server_include = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-DMYSQL_DYNAMIC_PLUGIN", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
             f"-I{root}/include", f"-I{root}/src", "-isystem", server_include, "-x", "c", "-"]
    headers = sorted(root.glob("include/keyhold/*.h")) + sorted(root.glob("src/**/*.h")) + sorted(root.glob("bench/*.h"))
    failed = 0
    for header in headers:
        source = f'#include "{header}"\n' * 2
        result = subprocess.run([compiler, *flags], input=source, text=True, capture_output=True)
        if result.returncode != 0:
            failed += 1
            print(f"{header}:\n{result.stderr}")
    print(f"{len(headers)} headers, {failed} do not compile alone")
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
