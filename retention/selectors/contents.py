"""What there is of a study to be destroyed: objects, sealed files, keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from retention.selectors.archive import keys_of_dates
from studies.models import Blob, Instance, Study


@dataclass(frozen=True, slots=True)
class Contents:
    """`digest` is over the identifier and the keyed hash of each object, in order."""

    objects: int
    digest: str
    blob_names: tuple[str, ...]
    key_ids: tuple[UUID, ...]


def contents_of(studies: Collection[Study]) -> dict[int, Contents]:
    """For many studies: two queries, and one for those of them that lie in the archive."""
    pks = [study.pk for study in studies]
    hashes, counts = {pk: sha256() for pk in pks}, dict.fromkeys(pks, 0)
    objects = Instance.objects.filter(study_id__in=pks).order_by("study_id", "uid")
    for pk, uid, token in objects.values_list("study_id", "uid", "content_token").iterator():
        hashes[pk].update(f"{uid}:{bytes(token).hex()}\n".encode())
        counts[pk] += 1
    names, keys = defaultdict(list), {study.pk: {study.key_id} for study in studies}
    blobs = Blob.objects.filter(study_id__in=pks).order_by("study_id", "name")
    for pk, name, key_id in blobs.values_list("study_id", "name", "key_id"):
        names[pk].append(name)
        keys[pk].add(key_id)
    for pk, key_id in keys_of_dates([one.pk for one in studies if one.archived_at]).items():
        keys[pk].add(key_id)
    return {
        pk: Contents(counts[pk], hashes[pk].hexdigest(), tuple(names[pk]), tuple(sorted(keys[pk])))
        for pk in pks
    }
