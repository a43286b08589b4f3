"""The end of a request that bars a use: answer and directive are one act (C33, C35)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.rules import Actor
from accounts.services.preferences import keep_opt_out
from accounts.services.trail import user_ref
from consent.models import Directive
from consent.rules.directives import DirectiveKind, Source, Wanted, scope_words, unpacked
from consent.services.directives import DirectiveRefused, opt_out_by_signal, set_directive
from dsar.models import Case
from dsar.rules.directing import DIRECTIVES_OF
from dsar.rules.kinds import Kind
from dsar.rules.states import Act, Door, Outcome, State
from dsar.selectors import policy_or_none
from dsar.services.entries import CaseRefused, for_officer, write_entry, write_event
from dsar.services.handling import give_answer
from dsar.services.intake import Asking, open_case
from dsar.services.pausing import end_pause, subjects_meant
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose

DIRECTED = "directed"
SIGNALLED = {
    Source.GPC: "The browser sent Global Privacy Control while signed in. Nobody asked for more"
    " (11 CCR 7025, 7060(b)).",
    Source.LINK: "They pressed “Do not sell or share my personal information” while signed in."
    " Nobody asked for more (11 CCR 7026, 7060(b)).",
    Source.DNT: "The browser sent Do Not Track while signed in, which the policy honours.",
}


@transaction.atomic
def grant_directive(
    *, actor: Actor, case: Case, text: str, outcome: Outcome, wanted: Wanted
) -> Case:
    """Grant a request by setting what it asks for, for everybody it is about, and answer it.

    All of it or nothing. Raises `CaseRefused`.
    """
    row = for_officer(actor, case, Act.ANSWER)
    if wanted.kind not in DIRECTIVES_OF.get(Kind(row.kind), ()):
        raise CaseRefused("Choose what is set from now on, among what was asked for.")
    subjects = subjects_meant(row)
    if not subjects:
        raise CaseRefused("Say first whom the request is about: look for them under what is held.")
    # Nothing is set for somebody of whom it is not known that they asked.
    answered = give_answer(actor=actor, row=row, text=text, outcome=outcome)
    try:
        directives = [
            set_directive(actor=actor, subject=one, wanted=wanted, case_number=row.number)
            for one in subjects
        ]
    except DirectiveRefused as refusal:
        raise CaseRefused(str(refusal)) from None
    # What stood still while it was open holds by what was granted now.
    end_pause(actor=actor, case=answered)
    write_entry(answered, DIRECTED, by=actor, text=words_of(directives[0]), code=wanted.kind.value)
    return answered


def words_of(row: Directive) -> str:
    """What holds from now on, as a letter says it."""
    ids = unpacked(row.recipients)
    names = list(Organisation.objects.filter(pk__in=ids).values_list("name", flat=True))
    kind, facts = DirectiveKind(row.kind), row.facts
    scope = scope_words(kind, unpacked(row.purposes), unpacked(row.studies), names)
    return f"{facts.label} from now on: {scope}. {facts.explanation} ({facts.cites})"


@transaction.atomic
def opt_out_by_link(*, actor: Actor) -> bool:
    """Keep that somebody signed in pressed the link, wherever data about them is held. Without a
    proof, and at once. Returns whether that was new."""
    user = User.objects.get(pk=actor.user_id)
    return keep_opt_out(user=user, source=Source.LINK.value)


# Signals of browsers -----------------------------------------------------------------------------
@under(Purpose.RIGHTS, Category.REQUESTS, Category.CONSENT, Category.ACCOUNT)
def note_signal(user: User, source: str) -> None:
    """Make an opt-out of a known person's signal, and a case that is closed at once: for each
    organisation where data about them is held, once. In the transaction of the signal."""
    found = opt_out_by_signal(user=user, source=Source(source))
    by_organisation = {one.organisation_id: one for one in found}
    for organisation in Organisation.objects.filter(pk__in=by_organisation):
        if policy_or_none(organisation) is not None:
            case = _closed_case(user, organisation, Source(source))
            mine = [one.pk for one in found if one.organisation_id == organisation.pk]
            _note_number(mine, case, by_organisation[organisation.pk])


def _closed_case(user: User, organisation: Organisation, source: Source) -> Case:
    now = timezone.now()
    asking = Asking(
        organisation=organisation, kind=Kind.OPT_OUT, residence=user.residence, name=user.name,
        email=user.email, text=SIGNALLED[source],
    )  # fmt: skip
    case = open_case(
        asking, door=Door.SIGNAL, received_at=now, person=user, state=State.CLOSED.value,
        acknowledged_at=now, answered_at=now, closed_at=now, outcome=Outcome.GRANTED.value,
    )  # fmt: skip
    write_entry(case, "received", by=None, code=Door.SIGNAL.value, by_person=True)
    write_event("request.received", case, actor=user_ref(user), door=case.door)
    return case


def _note_number(ids: Iterable[object], case: Case, row: Directive) -> None:
    Directive.objects.filter(pk__in=list(ids)).update(case_number=case.number)
    write_entry(case, DIRECTED, by=None, text=words_of(row), code=row.kind)
    write_entry(case, Act.CLOSE, by=None)
    write_event("request.closed", case, actor=user_ref(User.objects.get(pk=case.person_id)))
