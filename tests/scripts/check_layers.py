#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each folder includes what stands below it, never above; and each foreign library has one door."""
import re
import sys
from pathlib import Path

# from below to above; a folder may include itself and what stands before it
LAYERS = ["core/base", "core/keytable", "core/crypt", "core/unlock", "core/keyfile", "core/store", "core/keeper", "server", "plugins", "cli"]

# which folder a public header belongs to: the one that defines its functions
HEADERS = {
    "core/base": "aead argon2 base64 bytes clock cursor fault file hex hmac limits lockfile log random secret sha256 status time version",
    "core/keytable": "fingerprint inventory keylist keyring keytable policy",
    "core/crypt": "crypt datakey md5",
    "core/unlock": "unlock",
    "core/keyfile": "keyfile keyfile_change keyfile_openssl keyfile_text rotation sealed",
    "core/store": "store store_file",
    "core/keeper": "keeper",
}
LAYER_OF_HEADER = {name: layer for layer, names in HEADERS.items() for name in names.split()}

# foreign includes and the folders or files that may have them
DOORS = {
    r"openssl/|intel-ipsec-mb": ["core/crypt"],
    r"sodium": ["core/base"],
    r"urcu": ["core/keytable"],
    r"mysql/|typelib\.h": ["server", "plugins"],
    r"mysql\.h": ["server", "plugins", "cli/server.c"],
}
# what the code of a folder may not name: the keeper knows stores, not files
UNKNOWN = {
    "core/keeper": re.compile(r"keyhold/(?:keyfile\w*|rotation|sealed|file|lockfile|unlock|store_file)\.h|inotify"
                              r"|\bkh_(?:key)?file_\w+|\bKH_E_FILE\w*|\w*stamp\w*|\w*lockfile\w*|\b\w*path\b"),
}
COMMENT = re.compile(r"/\*.*?\*/", re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def layer_of_file(path):
    return next((layer for layer in LAYERS if path.startswith(layer + "/")), None)


def layer_of_include(name, layer):
    public = re.fullmatch(r"keyhold/(\w+)\.h", name)
    if public:
        return LAYER_OF_HEADER.get(public.group(1), "unknown header " + name)
    return layer_of_file(name) or layer  # a bare name stands beside the file


def faults_of(layer, kind, name, path=""):
    if kind == '"':
        wanted = layer_of_include(name, layer)
        if wanted not in LAYERS or LAYERS.index(wanted) > LAYERS.index(layer):
            yield f"{layer} may not include {name}, which belongs to {wanted}"
        elif layer == "cli" and not name.startswith("keyhold/") and wanted != layer:
            yield f"{layer} may include public headers only, and not {name}"
    for pattern, doors in DOORS.items():
        if re.match(pattern, name) and layer not in doors and path not in doors:
            yield f"{layer} may not include {name}: its door is {', '.join(doors)}"


def names_unknown(layer, text):
    if layer in UNKNOWN:
        for name in sorted(set(UNKNOWN[layer].findall(COMMENT.sub("", text)))):
            yield f"{layer} may not know {name}"


def check(root):
    for path in sorted((root / "src").rglob("*.[ch]")):
        relative = path.relative_to(root / "src").as_posix()
        layer = layer_of_file(relative)
        if layer is None:
            yield f"{relative}: stands in no layer"
            continue
        yield from (f"{relative}: {fault}" for fault in names_unknown(layer, path.read_text()))
        for line in path.read_text().splitlines():
            match = INCLUDE.match(line)
            if match:
                yield from (f"{relative}: {fault}" for fault in faults_of(layer, *match.groups(), relative))
    for path in sorted((root / "include/keyhold").glob("*.h")):
        layer = LAYER_OF_HEADER.get(path.stem)
        if layer is None:
            yield f"{path.name}: no layer is known for it"
            continue
        for line in path.read_text().splitlines():
            match = INCLUDE.match(line)
            if match:
                yield from (f"{path.name}: {fault}" for fault in faults_of(layer, *match.groups()))


def self_test():
    bad = [("core/base", '"', "keyhold/keytable.h"), ("core/keyfile", "<", "openssl/evp.h"),
           ("core/keyfile", "<", "mysql/plugin.h"), ("core/crypt", '"', "keyhold/keyfile.h"),
           ("core/crypt", '"', "server/report.h"), ("core/base", '"', "keyhold/nonesuch.h"),
           ("plugins", "<", "sodium.h"), ("core/keytable", "<", "mysql.h"), ("cli", '"', "server/report.h"),
           ("cli", '"', "core/keyfile/opened.h"), ("cli", "<", "mysql.h", "cli/watch.c"), ("cli", "<", "mysql/plugin.h")]
    good = [("plugins", '"', "server/report.h"), ("core/crypt", "<", "openssl/evp.h"), ("core/crypt", '"', "mode.h"),
            ("server", "<", "mysql/plugin.h"), ("plugins", "<", "mysql.h"), ("core/keyfile", '"', "keyhold/crypt.h"),
            ("cli", "<", "mysql.h", "cli/server.c"), ("cli", '"', "table.h"), ("cli", '"', "keyhold/keyfile.h")]
    for text in ['#include "keyhold/keyfile.h"', "#include <sys/inotify.h>", "kh_file_flush(x)", "KH_E_FILE_CHANGED",
                 "fault->path", "kh_lockfile_take(x)", "keeper->stamp"]:
        if not list(names_unknown("core/keeper", text)):
            yield f"not seen: {text}"
    yield from names_unknown("core/keeper", '/* a file, a stamp */ #include "keyhold/store.h"\nkh_keyring_copy(x)')
    yield from names_unknown("core/store", "kh_file_flush(x)")
    for case in bad:
        if not list(faults_of(*case)):
            yield f"not seen: {case}"
    for case in good:
        yield from faults_of(*case)


def main():
    arguments = sys.argv[1:]
    faults = list(self_test() if arguments[0] == "--self-test" else check(Path(arguments[0])))
    print("\n".join(faults) or "every include leans on what stands below")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
