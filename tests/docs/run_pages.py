#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs every block of README.md, docs/*.md and docs/man: what a reader types works, what he is shown comes, option files are good.

  run_pages.py SOURCE BUILD [PAGE...]      a page, such as docs/rotation.md (default: all; on Debian 13, README.md)
  run_pages.py SOURCE BUILD --self-check   pages with one fault each, which must be found

The blocks of a page run in order, in a throwaway root of its own (throwaway_root.py). What a block may be: blocks.py."""
import re
import sys
import time
from pathlib import Path

import blocks
import throwaway_root

OPTION_FILE = "/etc/mysql/mariadb.conf.d/99-keyhold.cnf"
DROP_IN = "/etc/systemd/system/mariadb.service.d/override.conf"
TEMPORARY = ("innodb_encrypt_temporary_tables", "encrypt_tmp_disk_tables")
REFUSED = re.compile(r"\[ERROR\]|unknown (?:variable|option)|[Uu]nrecognized|ambiguous|option without preceding group")


class Fault(Exception):
    """A block does not do what the page promises."""


def named_file(block):
    """The path that the text before a block names last, or that the block's own second line has."""
    names = re.findall(r"`(/[^`\s]+)`", block.before) or re.findall(r"# (/[^\s,]+)", "\n".join(block.lines[:2]))
    return names[-1] if names else None


class Page:
    def __init__(self, root, name):
        self.root, self.name = root, name
        self.given = 0  # characters of the journal that earlier blocks of log lines had

    def run(self, block):
        for order, text in block.orders:
            if order == "run":
                self._must_work(self.root.quiet(text), text)
        if block.lines and block.reason is None:
            getattr(self, f"_{block.kind}")(block)

    def _must_work(self, result, what):
        if result.status != 0:
            raise Fault(f"exit status {result.status} of:\n{what}\n--- it printed:\n{result.output}")
        return result.output

    def _shell(self, block):
        self._must_work(self.root.bash(block.text), block.text)

    def _sql(self, block):
        self._must_work(self.root.sql(block.text), block.text)

    def _transcript(self, block):
        for step in blocks.transcript(block.lines):
            if step.prompt == "$":
                result = self.root.bash(step.command)
            else:
                result = self.root.sql(step.command, "--skip-column-names")
            missing = blocks.missing_line(step.shown, result.output)
            if missing is not None:
                raise Fault(f"'{step.command}' did not print:\n{missing}\n--- but:\n{result.output}")
            is_failure_shown = step.shown and (step.prompt == "$" or "ERROR" in step.shown[0])
            if not is_failure_shown:
                self._must_work(result, step.command)

    def _log(self, block):
        journal = self.root.bash("journalctl -u mariadb").output
        missing = blocks.missing_line(block.lines, journal)
        if missing is not None:
            raise Fault(f"the error log does not have:\n{missing}\n--- but:\n{journal[-6000:]}")

    def _options(self, block):
        is_whole = block.lines[0] == "[mariadb]"
        names = {line.split("=")[0].strip() for line in block.lines}
        for option in TEMPORARY if is_whole else ():
            if option not in names:
                raise Fault(f"an option file without {option} leaves temporary tables readable")
        path = named_file(block) or OPTION_FILE
        text = block.text if is_whole else self.root.bash(f"cat {path} 2>/dev/null || true").output + "\n[mariadb]\n" + block.text
        if "plugin_load_add" not in text:
            text += "\nplugin_load_add = keyhold_file"
        self.root.write(path, text + "\n")
        checked = self.root.bash("mariadbd --user=mysql --verbose --help > /dev/null")
        if checked.status != 0 or REFUSED.search(checked.output):
            raise Fault(f"the server refuses an option:\n{checked.output}")

    def _unit(self, block):
        self.root.write(DROP_IN, block.text + "\n")
        self._must_work(self.root.bash(
            "cp /lib/systemd/system/mariadb.service /run/; mkdir /run/mariadb.service.d; "
            f"cp {DROP_IN} /run/mariadb.service.d; found=$(systemd-analyze verify /run/mariadb.service 2>&1 | grep override.conf || true); "
            'rm -r /run/mariadb.service*; echo "$found"; [ -z "$found" ]'), block.text)

    def _script(self, block):
        path = named_file(block)
        if path is None:
            raise Fault("the page does not name the file that this script is")
        self.root.write(path, block.text + "\n", 0o755)
        self._must_work(self.root.bash(f"bash -n {path}"), path)

    def _keys(self, block):
        self.root.write("/run/keys.txt", block.text + "\n", 0o600)
        self._must_work(self.root.bash("keyhold list /run/keys.txt"), block.text)

    def _c(self, block):
        self.root.write("/run/block.c", block.text + "\n")
        self._must_work(self.root.bash("gcc -std=c17 -Wall -Werror -Wno-unused-function -fsyntax-only -D_GNU_SOURCE "
                                       "-isystem /usr/include/mariadb/server /run/block.c"), block.text)


def run_page(base, over, path, sample):
    """The fault of a page as text, or None; and how many of its blocks ran."""
    root = throwaway_root.Root(base, "root-" + str(path).replace("/", "-"), [over])
    throwaway_root.give_files(root, sample)
    page, ran, block = Page(root, path.name), 0, None
    try:
        if path.suffix != ".md":  # a manual page is about a server that runs
            root.quiet("server")
        for block in blocks.blocks_of(path):
            page.run(block)
            ran += bool(block.lines) and block.reason is None
    except (Fault, blocks.PageError) as fault:
        return f"{path.name}{f':{block.line}' if block else ''}: {fault}", ran
    finally:
        root.end()
    return None, ran


def sample_of(source):
    """The option file of the README."""
    return next(block.text for block in blocks.blocks_of(source / "README.md") if block.kind == "options") + "\n"


def pages(source):
    return [source / "README.md", *sorted(source.glob("docs/*.md")), *sorted(source.glob("docs/man/*.in"))]


SELF_CHECK = {  # page: whether it is good
    "# Good\n\nText.\n\n    echo a && sudo -u mysql id -un\n\nThen\n\n    $ printf 'b 1\\nc 22\\n'\n    b 7\n    c 8\n": True,
    "<!-- not run: it is a picture -->\n\n    +---+ -> +--+\n": True,
    "<!-- run: server -->\n\n    > SELECT 1, 'x';\n    4 x\n\n    > SELECT * FROM no.table_;\n    ERROR 1146 (42S02): ...\n": True,
    "    no-such-command\n": False,
    "    +---+ -> +--+\n": False,
    "<!-- not run: -->\n\n    echo\n": False,
    "<!-- run: false -->\n\n    echo\n": False,
    "    $ echo a\n    b\n": False,
    "    $ false\n": False,
    "<!-- run: server -->\n\n    > SELECT * FROM no.table_;\n": False,
    "<!-- run: server -->\n\n    SELEC 1;\n": False,
    "<!-- run: server -->\n\n    SELECT * FROM no.table_;\n": False,
    "<!-- run: server -->\n\n    [ERROR] mariadbd: Keyhold 0.1.0: 2 keys\n": False,
    "    innodb_encrypt_nothing = ON\n": False,
    "    file_key_management_no_such = ON\n": False,
    "    [mariadb]\n    plugin_load_add = keyhold_file\n    innodb_encrypt_tables = ON\n    encrypt_tmp_disk_tables = ON\n": False,
    "    [Service]\n    ReadWritePath=/etc\n": False,
    "    1;zz\n": False,
}


def self_check(base, over, sample):
    wrong = 0
    for number, (text, is_good) in enumerate(SELF_CHECK.items()):
        path = Path(base, f"page{number}.md")
        path.write_text(text)
        fault, _ = run_page(base, over, path, sample)
        if (fault is None) != is_good:
            wrong += 1
            print(f"{'a good page fails: ' + fault if is_good else 'a fault is not found'}\n{text}")
    print(f"{len(SELF_CHECK)} pages, {wrong} judged wrongly")
    return wrong


def run_all(base, over, sample, paths):
    failed = 0
    for path in paths:
        begin = time.monotonic()
        fault, ran = run_page(base, over, path, sample)
        failed += fault is not None
        print(fault or f"{path.name}: {ran} blocks ran in {time.monotonic() - begin:.1f} s", flush=True)
    return failed


def pages_of_this_release(source):
    """The README is for every release; other pages show what Debian 12 has."""
    if 'VERSION_ID="12"' in Path("/etc/os-release").read_text():
        return {str(path.relative_to(source)) for path in pages(source)}
    return {"README.md"}


def main():
    source, names = Path(sys.argv[1]), sys.argv[3:]
    chosen = [path for path in pages(source) if str(path.relative_to(source)) in (names or pages_of_this_release(source))]

    def action(base, over, sample):
        if names == ["--self-check"]:
            return 1 if self_check(base, over, sample) else 0
        return 1 if run_all(base, over, sample, chosen) or not chosen else 0

    return throwaway_root.with_template(source, Path(sys.argv[2]), sample_of, action)


if __name__ == "__main__":
    sys.exit(main())
