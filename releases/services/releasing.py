"""Let a project go out: consent and terms asked once more, risk measured, report signed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from audit.rules.notes import sign_note
from audit.services.keys import signing_key
from policies.rules.pack import Pack
from policies.rules.purposes import Purpose
from releases.models import Project
from releases.permissions import can_approve
from releases.rules.report import FORMAT, note_text, report_bytes, totals
from releases.rules.risk import Risk
from releases.rules.states import Act, Aside, State
from releases.selectors import (
    Standing,
    agreement_of,
    exclusions_of,
    in_batches,
    policies_of,
    releasable_of,
    risk_of_project,
    standing_of,
)
from releases.services.projects import ReleaseRefused, lock_project, require_plan, write_event
from releases.services.telling import tell_released
from studies.rules.deidentification.assess import DOUBT_WORDS, Doubt
from studies.rules.deidentification.profile import profile_of
from studies.rules.deidentification.table import edition


@dataclass(frozen=True, slots=True)
class Readiness:
    """What speaks for and against letting a project go out now."""

    standing: Standing
    risk: Risk
    withdrawn: int
    obstacles: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        return not self.obstacles


def readiness_of(project: Project) -> Readiness:
    """Ask everything anew: terms, consent, looks, risk. Writes nothing."""
    standing = standing_of(project)
    owner, _ = policies_of(project)
    risk = risk_of_project(project, owner)
    withdrawn = withdrawn_since(project)
    return Readiness(
        standing, risk, withdrawn, tuple(_obstacles(project, standing, risk, withdrawn))
    )


def withdrawn_since(project: Project) -> int:
    """How many studies went in when it was made, and may not go out now (MEDDIM-4.8)."""
    return len(exclusions_of(project, list(project.studies.filter(exclusion=""))))


def _obstacles(project: Project, standing: Standing, risk: Risk, withdrawn: int) -> list[str]:
    found = []
    try:
        require_plan(project)
    except ReleaseRefused as refusal:
        found.append(str(refusal))
    if withdrawn:
        found.append(
            f"Since it was made, {withdrawn} of its studies may not be used any more: consent was "
            "withdrawn, or the study has gone. Make it anew; they are left out."
        )
    plural = "" if standing.waiting == 1 else "s"
    if standing.waiting:
        found.append(
            f"Text was looked for in the pixels of {standing.waiting} object{plural}, and blacked. "
            "A clinician compares before and after first."
        )
    if not standing.releasable:
        found.append("There is nothing that could go out.")
    if risk.is_too_high:
        found.append(
            f"People could be told from what stays: {risk.words}. Take studies out, or begin a "
            "project without the option that keeps patients' characteristics."
        )
    return found


def release_project(*, actor: Actor, project: Project) -> Project:
    """Let it go out, with a signed report. Raises `ReleaseRefused`; a refusal is recorded."""
    try:
        return _release(actor, project)
    except ReleaseRefused:
        write_event(actor, project, "release.refused", {"build": project.build})
        raise


@transaction.atomic
def _release(actor: Actor, project: Project) -> Project:
    locked = lock_project(project, Act.RELEASE)
    now = timezone.now()
    if not can_approve(actor, locked):
        raise ReleaseRefused("Only a privacy officer can let a project go out.")
    if not actor.is_fresh(now):
        raise ReleaseRefused("Prove again that it is you, then release it.")
    ready = readiness_of(locked)
    if not ready.is_ready:
        raise ReleaseRefused(" ".join(ready.obstacles))
    locked.released_by_id, locked.released_at, locked.state = actor.user_id, now, State.RELEASED
    owner, _ = policies_of(locked)
    report = report_bytes(_report(locked, ready, owner))
    text = note_text(report, project=_designation(locked), released_at=f"{now:%Y-%m-%dT%H:%M:%SZ}")
    locked.report, locked.report_note = report.decode(), sign_note(text, signing_key())
    locked.save()
    details = {
        "build": locked.build, "objects": ready.standing.releasable,
        "people": ready.standing.people, "held_back": ready.standing.held_back,
        "recipient": str(locked.recipient_id),
    }  # fmt: skip
    write_event(actor, locked, "release.released", details)
    tell_released(locked)
    return locked


def _designation(project: Project) -> str:
    return f"{project.organisation.slug}/{project.number}/{project.build}"


def _report(project: Project, ready: Readiness, owner: Pack) -> dict[str, Any]:
    profile = profile_of(project.options)
    outputs = [_line(row) for batch in in_batches(releasable_of(project)) for row in batch]
    agreement = agreement_of(project)
    return {
        "format": FORMAT,
        "project": _designation(project),
        "title": project.title,
        "organisation": project.organisation.name,
        "recipient": project.recipient.name,
        "purpose": Purpose(project.purpose).value,
        "policy": {"code": owner.code, "version": owner.version, "digest": owner.digest},
        "agreement": agreement.reference if agreement else "",
        "ethics_reference": project.ethics_reference,
        "ends_on": project.ends_on.isoformat(),
        "released_at": f"{project.released_at:%Y-%m-%dT%H:%M:%SZ}",
        "de_identification": {
            "profile": "DICOM PS3.15 Basic Application Level Confidentiality Profile",
            "table": f"PS3.15 Table E.1-1, edition {edition()}",
            "options": sorted(profile.options),
            "codes": [{"value": code, "meaning": words} for code, words in profile.methods],
            "method": project.method,
            "method_reference": project.method_reference,
        },
        "risk": {key: value for key, value in asdict(ready.risk).items() if key != "exposed"},
        "totals": {
            "objects": ready.standing.releasable,
            "people": ready.standing.people,
            "studies": ready.standing.studies,
            "attributes": totals([line["attributes"] for line in outputs]),
        },
        "left_out": _left_out(project),
        "objects": outputs,
    }


def _line(row: Any) -> dict[str, Any]:
    return {
        "patient": row.patient, "study": row.study_uid, "series": row.series_uid, "uid": row.uid,
        "sha256": row.digest, "bytes": row.size, "attributes": row.counts, "pixels": row.pixels,
        "looked_at": row.reviewed_at is not None,
    }  # fmt: skip


def _left_out(project: Project) -> dict[str, Any]:
    """What did not go out, by reason; numbers only, for it names nothing of the original."""
    by_doubt: dict[str, int] = {}
    for doubts in project.outputs.filter(state=Aside.ASIDE).values_list("doubts", flat=True):
        for doubt in doubts:
            words = DOUBT_WORDS[Doubt(doubt)]
            by_doubt[words] = by_doubt.get(words, 0) + 1
    by_exclusion: dict[str, int] = {}
    for code in project.studies.exclude(exclusion="").values_list("exclusion", flat=True):
        by_exclusion[code] = by_exclusion.get(code, 0) + 1
    return {
        "put_aside": by_doubt,
        "kept_back_by_a_person": project.outputs.filter(state=Aside.REFUSED).count(),
        "studies_left_out": by_exclusion,
    }
