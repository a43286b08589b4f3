"""Bring a portal back: keys, data and files; then destroy and revoke again; only then answer."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import transaction

from accounts.selectors.agreements import forget_agreements
from accounts.services.trail import record, system_ref
from audit.models import Checkpoint
from audit.rules.verification import Verdict
from audit.services import verify
from audit.services.seal import seal_all
from backups.gateways.databases import ALIASES, DATA, KEYS, is_empty, load
from backups.gateways.sealing import open_dump, open_key
from backups.rules.file_list import Listed
from backups.rules.ledgers import What
from backups.rules.messages import RESTORED
from backups.rules.names import Kind, blob_path
from backups.rules.refusals import BackupRefused, CopyDamaged
from backups.services.ending import end_what_opens
from backups.services.examining import Examined
from backups.services.making import pieces_of
from backups.services.register import enter, tell_administrators
from backups.services.revocations import replay_revocations
from backups.services.signing import whole_generations
from config.restoring import TRUSTED_FOR, clear_mark, look, set_mark
from policies.selectors import forget_policies
from retention.services.ledger import Replayed, replay_ledger
from vault.gateways.blob_store import BlobReader, blob_store
from vault.rules.errors import BlobMissing, StorageError
from vault.services.organisation_keys import forget_organisation_keys
from vault.services.shared_keys import forget_shared_keys

# What a process keeps of the databases for a while.
FORGET = (forget_organisation_keys, forget_shared_keys, forget_policies, forget_agreements)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did, and what it found."""

    files: int
    disposed_again: Replayed
    revoked_again: Counter[What]
    ended: dict[str, int]
    trail: Verdict


def name_of_portal() -> str:
    """What has to be typed to replace what is there."""
    return urlsplit(settings.PUBLIC_URL).netloc


def restore(found: Examined, *, replace: str = "") -> Restored:
    """Restore what was examined. Until it has returned, the portal answers nobody.

    A restore that is killed can be run again: it begins anew.
    """
    was_empty = _refuse_to_overwrite(replace)
    set_mark()
    if not was_empty:
        # Whoever looked a moment ago goes on for as long as that is trusted.
        time.sleep(2 * TRUSTED_FOR)
    _load(found)
    files = sum(_put_back(found, one) for one in found.tried)
    for alias in ALIASES:
        call_command("migrate", database=alias, interactive=False, verbosity=0)
    done = _make_good(found, files)
    clear_mark()
    return done


def _refuse_to_overwrite(replace: str) -> bool:
    """Tell whether nothing is there; raise `BackupRefused` if something is, and may not go."""
    if all(is_empty(alias) for alias in ALIASES):
        return True
    unfinished = look()
    if replace != name_of_portal() and not unfinished:
        raise BackupRefused(
            "The databases are not empty, and nothing was done. To replace what is in them, say"
            f" --replace {name_of_portal()}."
        )
    return False


def _load(found: Examined) -> None:
    for alias, kind, place, manifest in (
        (KEYS, Kind.KEYS, found.places.keys, found.keys),
        (DATA, Kind.DATA, found.places.data, found.data),
    ):
        key = open_key(found.places.keys, manifest.generation, kind)
        load(alias, open_dump(place, manifest.generation, kind, key=key))
    # Whatever this process knew was of another database.
    for forget in FORGET:
        forget()
    ContentType.objects.clear_cache()


def _put_back(found: Examined, listed: Listed) -> int:
    """Put one sealed file into the store, unless it is there as it was."""
    store, path = blob_store(), blob_path(listed.name)
    try:
        reader = store.open(listed.name)
        try:
            if _is_same(reader, found, listed):
                return 0
        finally:
            reader.close()
    except BlobMissing:
        pass
    sink = store.create(listed.name)
    try:
        for piece in found.places.data.read(path):
            sink.write(memoryview(piece))
        sink.flush()
        sink.publish()
    except StorageError:
        sink.discard()
        raise
    return 1


def _is_same(reader: BlobReader, found: Examined, listed: Listed) -> bool:
    if reader.size != listed.size:
        return False
    copy = found.places.data.read(blob_path(listed.name))
    return all(mine == theirs for mine, theirs in zip(pieces_of(reader), copy, strict=True))


# Before it answers -------------------------------------------------------------------------------
def _make_good(found: Examined, files: int) -> Restored:
    disposed = replay_ledger(found.disposals)
    revoked = replay_revocations(found.revocations, since=found.data.begun_at)
    ended = end_what_opens()
    for forget in FORGET:
        forget()
    for manifest in whole_generations(found.places.data):
        enter(manifest, data=found.places.data, keys=found.places.keys)
    _require_head(found)
    verdict = verify.verify_database()
    with transaction.atomic():
        record(
            action="backup.restored", actor=system_ref(),
            target=("backup", found.data.generation),
            outcome="success" if verdict.verified else "failed",
            details={
                "keys_of": found.keys.generation, "files": files,
                "trail_size": verdict.leaves, "trail_seen": found.trail_seen,
                "studies": disposed.studies, "entries": disposed.entries,
                **{f"again_{what.value}": count for what, count in revoked.items() if count
                   and what is not What.PASSWORD},
                "again_credentials": revoked[What.PASSWORD], **ended,
            },
        )  # fmt: skip
        tell_administrators(RESTORED, at_most_every=timedelta(0))
    seal_all()
    return Restored(files, disposed, revoked, ended, verdict)


def _require_head(found: Examined) -> None:
    """The trail that came back holds the head that was signed before the dump."""
    if not found.data.trail_size:
        return
    head = Checkpoint.objects.filter(size=found.data.trail_size).first()
    if head is None or bytes(head.root).hex() != found.data.trail_root:
        raise CopyDamaged("The trail that came back is not the one that the manifest speaks of.")
