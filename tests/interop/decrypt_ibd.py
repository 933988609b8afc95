#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Decrypts an InnoDB data file with the keys of a text key file, and counts the pages that hold a marker.

It shares no code with Keyhold or the server. Its sources are docs/architecture.md ("Ciphers",
"Data keys"), docs/key-file.md, and this format of a page:

page 0     space id at 34, flags at 54, both 4 bytes. A file in the format full_crc32 has the flag 0x10, and its page
           size is 512 << (flags & 15); in the older format that number is in the flags' bits 6 to 9, 0 for 16 KiB.
           After the extents' descriptors are the parameters of the encryption: the bytes 73 0e 0c 52 45 74, the
           scheme (0: none, 1: keys derived by AES-ECB), the IV's length (16), the IV, the smallest key version, the key
           id and a mode.
any page   page number at 4, LSN (8 bytes) at 16. Key version at 0 and ciphertext from 26 to 4 before the end in the
           format full_crc32; at 26, and from 38 to 8 before the end, in the older one. Key version 0: not encrypted.
           Proof that all of it was decrypted right, its last bytes too: in the format full_crc32 it has the space
           id at 34 and ends with the LSN's low 4 bytes; in the older one an index page (type 45bf at 24) ends with 0063,
           the place of its first record.

All numbers are big-endian. A page's IV is made of little-endian ones: space id, page number, LSN. Tables that are
compressed, by pages or by ROW_FORMAT, are refused.
"""
import argparse
import hmac
import re
import struct
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import xts

MAGIC = bytes.fromhex("730e0c524574")
CIPHERS = ["aes-cbc", "aes-ctr", "aes256-cbc", "aes256-ctr", "aes256-xts"]
KEY_LINE = re.compile(r"(\d+);(?:(\d{0,10});)?([0-9a-f]{64}|[0-9a-f]{48}|[0-9a-f]{32})(?![0-9a-f])(.*)", re.I)


class Refused(Exception):
    """The file is not what this program can read."""


def be(data, at, size):
    return int.from_bytes(data[at:at + size], "big")


# --- the key file

def read_keys(path):
    """{(id, version): (key, cipher or None)}"""
    keys = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            line = "".join(line.split())
            if not line or line.startswith("#"):
                continue
            match = KEY_LINE.match(line)
            if not match:
                raise Refused(f"{path} line {number}: not a key")
            key_id, version, digits, rest = match.groups()
            attributes = dict(part.split("=", 1) for part in rest.split(";") if "=" in part)
            keys[int(key_id), int(version or 1)] = bytes.fromhex(digits), attributes.get("cipher")
    return keys


# --- AES

def ecb(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def decrypt_ctr(key, iv, data):
    decryptor = Cipher(algorithms.AES(key), modes.CTR(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def decrypt_cbc(key, iv, data):
    """CBC without padding; a last part shorter than a block is XORed with the first bytes of AES-ECB(key, IV)."""
    whole = len(data) // 16 * 16
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    mask = ecb(key, iv)
    rest = bytes(byte ^ mask[i] for i, byte in enumerate(data[whole:]))
    return decryptor.update(data[:whole]) + decryptor.finalize() + rest


def data_key(stored, passed, key_id, version):
    """HKDF-SHA-256 (RFC 5869) of one block."""
    info = b"Keyhold AES-256 data key" + struct.pack(">II", key_id, version)
    return hmac.digest(hmac.digest(passed, stored, "sha256"), info + b"\1", "sha256")


# --- the data file

class Space:
    """The properties of a data file, from page 0."""

    def __init__(self, first):
        flags = be(first, 54, 4)
        self.id = be(first, 34, 4)
        self.is_full_crc32 = flags & 0x10 != 0
        size_shift = flags & 15 if self.is_full_crc32 else flags >> 6 & 15
        self.page_size = 512 << (size_shift or 5)
        if flags >> 5 & 7 if self.is_full_crc32 else flags >> 1 & 15 or flags >> 16 & 1:
            raise Refused("compressed tables cannot be read")
        self.iv, self.key_id = self.read_crypt_data(first[:self.page_size])

    @staticmethod
    def read_crypt_data(page):
        at = page.find(MAGIC)
        if at < 0 or page[at + 6] == 0:
            return None, 0
        if page[at + 6] != 1 or page[at + 7] != 16:
            raise Refused(f"unknown encryption scheme {page[at + 6]}, IV of {page[at + 7]} bytes")
        return page[at + 8:at + 24], be(page, at + 28, 4)

    def key_version(self, page):
        if self.iv is None or be(page, 4, 4) == 0:
            return 0  # page 0 is never encrypted
        return be(page, 0 if self.is_full_crc32 else 26, 4)

    def ciphertext(self, page):
        return page[26:-4] if self.is_full_crc32 else page[38:-8]

    def is_right(self, page, plain):
        if self.is_full_crc32:
            return be(plain, 8, 4) == self.id and plain[-4:] == page[20:24]
        return page[24:26] != b"\x45\xbf" or plain[-2:] == b"\0\x63"

    def page_iv(self, page):
        return struct.pack("<IIQ", self.id, be(page, 4, 4), be(page, 16, 8))


def decrypt(space, page, keys, default_cipher):
    version = space.key_version(page)
    if (space.key_id, version) not in keys:
        raise Refused(f"page {be(page, 4, 4)}: no version {version} of key {space.key_id}")
    stored, cipher = keys[space.key_id, version]
    cipher = cipher or default_cipher
    key = ecb(stored, space.iv)
    if cipher == "aes256-xts":
        keys = xts.xts_keys(stored, key, space.key_id, version)
        return xts.unpadded(keys, space.page_iv(page), space.ciphertext(page), encrypt=False)
    if cipher.startswith("aes256-"):
        key = data_key(stored, key, space.key_id, version)
    work = decrypt_ctr if cipher.endswith("-ctr") else decrypt_cbc
    return work(key, space.page_iv(page), space.ciphertext(page))


def count(data, keys, default_cipher, marker):
    """Numbers of pages, by what is reported; and the key versions that pages have."""
    space = Space(data)
    if len(data) % space.page_size:
        raise Refused("the file ends within a page")
    numbers = {"pages": 0, "encrypted": 0, "wrong": 0, "before": 0, "after": 0}
    versions = set()
    for at in range(0, len(data), space.page_size):
        page = data[at:at + space.page_size]
        numbers["pages"] += 1
        numbers["before"] += marker in page
        if space.key_version(page):
            numbers["encrypted"] += 1
            versions.add(space.key_version(page))
            plain = decrypt(space, page, keys, default_cipher)
            numbers["wrong"] += not space.is_right(page, plain)
            page = plain
        numbers["after"] += marker in page
    return numbers, sorted(versions)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("ibd", help="data file of a table; the server is stopped, or has flushed it (FLUSH TABLES ... "
                        "FOR EXPORT)")
    parser.add_argument("keys", help="key file in plain text")
    parser.add_argument("marker", help="text to look for")
    parser.add_argument("--cipher", choices=CIPHERS, default="aes-cbc",
                        help="cipher of keys whose line has none (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        with open(arguments.ibd, "rb") as file:
            data = file.read()
        numbers, versions = count(data, read_keys(arguments.keys), arguments.cipher, arguments.marker.encode())
    except (OSError, Refused) as error:
        sys.exit(f"{arguments.ibd}: {error}")
    for name, number in numbers.items():
        print(name, number)
    print("key versions", *versions)


if __name__ == "__main__":
    main()
