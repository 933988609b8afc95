# SPDX-License-Identifier: GPL-2.0-only
"""Key files of tests: read without Keyhold's code, and compared with their earlier content."""
import base64
import functools
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))
import open_sealed  # noqa: E402

KEY_LINE = re.compile(r"(\d+);(?:(\d+);)?([0-9A-Fa-f]{64}|[0-9A-Fa-f]{48}|[0-9A-Fa-f]{32})(.*)")
RETIRED_LINE = re.compile(r"(\d+);(\d+);retired\b.*")
NEW_LINE = re.compile(r"\d+;\d+;(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{48}|[0-9A-Fa-f]{64})(?:;\w+=[\w:.+-]+)*")

START = """\
# Keys of a test. Comments stay.

1;{0}
   # between keys
2;1;{1};bits=256
3;{2} what follows a key is ignored
# the last line
"""


class Broken(Exception):
    """The key file is not what it must be."""


class TextFile:
    """In plain text."""
    form = "text"

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "keys.txt"
        self.paths = [self.path]  # what a rotation reads

    def create(self):
        self._write(START.format(os.urandom(16).hex(), os.urandom(32).hex(), os.urandom(16).hex()))

    def _write(self, text):
        self.put(text.encode())

    def put(self, data):
        fresh = self.path.with_name("fresh")
        fresh.write_bytes(data)
        fresh.chmod(0o600)
        fresh.rename(self.path)

    def add_version(self):
        """Writes as an editor does."""
        text = self.text()
        self._write(f"{text}1;{latest(text)[1] + 2};{os.urandom(16).hex()}\n")

    def options(self):
        return [f"--file-key-management-filename={self.path}"]

    def command_options(self):
        """How the command opens it."""
        return []

    def text(self):
        """The present content in plain text."""
        return self.text_of(self.path.read_bytes())

    def text_of(self, data):
        """That of another content which the file had."""
        return data.decode(errors="replace")


class ContainerFile(TextFile):
    """Encrypted by `openssl enc`."""
    form = "openssl"
    DERIVATION = ("-aes-256-cbc", "-md", "sha256", "-pbkdf2", "-iter", "1000")

    def __init__(self, folder):
        super().__init__(folder)
        self.password = folder / "password"
        self.paths.append(self.password)

    def _openssl(self, direction, data):
        done = subprocess.run(["openssl", "enc", direction, *self.DERIVATION, "-pass", f"file:{self.password}"],
                              input=data, capture_output=True)
        if done.returncode != 0:
            raise Broken(f"openssl enc {direction}: {done.stderr.decode().splitlines()[:1]}")
        return done.stdout

    def _write(self, text):
        self.put(self._openssl("-e", text.encode()))

    def create(self):
        self.password.write_text(os.urandom(16).hex() + "\n")
        self.password.chmod(0o600)
        super().create()

    def options(self):
        return [*super().options(), f"--file-key-management-filekey=FILE:{self.password}", "--file-key-management-digest=sha256",
                "--file-key-management-use-pbkdf2=1000"]

    def command_options(self):
        return [f"--passphrase-file={self.password}", "--digest=sha256", "--pbkdf2-iterations=1000"]

    @functools.lru_cache(8)
    def text_of(self, data):
        return self._openssl("-d", data).decode(errors="replace")


class SealedFile(TextFile):
    """Sealed, with two slots of the lowest costs, by docs/format-sealed.md."""
    form = "sealed"

    def __init__(self, folder):
        super().__init__(folder)
        self.password = folder / "password"
        self.paths.append(self.password)
        self.passphrases = [os.urandom(16).hex().encode(), b"in the safe"]
        self.file_key = os.urandom(32)
        self.slots = b"".join(self._slot(label, passphrase) for label, passphrase in zip((b"safe", b"server"), self.passphrases[::-1]))

    def _slot(self, label, passphrase):
        salt, nonce = os.urandom(16), os.urandom(24)
        bound = b"slot %s argon2id memory=8 passes=1 salt=%s nonce=%s key=" % (label, salt.hex().encode(), nonce.hex().encode())
        line = open_sealed.SLOT.fullmatch(bound + b"0" * 96 + b"\n")
        key = open_sealed.slot_key(line, passphrase)
        return bound + open_sealed.encrypt(key, nonce, bound, self.file_key).hex().encode() + b"\n"

    def _write(self, text):
        nonce = os.urandom(24)
        head = b"keyhold-sealed 1\n" + self.slots + b"payload %s\n" % nonce.hex().encode()
        payload = open_sealed.encrypt(self.file_key, nonce, head, text.encode())
        lines = [base64.b64encode(payload[at:at + 48]) + b"\n" for at in range(0, len(payload), 48)]
        data = head + b"".join(lines)
        self.put(data + b"end %s\n" % hashlib.sha256(data).hexdigest().encode())

    def create(self):
        self.password.write_bytes(self.passphrases[0] + b"\n")
        self.password.chmod(0o600)
        super().create()

    def options(self):
        return [*super().options(), f"--file-key-management-filekey=FILE:{self.password}"]

    def command_options(self):
        return [f"--passphrase-file={self.password}"]

    @functools.lru_cache(8)
    def text_of(self, data):
        try:
            texts = {open_sealed.explain(data, passphrase)[0] for passphrase in self.passphrases}
        except open_sealed.Refused as refused:
            raise Broken(f"the sealed file does not open: {refused}") from refused
        if self.slots not in data or len(texts) != 1:
            raise Broken("the slots are not as they were")
        return texts.pop().decode(errors="replace")


@functools.lru_cache(8)
def versions(text):
    """{(id, version): key} of a key file in plain text."""
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#") or RETIRED_LINE.fullmatch(line.strip()):
            continue
        match = KEY_LINE.match(line.strip())
        if match is None:
            raise Broken(f"no line of a key file: {len(line)} characters")
        number = (int(match[1]), int(match[2] or 1))
        if number in found:
            raise Broken(f"key {number} is in the file twice")
        found[number] = match[3].lower()
    return found


def retired(text):
    """The set of (id, version) that were removed on purpose."""
    return {(int(match[1]), int(match[2])) for match in map(RETIRED_LINE.fullmatch, map(str.strip, text.splitlines())) if match}


def latest(text):
    """{id: highest version}"""
    highest = {}
    for key_id, version in versions(text):
        highest[key_id] = max(version, highest.get(key_id, 0))
    return highest


def added(before, after):
    """{id: version} of the lines that only `after` has; all lines of `before` must be in it, in their order."""
    new = []
    rest = iter(after.splitlines(keepends=True))
    for line in before.splitlines(keepends=True):
        for other in rest:
            if other == line:
                break
            new.append(other)
        else:
            raise Broken("a line of the key file is gone or changed")
    new.extend(rest)
    return check_new(new, before, after)


def check_new(lines, before, after):
    for line in lines:
        if not line.endswith("\n") or NEW_LINE.fullmatch(line[:-1]) is None:
            raise Broken(f"a new line of the key file is not whole: {len(line)} characters")
    old, now = versions(before), versions(after)
    new = {key_id: version for key_id, version in now.keys() - old.keys()}
    if len(new) != len(lines):
        raise Broken(f"{len(lines)} new lines for the keys {sorted(now.keys() - old.keys())}")
    for key_id, version in new.items():
        if version <= latest(before)[key_id]:
            raise Broken(f"the new version {version} of key {key_id} is not the latest")
    if len(set(now.values())) != len(now):
        raise Broken("two versions have the same key")
    return new
