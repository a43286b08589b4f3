"""Reading back whether anything of disposed studies is left: keys, files, rows, or ciphertext."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from retention.models import DisposalItem
from studies.models import Blob, Study
from studies.sealing import study_context
from vault.rules.errors import KeyDestroyed
from vault.rules.sealed_field import FieldSealer
from vault.selectors import tombstones_of
from vault.services.blobs import is_stored
from vault.services.data_keys import open_data_key


def what_is_left(items: Sequence[DisposalItem]) -> dict[int, str]:
    """Look for each study; name the first that is found, by item. Empty: all are gone.

    Whether ciphertext still opens is tried with the sample of the first: that takes its key, and
    the keys of all are looked at.
    """
    keys = {item.pk: {UUID(one) for one in item.key_ids} for item in items}
    every_key = set().union(*keys.values())
    living = every_key - tombstones_of(every_key).keys()
    rows = set(Study.objects.filter(key_id__in=every_key).values_list("key_id", flat=True))
    names = [name for item in items for name in item.blob_names]
    # An object's row hangs on its blob's, which would be there as well.
    blobs = set(Blob.objects.filter(name__in=names).values_list("name", flat=True))
    left = {}
    for item in items:
        if keys[item.pk] & living:
            left[item.pk] = "key"
        elif any(is_stored(name=name) for name in item.blob_names):
            left[item.pk] = "file"
        elif keys[item.pk] & rows or blobs & set(item.blob_names):
            left[item.pk] = "row"
    if items and items[0].pk not in left and _opens(items[0]):
        left[items[0].pk] = "ciphertext"
    return left


def _opens(item: DisposalItem) -> bool:
    context = study_context(item.run.organisation_id, item.study_uid)
    for key_id in item.key_ids:
        try:
            FieldSealer(open_data_key(id=UUID(key_id))).open(bytes(item.sample or b""), context)
        except KeyDestroyed:
            continue
        return True
    return False
