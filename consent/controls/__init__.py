"""The controls of this room: sharing under express consent, and taking it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.controls.signing_in import gate_of, require_order
from accounts.models import UsageEvent
from accounts.rules import ROLE_CAPABILITIES, Actor, Role, capabilities_of
from accounts.rules.use import Visitor, noted
from audit.rules.vocabulary import known_actions
from consent.models import Grant, GrantItem, PurposeConsent
from consent.rules.agreement import Agreement, OfferedItem, digest_of_text
from consent.rules.decision import (
    Action,
    Decision,
    GrantFacts,
    Item,
    Outcome,
    Reason,
    Resource,
    decide,
)
from consent.selectors import in_force
from consent.services.closing import ALL_AT_ONCE
from consent.services.grants import USER_AUTHORISED, is_proven
from consent.services.purposes import stop_purpose
from policies.controls.purposes import finds, pack_with
from policies.controls.trying import undone
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.purposes import OF_USE
from policies.rules.schema import KEY
from policies.rules.strictness import terms_of
from policies.selectors import shipped_packs

OWNER, OTHER = UUID(int=1), UUID(int=2)
STUDY = Resource(organisation_id=OWNER, study_uid="1.2.3")


def _clinician(organisation: UUID = OTHER, role: Role = Role.CLINICIAN) -> Actor:
    roles = frozenset({role})
    return Actor(
        user_id=0, name="Nobody", organisation_id=organisation, roles=roles,
        capabilities=capabilities_of(roles),
    )  # fmt: skip


def _grant(now: datetime, **more: Any) -> GrantFacts:
    hour = timedelta(hours=1)
    made = GrantFacts(
        id=UUID(int=3), purpose="second-opinion", may_download=False, granted_at=now - hour,
        expires_at=now + hour, revoked_at=None, items=(Item("1.2.3"),),
    )  # fmt: skip
    return replace(made, **more)


def _asked(*grants: GrantFacts, action: Action = Action.VIEW, **more: Any) -> Decision:
    facts: dict[str, Any] = {
        "actor": _clinician(),
        "resource": STUDY,
        "at": timezone.now(),
        "lists": _listed,
    }
    return decide(action=action, grants=grants, **(facts | more))


def _listed(_purpose: str) -> bool:
    return True


def _require_denied(decision: Decision, reason: Reason, otherwise: str) -> None:
    require(decision.outcome is Outcome.DENY and decision.reason is reason, otherwise)


@control(
    "consent.nothing-without-consent", "Without consent, a study does not even exist for others"
)
def nothing_without_consent() -> str:
    for action in Action:
        decision = _asked(action=action)
        require(not decision.is_permit, f"A stranger may {action.value}.")
        require(
            not decision.is_known, f"A stranger who wants to {action.value} learns of the study."
        )
    own = _asked(actor=_clinician(OWNER))
    require(own.is_permit, "The organisation's own clinicians are kept out.")
    require_order("consent.middleware.RefusedMiddleware")
    recorded = {one.name for one in known_actions()}
    require("access.refused" in recorded, "Refusals cannot be recorded.")
    return f"A stranger was refused {len(Action)} kinds of access, and was told of no study."


@control("consent.roles-decide", "Inside an organisation, roles decide")
def roles_decide() -> str:
    for role in Role:
        decision = _asked(actor=_clinician(OWNER, role))
        may = role is Role.CLINICIAN
        require(decision.is_permit == may, f"A {role.value} gets {decision.outcome.value}.")
    require(set(ROLE_CAPABILITIES) == set(Role), "A role without capabilities was forgotten.")
    nobody = replace(_clinician(OWNER), roles=frozenset(), capabilities=frozenset())
    _require_denied(_asked(actor=nobody), Reason.ROLE, "Somebody without a role sees images.")
    return f"Of {len(Role)} roles, and of people without any, clinicians alone were let in."


@control("consent.share-ends", "A share begins with the agreement and ends on its day")
def share_ends() -> str:
    now = timezone.now()
    require(_asked(_grant(now)).is_permit, "A share in force is not honoured.")
    ended = _grant(now, expires_at=now - timedelta(seconds=1))
    _require_denied(_asked(ended), Reason.EXPIRED, "A share goes on after its last moment.")
    early = _grant(now, granted_at=now + timedelta(minutes=1))
    require(not _asked(early).is_permit, "Images are shown before the agreement.")
    return "A share that has ended, and one that has not begun, were refused."


@control("consent.revoked-at-once", "A revoked share is over at once")
def revoked_at_once() -> str:
    now = timezone.now()
    revoked = _grant(now, revoked_at=now)
    _require_denied(_asked(revoked), Reason.REVOKED, "A revoked share is still honoured.")
    require(("revoked_at", None) in in_force(now).children, "Lists still show what was revoked.")
    for route in ("consent:share_revoke", "consent:shares"):
        require(gate_of(route), f"Nobody can come to {route}.")
    require_order("accounts.middleware.ActorMiddleware")
    return "A share that was revoked this second was refused this second, also in lists."


@control("consent.items-named", "A share covers what was named, and nothing that came later")
def items_named() -> str:
    now = timezone.now()
    series = _grant(now, items=(Item("1.2.3", "1.2.3.1"),))
    other = Resource(organisation_id=OWNER, study_uid="1.2.3", series_uid="1.2.3.2")
    _require_denied(_asked(series, resource=other), Reason.NOT_ITEM, "Another series is shown.")
    permit = _asked(_grant(now))
    for received_at, shown in ((now - timedelta(days=1), True), (now, False)):
        released = permit.releases(
            series_uid="1.2.3.1", instance_uid="1.2.3.1.1", received_at=received_at
        )
        require(released == shown, "What came after the agreement is not treated as it should be.")
    return "Another series, and an image that came after the agreement, were not released."


@control("consent.purpose-bound", "A share is for its purpose")
def purpose_bound() -> str:
    grant = _grant(timezone.now())
    _require_denied(
        _asked(grant, purpose="research"), Reason.OTHER_PURPOSE, "It is used for another purpose."
    )
    permit = _asked(grant)
    require(permit.purpose == "second-opinion", "The purpose is not carried along.")
    require(permit.grant_ids == (grant.id,), "The share is not carried along.")
    unlisted = _asked(grant, lists=lambda _purpose: False)
    _require_denied(unlisted, Reason.NOT_LISTED, "A purpose outside the policy is honoured.")
    return "Research under a share for a second opinion was refused."


@control("consent.download-apart", "Looking is one thing, downloading another")
def download_apart() -> str:
    now = timezone.now()
    asked = _asked(_grant(now), action=Action.DOWNLOAD)
    _require_denied(asked, Reason.NO_DOWNLOAD, "Who may look can download.")
    ticked = _asked(_grant(now, may_download=True), action=Action.DOWNLOAD)
    require(ticked.is_permit, "Who may download cannot.")
    return "A download under a share to look at was refused."


@control("consent.no-passing-on", "Who receives a share cannot pass it on")
def no_passing_on() -> str:
    grant = _grant(timezone.now(), may_download=True)
    for action in (Action.SHARE, Action.STORE):
        refused = _asked(grant, action=action)
        _require_denied(refused, Reason.OWNER_ONLY, f"A recipient may {action.value}.")
    return "A recipient was refused to share a study on, and to add to it."


# The evidence ------------------------------------------------------------------------------------
@control("consent.express", "Consent takes a fresh proof of who gives it", of_policy=True)
def express(values: Values) -> str:
    now, terms = timezone.now(), terms_of(values)
    minutes = values["auth.step_up_minutes"]
    stale = replace(_proved_twice(), stepped_up_at=now - timedelta(minutes=minutes, seconds=1))
    require(not is_proven(_clinician(OWNER), terms, now), "Being signed in is enough.")
    if values["consent.disclosure_level"] != USER_AUTHORISED:
        require(not is_proven(stale, terms, now), f"A proof older than {minutes} minutes counts.")
    fresh = replace(stale, stepped_up_at=now)
    require(is_proven(fresh, terms, now), "A fresh proof does not count.")
    floor = KEY["auth.step_up_minutes"].floor
    require(floor is not None and floor.broken(16), "A policy may take a proof of long ago.")
    return f"A proof older than {minutes} minutes was refused, and so was none."


def _proved_twice() -> Actor:
    return replace(_clinician(OWNER), first_factor="password", factor="totp")


@control("consent.both-factors", "Consent takes two proofs, and the share names both")
def both_factors() -> str:
    now, terms = timezone.now(), terms_of(next(iter(shipped_packs().values())))
    both = replace(_proved_twice(), stepped_up_at=now)
    require(is_proven(both, terms, now), "A password and a code are not enough.")
    require(not is_proven(replace(both, factor=""), terms, now), "A password alone is enough.")
    require(not is_proven(replace(both, first_factor=""), terms, now), "A code alone is enough.")
    kept = {one.name for one in Grant._meta.concrete_fields}
    named = {"first_factor", "first_proved_at", "factor", "stepped_up_at"}
    require(named <= kept, "A share does not keep both proofs.")
    page = (settings.BASE_DIR / "templates/consent/share.html").read_text()
    shown = all(one in page for one in ("first_factor", "grant.first_proved_at", "factor"))
    require(shown, "The page of a share does not name both proofs.")
    latest = Grant.objects.order_by("-granted_at").exclude(first_proved_at=None).first()
    require(latest is None or bool(latest.first_factor), "The latest share names no first proof.")
    return "A password alone and a code alone were refused; shares keep both, and when."


def _row(**more: Any) -> dict[str, Any]:
    now = timezone.now()
    facts = {
        "organisation_id": OWNER, "subject_id": UUID(int=4), "recipient_organisation_id": OTHER,
        "purpose": "second-opinion", "expires_at": now, "granted_by_id": 0, "factor": "totp",
        "stepped_up_at": now, "notice_code": "control", "notice_version": "1",
        "text_digest": "0" * 64, "key_id": UUID(int=5), "sealed_text": b"-",
    }  # fmt: skip
    return facts | more


def _refused_without(*names: str) -> None:
    for name in names:
        refused = must_refuse(IntegrityError, f"A share without {name}")
        with undone(), refused, transaction.atomic():
            Grant.objects.create(**_row(**{name: None}))


@control("consent.recipient-named", "A share names who receives, until when, and what")
def recipient_named() -> str:
    _refused_without("recipient_organisation_id", "purpose", "expires_at", "subject_id")
    nameless: dict[str, Any] = {"study_uid": None, "instances": 1, "digest": "-"}
    refused = must_refuse(IntegrityError, "An item that names no study")
    with undone(), refused, transaction.atomic():
        GrantItem.objects.create(grant_id=UUID(int=6), **nameless)
    return "The database just refused shares without recipient, purpose, end, subject or item."


@control("consent.evidence-kept", "Each share keeps its evidence")
def evidence_kept() -> str:
    _refused_without("factor", "stepped_up_at", "text_digest", "sealed_text", "notice_version")
    for model in (Grant, PurposeConsent):
        for field in model._meta.concrete_fields:
            if field.remote_field is not None:
                on_delete = field.remote_field.on_delete
                kept = on_delete is models.PROTECT
                require(kept, f"{model.__name__} can go with its {field.name}.")
    return "The database just refused shares without proof, words or policy; none goes with others."


@control("consent.words-agreed", "One agrees to exact words, which are read before")
def words_agreed() -> str:
    now = timezone.now()
    facts: dict[str, Any] = {
        "grantor": "Nobody", "owner": "One", "recipient": "Two", "subject": "A patient",
        "purpose": "Second opinion", "may_download": False, "expires_at": now + timedelta(days=1),
        "items": (OfferedItem(Item("1.2.3"), "CT of the head", 3, "-"),), "notice": "A policy",
    }  # fmt: skip
    text = Agreement(**facts).text()
    for said in ("Two", "Second opinion", "CT of the head", "A patient", "but not download"):
        require(said in text, f"The words leave out: {said}.")
    other = {"recipient": "Three", "purpose": "Treatment", "may_download": True, "items": ()}
    for name, value in other.items():
        changed = digest_of_text(Agreement(**{**facts, name: value}).text())
        require(changed != digest_of_text(text), f"Another {name} goes by the same words.")
    return (
        "Recipient, items, purpose and end stand in the words, and any change changes their digest."
    )


@control("consent.closing-withdraws", "Closing the account takes consent back", of_policy=True)
def closing_withdraws(values: Values) -> str:
    from consent.services.closing import ClosingRefused, close_account, ends_with_account

    require(gate_of("consent:account_close") == "signed-in", "Nobody can close their account.")
    with must_refuse(ClosingRefused, "Closing an account without a fresh proof"):
        close_account(actor=Actor(0, "Nobody"))
    ends = ends_with_account(pack_with(values))
    require(ends, "Under this policy, closing the account leaves consent as it was.")
    kept = ends_with_account(pack_with({**values, "account.withdrawal": "each-share"}))
    require(not kept, "It withdraws where the policy says otherwise.")
    require(
        not KEY["account.post_inactivation"].optional, "A policy may be silent on closed accounts."
    )
    words = KEY["account.withdrawal"].kind.words(ALL_AT_ONCE)
    return f"Consent is withdrawn {words}; that is what closing an account does."


@control("consent.shares-listed", "Who may see what is listed, also what has ended")
def shares_listed() -> str:
    from consent.selectors import grants_given, grants_of_subjects

    for rows in (grants_given(_clinician(OWNER)), grants_of_subjects([UUID(int=4)])):
        where = str(rows.query).partition(" WHERE ")[2].partition(" ORDER BY ")[0]
        require("revoked_at" not in where, "What was revoked disappears from the list.")
        require("organisation_id" in where or "subject_id" in where, "Lists show others' shares.")
    for route in ("consent:shares", "studies:my_record"):
        require(gate_of(route) == "signed-in", f"Nobody can come to {route}.")
    return "Shares in force and those that have ended are listed, for clinicians and for patients."


# Objection ---------------------------------------------------------------------------------------
@control(
    "consent.objection-holds", "An objection holds at once, for what was noted too", of_policy=True
)
def objection_holds(values: Values) -> str:
    from accounts.controls.use import somebody

    pack = pack_with(values)
    for purpose in OF_USE:
        with undone():
            membership, line = somebody(values)
            line.save(force_insert=True)
            stop_purpose(membership, purpose)
            kept = UsageEvent.objects.filter(pk=line.pk).exists()
            require(not kept, f"Lines stay in reports after an objection to {purpose}.")
        objects = Visitor(objected_to=frozenset({purpose.value}))
        require(not noted(pack, objects), f"Lines are written after an objection to {purpose}.")
    names = {one.name for one in known_actions()}
    require("purpose.objected" in names, "An objection cannot be recorded.")
    return "A line was gone the moment its member objected, and no other could be written."


@control(
    "consent.objection-offered", "Legitimate interests are assessed, and can be objected to",
    of_policy=True,
)  # fmt: skip
def objection_offered(values: Values) -> str:
    interests = [one for one in pack_with(values).purposes if one.basis == "legitimate-interests"]
    require(interests, "This policy names no legitimate interest.")
    for one in interests:
        bare = dict(values["purposes"][one.code])
        bare.pop("assessment", None)
        purposes = {**values["purposes"], one.code: bare}
        found = finds(values, "purposes", purposes=purposes)
        require(found, f"{one.code} may be pursued without an assessment.")
        require(one.may_be_objected_to, f"Nobody can object to {one.code}.")
    for route in ("consent:my_purposes", "consent:my_purpose_object"):
        require(gate_of(route) == "signed-in", f"Members cannot come to {route}.")
    return (
        f"{len(interests)} legitimate interests: none without its assessment, each with a button."
    )
