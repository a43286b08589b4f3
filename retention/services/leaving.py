"""What becomes of images when their person closes an account, as the policy says.

Where it says that they are kept out of sight until the time of law has passed, they go into the
legal archive at that moment, and every share of them ends. Elsewhere they stay with whoever treats
the person, and their own schedule counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from accounts.models import Organisation
from consent.models import Grant, SubjectAccount
from consent.rules.closing import Leaving, follow_closing
from consent.selectors import in_force
from consent.services.grants import end_grant
from policies.selectors import packs_held
from retention.rules.archive import Why
from retention.services.archiving import OUTSIDE, archive_studies
from studies.models import Study

ROOM = "retention"
UNTIL_LAW = "archive-until-law"
CLOSED = "account-closed"


def goes_to_archive(values: Mapping[str, Any]) -> bool:
    """Does the policy take the images of whoever closes an account out of sight?"""
    return bool(values["account.post_inactivation"] == UNTIL_LAW)


def images_of(user_id: int, organisation_id: UUID | None = None) -> dict[UUID, list[Study]]:
    """The studies that closing an account takes out of sight, by organisation.

    Not those of which it is not settled that they are theirs, and not those that somebody else
    with an account may see as well: the other parent, say.
    """
    others = SubjectAccount.objects.filter(subject=OuterRef("subject"), user__is_active=True)
    rows = Study.objects.filter(
        ~Exists(others.exclude(user_id=user_id)),
        OUTSIDE, subject__accounts__user_id=user_id, doubts=[],
    )  # fmt: skip
    if organisation_id is not None:
        rows = rows.filter(organisation_id=organisation_id)
    found: dict[UUID, list[Study]] = defaultdict(list)
    for study in rows.order_by("organisation_id", "pk"):
        found[study.organisation_id].append(study)
    return {one: studies for one, studies in found.items() if _is_said(one)}


def _is_said(organisation_id: UUID) -> bool:
    held = packs_held(organisation_id)
    return bool(held) and goes_to_archive(held[-1].values)


def _told(user_id: int, organisation_id: UUID | None) -> list[str]:
    found = images_of(user_id, organisation_id)
    names = dict(Organisation.objects.filter(pk__in=found).values_list("pk", "name"))
    return [
        f"{_counted(len(studies))} at {names[one]} will not be shown to anybody any more, not even"
        " to the person, and every share of that ends. What the law asks to keep lies in the legal"
        " archive until that time has passed; until then only a signed authorization opens it."
        for one, studies in found.items()
    ]


def _counted(number: int) -> str:
    return "One study" if number == 1 else f"{number} studies"


def _follow(leaving: Leaving) -> int:
    return sum(
        _take_out(leaving, organisation_id, studies)
        for organisation_id, studies in images_of(leaving.user_id, leaving.organisation_id).items()
    )


def _take_out(leaving: Leaving, organisation_id: UUID, studies: list[Study]) -> int:
    uids = [study.uid for study in studies]
    shares = Grant.objects.filter(
        in_force(leaving.at), organisation_id=organisation_id, items__study_uid__in=uids
    ).select_related("organisation", "recipient_organisation", "recipient__user")
    for grant in shares.distinct():
        end_grant(actor=leaving.actor, grant=grant, at=leaving.at, reason=CLOSED)
    return archive_studies(
        actor=leaving.actor, organisation_id=organisation_id, why=Why.ACCOUNT, at=leaving.at,
        study_ids=[study.pk for study in studies], case_number=leaving.case_number,
    )  # fmt: skip


def register_leaving() -> None:
    follow_closing(ROOM, _told, _follow)
