"""From a stored object to its clean form."""

from __future__ import annotations

from uuid import UUID

from studies.gateways.deidentifying_apart import Deidentified, DeidentifierApart
from studies.gateways.deidentifying_limits import LARGEST
from studies.gateways.objects import ObjectReader
from studies.models import Instance
from studies.rules.coercing import CannotCoerce
from studies.rules.deidentification.assess import Doubt
from vault.rules.errors import BlobMissing, SealError


def deidentify_stored(
    instance_id: int, deidentifier: DeidentifierApart, *, subject_id: UUID
) -> Deidentified:
    """Clean one object; whatever is wrong with it is a doubt, and stops nothing.

    Raises `StorageUnreachable`: of what cannot be reached now, nothing is known.
    """
    instance = (
        Instance.objects.select_related("blob")
        .defer("sealed_metadata", "layout")
        .filter(pk=instance_id)
        .first()
    )
    if instance is None:
        return Deidentified(None, (Doubt.BROKEN.value,), fault="gone")
    if instance.length > LARGEST:
        return Deidentified(None, (Doubt.TOO_LARGE.value,))
    try:
        with ObjectReader([instance]) as reader:
            # As corrected, with the earlier values in it: both are looked for in every text.
            content = b"".join(bytes(piece) for piece in reader.stream(instance))
    except (SealError, BlobMissing, CannotCoerce) as error:
        return Deidentified(None, (Doubt.BROKEN.value,), fault=type(error).__name__)
    return deidentifier.deidentify(content, person=f"subject\0{subject_id}")
