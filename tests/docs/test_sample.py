#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The README's own option file leaves nothing readable: a server runs with it, and a text that is in tables, temporary tables, sort
files, logs and caches is in no file of the server. Without any one of the file's encryption options, the text is found; and also
where docs/security.md admits it, in temporary tables that Aria's page cache cannot hold.

  test_sample.py SOURCE BUILD"""
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import run_pages
import throwaway_root

MARKER = "The treasure is under the old oak"
PATIENCE = 240  # seconds

# what each session does, and keeps: it ends with SLEEP, or with rows that are not read
FILL = f"""
CREATE DATABASE d; USE d;
CREATE TABLE inno (id INT PRIMARY KEY, note CHAR(200)) ENGINE=InnoDB CHARSET=latin1;
CREATE TABLE aria (id INT PRIMARY KEY, note CHAR(200)) ENGINE=Aria TRANSACTIONAL=0 CHARSET=latin1;
INSERT INTO inno SELECT seq, CONCAT('{MARKER}, ', seq, ' paces') FROM seq_1_to_60000;
INSERT INTO aria SELECT * FROM inno;
FLUSH TABLES;
"""
SESSIONS = {
    "temporary table": """CREATE TEMPORARY TABLE d.t ENGINE=InnoDB SELECT * FROM d.inno;
        SELECT SLEEP(300);""",
    "SELECT DISTINCT": """SET tmp_memory_table_size = 1024;
        SELECT DISTINCT note FROM d.inno;""",
    "ORDER BY": """SET sort_buffer_size = 32768;
        SELECT CONCAT(note, id) AS a, a.* FROM d.inno a ORDER BY a;""",
    "transaction": """SET binlog_format = 'ROW'; BEGIN;
        UPDATE d.inno SET note = REVERSE(note);
        SELECT SLEEP(300);""",
}
FLUSHED = "SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0; SET GLOBAL innodb_max_dirty_pages_pct = 0;"


def open_session(root, name, sql, before):
    """A client that is in the midst of its last statement."""
    client = subprocess.Popen(root.command("mariadb", "--quick", "-e", sql), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    state = "User sleep" if "SLEEP" in sql else "Writing to net"
    before.append(state)
    wait_for(root, f"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = '{state}'",
             lambda rows: int(rows) == before.count(state), f"the session '{name}' does not get so far", client)
    return client


def wait_for(root, query, is_enough, complaint, client=None):
    end = time.monotonic() + PATIENCE
    while True:
        answer = root.sql(query, "--skip-column-names")
        if answer.status == 0 and is_enough(answer.output.strip()):
            return
        if time.monotonic() > end or client and client.poll() is not None:
            raise RuntimeError(f"{complaint}: {root.sql('SHOW PROCESSLIST').output}{client.stderr.read().decode() if client and client.poll() else ''}")
        time.sleep(0.1)


def server_files(root):
    """(name, path) of every file of the server: data directory, temporary ones, and those that are open and have no name any more."""
    for folder in ("var/lib/mysql", "tmp"):
        for path in sorted((root.path / folder).rglob("*")):
            if path.is_file():
                yield str(path.relative_to(root.path)), path
    pid = int((root.path / "run/keyhold-docs/pid").read_text())
    for link in Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(link)
        if target.endswith("(deleted)") and not target.startswith("/[aio]"):  # which is not a file
            yield target, link


def files_with_marker(root):
    found, count = set(), 0
    for name, path in server_files(root):
        count += 1
        if MARKER.encode() in path.read_bytes() or MARKER[::-1].encode() in path.read_bytes():
            found.add(re.sub(r"[-\w]*\d+[-\w]*", "N", name) if "deleted" in name else name)
    return found, count


def search(base, over, sample, more=""):
    """The files that have the text, in a server with this option file and more options; and how many were searched."""
    root = throwaway_root.Root(base, f"root-{time.monotonic_ns()}", [over])
    throwaway_root.give_files(root, sample)
    states, clients = [], []
    try:
        begun = root.quiet(f"server log_bin=binlog {more}; encrypted")
        filled = root.sql(FILL)
        if begun.status or filled.status:
            raise RuntimeError(begun.output + filled.output)
        clients += [open_session(root, name, sql, states) for name, sql in SESSIONS.items()]
        root.sql(FLUSHED)
        wait_for(root, "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Innodb_buffer_pool_pages_dirty'",
                 lambda rows: int(rows) < 20, "pages stay dirty")
        return files_with_marker(root)
    finally:
        for client in clients:
            client.kill()
        root.end()


def options_of(sample):
    """The options of the file that encrypt, and the one without which the undo log stays readable."""
    return re.findall(r"(?m)^(\w*encrypt_\w+|innodb_encryption_threads)\b", sample)


def check(base, over, sample):
    """The faults, as sentences."""
    found, count = search(base, over, sample)
    print(f"{count} files were searched")
    if found:
        yield f"with the README's option file the text is in {sorted(found)}"
    if len(options_of(sample)) < 8:
        yield "the README's option file has lost an option"
    for option in options_of(sample):
        found, _ = search(base, over, re.sub(rf"(?m)^{option}\b.*\n", "", sample))
        print(f"without {option}: {sorted(found)}", flush=True)
        if not found:
            yield f"without {option} the text is not found: this test does not look where it would be"
    found, _ = search(base, over, sample, "aria_pagecache_buffer_size=1M")
    print(f"with a small page cache: {sorted(found)}")
    if not found:
        yield "this server encrypts temporary tables that Aria's page cache cannot hold: docs/security.md denies it"


def main():
    return throwaway_root.with_template(Path(sys.argv[1]), Path(sys.argv[2]), run_pages.sample_of, report)


def report(base, over, sample):
    faults = list(check(base, over, sample))
    print("\n".join(faults) or "the text is nowhere")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
