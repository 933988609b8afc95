#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every option, status variable, cipher and message is in the documentation, every message there exists, and no file or heading
that it names is missing."""
import itertools
import re
import sys
from pathlib import Path

STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
SPEAKERS = re.compile(r"\bkh_(?:log_write|report_error|udf_refuse|cli_say|cli_message|cli_fail)\(")
PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[()]')  # of a call: a string, which may hold anything, or a parenthesis
CONVERSION = re.compile(r"%[-0-9.*]*(?:z|l|ll)?[a-zA-Z]")
SHORTEST = 12  # a piece of a message that is worth looking for
SHORTEST_KNOWN = 7  # and of a documented message, by which the program must have it
ROW = re.compile(r'KH_ERROR\((\w+),\s*(\w+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)')
OPTION = re.compile(r"\[([^]|]*)(?:\|([^]]*))?\]")  # a part of a sentence in brackets (fault.h)
BREAK = re.compile(r"<[^>]*>|\.\.\.|\b[A-Z]\b|\b[0-9][0-9.]*\b|[:;,()]")  # placeholders and other ends of a piece


CIPHER_PAGES = ("docs/key-file.md", "docs/man/keyhold-key-file.5.in")


def squeeze(text):
    return re.sub(r"[\s`*]+", " ", text)


def options(root):
    declared = re.compile(r"MYSQL_SYSVAR_\w+\([\s\\]*(\w+),")
    shared = declared.findall((root / "src/server/key_plugin.h").read_text())
    for path in root.glob("src/plugins/*/*.c"):
        text = path.read_text()
        for name in declared.findall(text) + (shared if "KH_KEY_PLUGIN_SYSVARS(" in text else []):
            yield f"{path.parent.name}_key_management_{name}"


def status_variables(root):
    """Those that all key management plugins share, as file_key_management has them."""
    names = re.findall(r'KH_SHOW_FIELD\(\s*"(\w+)"', (root / "src/server/key_plugin.c").read_text())
    return [f"File_key_management_{name}" for name in names]


def ciphers(root):
    """The names of the table of ciphers."""
    return re.findall(r'\.name = "([^"]+)"', (root / "src/core/crypt/cipher.c").read_text())


def cipher_faults(names, pages):
    for page, text in pages.items():
        plain = text.replace("\\-", "-")
        yield from (f"{page} does not have the cipher {name}" for name in names if not re.search(rf"(?<![\w-]){name}\b", plain))


def call(text, begin):
    """The arguments of the call whose parenthesis has been opened before begin."""
    depth = 1
    for piece in PIECE.finditer(text, begin):
        depth += {"(": 1, ")": -1}.get(piece.group(), 0)
        if depth == 0:
            return text[begin:piece.start()]
    raise ValueError("a call that does not end")


def source(path):
    """A file's text without comments and includes, and the strings that stand side by side as one."""
    text = re.sub(r"/\*.*?\*/|#include[^\n]*", "", path.read_text(), flags=re.S)
    text = re.sub(r'%"\s*PRI(\w)(?:32|64)\s*"', r"%\1", text)
    text = re.sub(r'%"\s*PRI(\w)(?:32|64)\b', r'%\1"', text)
    return re.sub(r'"\s+"', "", re.sub(r'"\s+KEYHOLD_VERSION\s+"', "%s", text))


def messages(root):
    """The literal pieces of every format that reaches a user, but for the sentences of the error catalogue."""
    for path in root.glob("src/**/*.c"):
        text = source(path)
        bodies = [call(text, found.end()) for found in SPEAKERS.finditer(text)]
        if path.name == "keyfile_hint.c":  # its tables
            bodies += [f'"{literal}"' for literal in STRING.findall(text) if literal.count(" ") > 1]
        for literal in STRING.findall(" ".join(bodies)):
            for piece in CONVERSION.split(literal.replace('\\"', '"')):
                if len(piece.strip(" '\"(),.:")) >= SHORTEST:
                    yield path.name, piece.strip(" '\"(),.:")


def catalogue(root):
    """Code and sentence of every row of the error catalogue."""
    for path in sorted(root.glob("include/keyhold/errors/*.def")):
        for code, _, strings in ROW.findall(re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)):
            yield code, "".join(STRING.findall(strings)).replace('\\"', '"')


def forms(sentence, absent=False):
    """The sentence as patterns: with the parts in brackets, with the alternative to one, and, if absent, without one."""
    pieces = OPTION.split(sentence)
    choices = []
    for plain, this, other in zip(pieces[::3], pieces[1::3] + [""], pieces[2::3] + [None]):
        choices += [[plain], [this, other] if other is not None else [this, ""] if absent else [this]]
    for chosen in itertools.product(*choices):
        words = re.split(r"(\{\w+\})", "".join(chosen).strip())
        yield re.compile("".join({"{os_error}": r" \(Errcode: [^)]*\)"}.get(word, ".+?" if word.startswith("{") else re.escape(word))
                                 for word in words))


def documented(page):
    """The messages of the page: what the first column of its tables has between backquotes."""
    for cell in re.findall(r"(?m)^\| *(`.*?) \|", page):
        yield from re.findall(r"`([^`]+)`", cell)


NAMES = re.compile(r'(?:\.noun = |#define PLUGIN_NAME )"([^"]+)"')  # what messages call a store and a plugin


def names_in_messages(root):
    """The names of stores and plugins, which the program puts into messages that are the same for all."""
    return sorted({name for path in root.glob("src/**/*.c") for name in NAMES.findall(path.read_text())})


def is_written(message, literals, names=()):
    """Whether a piece of the message is in a string of the program: many messages are put together from several."""
    for name in names:
        message = message.replace(name, "<name>")
    pieces = [piece.strip(" '\".") for piece in BREAK.split(message)]
    return any(piece in literals for piece in pieces if len(piece) >= min(SHORTEST_KNOWN, max(map(len, pieces))))


def message_faults(rows, page, literals, names=()):
    """Compares the page with the rows of the catalogue and the strings of the program, both ways."""
    known = list(documented(page))
    patterns = [(code, form) for code, sentence in rows for form in forms(sentence)]
    for code, form in patterns:
        if not any(form.fullmatch(message) for message in known):
            yield f"docs/messages.md does not have {code}: {form.pattern}"
    written = [form for _, sentence in rows for form in forms(sentence, absent=True)]
    for message in known:
        if not any(form.fullmatch(message) for form in written) and not is_written(message, literals, names):
            yield f"docs/messages.md has '{message}', which nothing writes"


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


def self_test():
    rows = [("KH_E_OPEN", "Cannot open '{path}'{os_error}"), ("KH_E_DAMAGED", "{path} is damaged[, in line {line}|: its sum is wrong]"),
            ("KH_E_EXIT", "It ended with {number}[; it said \"{quote}\"]")]
    page = ["| `Cannot open '<file>' (Errcode: ...)` | x |", "| `<file> is damaged, in line L` | x |",
            "| `<file> is damaged: its sum is wrong` | x |", '| `It ended with N; it said "..."`, `no key I is there` | x |',
            "| `It ended with N` | x |"]
    literals = "there is\nno key %u is there\n"
    for fault in message_faults(rows, "\n".join(page), literals):
        yield f"found in a good page: {fault}"
    for i, line in enumerate(page[:-1]):
        if not list(message_faults(rows, "\n".join(page[:i] + page[i + 1:]), literals)):
            yield f"not missed: {line}"
    for row in rows:
        if not list(message_faults([other for other in rows if other != row], "\n".join(page), literals)):
            yield f"still documented, and not noticed: {row}"
    pages = {"good": "`aes-xts` and aes256-xts", "man": "aes\\-xts, aes256\\-xts"}
    yield from cipher_faults(["aes-xts", "aes256-xts"], pages)
    if len(list(cipher_faults(["aes-xts", "aes-gcm"], pages))) != len(pages):
        yield "a cipher that is in no page is not noticed"
    if not list(message_faults(rows, "\n".join(page), "there is\n")):
        yield "a documented message that nothing writes is not noticed"
    if is_written("the file was not loaded", "%s was not loaded") or not is_written("the file was not loaded", "%s was not loaded", ["the file"]):
        yield "a name in a message is not told from its words"


def main():
    if sys.argv[1] == "--self-test":
        faults = list(self_test())
        print("\n".join(faults) or "what is missing is noticed")
        return 1 if faults else 0
    root = Path(sys.argv[1])
    faults = list(links(root))
    options_page = (root / "docs/options.md").read_text()
    for name in sorted({*options(root), *status_variables(root)}):
        if f"`{name}`" not in options_page:
            faults.append(f"docs/options.md does not have {name}")
    names = ciphers(root)
    faults += cipher_faults(names, {page: (root / page).read_text() for page in CIPHER_PAGES})
    messages_page = squeeze((root / "docs/messages.md").read_text())
    found = 0
    for name, piece in sorted(set(messages(root))):
        found += 1
        if squeeze(piece) not in messages_page:
            faults.append(f"docs/messages.md does not have '{piece}' ({name})")
    rows = list(catalogue(root))
    literals = "\n".join(literal.replace('\\"', '"') for path in root.glob("src/**/*.[ch]") for literal in STRING.findall(source(path)))
    faults += message_faults(rows, (root / "docs/messages.md").read_text(), literals, names_in_messages(root))
    if found < 45 or len(rows) < 50 or len(names) < 4 or not list(options(root)) or len(status_variables(root)) < 16:
        faults.append("this check no longer finds the messages, the ciphers, the options or the status variables in the source")
    print("\n".join(faults) or f"{found} pieces of messages, {len(rows)} errors, every cipher, option and status variable are documented")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
