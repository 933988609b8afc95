#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each folder includes what is below it, never above, and names no error of what is above; and each foreign library has one
door."""
import re
import sys
from pathlib import Path

# from below to above; a folder may include itself and what stands before it
LAYERS = ["core/base", "core/crypt", "core/keytable", "core/unlock", "core/keyfile", "core/store", "core/keeper", "server",
          "plugins", "cli/output", "cli/args", "cli/server", "cli/commands", "cli"]

# which folder a public header belongs to: the one that defines its functions
HEADERS = {
    "core/base": "aead argon2 base64 bytes clock cursor fault file hex hmac limits lockfile log random secret sha256 status stop time version",
    "core/keytable": "fingerprint inventory keylist keyring keytable policy",
    "core/crypt": "cipher crypt datakey enc engines kdf md5",
    "core/unlock": "unlock",
    "core/keyfile": "keyfile keyfile_openssl keyfile_text sealed",
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
    r"mysql\.h": ["server", "plugins", "cli/server"],
}
CATALOGUE_READERS = ["status.h", "core/base/status.c"]  # who includes the rows of the error catalogue
ROW = re.compile(r"KH_ERROR\((KH_E_\w+),")
CODE = re.compile(r"\bKH_E_\w+")
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


def is_command(layer):
    return layer.split("/")[0] == "cli"


def faults_of(layer, kind, name):
    if kind == '"':
        wanted = layer_of_include(name, layer)
        if wanted not in LAYERS or LAYERS.index(wanted) > LAYERS.index(layer):
            yield f"{layer} may not include {name}, which belongs to {wanted}"
        elif is_command(layer) and not name.startswith("keyhold/") and not is_command(wanted):
            yield f"{layer} may include public headers only, and not {name}"
    for pattern, doors in DOORS.items():
        if re.match(pattern, name) and layer not in doors:
            yield f"{layer} may not include {name}: its door is {', '.join(doors)}"


def owners_of(root):
    """Which layer owns each error: that of the list (include/keyhold/errors/LAYER.def) which has its row."""
    lists = sorted((root / "include/keyhold/errors").glob("*.def"))
    return {code: f"core/{path.stem}" for path in lists for code in ROW.findall(path.read_text())}


def error_faults(layer, text, owners, path=""):
    """A layer names errors of its own and of what is below it; only status.[ch] include their rows."""
    if '"keyhold/errors' in text and path not in CATALOGUE_READERS:
        yield "only status.[ch] may include the error catalogue"
    for code in sorted(set(CODE.findall(text))):
        if code not in owners:
            yield f"{code} has no row in the error catalogue"
        elif LAYERS.index(owners[code]) > LAYERS.index(layer):
            yield f"{layer} may not name {code}, which belongs to {owners[code]}"


def names_unknown(layer, text):
    if layer in UNKNOWN:
        for name in sorted(set(UNKNOWN[layer].findall(COMMENT.sub("", text)))):
            yield f"{layer} may not know {name}"


def check(root):
    owners = owners_of(root)
    for layer in sorted(set(owners.values()) - set(LAYERS)):
        yield f"include/keyhold/errors: there is no layer {layer}"
    for path in sorted((root / "src").rglob("*.[ch]")):
        relative = path.relative_to(root / "src").as_posix()
        layer = layer_of_file(relative)
        if layer is None:
            yield f"{relative}: stands in no layer"
            continue
        text = path.read_text()
        yield from (f"{relative}: {fault}" for fault in error_faults(layer, text, owners, relative))
        yield from (f"{relative}: {fault}" for fault in names_unknown(layer, text))
        for line in text.splitlines():
            match = INCLUDE.match(line)
            if match:
                yield from (f"{relative}: {fault}" for fault in faults_of(layer, *match.groups()))
    for path in sorted((root / "include/keyhold").glob("*.h")):
        layer = LAYER_OF_HEADER.get(path.stem)
        if layer is None:
            yield f"{path.name}: no layer is known for it"
            continue
        text = path.read_text()
        yield from (f"{path.name}: {fault}" for fault in error_faults(layer, text, owners, path.name))
        for line in text.splitlines():
            match = INCLUDE.match(line)
            if match:
                yield from (f"{path.name}: {fault}" for fault in faults_of(layer, *match.groups()))


def self_test():
    bad = [("core/base", '"', "keyhold/keytable.h"), ("core/keyfile", "<", "openssl/evp.h"),
           ("core/keyfile", "<", "mysql/plugin.h"), ("core/crypt", '"', "keyhold/keyfile.h"),
           ("core/crypt", '"', "server/report.h"), ("core/base", '"', "keyhold/nonesuch.h"),
           ("plugins", "<", "sodium.h"), ("core/keytable", "<", "mysql.h"), ("cli", '"', "server/report.h"),
           ("cli", '"', "core/keyfile/opened.h"), ("cli/commands", "<", "mysql.h"), ("cli/server", "<", "mysql/plugin.h"),
           ("cli/output", '"', "cli/args/number.h"), ("cli/args", '"', "cli/server/server.h"),
           ("cli/server", '"', "cli/commands/command.h"), ("cli/output", '"', "server/report.h")]
    good = [("plugins", '"', "server/report.h"), ("core/crypt", "<", "openssl/evp.h"), ("core/crypt", '"', "mode.h"),
            ("server", "<", "mysql/plugin.h"), ("plugins", "<", "mysql.h"), ("core/keyfile", '"', "keyhold/crypt.h"),
            ("cli/server", "<", "mysql.h"), ("cli/output", '"', "table.h"), ("cli/args", '"', "cli/output/message.h"),
            ("cli/commands", '"', "cli/server/server.h"), ("cli", '"', "cli/commands/command.h"), ("cli", '"', "keyhold/keyfile.h")]
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
    yield from self_test_of_errors()


def self_test_of_errors():
    owners = {"KH_E_LOW": "core/base", "KH_E_HIGH": "core/keyfile"}
    bad = [("core/base", "return KH_E_HIGH;"), ("core/unlock", "KH_E_LOW KH_E_HIGH"), ("cli", "KH_E_NONE"),
           ("core/base", '#include "keyhold/errors.def"'), ("core/keyfile", '#include "keyhold/errors/keyfile.def"')]
    good = [("core/base", "KH_E_LOW"), ("core/keyfile", "KH_E_HIGH, KH_E_LOW"), ("cli", "KH_E_HIGH")]
    for case in bad:
        if not list(error_faults(*case, owners, "core/base/fault.c")):
            yield f"not seen: {case}"
    for case in good:
        yield from error_faults(*case, owners)
    yield from error_faults("core/base", '#include "keyhold/errors.def"', owners, "status.h")


def main():
    arguments = sys.argv[1:]
    faults = list(self_test() if arguments[0] == "--self-test" else check(Path(arguments[0])))
    print("\n".join(faults) or "every include leans on what stands below")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
