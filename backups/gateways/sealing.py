"""Dumps, sealed into a place and opened again; and the wrapped keys of generations.

Each dump has a key of its own, which lies wrapped under the master key in the place of keys and
nowhere else: destroying it ends the dump wherever copies of that lie.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from backups.gateways.place import Place, Written
from backups.rules.names import Kind, artefact_path, key_path
from backups.rules.refusals import CopyDamaged, KeyGone
from vault.gateways.master_key import current_master_key, master_key_named
from vault.rules.contexts import bind
from vault.rules.errors import MasterKeyUnknown, SealError
from vault.rules.key_wrap import new_key
from vault.rules.sealed_stream import Opener, Sealer


def make_key(keys: Place, generation: str, kind: Kind) -> bytes:
    """Make the key of one dump and keep it wrapped in the place of keys."""
    key = new_key()
    _keep(keys, generation, kind, key)
    return key


def open_key(keys: Place, generation: str, kind: Kind) -> bytes:
    """Give the key of a dump; raises `KeyGone`."""
    name = key_path(generation, kind)
    if not keys.has(name):
        raise KeyGone(
            f"The key of {kind} of {generation} is not in {keys}: it was destroyed when its time"
            " was over, or this is not the place of keys. What it sealed opens no more."
        )
    said = json.loads(keys.read_text(name))
    try:
        master = master_key_named(said["master"])
        return master.unwrap(bytes.fromhex(said["wrapped"]), context=_context(generation, kind))
    except MasterKeyUnknown as error:
        raise KeyGone(f"{error}. Put it into MASTER_KEY or MASTER_KEY_PREVIOUS.") from None
    except (SealError, KeyError, ValueError):
        raise CopyDamaged(f"The key of {kind} of {generation} is damaged.") from None


def wrap_anew(keys: Place, generation: str, kind: Kind) -> bool:
    """Wrap a key under the present master key; tell whether it was under another."""
    name = key_path(generation, kind)
    if not keys.has(name):
        return False
    if json.loads(keys.read_text(name))["master"] == current_master_key().id:
        return False
    _keep(keys, generation, kind, open_key(keys, generation, kind))
    return True


def destroy_key(keys: Place, generation: str, kind: Kind) -> bool:
    return keys.delete(key_path(generation, kind))


def _keep(keys: Place, generation: str, kind: Kind, key: bytes) -> None:
    master = current_master_key()
    wrapped = master.wrap(key, context=_context(generation, kind))
    said = {"master": master.id, "wrapped": wrapped.hex()}
    keys.write_text(key_path(generation, kind), json.dumps(said))


def seal_dump(
    place: Place, generation: str, kind: Kind, *, key: bytes, pieces: Iterable[bytes]
) -> Written:
    """Seal what is dumped into the generation's artefact."""

    def fill(sink: object) -> None:
        sealer = Sealer(key, _context(generation, kind), sink)  # type: ignore[arg-type]
        for piece in pieces:
            sealer.write(piece)
        sealer.finish()

    return place.write(artefact_path(generation, kind), fill)


def open_dump(place: Place, generation: str, kind: Kind, *, key: bytes) -> Iterator[bytes]:
    """Yield a dump as it is authenticated; raises `CopyDamaged`, at the latest at its end."""
    opener = Opener(key, _context(generation, kind))
    try:
        for piece in place.read(artefact_path(generation, kind)):
            yield opener.update(piece)
        yield opener.finish()
    except SealError:
        raise CopyDamaged(f"{kind} of {generation} does not open: it was altered.") from None


def _context(generation: str, kind: Kind) -> bytes:
    return bind("collimate/backup@v1", generation, kind.value)
