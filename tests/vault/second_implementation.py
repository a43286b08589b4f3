"""A second, slow and tiny implementation of the sealed stream, written from its specification.

It shares no code with ``vault``: HKDF-Expand is spelled out on ``hmac`` (RFC 5869 section 2.3) and
GCM is used through the block cipher interface. It made the golden blobs, and seals with a given
salt, which the product refuses to do.

Run as a program, it prints new golden blobs as JSON.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def expand(key: bytes, info: bytes, length: int) -> bytes:
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(key, block + info + bytes([counter]), hashlib.sha512).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def _derive(key: bytes, salt: bytes, context: bytes) -> tuple[bytes, bytes, bytes]:
    info = b"c2sp.org/chunked-encryption@v1+" + b"AEAD_AES_256_GCM" + b"\x00" + salt
    out = expand(key, info + b"CLMSEAL\x01" + context, 76)
    return out[:32], out[32:44], out[44:]


def _nonce(base: bytes, number: int) -> bytes:
    return bytes(a ^ b for a, b in zip(base, number.to_bytes(12, "big"), strict=True))


def seal(plaintext: bytes, key: bytes, salt: bytes, context: bytes) -> bytes:
    chunk_key, base, commitment = _derive(key, salt, context)
    out = b"CLMSEAL\x01" + salt + commitment
    for number in range(len(plaintext) // 16384 + 1):
        chunk = plaintext[number * 16384 : (number + 1) * 16384]
        gcm = Cipher(algorithms.AES(chunk_key), modes.GCM(_nonce(base, number))).encryptor()
        out += gcm.update(chunk) + gcm.finalize() + gcm.tag
    return out


def unseal(sealed: bytes, key: bytes, context: bytes) -> bytes:
    assert sealed[:8] == b"CLMSEAL\x01"
    chunk_key, base, commitment = _derive(key, sealed[8:32], context)
    assert sealed[32:64] == commitment
    out, body = b"", sealed[64:]
    for number in range(len(body) // 16400 + 1):
        chunk = body[number * 16400 : (number + 1) * 16400]
        mode = modes.GCM(_nonce(base, number), chunk[-16:])
        gcm = Cipher(algorithms.AES(chunk_key), mode).decryptor()
        out += gcm.update(chunk[:-16]) + gcm.finalize()
    return out


def pattern(length: int) -> bytes:
    """Plaintext of the golden blobs: byte i is i modulo 251."""
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def golden() -> list[dict[str, str | int]]:
    blobs: list[dict[str, str | int]] = []
    for number, length in enumerate((0, 5, 16383, 16384, 20000)):
        key = hashlib.sha256(b"golden key %d" % number).digest()
        salt = hashlib.sha256(b"golden salt %d" % number).digest()[:24]
        context = b"golden context %d" % number if number else b""
        sealed = seal(pattern(length), key, salt, context)
        blobs.append(
            {
                "length": length,
                "key": key.hex(),
                "context": context.hex(),
                "sealed": base64.b64encode(sealed).decode(),
            }
        )
    return blobs


if __name__ == "__main__":
    sys.stdout.write(json.dumps(golden(), indent=1) + "\n")
