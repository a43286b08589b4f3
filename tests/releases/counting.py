"""People of a released project whose objects nobody had to make, and what is told of them."""

from __future__ import annotations

from accounts.rules import Actor
from releases.models import Output, Project
from releases.rules.states import Aside
from releases.services.counting import answer

HEAD_CT, CHEST_CT = (
    {"modality": "CT", "body_part": "HEAD"},
    {"modality": "CT", "body_part": "CHEST"},
)
KNEE_MR = {"modality": "MR", "body_part": "KNEE"}
BY_ALL = ["modality", "body-part"]
MODALITIES = [["Modality", "People"], ["CT", "50"], ["Any other", "15"], ["All", "65"]]


def went_out(project: Project, prefix: str, *kinds: tuple[dict[str, str], int]) -> None:
    """Let objects of so many people be part of a project, as if they had been made and released."""
    people = [facts for facts, count in kinds for _ in range(count)]
    Output.objects.bulk_create(
        Output(
            project=project, state=Aside.CLEAN, facts=facts, patient=f"{prefix}{number}",
            source_token=f"{prefix}{number}".encode()[:16], uid=f"2.25.{number}",
        )
        for number, facts in enumerate(people)
    )  # fmt: skip


def told(actor: Actor, project: Project, *by: str) -> list[list[str]]:
    return answer(actor=actor, project=project, by=by[0], across="".join(by[1:])).lines
