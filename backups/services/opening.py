"""Open sealed files that were restored, to see that they do."""

from __future__ import annotations

from collections.abc import Sequence

from backups.rules.file_list import Listed
from backups.rules.refusals import CopyDamaged
from studies.gateways.objects import read_whole
from studies.models import Blob
from vault.rules.errors import VaultError

_TOGETHER = 500


def open_restored(files: Sequence[Listed]) -> int:
    """Read those that belong to studies from end to end; returns how many. Raises `CopyDamaged`.

    What was disposed of since has no row any more. Copies for people and released images are
    known by their digests only.
    """
    opened = 0
    for start in range(0, len(files), _TOGETHER):
        names = [one.name for one in files[start : start + _TOGETHER]]
        for blob in Blob.objects.filter(name__in=names).select_related("study"):
            try:
                read_whole(blob)
            except VaultError as error:
                raise CopyDamaged(
                    f"{blob.name} was restored and does not open ({type(error).__name__})."
                ) from None
            opened += 1
    return opened
