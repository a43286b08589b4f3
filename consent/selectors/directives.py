"""What people say against a use of their images, as the decision and the lists ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from accounts.rules import Actor
from accounts.selectors.agreements import buyers
from config.statements import fetch
from consent.models import Directive, PurposeConsent
from consent.rules.directives import (
    BARRED_TO_BUYERS,
    Bar,
    DirectiveKind,
    barring,
    packed,
    with_buyers,
)
from policies.rules.categories import Category
from policies.rules.gate import require_purpose
from vault.rules.contexts import bind
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key

# Directives --------------------------------------------------------------------------------------
_IN_FORCE = (
    "id", "organisation_id", "subject_id", "kind", "purposes", "studies", "recipients", "set_at",
)  # fmt: skip


def directive_context(directive_id: UUID) -> bytes:
    return bind("collimate/directive", directive_id)


def bars_of(subject_id: UUID | None, organisation_id: UUID) -> tuple[Bar, ...]:
    """The directives in force of one person: asked for each image, so it is one statement."""
    if subject_id is None:
        return ()
    condition = "WHERE t.subject_id = %s AND t.organisation_id = %s AND t.lifted_at IS NULL"
    rows = fetch(Directive, _IN_FORCE, condition, [subject_id, organisation_id])
    if not rows:
        return ()
    # What they consented to afterwards is not barred.
    given = fetch(
        PurposeConsent,
        ("id", "purpose", "given_at"),
        "WHERE t.subject_id = %s AND t.by_subject AND t.withdrawn_at IS NULL",
        [subject_id],
    )
    consented = {one.purpose: one.given_at for one in given}
    bars = [row.bar for row in rows]
    if any(bar.kind is DirectiveKind.OPT_OUT for bar in bars):
        bars = with_buyers(bars, _buyers_from(organisation_id))
    return tuple(bar.yielding(consented) for bar in bars)


def _buyers_from(organisation_id: UUID) -> set[UUID]:
    """To whom what goes counts as sale or sharing."""
    partners = buyers().filter(organisation_id=organisation_id)
    return set(partners.values_list("partner_id", flat=True))


def unbarred(actor: Actor, *, subject: str) -> Q:
    """`Bar.bars` in SQL, over items of grants to the actor; `subject` is the way to the person
    from the rows around them."""
    item = OuterRef("study_uid")
    afterwards = PurposeConsent.objects.filter(
        subject_id=OuterRef("subject_id"),
        purpose=OuterRef(OuterRef("grant__purpose")),
        by_subject=True,
        withdrawn_at=None,
        given_at__gt=OuterRef("set_at"),
    )
    said = Directive.objects.filter(
        Q(studies="") | Q(studies__contains=Concat(Value("|"), item, Value("|"))),
        ~Exists(afterwards),
        subject_id=OuterRef(OuterRef(subject)),
        organisation_id=OuterRef("grant__organisation_id"),
        lifted_at=None,
    )
    against = said.filter(
        Q(recipients="") | Q(recipients__contains=packed([actor.organisation_id])),
        purposes__contains=Concat(Value("|"), OuterRef("grant__purpose"), Value("|")),
    )
    # `with_buyers`: an opt-out, towards whoever is given data for value.
    buying = buyers().filter(
        organisation_id=OuterRef("organisation_id"), partner_id=actor.organisation_id
    )
    sold = said.filter(Exists(buying), kind=DirectiveKind.OPT_OUT.value)
    to_buyers = Q(grant__purpose__in=[one.value for one in BARRED_TO_BUYERS])
    return ~Q(Exists(against)) & ~(to_buyers & Q(Exists(sold)))


def barred_among(
    studies: Iterable[tuple[str, UUID]],
    *,
    organisation_id: UUID,
    purpose: str,
    recipient: UUID | None,
) -> dict[str, DirectiveKind]:
    """Which of these studies (UID, whose) may not be used so, and by what: for 10,000 of them."""
    sold_to = {one for one in _buyers_from(organisation_id) if one == recipient}
    meant = Q(purposes__contains=packed([purpose]))
    if sold_to:
        meant |= Q(kind=DirectiveKind.OPT_OUT.value)
    rows = Directive.objects.filter(
        meant, subject_id__isnull=False, organisation_id=organisation_id, lifted_at=None
    )
    consents = PurposeConsent.objects.filter(
        organisation_id=organisation_id, purpose=purpose, by_subject=True, withdrawn_at=None
    )
    consented = dict(consents.values_list("subject_id", "given_at"))
    bars: dict[UUID | None, list[Bar]] = {}
    for row in rows:
        at = {purpose: consented[row.subject_id]} if row.subject_id in consented else {}
        found_bars = with_buyers([row.bar], sold_to)
        bars.setdefault(row.subject_id, []).extend(one.yielding(at) for one in found_bars)
    found = {}
    for uid, subject_id in studies:
        against = barring(
            bars.get(subject_id, ()), purpose=purpose, study_uid=uid, recipient=recipient,
            owner=recipient == organisation_id,
        )  # fmt: skip
        if against:
            found[uid] = against.kind
    return found


def directives_of(subject_id: UUID) -> QuerySet[Directive]:
    """All that somebody said about images of theirs, also what was lifted; the latest first."""
    return Directive.objects.filter(subject_id=subject_id).order_by("-set_at", "pk")


def reason_of(row: Directive) -> str:
    """Why, in the words of whoever asked; empty if they said nothing."""
    require_purpose(Category.CONSENT)
    if row.sealed_reason is None or row.key_id is None:
        return ""
    sealer = FieldSealer(open_data_key(id=row.key_id))
    return sealer.open(row.sealed_reason, directive_context(row.pk)).decode()
