#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A plugin exports its descriptor, every service pointer that it holds and its SQL functions, and nothing else; and
leaves none undefined. A plugin for users holds no service pointer: the server loads a plugin only if its version of each
service is the server's, and one binary is for all versions. Nor does it need a later C library than Debian 12's or a later
OpenSSL than 3.0, so that one built on Debian 13 is for Debian 12 too."""
import re
import subprocess
import sys
from pathlib import Path

DESCRIPTOR = {"_maria_plugin_declarations_", "_maria_plugin_interface_version_", "_maria_sizeof_struct_st_plugin_"}
# the service pointers of each plugin
SERVICES = {
    "keyhold_file": set(),
    "keyhold_example": set(),
    "keyhold_debug": set(),
    "keyhold_bench": {"my_print_error_service", "encryption_service"},
}
FOR_USERS = {plugin for plugin, services in SERVICES.items() if not services}
# the SQL functions of each plugin
FUNCTIONS = {
    "keyhold_file": {"file_key_management_keys"},
}
OLDEST = {"GLIBC": (2, 36), "OPENSSL": (3, 0)}
LIBRARIES = re.compile(r"@(GLIBC|OPENSSL|LIBSODIUM)")


def symbols(*arguments):
    output = subprocess.run(["nm", *arguments], check=True, text=True, capture_output=True).stdout
    return [line.split() for line in output.splitlines() if line.strip()]


def main():
    faults = []
    for plugin in sys.argv[1:]:
        exported = {fields[-1].split("@")[0] for fields in symbols("-D", "--defined-only", plugin)}
        functions = FUNCTIONS.get(Path(plugin).stem, set())
        wanted = DESCRIPTOR | SERVICES[Path(plugin).stem]
        wanted |= {function + part for function in functions for part in ("", "_init", "_deinit")}
        if exported != wanted:
            faults.append(f"{plugin} exports {sorted(exported)}, not {sorted(wanted)}")
        held = {fields[-1] for fields in symbols("--defined-only", plugin)
                if re.fullmatch(r"\w+_service", fields[-1]) and fields[-2] in "dDbB"}
        if not held <= exported:
            faults.append(f"{plugin} hides service pointers: {sorted(held - exported)}")
        for fields in symbols("-D", "--undefined-only", plugin):
            name = fields[-1]
            library, _, version = name.partition("@")[2].partition("_")
            if Path(plugin).stem in FOR_USERS and tuple(map(int, re.findall(r"\d+", version)))[:2] > OLDEST.get(library, (999,)):
                faults.append(f"{plugin} needs {name}")
            weak = fields[-2] == "w"
            known = LIBRARIES.search(name) or name.startswith(("sodium_", "crypto_", "crypto_auth_", "urcu_bp_", "randombytes_", "__asan", "__ubsan", "__tsan", "__sanitizer"))
            if not weak and not known:
                faults.append(f"{plugin} leaves {name} undefined")
    print("\n".join(faults) or "descriptor, services and SQL functions, and nothing else")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
