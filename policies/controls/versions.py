"""Versions: dates, notice, and that what was posted stays as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from policies.controls.trying import undone
from policies.models import PolicyVersion
from policies.rules.comparison import compare, is_material
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.schema import KEY
from policies.rules.schema.care_of_data import CHANNELS
from policies.rules.versions import NotAllowed, check_effect

_ORGANISATION = UUID(int=1)


def _version(**more: Any) -> PolicyVersion:
    now = timezone.now()
    facts = {
        "organisation_id": _ORGANISATION, "pack_code": "control", "revision": 1, "values": {},
        "digest": "", "posted_at": now, "effective_at": now,
    }  # fmt: skip
    return PolicyVersion.objects.create(**(facts | more))


@control("policies.effective-date", "No version without its date and its own number")
def effective_date() -> str:
    now = timezone.now()
    wrong: dict[str, dict[str, Any]] = {
        "A version without a date of effect": {"effective_at": None},
        "A version without a number": {"revision": None},
        "A version that holds before it was posted": {"effective_at": now - timedelta(days=1)},
    }
    with undone():
        for said, facts in wrong.items():
            with must_refuse(IntegrityError, said), transaction.atomic():
                _version(**facts)
        _version()
        with must_refuse(IntegrityError, "A number that was used before"), transaction.atomic():
            _version()
    return "The database just refused versions without date, without number, and with one twice."


@control("policies.posted-fixed", "What was posted cannot be altered")
def posted_fixed() -> str:
    with undone():
        rows = PolicyVersion.objects.filter(pk=_version().pk)
        earlier = timezone.now() - timedelta(days=9)
        changes: list[dict[str, Any]] = [
            {"posted_at": earlier, "effective_at": earlier}, {"values": {"title": "other"}},
            {"digest": "other"},
        ]  # fmt: skip
        for change in changes:
            with must_refuse(DatabaseError, "Changing a posted version"), transaction.atomic():
                rows.update(**change)
        with must_refuse(DatabaseError, "Deleting a posted version"), transaction.atomic():
            rows.delete()
    return (
        "The database just refused to change dates and words of a posted version, or to delete it."
    )


@control(
    "policies.notice-period",
    "A change holds seven days after posting at the earliest",
    of_policy=True,
)
def notice_period(values: Values) -> str:
    days, floor = values["notice.min_days"], KEY["notice.min_days"].floor
    require(floor is not None and floor.broken(6), "A policy may have fewer than seven days.")
    require(days >= 7, f"This policy has a notice period of {days} days.")
    now = timezone.now()
    dates: dict[str, Any] = {"posted_at": now, "min_days": days, "is_first": False}
    early = now + timedelta(days=days) - timedelta(seconds=1)
    with must_refuse(NotAllowed, "Taking effect a second early"):
        check_effect(effective_at=early, **dates)
    check_effect(effective_at=now + timedelta(days=days), **dates)
    return f"Taking effect a second before {days} days were over was refused."


@control("policies.changes-shown", "What a version changes can be seen", of_policy=True)
def changes_shown(values: Values) -> str:
    after = {**values, "logs.keep_days": values["logs.keep_days"] - 1}
    found = [one for one in compare(values, after) if "logs" in str(one)]
    require(found, "A changed key does not show.")
    require(is_material(values, after), "A change of what is kept does not count as material.")
    require(not compare(values, values), "Versions that are the same show a change.")
    return "A changed term was named by the comparison, and counted as material."


@control(
    "policies.ways-of-telling", "The policy says in which ways a change is told", of_policy=True
)
def ways_of_telling(values: Values) -> str:
    ways, floor = values["notice.channels"], KEY["notice.channels"].floor
    require(floor is not None and floor.broken(("email",)), "The website may be left out.")
    require("website" in ways, "This policy does not tell of changes on the website.")
    return "A change is told by: " + ", ".join(CHANNELS[one] for one in ways) + "."
