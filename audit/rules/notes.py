"""Sign and open notes, and read checkpoints, in the formats of C2SP.

Source: c2sp.org/signed-note (Ed25519, signature type 0x01) and c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

ED25519 = 0x01
MAX_SIGNATURES = 64
_SIGNATURE_LINE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")


class NoteRefused(ValueError):
    """Raised for a note that is malformed or that no trusted key signed."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Name a public key: ``name`` as in the signature line, ``public`` of 32 bytes."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that begin a signature of this key."""
        return sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.public).digest()[:4]

    def __str__(self) -> str:
        """Write as Go's ``sumdb/note`` does: name+id in hexadecimal+base64(type, key)."""
        encoded = base64.b64encode(bytes([ED25519]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read what ``str`` wrote; raises NoteRefused if its parts disagree."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise NoteRefused("the key is not base64") from error
        if len(raw) != 33 or raw[0] != ED25519 or not _is_key_name(name):
            raise NoteRefused("not an Ed25519 verifier key")
        key = cls(name, raw[1:])
        if key.key_id.hex() != key_id:
            raise NoteRefused("the key does not have the id it claims")
        return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Hold a name and an Ed25519 seed of 32 bytes."""

    name: str
    seed: bytes

    def __post_init__(self) -> None:
        if not _is_key_name(self.name):
            raise ValueError("a key name is not empty and has neither spaces nor plus signs")
        if len(self.seed) != 32:
            raise ValueError("an Ed25519 seed has 32 bytes")

    def __repr__(self) -> str:  # the seed must never reach a log
        return f"SigningKey({self.name!r})"

    @property
    def verifier(self) -> VerifierKey:
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        return VerifierKey(self.name, key.public_key().public_bytes_raw())


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(char.isspace() for char in name)


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteRefused("the text of a note ends in a newline")
    if any(ord(char) < 0x20 and char != "\n" for char in text):
        raise NoteRefused("a note holds no control characters but newlines")


def sign_note(text: str, key: SigningKey) -> str:
    """Return the note: the text, an empty line and one signature line."""
    _check_text(text)
    signature = Ed25519PrivateKey.from_private_bytes(key.seed).sign(text.encode())
    encoded = base64.b64encode(key.verifier.key_id + signature).decode()
    return f"{text}\n— {key.name} {encoded}\n"


def open_note(note: str, trusted: Sequence[VerifierKey]) -> str:
    """Return the text of a note that at least one trusted key signed.

    Signatures of unknown keys are ignored; a false one of a known key condemns the note.
    Raises NoteRefused.
    """
    text, separator, signatures = note.rpartition("\n\n")
    text += "\n"
    _check_text(note)
    if not separator or not signatures:
        raise NoteRefused("the note has no signatures")
    lines = signatures.splitlines()
    if len(lines) > MAX_SIGNATURES:
        raise NoteRefused("the note has too many signatures")
    keys = {(key.name, key.key_id): key for key in trusted}
    verified = [_verify_line(line, text.encode(), keys) for line in lines]
    if not any(verified):
        raise NoteRefused("no trusted key signed the note")
    return text


def _verify_line(line: str, text: bytes, keys: dict[tuple[str, bytes], VerifierKey]) -> bool:
    match = _SIGNATURE_LINE.fullmatch(line)
    if not match:
        raise NoteRefused("a signature line is malformed")
    try:
        raw = base64.b64decode(match[2], validate=True)
    except binascii.Error as error:
        raise NoteRefused("a signature is not base64") from error
    key = keys.get((match[1], raw[:4]))
    if key is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], text)
    except InvalidSignature as error:
        raise NoteRefused(f"the signature of {key.name} is false") from error
    return True


@dataclass(frozen=True, slots=True)
class CheckpointBody:
    """Say what a checkpoint says: whose log, of how many leaves, with which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> CheckpointBody:
    """Read the text of a checkpoint; raises NoteRefused for what the format forbids."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise NoteRefused("a checkpoint has at least three lines, none of them empty")
    origin, size, encoded = lines[:3]
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", size):
        raise NoteRefused("the tree size is not a plain decimal number")
    try:
        root = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise NoteRefused("the root is not base64") from error
    if len(root) != 32:
        raise NoteRefused("the root is not 32 bytes")
    return CheckpointBody(origin, int(size), root)


def sign_checkpoint(body: CheckpointBody, key: SigningKey) -> str:
    """Return the signed checkpoint; the key's name should be the origin."""
    return sign_note(body.text(), key)


def open_checkpoint(note: str, trusted: Sequence[VerifierKey]) -> CheckpointBody:
    """Verify and read a checkpoint; raises NoteRefused."""
    return parse_checkpoint(open_note(note, trusted))
