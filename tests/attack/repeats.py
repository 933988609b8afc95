#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Counts how often a real server encrypts different texts with one key and one IV, for each kind of file: the source of the table
in docs/ciphers.md. A minute or two; the output is a Markdown table:

    cmake --preset release && cmake --build build-release
    tests/attack/repeats.py build-release

A plugin that records every message (recorder.c) is loaded instead of keyhold_file.so. KEYHOLD_BASEDIR names the folder of an
unpacked server that takes the place of the installed one. What kind of file a message is for shows in the form of its IV, its
length and its key; sort files and the online log of ALTER TABLE have one form, so each has a server of its own.
"""
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))
import throwaway  # noqa: E402

KEYS = "1;966050d7777350b6fd5ccb3e5f648da45c63befb6deddfa13443f156b7d35c84\n"
PAGE, BLOCK, SORT_BUFFER = 16354, 16, 65536  # PAGE: what is encrypted of a page of 16 KiB
STORED_KEY = 32  # bytes; only the binary log is encrypted with the stored key itself
OPTIONS = ["--plugin-maturity=unknown", "--plugin-load-add=keyhold_recorder", "--file-key-management=FORCE",
           "--file-key-management-encryption-algorithm=aes_ctr", "--log-bin=binlog", "--server-id=1", "--encrypt-binlog=ON",
           "--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON", "--innodb-encrypt-temporary-tables=ON",
           "--innodb-encryption-threads=1", "--aria-encrypt-tables=ON", "--encrypt-tmp-files=ON", "--encrypt-tmp-disk-tables=ON",
           f"--innodb-sort-buffer-size={SORT_BUFFER}", "--innodb-log-file-size=64M"]
ROWS = 100000
TABLE = f"""CREATE DATABASE d; USE d; CREATE TABLE t (id INT PRIMARY KEY, name CHAR(40), note VARCHAR(80)) ENGINE=InnoDB;
INSERT INTO t SELECT seq, CONCAT('name ', MD5(seq)), REPEAT(SHA1(seq), 1 + seq % 2) FROM seq_1_to_{ROWS};"""
EVERYDAY = TABLE + """
INSERT INTO t VALUES (0, 'one', 'row');
UPDATE t SET note = REVERSE(note) WHERE id % 7 = 0;
DELETE FROM t WHERE id % 11 = 0;
CREATE TEMPORARY TABLE x (id INT PRIMARY KEY, name CHAR(40), note VARCHAR(80)) ENGINE=InnoDB SELECT * FROM t;
UPDATE x SET name = REVERSE(name);
UPDATE x SET note = REVERSE(note);
CREATE TABLE a (id INT PRIMARY KEY, name CHAR(40)) ENGINE=Aria TRANSACTIONAL=1 SELECT id, name FROM t;
UPDATE a SET name = REVERSE(name);
FLUSH TABLES a;
SET sort_buffer_size = 65536, max_length_for_sort_data = 1024;
SELECT COUNT(*) FROM (SELECT name, note FROM t ORDER BY note, name LIMIT 99999999) AS s;
SET GLOBAL innodb_max_dirty_pages_pct = 0, innodb_max_dirty_pages_pct_lwm = 0;
"""
SORTED = TABLE + "ALTER TABLE t ADD INDEX (name), ADD INDEX (note);"
REBUILT = "ALTER TABLE t FORCE, ALGORITHM=INPLACE, LOCK=NONE"


@dataclass
class Message:
    key_length: int
    padded: bool
    pair: tuple  # digest of the key, IV
    iv: bytes
    length: int
    first: str
    text: str


def read_record(path):
    for line in path.read_text().splitlines():
        key_length, form, key, iv, length, first, text = line.split()
        yield Message(int(key_length), form == "pad", (key, iv), bytes.fromhex(iv), int(length), first, text)


def server_iv(messages):
    """The 8 random bytes of the server's start, with which most IVs end that begin with a small file offset or number."""
    ends = Counter(message.iv[8:] for message in messages if message.iv[4:8] == bytes(4) and message.iv[12:] != bytes(4))
    return ends.most_common(1)[0][0]


def kind_of(message, start, alter):
    """alter is what the server's ALTER TABLE writes; start is the server's random bytes."""
    if message.padded:
        return "temporary files"
    if message.key_length == STORED_KEY:
        return "binary log"
    if message.iv[8:] == start and message.iv[4:8] == bytes(4):
        return "temporary tablespace" if message.length == PAGE else alter
    if message.length == PAGE:
        return "InnoDB data pages"
    # the IV begins with a position in the log, or with random bytes of a table
    return "redo log" if message.iv[:2] == bytes(2) else "Aria pages"


def record(folder, fresh, build, alter, workload):
    """Runs the workload in a new server; returns the messages by kind of file."""
    trace = folder / f"record.{alter}"
    server = throwaway.Server(folder / f"server.{alter}", build / "plugins",
                              [*OPTIONS, f"--file-key-management-filename={folder / 'keys'}"],
                              environment=[f"KEYHOLD_RECORD={trace}"])
    shutil.copytree(fresh.home, server.home, symlinks=True)
    (server.home / "plugins" / "keyhold_recorder.so").symlink_to(build / "tests/attack/keyhold_recorder.so")
    with server:
        server.start()
        workload(server)
        server.stop()
    messages = list(read_record(trace))
    start = server_iv(messages)
    kinds = defaultdict(list)
    for message in messages:
        kinds[kind_of(message, start, alter)].append(message)
    return kinds


def alter_online(server):
    server.sql(TABLE)
    for _ in range(2):
        rebuild_online(server)


def rebuild_online(server):
    """A table is rebuilt while rows change, over and over until the change was made; it has no index to sort."""
    rebuild = subprocess.Popen([throwaway.program("mariadb"), "--no-defaults", f"--socket={server.socket}", "--user=root",
                                *server.no_tls, "d", "--execute", REBUILT])
    while rebuild.poll() is None:
        server.sql(f"UPDATE d.t SET note = REVERSE(note) WHERE id BETWEEN {ROWS // 100} AND {ROWS // 20}")
    throwaway.require(rebuild.returncode == 0, "the ALTER TABLE failed")


def repeated(messages, text="text"):
    """How many messages have an IV and key that another text has too."""
    texts = defaultdict(set)
    for message in messages:
        texts[message.pair].add(getattr(message, text))
    return sum(len(texts[message.pair]) > 1 for message in messages)


def equal_beginnings(messages):
    """How many messages have the first block, key and IV of another message with another text."""
    texts = defaultdict(set)
    for message in messages:
        texts[message.pair, message.first].add(message.text)
    return sum(len(texts[message.pair, message.first]) > 1 for message in messages)


def percent(part, messages):
    return f"{100 * part / len(messages):.1f} %"


def print_table(kinds):
    print("| written data | messages | key and IV occur with another text | also the first 16 bytes | under 16 bytes | with a last part |")
    print("|---|---|---|---|---|---|")
    for kind, messages in kinds.items():
        again = repeated(messages)
        print(f"| {kind} | {len(messages):,} | {again:,} ({percent(again, messages)}) | {equal_beginnings(messages):,}"
              f" | {percent(sum(message.length < BLOCK for message in messages), messages)}"
              f" | {percent(sum(message.length % BLOCK != 0 for message in messages), messages)} |")


def main():
    build = Path(sys.argv[1]).resolve()
    folder = Path(tempfile.mkdtemp(prefix="keyhold-repeats-"))
    try:
        (folder / "keys").write_text(KEYS)
        (folder / "keys").chmod(0o600)
        fresh = throwaway.Server(folder / "fresh", build / "plugins", [])
        fresh.create()
        kinds = record(folder, fresh, build, "unexpected", lambda server: server.sql(EVERYDAY))
        for alter, workload in (("sort files", lambda server: server.sql(SORTED)), ("online log", alter_online)):
            kinds[alter] = record(folder, fresh, build, alter, workload)[alter]
        print_table(kinds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
