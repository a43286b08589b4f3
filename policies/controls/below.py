"""What the vault and the trail keep."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import DatabaseError, router, transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.models import Checkpoint, Event, Leaf
from audit.rules.notes import NoteRefused, open_checkpoint
from audit.selectors import latest_checkpoint
from audit.services.keys import trusted_keys
from audit.services.recording import SYSTEM, DetailsRefused, record
from policies.controls.trying import undone
from policies.rules.controls import control, must_refuse, require
from vault.gateways.master_key import LocalMasterKey, current_master_key, master_key_named
from vault.models import DataKey, OrganisationKey
from vault.rules.errors import MasterKeyUnknown, SealError
from vault.rules.key_wrap import new_key
from vault.rules.sealed_field import FieldSealer
from vault.rules.sealed_stream import open_bytes, seal_bytes

MARK = b"Control^Marker"


@control("vault.streams-sealed", "A stored file that was altered does not open")
def streams_sealed() -> str:
    key, context = new_key(), b"control"
    sealed = bytearray(seal_bytes(MARK, key, context))
    require(MARK not in sealed, "A sealed file holds what was sealed, in the clear.")
    require(open_bytes(sealed, key, context) == MARK, "A sealed file did not open.")
    sealed[-20] ^= 1
    with must_refuse(SealError, "A sealed file with one flipped bit"):
        open_bytes(sealed, key, context)
    return "A file was sealed and opened just now; with one flipped bit it was refused."


@control("vault.fields-sealed", "A sealed field opens only in its own place")
def fields_sealed() -> str:
    sealer = FieldSealer(new_key())
    sealed = sealer.seal(MARK, b"row 1")
    require(MARK not in sealed, "A sealed field holds what was sealed, in the clear.")
    require(sealer.open(sealed, b"row 1") == MARK, "A sealed field did not open.")
    with must_refuse(SealError, "A field that was moved to another row"):
        sealer.open(sealed, b"row 2")
    return "A field was sealed and opened just now; moved to another row it was refused."


@control("vault.keys-apart", "Keys lie in a database of their own")
def keys_apart() -> str:
    names = {router.db_for_write(model) for model in (DataKey, OrganisationKey)}
    require(names == {"keys"}, "Keys are written beside the data.")
    one, other = (settings.DATABASES[name] for name in ("default", "keys"))
    same = [one.get(part) == other.get(part) for part in ("ENGINE", "NAME", "HOST", "PORT")]
    # Two databases in memory have no names, and are two.
    require(not all(same) or one["NAME"] == ":memory:", "Data and keys are one database.")
    return "Keys are written to a database of their own, which no backup of data holds."


@control("vault.master-key-rotates", "The master key can be replaced, and what it wrapped opens")
def master_key_rotates() -> str:
    key, context = new_key(), b"control"
    master = current_master_key()
    wrapped = master.wrap(key, context=context)
    require(key not in wrapped, "A wrapped key is stored in the clear.")
    require(master_key_named(master.id).unwrap(wrapped, context=context) == key, "A key was lost.")
    with must_refuse(SealError, "Another master key"):
        LocalMasterKey(new_key()).unwrap(wrapped, context=context)
    wraps = set(
        OrganisationKey.objects.filter(destroyed_at=None).values_list("master_key_id", flat=True)
    )
    unknown = [name for name in wraps if not _is_configured(name)]
    require(not unknown, f"{len(unknown)} master keys that still wrap something are not here.")
    return "A key was wrapped and opened just now; every master key that wraps something is here."


def _is_configured(name: str) -> bool:
    try:
        master_key_named(name)
    except MasterKeyUnknown:
        return False
    return True


def refuses_changes() -> str:
    """Have the database refuse changes of each kind of row that the trail is made of."""
    with undone():
        event = Event.objects.create(
            occurred_at=timezone.now(), action="audit.verified", outcome="success",
            actor_kind="system",
        )  # fmt: skip
        Leaf.objects.create(number=2**62, event_id=event.pk, leaf_hash=bytes(32))
        Checkpoint.objects.create(
            size=2**62, root=bytes(32), frontier=[], note="", created_at=timezone.now()
        )
        changes: list[tuple[QuerySet[Any], dict[str, Any]]] = [
            (Event.objects.filter(pk=event.pk), {"reason": "other"}),
            (Leaf.objects.filter(number=2**62), {"leaf_hash": bytes(31) + b"1"}),
            (Checkpoint.objects.filter(size=2**62), {"note": "other"}),
        ]
        for rows, change in changes:
            name = rows.model.__name__
            with must_refuse(DatabaseError, f"Changing the row of {name}"), transaction.atomic():
                rows.update(**change)
            with must_refuse(DatabaseError, f"Deleting a row of {name}"), transaction.atomic():
                rows.delete()
    return "The database just refused to change and to delete an event, a leaf and a checkpoint."


@control("audit.tamper-evident", "No event can be changed or deleted, and the seal verifies")
def tamper_evident() -> str:
    checkpoint = latest_checkpoint()
    if checkpoint is None:
        require(not Leaf.objects.exists(), "There are sealed events, and no signed checkpoint.")
        return f"{refuses_changes()} Nothing is sealed yet."
    try:
        body = open_checkpoint(checkpoint.note, trusted_keys())
    except NoteRefused as refusal:
        require(False, f"The latest checkpoint does not verify: {refusal}.")
        raise
    agrees = (body.size, body.root) == (checkpoint.size, bytes(checkpoint.root))
    require(agrees, "The latest checkpoint is not the one that was signed.")
    require(
        Leaf.objects.count() == body.size, "There are not as many sealed events as were signed."
    )
    return f"{refuses_changes()} The signature over {body.size} events was verified."


@control("audit.no-words", "The trail holds ids, codes and counts, never words about people")
def no_words() -> str:
    for details in (
        {"patient": "Adler, Paula"},
        {"birth_date": 19720314},
        {"about": "a@b.example"},
    ):
        with undone(), must_refuse(DetailsRefused, "A word about a person"):
            record(action="audit.verified", actor=SYSTEM, outcome="success", details=details)
    return "A name, a birth date and an address were refused as details of an event."
