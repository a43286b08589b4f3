"""The process in which strangers' objects are de-identified: run as a program, never imported.

It limits itself in memory and time before it reads the first of them, and leaves with whoever
started it.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import asdict
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset

from studies.gateways.deidentifying import Deidentifier, Outcome
from studies.gateways.deidentifying_limits import deidentified_in_time, limit_process, seconds_of
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import profile_of

# What the clean object says of its person and of itself; empty ones are left out.
_FACTS = {
    "sex": "PatientSex", "age": "PatientAge", "size": "PatientSize", "weight": "PatientWeight",
    "ethnic_group": "EthnicGroup", "species": "PatientSpeciesDescription",
    "breed": "PatientBreedDescription", "modality": "Modality", "body_part": "BodyPartExamined",
    "study_date": "StudyDate", "frames": "NumberOfFrames", "class": "SOPClassUID",
}  # fmt: skip


def facts_of(content: bytes) -> dict[str, str]:
    """What a clean object says, cut to what a word of it can be."""
    dataset: Dataset = dcmread(io.BytesIO(content), stop_before_pixels=True)
    found = {name: str(dataset.get(keyword, "") or "")[:64] for name, keyword in _FACTS.items()}
    if any(word in dataset for word in ("Rows", "NumberOfFrames")):
        found["frames"] = found["frames"] or "1"
    return {name: value for name, value in found.items() if value}


def _answer(outcome: Outcome) -> dict[str, Any]:
    return {
        "clean": outcome.content is not None,
        "doubts": [one.value for one in outcome.doubts],
        "counts": outcome.counts,
        "left": list(outcome.left),
        "fault": outcome.fault,
        "patient": outcome.patient,
        "uids": list(outcome.uids),
        "pixels": asdict(outcome.pixels) if outcome.pixels else None,
        "facts": facts_of(outcome.content) if outcome.content is not None else {},
    }


def serve(connection: Connection) -> None:
    """De-identify what comes over the connection until the other side leaves."""
    task = json.loads(connection.recv_bytes())
    limit_process()
    profile = profile_of(task["options"])
    seconds = seconds_of(profile)
    deidentifier = Deidentifier(profile, Keyed(bytes.fromhex(task["key"])))
    while True:
        try:
            about = json.loads(connection.recv_bytes())
            content = connection.recv_bytes()
        except EOFError:
            return
        outcome = deidentified_in_time(
            deidentifier, partial(bytes, content), seconds=seconds, person=about["person"]
        )
        connection.send_bytes(json.dumps(_answer(outcome)).encode())
        if outcome.content is not None:
            connection.send_bytes(outcome.content)


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
