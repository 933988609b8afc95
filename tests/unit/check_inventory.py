#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The inventory of the keys that test_inventory.c makes is JSON and has the right properties of those keys."""
import hashlib
import hmac
import json
import sys
from datetime import datetime, timezone

CIPHERS = ["aes-ctr", "aes-cbc", "aes-ctr", "aes256-cbc", "aes256-ctr"]  # the first is the default


def key_bytes(key_id, version, length):
    return bytes(0x80 + ((key_id * 31 + version * 7) % 2**32 + i) % 2**32 % 113 for i in range(length))


def show(time):
    return datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if time else None


def version_of(place, key_id, version):
    length = 16 + 8 * (place % 3)
    mac = hmac.new(key_bytes(key_id, version, length), b"Keyhold fingerprint", hashlib.sha256)
    return {"version": version, "bits": 8 * length, "cipher": CIPHERS[place % 5], "created": show(place),
            "fingerprint": mac.hexdigest()[:16]}


def main():
    path, ids, versions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    expected = []
    for i in range(ids):
        key_id, last = i * 400009 + 1, (versions - 1) * ids + i
        expected.append({"key_id": key_id, "latest_version": 3 * versions - 2, "next_rotation": show(2 * last + 1),
                         "versions": [version_of(v * ids + i, key_id, 3 * v + 1) for v in range(versions)]})
    found = json.load(open(path, encoding="ascii"))
    for one, other in zip(expected, found):
        if one != other:
            sys.exit(f"expected {one}\nfound {other}")
    if len(expected) != len(found):
        sys.exit(f"{len(found)} keys, not {len(expected)}")


if __name__ == "__main__":
    main()
