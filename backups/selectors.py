"""Reads of the register. Who may see it is decided by the page: it names nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.rules import Actor
from backups.models import Artefact, Device, Drill, Generation
from backups.permissions import may_see_devices
from backups.rules.keeping import Ends, State, ends_of, gone_by, is_drill_due, words_of
from backups.rules.names import Kind


def living_artefacts() -> QuerySet[Artefact]:
    """What is there, or may be: a backup under way may have read something already."""
    rows = Artefact.objects.filter(destroyed_at=None).exclude(generation__state=State.FAILED)
    return rows.select_related("generation")


def overdue_artefacts(before: datetime) -> QuerySet[Artefact]:
    """What should have ended before a moment, but for the last whole generation, which stays."""
    last = last_good()
    rows = living_artefacts().filter(generation__state=State.GOOD, expires_at__lte=before)
    return rows.exclude(generation=last) if last else rows


def makes_backups() -> bool:
    """Does this portal make its own: is a place set, or a generation there?"""
    if settings.BACKUP_URL and settings.BACKUP_KEYS_URL:
        return True
    return Generation.objects.filter(state__in=[State.GOOD, State.MAKING]).exists()


def end_of_backups(destroyed_at: datetime) -> tuple[str, date | None] | None:
    """For a certificate: the words, and the last day; None if the portal makes no backups."""
    if not makes_backups():
        return None
    ends = ends_now(destroyed_at)
    return words_of(ends), ends.last_on


def ends_now(destroyed_at: datetime) -> Ends:
    return ends_of(list(living_artefacts()), destroyed_at)


# For the page ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Line:
    """A generation in words."""

    row: Generation
    parts: list[Artefact]

    @property
    def stands(self) -> str:
        return State(self.row.state).value

    def part(self, kind: Kind) -> Artefact | None:
        return next((one for one in self.parts if one.kind == kind), None)

    @property
    def size(self) -> int:
        return sum(one.size for one in self.parts) + self.row.bytes

    @property
    def lasts(self) -> list[tuple[str, Artefact, date]]:
        """Keys and data: until when, or when they were destroyed."""
        return [
            (words, found, gone_by(found.expires_at))
            for kind, words in ((Kind.KEYS, "Keys"), (Kind.DATA, "Data"))
            if (found := self.part(kind)) is not None
        ]


def lines_of(rows: list[Generation]) -> list[Line]:
    return [Line(row, list(row.artefacts.all())) for row in rows]


def generations() -> QuerySet[Generation]:
    return Generation.objects.order_by("-begun_at").prefetch_related("artefacts")


def last_good() -> Generation | None:
    return Generation.objects.filter(state=State.GOOD).order_by("-begun_at").first()


def last_good_drill() -> Drill | None:
    return Drill.objects.filter(is_good=True).order_by("-began_at").first()


def is_drill_overdue() -> bool:
    """Is there something to practise with, and was that not done for too long?"""
    if not Generation.objects.filter(~Q(state=State.FAILED)).exists():
        return False
    last = last_good_drill()
    return is_drill_due(
        last.began_at if last else None, timezone.now(), every_days=settings.BACKUP_DRILL_DAYS
    )


# Hardware ----------------------------------------------------------------------------------------
def devices_of(actor: Actor) -> QuerySet[Device]:
    """The register of the organisation that somebody works for; nobody else's."""
    if not may_see_devices(actor):
        return Device.objects.none()
    rows = Device.objects.filter(organisation_id=actor.organisation_id)
    return rows.select_related("witness", "certified_by").order_by("-number")


def members_of(actor: Actor) -> QuerySet[User]:
    """Who works where this person does."""
    return User.objects.filter(
        is_active=True, memberships__organisation_id=actor.organisation_id,
        memberships__is_active=True,
    ).distinct()  # fmt: skip


def possible_witnesses(actor: Actor) -> list[User]:
    """Who can have seen a destruction that this person enters: any other member."""
    return list(members_of(actor).exclude(pk=actor.user_id))
