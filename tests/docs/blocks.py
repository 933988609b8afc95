# SPDX-License-Identifier: GPL-2.0-only
"""The blocks of a page: what a reader would type, write into a file, or compare with what he sees.

A block is indented text of a Markdown page, or what is between .nf and .fi in a manual page. What it is shows by its text. A comment
before it can give orders, `<!-- ... -->` in Markdown and `.\\" ...` in a manual page:

  not run: REASON   the block cannot run, and why
  run: COMMANDS     commands of the test, which the reader does not see, run before the block; see setup.sh
  as: KIND          where its text is not enough
"""
import re
from dataclasses import dataclass, field

KINDS = ("shell", "sql", "transcript", "options", "unit", "log", "script", "keys", "c")
SQL = re.compile(r"(?:ALTER|CHANGE|CREATE|DROP|FLUSH|GRANT|INSERT|PURGE|RESET|SELECT|SET|SHOW|START|STOP|UPDATE|USE)\b")
LOG = re.compile(r"(?:[-\d]+ +[\d:]+ +\d+ +)?\[(?:Note|Warning|ERROR)\]")
OPTION = re.compile(r"\w+( *= .*)?$")
ORDER = re.compile(r"(not run|run|as):\s*(.*)", re.S)
COMMENT = re.compile(r" *<!--(.*?)-->", re.S)
LIST_ITEM = re.compile(r" *(?:[-*]|\d+\.) ")


class PageError(Exception):
    """The page has an unknown order."""


@dataclass
class Block:
    line: int
    lines: list
    before: str = ""  # the paragraph before it, which may name the file that the block is
    orders: list = field(default_factory=list)  # (name, text)
    kind: str = ""

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def reason(self):
        """Why it does not run, or None."""
        return next((text for name, text in self.orders if name == "not run"), None)


def kind_of(lines):
    first = lines[0]
    meant = [line for line in lines if line.strip() and not line.startswith("#")] or [first]
    if first.startswith(("$ ", "> ")):
        return "transcript"
    if first.startswith("#!"):
        return "script"
    if first.startswith("#include"):
        return "c"
    if LOG.match(first):
        return "log"
    if first == "[Service]":
        return "unit"
    if first == "[mariadb]" or any("=" in line for line in meant) and all(OPTION.match(re.sub(r" +#.*", "", line)) for line in meant):
        return "options"
    if re.match(r"\d+;", meant[0]):
        return "keys"
    return "sql" if SQL.match(meant[0]) else "shell"


def order(comment, line):
    """(name, text) of a comment that is an order, else None."""
    found = ORDER.fullmatch(comment.strip())
    if not found:
        return None
    name, text = found[1], found[2].strip()
    if not text or name == "as" and text not in KINDS:
        raise PageError(f"line {line}: the order '{name}:' has no {'reason' if name == 'not run' else 'sense'}")
    return name, text


def finish(block):
    block.kind = next((text for name, text in block.orders if name == "as"), None) or (kind_of(block.lines) if block.lines else "")
    return block


def dedent(lines):
    while lines and not lines[-1].strip():
        lines.pop()
    width = min(len(line) - len(line.lstrip(" ")) for line in lines if line.strip())
    return [line[width:] for line in lines]


class Markdown:
    """Reads a page from its first line to its last."""

    def __init__(self, text):
        self.lines = text.split("\n")
        self.blocks, self.orders, self.paragraph = [], [], []
        self.at = 0

    def parse(self):
        after_blank = True
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if re.match(r" *<!--", line):
                self._comment()
            elif not line.strip():
                after_blank = True
                self.at += 1
                continue
            elif after_blank and line.startswith("    ") and not LIST_ITEM.match(line):
                self._block()
            else:
                self.paragraph = [*([] if after_blank else self.paragraph), line]
                self.at += 1
                after_blank = False
                continue
            after_blank = True
        if self.orders:  # what runs after the last block
            self.blocks.append(finish(Block(len(self.lines), [], "", self.orders)))
        return self.blocks

    def _comment(self):
        begin = self.at
        while "-->" not in self.lines[self.at]:
            self.at += 1
        self.at += 1
        found = order(COMMENT.fullmatch("\n".join(self.lines[begin:self.at]))[1], begin + 1)
        if found:
            self.orders.append(found)

    def _block(self):
        begin, taken = self.at, []
        while self.at < len(self.lines) and (not self.lines[self.at].strip() or self.lines[self.at].startswith("    ")
                                             and not (LIST_ITEM.match(self.lines[self.at]) and taken and not taken[-1].strip())):
            taken.append(self.lines[self.at])
            self.at += 1
        self.blocks.append(finish(Block(begin + 1, dedent(taken), " ".join(self.paragraph), self.orders)))
        self.orders = []


def markdown_blocks(text):
    return Markdown(text).parse()


def manual_blocks(text):
    """The blocks of a manual page's source, but for its SYNOPSIS."""
    blocks, orders, lines, section = [], [], None, ""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith('.\\" '):
            orders += filter(None, [order(line[4:], number)])
        elif line.startswith(".SH "):
            section = line[4:]
        elif line == ".nf" and section != "SYNOPSIS":
            lines, begin = [], number + 1
        elif line == ".fi" and lines is not None:
            blocks.append(finish(Block(begin, dedent(lines), "", orders)))
            lines, orders = None, []
        elif lines is not None:
            lines.append(line.replace("\\-", "-").replace("\\e", "\\").replace("\\(aq", "'").replace("\\&", ""))
    if orders:
        blocks.append(finish(Block(number, [], "", orders)))
    return blocks


def blocks_of(path):
    return (markdown_blocks if path.suffix == ".md" else manual_blocks)(path.read_text())


NUMBERS = [(re.compile(r"\[[#.]+\]"), "[#]"), (re.compile(r"\b(?=\w*\d)[0-9a-f]{8,}\b"), "H"), (re.compile(r"\d+(?:[.:,]\d+)*"), "N"),
           (re.compile(r"\) at line N:"), "):")]


def words(text):
    """The words of a text, with dates, numbers, fingerprints and progress bars made alike."""
    for pattern, instead in NUMBERS:
        text = pattern.sub(instead, text)
    return text.split()


def missing_line(shown, printed):
    """The first line of what a page shows that was not printed, or None. More may be printed, and lines may be broken elsewhere;
    `...` and `<...>` are anything, and what follows two spaces and --, # or <- is a remark."""
    rest = " ".join(words(printed))
    for line in shown:
        wanted = words(re.sub(r"\s{2,}(?:--|#|<-) .*", "", line))
        pattern = r"\s".join(".*?" if word == "..." else re.sub(r"<\w+>", r".*?", re.escape(word)) for word in wanted)
        found = re.search(r"(?<!\S)" + pattern, rest)
        if not found:
            return line
        rest = rest[found.end():]
    return None


@dataclass
class Step:
    """A command or a statement of a transcript, and the lines that the page shows after it."""
    prompt: str
    command: str
    shown: list


def transcript(lines):
    steps = []
    for line in lines:
        last = steps[-1] if steps else None
        if line.startswith(("$ ", "> ")):
            steps.append(Step(line[0], line[2:], []))
        elif last and not last.shown and is_continued(last):
            last.command += "\n" + line
        elif last and line.strip():
            last.shown.append(line)
    return steps


def is_continued(step):
    """A statement goes on until its semicolon, a command after a backslash, a pipe or an open parenthesis."""
    if step.prompt == ">":
        return not re.search(r";\s*(?:--.*)?$", step.command)
    return bool(re.search(r"(?:\\|\||&&)$", step.command))
