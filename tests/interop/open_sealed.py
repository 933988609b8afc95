#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Opens sealed key files, and encrypts the pieces of one, by docs/format-sealed.md alone: it shares no code with Keyhold, nor
the libraries.

open_sealed.py FILE PASSPHRASE_FILE            writes the text; the passphrase is the whole content of its file
open_sealed.py --explain FILE PASSPHRASE_FILE  writes the keys that lead to the text
open_sealed.py --vectors FOLDER PAGE           opens each NAME.sealed in the folder with each line of NAME.passphrases,
                                               compares with NAME.text, and looks for all of it in the page
"""
import base64
import hashlib
import re
import sys
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw
from Cryptodome.Cipher import ChaCha20_Poly1305

SLOT = re.compile(rb"(?P<bound>slot (?P<label>[A-Za-z0-9._-]{1,32}) (?:"
                  rb"argon2id memory=(?P<memory>[1-9][0-9]*) passes=(?P<passes>[1-9][0-9]*)|"
                  rb"pbkdf2-hmac-sha512 iterations=(?P<iterations>[1-9][0-9]*)"
                  rb") salt=(?P<salt>[0-9a-f]{32}) nonce=(?P<nonce>[0-9a-f]{48}) key=)(?P<wrapped>[0-9a-f]{96})\n")
FILE = re.compile(rb"(?P<head>keyhold-sealed 1\n(?P<slots>(?:slot [^\n]*\n){1,8})payload (?P<nonce>[0-9a-f]{48})\n)"
                  rb"(?P<payload>(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/=]{4,64}\n)end (?P<end>[0-9a-f]{64})\n")


class Refused(Exception):
    """The file does not open."""


def unhex(digits):
    return bytes.fromhex(digits.decode())


def decrypt(key, nonce, bound, sealed):
    """XChaCha20-Poly1305; the tag is after the ciphertext."""
    cipher = ChaCha20_Poly1305.new(key=key, nonce=nonce)
    cipher.update(bound)
    return cipher.decrypt_and_verify(sealed[:-16], sealed[-16:])


def encrypt(key, nonce, bound, plaintext):
    cipher = ChaCha20_Poly1305.new(key=key, nonce=nonce)
    cipher.update(bound)
    return b"".join(cipher.encrypt_and_digest(plaintext))


def slot_key(slot, passphrase):
    if slot["memory"]:
        return hash_secret_raw(passphrase, unhex(slot["salt"]), int(slot["passes"]), int(slot["memory"]), 1, 32, Type.ID,
                               version=0x13)
    return hashlib.pbkdf2_hmac("sha512", passphrase, unhex(slot["salt"]), int(slot["iterations"]), 32)


def parts(data):
    match = FILE.fullmatch(data)
    if not match:
        raise Refused("not of the form of a sealed key file")
    if hashlib.sha256(data[:match.start("end") - len("end ")]).digest() != unhex(match["end"]):
        raise Refused("damaged")
    slots = [SLOT.fullmatch(line) for line in match["slots"].splitlines(keepends=True)]
    if None in slots or len({slot["label"] for slot in slots}) != len(slots):
        raise Refused("a slot is not of its form")
    payload = base64.b64decode(match["payload"].replace(b"\n", b""), validate=True)
    lines = [base64.b64encode(payload[at:at + 48]) + b"\n" for at in range(0, len(payload), 48)]
    if b"".join(lines) != match["payload"]:
        raise Refused("the payload is not spelt as it has to be")
    return match, slots, payload


def unlock(slots, passphrase):
    for slot in slots:
        key = slot_key(slot, passphrase)
        try:
            return slot, key, decrypt(key, unhex(slot["nonce"]), slot["bound"], unhex(slot["wrapped"]))
        except ValueError:
            pass
    raise Refused("wrong passphrase")


def explain(data, passphrase):
    """The text, and the keys on the way to it."""
    match, slots, payload = parts(data)
    slot, key, file_key = unlock(slots, passphrase)
    try:
        text = decrypt(file_key, unhex(match["nonce"]), match["head"], payload)
    except ValueError:
        raise Refused("the file was changed")
    return text, {"slot": slot["label"].decode(), "slot key": key.hex(), "file key": file_key.hex()}


def check_vector(path, page):
    """What is wrong with a vector, or with the page that shows it."""
    data, expected = path.read_bytes(), path.with_suffix(".text").read_bytes()
    shown = [data, expected]
    for passphrase in path.with_suffix(".passphrases").read_bytes().splitlines():
        text, keys = explain(data, passphrase)
        if text != expected:
            yield f"{path.name} has another text for {passphrase}"
        shown += [passphrase, keys["slot key"].encode(), keys["file key"].encode()]
    for piece in shown:
        indented = b"".join(b"    " + line + b"\n" for line in piece.splitlines())
        if indented not in page and b"`" + piece + b"`" not in page:
            yield f"the page does not show {piece} of {path.name}"


def check_vectors(folder, page):
    paths = sorted(Path(folder).glob("*.sealed"))
    faults = [fault for path in paths for fault in check_vector(path, Path(page).read_bytes())]
    if len(paths) < 2:
        faults.append("the vectors are not there")
    print("\n".join(faults) or f"{len(paths)} vectors open, and the page shows them")
    return 1 if faults else 0


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "--vectors":
        return check_vectors(*arguments[1:])
    is_explained = arguments[:1] == ["--explain"]
    file, passphrase = arguments[is_explained:]
    try:
        text, keys = explain(Path(file).read_bytes(), Path(passphrase).read_bytes())
    except Refused as refused:
        print(f"{file}: {refused}", file=sys.stderr)
        return 1
    if is_explained:
        print("\n".join(f"{name}: {value}" for name, value in keys.items()))
    else:
        sys.stdout.buffer.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
