"""What is written beside backups is signed with the key of the trail, as certificates are."""

from __future__ import annotations

from audit.rules.notes import NoteRefused, open_note, sign_note
from audit.services.keys import signing_key, trusted_keys
from backups.gateways.place import Place
from backups.rules.ledgers import Ledger, read_ledger
from backups.rules.manifest import Manifest, read_manifest
from backups.rules.names import manifest_path
from backups.rules.refusals import CopyDamaged


def write_signed(place: Place, name: str, text: str) -> None:
    place.write_text(name, sign_note(text, signing_key()))


def read_signed(place: Place, name: str) -> str:
    """Give a text that this portal signed; raises `CopyDamaged`."""
    try:
        return open_note(place.read_text(name), trusted_keys())
    except NoteRefused as error:
        raise CopyDamaged(
            f"{name} in {place} is refused: {error}. Is AUDIT_SIGNING_KEY that of the portal that"
            " made it? Former keys belong into AUDIT_RETIRED_KEYS."
        ) from None


def manifest_of(place: Place, generation: str) -> Manifest:
    """Read the manifest of a generation; raises `CopyDamaged`, also if it is another's."""
    found = read_manifest(read_signed(place, manifest_path(generation)))
    if found.generation != generation:
        raise CopyDamaged(f"The manifest of {generation} is that of {found.generation}.")
    return found


def whole_generations(place: Place) -> list[Manifest]:
    """Give the manifests of all that were finished, the oldest first.

    A folder without manifest is what a killed backup left, and counts as nothing.
    """
    whole = [manifest_of(place, name) for name in place.generations() if place.has(_safe(name))]
    return sorted(whole, key=lambda one: one.begun_at)


def _safe(name: str) -> str:
    try:
        return manifest_path(name)
    except ValueError:
        return "no-generation"


def ledger_in(place: Place, name: str, *, title: str) -> Ledger | None:
    return read_ledger(read_signed(place, name), title=title) if place.has(name) else None
