#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The cipher aes256-xts, written a second time from its definition in docs/ciphers.md.

AES and XTS by the library cryptography; FF1 from NIST SP 800-38G, for any radix, so that it can be checked with
NIST's samples. Run as a program it checks itself, and prints vectors for the tests in C.
"""
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK = 16
UNIT = 2**20 * BLOCK


def aes(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def number(digits, radix):
    value = 0
    for digit in digits:
        value = value * radix + digit
    return value


def digits_of(value, radix, count):
    digits = []
    for _ in range(count):
        value, digit = divmod(value, radix)
        digits.append(digit)
    return digits[::-1]


def ff1(key, radix, tweak, digits, encrypt=True):
    """Algorithms 7 and 8 of SP 800-38G."""
    n = len(digits)
    u = n // 2
    v = n - u
    a, b = digits[:u], digits[u:]
    b_len = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * ((b_len + 3) // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
    for i in range(10) if encrypt else range(9, -1, -1):
        half = b if encrypt else a
        q = tweak + bytes((-len(tweak) - b_len - 1) % 16) + bytes([i]) + number(half, radix).to_bytes(b_len, "big")
        r = bytes(BLOCK)
        for at in range(0, len(p + q), BLOCK):
            r = aes(key, xor(r, (p + q)[at : at + BLOCK]))
        s = r
        j = 1
        while len(s) < d:
            s += aes(key, xor(r, j.to_bytes(BLOCK, "big")))
            j += 1
        y = int.from_bytes(s[:d], "big")
        m = u if i % 2 == 0 else v
        if encrypt:
            c = digits_of((number(a, radix) + y) % radix**m, radix, m)
            a, b = b, c
        else:
            c = digits_of((number(b, radix) - y) % radix**m, radix, m)
            b, a = a, c
    return a + b


def ff1_bytes(key, tweak, data, encrypt):
    bits = [byte >> (7 - i) & 1 for byte in data for i in range(8)]
    return number(ff1(key, 2, tweak, bits, encrypt), 2).to_bytes(len(data), "big")


def xts(key, tweak, data, encrypt):
    if not data:
        return b""
    cipher = Cipher(algorithms.AES(key), modes.XTS(tweak))
    context = cipher.encryptor() if encrypt else cipher.decryptor()
    return context.update(data) + context.finalize()


def unpadded(keys, iv, data, encrypt):
    """A message without padding: pages and logs. keys: K1 to K4."""
    k1_k2, k3, k4 = keys[:64], keys[64:96], keys[96:]
    whole = len(data) // BLOCK * BLOCK
    first = xts(k1_k2, iv, data[:BLOCK], encrypt) if whole else b""
    out = [first]
    if whole:
        ciphertext = first if encrypt else data[:BLOCK]
        value = int.from_bytes(xor(aes(k4, iv), ciphertext), "little")
        for unit, at in enumerate(range(BLOCK, whole, UNIT)):
            tweak = ((value + unit) % 2**128).to_bytes(BLOCK, "little")
            out.append(xts(k1_k2, tweak, data[at : min(at + UNIT, whole)], encrypt))
    if whole < len(data):
        body = b"".join(out) if encrypt else data[:whole]
        last = body[-BLOCK:] if whole else bytes(BLOCK)
        out.append(ff1_bytes(k3, iv + last, data[whole:], encrypt))
    return b"".join(out)


def padded(key, iv, data, encrypt):
    """A message with padding: temporary files. key: 32 bytes."""
    gcm = AESGCM(key)
    return gcm.encrypt(iv[:12], data, iv[12:]) if encrypt else gcm.decrypt(iv[:12], data, iv[12:])


def data_key(label, size, stored, passed, key_id, version):
    """HKDF-SHA-256 (RFC 5869)."""
    info = label + key_id.to_bytes(4, "big") + version.to_bytes(4, "big")
    prk = hmac.new(passed, stored, hashlib.sha256).digest()
    out = block = b""
    while len(out) < size:
        block = hmac.new(prk, block + info + bytes([len(out) // 32 + 1]), hashlib.sha256).digest()
        out += block
    return out


def xts_keys(stored, passed, key_id, version):
    return data_key(b"Keyhold AES-256-XTS keys", 128, stored, passed, key_id, version)


def gcm_key(stored, passed, key_id, version):
    return data_key(b"Keyhold AES-256-GCM keys", 32, stored, passed, key_id, version)


def check_ff1():
    """NIST's samples of FF1 (csrc.nist.gov, "Cryptographic Standards and Guidelines: Example Values")."""
    aes128 = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    aes192 = aes128 + bytes.fromhex("ef4359d8d580aa4f")
    aes256 = aes192 + bytes.fromhex("7f036d6f04fc6a94")
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
    samples = [
        (aes128, 10, "", "0123456789", "2433477484"),
        (aes128, 10, "39383736353433323130", "0123456789", "6124200773"),
        (aes128, 36, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
        (aes192, 10, "", "0123456789", "2830668132"),
        (aes192, 10, "39383736353433323130", "0123456789", "2496655549"),
        (aes192, 36, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
        (aes256, 10, "", "0123456789", "6657667009"),
        (aes256, 10, "39383736353433323130", "0123456789", "1001623463"),
        (aes256, 36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
    ]
    for key, radix, tweak, plain, expected in samples:
        digits = [alphabet.index(digit) for digit in plain]
        made = ff1(key, radix, bytes.fromhex(tweak), digits)
        assert "".join(alphabet[digit] for digit in made) == expected, (plain, expected)
        assert ff1(key, radix, bytes.fromhex(tweak), made, encrypt=False) == digits


def pattern(length, seed):
    return bytes((i * 167 + seed * 59 + (i >> 8) * 13 + 7) % 256 for i in range(length))


def main():
    check_ff1()
    keys = pattern(32, 1) + pattern(32, 2) + pattern(32, 3) + pattern(32, 4)
    iv = pattern(16, 5)
    parts = [unpadded(keys, iv, pattern(length, seed), True)
             for length in range(1, 32) if length % BLOCK for seed in range(8)]
    print("every last part", hashlib.sha256(b"".join(parts)).hexdigest())
    for length in (1, 2, 3, 7, 8, 9, 13, 15, 16, 17, 31, 32, 41, 211, 511, 528, 529, 1041, 16354):
        data = pattern(length, length)
        made = unpadded(keys, iv, data, True)
        assert unpadded(keys, iv, made, False) == data
        print(length, made.hex() if length <= 64 else hashlib.sha256(made).hexdigest())


if __name__ == "__main__":
    main()
