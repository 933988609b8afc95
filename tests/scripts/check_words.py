#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The documentation, messages, help texts and comments have none of the worst phrases, and lines of documentation end at 100
characters.

The list is short and certain: a phrase is on it only if no good sentence of this project needs it. In documentation, text between
backquotes and in code blocks is not judged: it shows what programs print, which is judged in their source."""
import re
import sys
from pathlib import Path

LONGEST = 100

# what is refused, and what to write instead
PHRASES = {
    r"anybody|everybody|nobody|somebody": "anyone, every user, no one, another process, the caller, an attacker",
    r"whoever": "the user, the process, an attacker who",
    r"likewise": "the same; or repeat the words",
    r"in the clear": "in plain text",
    r"(?:is|are|be) to be had|cannot be had": "is available",
    r"which it is otherwise|(?:if|when) (?:it is|they are) not given": "(default: X)",
    r"stands? (?:in|on|at|behind|there|beside|for itself)\b|stands? in the place": "is in, appears in, is after",
    r"by (?:itself|themselves)": "automatically; alone",
    r"com(?:es?|ing) to rest": "has settled, has finished",
    r"withdr[ae]w[ns]?": "remove, change",
    r"therein|thereof|whereof": "name the thing",
    r"makes? place for|takes? (?:its|the|their) place": "replaces, is evicted",
    r"is called wrongly|was called wrongly": "wrong usage",
    r"of then": "of that time",
    r"thrown away": "discarded",
}


def pattern(phrase):
    """The phrase, which may go on in the next line."""
    return re.compile(r"\b(?:%s)\b" % phrase.replace(" ", r"\s+"), re.I)


REFUSED = [(pattern(phrase), instead) for phrase, instead in PHRASES.items()]

CODE = re.compile(r"(`+)(?:(?!\1).)+?\1", re.S)


def pages(root):
    yield from (root / name for name in ("README.md", "CONTRIBUTING.md", "NEWS.md", "SECURITY.md"))
    yield from sorted(root.glob("docs/*.md"))
    yield from sorted(root.glob("docs/man/**/*.in"))
    yield from sorted(root.glob("docs/man/**/*.man"))


def sources(root):
    """Files whose comments and strings are judged: messages, help texts and the error catalogue are among them."""
    for folder in ("include", "src"):
        yield from sorted(path for path in (root / folder).glob("**/*") if path.suffix in (".c", ".h", ".def"))


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def prose_of_markdown(text):
    """The text with code blocks and what is between backquotes blanked, line by line as before."""
    lines, was_blank = [], True
    is_code = False
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip():
            was_blank = True
        else:
            is_code = indent >= 4 and (was_blank or is_code) and not re.match(r" *(?:[-*]|\d+\.) ", line)
            was_blank = False
        lines.append("" if is_code else line)
    return CODE.sub(blank, "\n".join(lines))


def prose_of_manual(text):
    """The text without requests and fonts; the line of NAME is the command's own summary, which --help has too."""
    text = re.sub(r"(?m)^\.SH NAME\n.*$", "\n", text)
    text = re.sub(r'(?m)^\.\\".*$', "", text)
    text = re.sub(r"(?m)^\.(?:B|I|BR|BI|IR|IB|RB|RI) ", "", text)
    return re.sub(r"\\f[BIR]", "", text)


TOKEN = re.compile(r"""/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[^\s"'/]|/""", re.S)


def readable(token):
    """What is between the marks of a comment or a string; code becomes a mark that no phrase has."""
    text = token.group()
    if text.startswith("/*"):
        return re.sub(r"(?m)^ *\*", "", text[2:-2])
    return text[1:-1].replace("\\n", " ") if text.startswith('"') else "\0"


def phrase_faults(name, prose):
    for refused, instead in REFUSED:
        for found in refused.finditer(prose):
            line = prose.count("\n", 0, found.start()) + 1
            yield f"{name}:{line}: '{' '.join(found.group().split())}'; write: {instead}"


def line_faults(name, text):
    """Rows of tables cannot be broken, nor can lines with an address, and those of key files."""
    for number, line in enumerate(text.split("\n"), 1):
        is_exempt = line.startswith("|") or line.startswith("![") or "http" in line or re.match(r" +(?:slot \w+ \w+|\d+;\d)", line)
        if len(line) > LONGEST and not is_exempt:
            yield f"{name}:{number}: {len(line)} characters, {LONGEST} at most"


def faults_of(name, text):
    if name.endswith((".c", ".h", ".def")):
        prose = TOKEN.sub(readable, text)
    else:
        prose = prose_of_markdown(text) if name.endswith(".md") else prose_of_manual(text)
    yield from phrase_faults(name, prose)
    if name.endswith(".md"):
        yield from line_faults(name, text)


def self_test():
    good = ("# A page\n\nThe server loads it automatically.\n\n    $ nobody behind `x`, in the clear\n\n"
            "`nobody listens`, and no one else.\n\n| " + "long " * 30 + "|\n- an item\n\n      likewise in code\n")
    yield from (f"found in a good page: {fault}" for fault in faults_of("good.md", good))
    for bad in ("Nobody can tell.", "is kept in\nthe clear", "64 if it is not given", "argon2id, which it is otherwise", "- likewise",
                "by itself", "It stands in the file.", "x" * (LONGEST + 1), "| whoever | x |"):
        if not list(faults_of("bad.md", f"# A page\n\n{bad}\n")):
            yield f"not noticed: {bad}"
    for bad in (".TP\n.B x\nOf argon2id: 64 if it is not given.", "Keys \\fBin\\fR the clear"):
        if not list(faults_of("bad.1.in", bad)):
            yield f"not noticed: {bad}"
    good = '/* No one. */\nint nobody(int thrown) { return away("the " "key", \'"\', /* in */ x + "the clear"); }\n'
    yield from (f"found in good code: {fault}" for fault in faults_of("good.c", good))
    for bad in ('/**\n * It is in the\n * clear.\n */', 'log("x\\nnobody \\"y\\"");', 'log("64 if it is "\n    "not given");', "int x; /* likewise */"):
        if not list(faults_of("bad.c", f"int x;\n{bad}\n")):
            yield f"not noticed: {bad}"
    yield from (f"the line of NAME is judged: {fault}" for fault in faults_of("good.1.in", ".SH NAME\nx \\- in the clear\n"))


def main():
    if sys.argv[1] == "--self-test":
        faults = list(self_test())
        print("\n".join(faults) or "bad words and long lines are noticed")
        return 1 if faults else 0
    root = Path(sys.argv[1])
    names = list(pages(root))
    code = list(sources(root))
    faults = [fault for path in names + code for fault in faults_of(str(path.relative_to(root)), path.read_text())]
    if len(names) < 30 or len(code) < 150:
        faults.append("this check no longer finds the pages or the sources")
    print("\n".join(faults) or f"{len(names)} pages and {len(code)} sources have none of the refused phrases, and no page a long line")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
