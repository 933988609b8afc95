#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every option and every message of the plugins stands in the documentation, and no file or heading that it names is missing."""
import re
import sys
from pathlib import Path

STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
SPEAKERS = re.compile(r"\bkh_(?:log_write|report_error|udf_refuse|cli_say|cli_fail)\(")
PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[()]')  # of a call: a string, which may hold anything, or a parenthesis
CONVERSION = re.compile(r"%[-0-9.*]*(?:z|l|ll)?[a-zA-Z]")
SHORTEST = 12  # a piece of a message that is worth looking for


def squeeze(text):
    return re.sub(r"[\s`*]+", " ", text)


def options(root):
    declared = re.compile(r"MYSQL_SYSVAR_\w+\([\s\\]*(\w+),")
    shared = declared.findall((root / "src/server/key_plugin.h").read_text())
    for source in root.glob("src/plugins/*/*.c"):
        text = source.read_text()
        for name in declared.findall(text) + (shared if "KH_KEY_PLUGIN_SYSVARS(" in text else []):
            yield f"{source.parent.name}_key_management_{name}"


def call(text, begin):
    """The arguments of the call whose parenthesis has been opened before begin."""
    depth = 1
    for piece in PIECE.finditer(text, begin):
        depth += {"(": 1, ")": -1}.get(piece.group(), 0)
        if depth == 0:
            return text[begin:piece.start()]
    raise ValueError("a call that does not end")


def messages(root):
    """The literal pieces of every format that reaches a user."""
    for source in [root / "src/core/base/fault.c", *root.glob("src/core/**/*.c"), *root.glob("src/server/*.c"),
                   *root.glob("src/plugins/*/*.c"), *root.glob("src/cli/*.c")]:
        text = re.sub(r"/\*.*?\*/|#include[^\n]*", "", source.read_text(), flags=re.S)
        text = re.sub(r'%"\s*PRI(\w)(?:32|64)\s*"', r"%\1", text)
        text = re.sub(r'%"\s*PRI(\w)(?:32|64)\b', r'%\1"', text)
        text = re.sub(r'"\s+"', "", re.sub(r'"\s+KEYHOLD_VERSION\s+"', "%s", text))
        if source.name == "fault.c":
            bodies = [text]
        else:
            bodies = [call(text, found.end()) for found in SPEAKERS.finditer(text)]
        for literal in STRING.findall(" ".join(bodies)):
            for piece in CONVERSION.split(literal.replace('\\"', '"')):
                if len(piece.strip(" '\"(),.:")) >= SHORTEST:
                    yield source.name, piece.strip(" '\"(),.:")


def anchors(page):
    """What the headings of a page are called in a link."""
    for heading in re.findall(r"(?m)^#+ (.*)$", page.read_text()):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def links(root):
    for page in [root / "README.md", *root.glob("docs/*.md")]:
        for name, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
            target = page.parent / name if name else page
            if not target.exists():
                yield f"{page.name} names {name}, which is not there"
            elif anchor and anchor not in anchors(target):
                yield f"{page.name} names {name}#{anchor}, and there is no such heading"


def main():
    root = Path(sys.argv[1])
    faults = list(links(root))
    options_page = (root / "docs/options.md").read_text()
    for name in sorted(set(options(root))):
        if f"`{name}`" not in options_page:
            faults.append(f"docs/options.md does not have {name}")
    messages_page = squeeze((root / "docs/messages.md").read_text())
    found = 0
    for source, piece in sorted(set(messages(root))):
        found += 1
        if squeeze(piece) not in messages_page:
            faults.append(f"docs/messages.md does not have '{piece}' ({source})")
    if found < 20 or not list(options(root)):
        faults.append("this check no longer finds the messages or the options in the source")
    print("\n".join(faults) or f"{found} pieces of messages and every option are documented")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
