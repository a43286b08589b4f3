"""While an objection is open, what it is about stands still (GDPR Art. 18(1)(d), AVMI-8.7)."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from accounts.rules import Actor
from consent.models import DataSubject, Directive
from consent.rules.directives import DirectiveKind, Wanted
from consent.selectors import subjects_of_account
from consent.services.directives import end_directive, purposes_objected_to, set_directive
from dsar.models import Case
from dsar.rules.kinds import Kind
from dsar.selectors.agents import authority_of


def subjects_meant(case: Case) -> list[DataSubject]:
    """Whom a request is about: those an officer found for it, else those of its account, where
    nobody asks for somebody else."""
    linked = DataSubject.objects.filter(
        organisation_id=case.organisation_id,
        pk__in=case.subjects.values_list("subject_id", flat=True),
    )
    if linked or case.person_id is None or authority_of(case) is not None:
        return list(linked)
    return list(subjects_of_account(case.person_id).filter(organisation_id=case.organisation_id))


def pause_while_open(*, actor: Actor, case: Case) -> None:
    """Restrict what somebody can object to, from the moment that they do; once, and only for
    whoever is signed in: of others it is not known yet whose data it is."""
    if case.kind != Kind.OBJECTION:
        return
    purposes = purposes_objected_to(case.organisation_id)
    for subject in subjects_meant(case):
        set_directive(
            actor=actor, subject=subject, wanted=Wanted(DirectiveKind.RESTRICTION, purposes),
            case_number=case.number,
        )  # fmt: skip


def announce_end_of_pause(case: Case) -> None:
    """The answer tells that it ends; it does when the case is closed (Art. 18(3))."""
    _pauses(case).filter(announced_at=None).update(announced_at=timezone.now())


def end_pause(*, actor: Actor, case: Case) -> None:
    for row in _pauses(case).select_for_update():
        end_directive(row, actor, case_number=case.number)


def _pauses(case: Case) -> QuerySet[Directive]:
    if case.kind != Kind.OBJECTION:
        return Directive.objects.none()
    return Directive.objects.filter(
        case_number=case.number, kind=DirectiveKind.RESTRICTION.value, lifted_at=None
    )
