"""Cases of disclosure for whoever asks, and how they stand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.rules import Actor, Capability
from consent.models import DataSubject, SubjectAccount
from consent.selectors import identities
from disclosures.models import Disclosure, Item, Notice, Paper, Release, Statement
from disclosures.rules.grounds import offered
from disclosures.rules.standing import ItemFacts, NoticeFacts, Said, Standing
from disclosures.sealing import OpenDisclosure
from dsar.selectors import today_at
from policies.selectors import packs_held
from studies.models import Study
from studies.selectors import HIDDEN
from vault.services.data_keys import open_data_keys


def cases_of(actor: Actor) -> QuerySet[Disclosure]:
    """The cases of the organisation that an officer works for; of anybody else none."""
    rows = Disclosure.objects.select_related("organisation", "release", "opened_by", "approved_by")
    if actor.organisation_id is None or not actor.can(Capability.DISCLOSE_UNDER_LAW):
        return rows.none()
    return rows.filter(organisation_id=actor.organisation_id).order_by("-number")


def cases_to_approve(actor: Actor) -> QuerySet[Disclosure]:
    """The cases that this person may look at as the second one."""
    may = actor.can(Capability.DISCLOSE_UNDER_LAW) or actor.can(Capability.APPROVE_DISPOSAL)
    rows = Disclosure.objects.select_related("organisation", "release", "opened_by", "approved_by")
    if actor.organisation_id is None or not may:
        return rows.none()
    return rows.filter(organisation_id=actor.organisation_id)


def opened(rows: Collection[Disclosure]) -> dict[UUID, OpenDisclosure]:
    """Cases whose keys are open: one query for all of them."""
    keys = open_data_keys(ids=[row.key_id for row in rows])
    return {row.pk: OpenDisclosure(row, keys[row.key_id]) for row in rows}


def grounds_of(organisation_id: UUID) -> tuple[str, ...]:
    """The grounds that the policy in force has; none without a policy."""
    held = packs_held(organisation_id)
    if not held:
        return ()
    return offered(held[-1]["legal.grounds"], reviews=held[-1]["legal.agencies_under_review"])


def studies_to_disclose(organisation_id: UUID) -> QuerySet[Study]:
    """What can be mapped: neither what lies in the legal archive nor what was sent by mistake."""
    return Study.objects.filter(organisation_id=organisation_id).exclude(HIDDEN)


# How a case stands -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Concerned:
    """Somebody whom a case is about: a patient or an animal's owner, or who has an account."""

    subject_id: UUID | None
    account_id: int | None

    @property
    def key(self) -> str:
        return f"s{self.subject_id}" if self.subject_id else f"a{self.account_id}"


def items_of(disclosure: Disclosure) -> list[Item]:
    rows = disclosure.items.select_related("clause", "account")
    return list(rows.order_by("clause__number", "number"))


def concerned_by(items: Collection[Item]) -> list[Concerned]:
    """Whom the ticked items are about, each once."""
    found = {Concerned(one.subject_id, one.account_id): None for one in items if one.is_chosen}
    return list(found)


def notice_facts(row: Notice) -> NoticeFacts:
    return NoticeFacts(row.given_at is not None, row.waits_until, row.prohibited_until)


def notices_of(disclosure: Disclosure) -> dict[Concerned, Notice]:
    rows = disclosure.notices.select_related("by").order_by("pk")
    return {Concerned(row.subject_id, row.account_id): row for row in rows}


def is_whole_record(organisation_id: UUID, items: Collection[Item]) -> bool:
    """Would all studies of somebody go out as a whole?"""
    chosen = [one for one in items if one.is_chosen and one.study_uid]
    subjects = {one.subject_id for one in chosen}
    there: dict[UUID, set[str]] = {}
    rows = studies_to_disclose(organisation_id).filter(subject_id__in=subjects)
    for subject_id, uid in rows.values_list("subject_id", "uid"):
        there.setdefault(subject_id, set()).add(uid)
    whole = {one.study_uid for one in chosen if not one.series_uid}
    return any(uids <= whole for uids in there.values())


def release_of(disclosure: Disclosure) -> Release | None:
    return Release.objects.filter(disclosure=disclosure).first()


def standing_of(disclosure: Disclosure) -> Standing:
    """What a case has by now, for the rules. A fixed number of questions."""
    items = items_of(disclosure)
    chosen = [one for one in items if one.is_chosen]
    notices = notices_of(disclosure)
    release = release_of(disclosure)
    held = packs_held(disclosure.organisation_id)
    said = disclosure.statements.values_list("kind", flat=True)
    return Standing(
        facts=disclosure.facts,
        is_offered=disclosure.ground in grounds_of(disclosure.organisation_id),
        is_closed=disclosure.closed_at is not None,
        is_released=release is not None and release.state != Release.State.FAILED,
        has_document=disclosure.papers.filter(kind=disclosure.ground).exists(),
        said=frozenset(Said(one) for one in said),
        clauses=disclosure.clauses.count(),
        chosen=tuple(
            ItemFacts(bool(one.account_id), True, one.sealed_reason is not None) for one in chosen
        ),
        is_whole_record=is_whole_record(disclosure.organisation_id, items),
        notices=tuple(
            notice_facts(notices[one]) if one in notices else None for one in concerned_by(items)
        ),
        is_approved=disclosure.approved_at is not None,
        tells_before=not held or bool(held[-1]["legal.advance_notice"]),
    )  # fmt: skip


def today_of(disclosure: Disclosure) -> date:
    return today_at(disclosure.organisation)


def signer_of(disclosure: Disclosure) -> int | None:
    row = disclosure.statements.filter(kind=Said.NECESSITY.value).first()
    return row.by_id if row else None


def names_of(organisation_id: UUID, people: Collection[Concerned]) -> dict[Concerned, str]:
    """Who they are, for an officer: by the record, or by the account."""
    subjects = DataSubject.objects.filter(
        pk__in=[one.subject_id for one in people if one.subject_id], organisation_id=organisation_id
    )
    known = identities(subjects)
    users = User.objects.in_bulk([one.account_id for one in people if one.account_id])
    found = {}
    for one in people:
        if one.subject_id:
            identity = known.get(one.subject_id)
            found[one] = identity.display_name if identity else "Somebody who is known no more"
        else:
            found[one] = users[one.account_id].name
    return found


def accounts_of(one: Concerned) -> QuerySet[User]:
    """The open accounts by which somebody can be told in the portal."""
    if one.subject_id is not None:
        links = SubjectAccount.objects.filter(subject_id=one.subject_id).values("user_id")
        return User.objects.filter(pk__in=links, is_active=True)
    return User.objects.filter(pk=one.account_id, is_active=True)


def with_account(people: Collection[Concerned]) -> set[Concerned]:
    """Who of these can be told in the portal: a fixed number of questions."""
    subjects = SubjectAccount.objects.filter(
        subject_id__in=[one.subject_id for one in people if one.subject_id], user__is_active=True
    )
    known = set(subjects.values_list("subject_id", flat=True))
    users = User.objects.filter(
        pk__in=[one.account_id for one in people if one.account_id], is_active=True
    )
    accounts = set(users.values_list("pk", flat=True))
    return {one for one in people if one.subject_id in known or one.account_id in accounts}


def statements_of(disclosure: Disclosure) -> dict[Said, Statement]:
    rows = disclosure.statements.select_related("by").order_by("at", "pk")
    return {Said(row.kind): row for row in rows}


# For the person ----------------------------------------------------------------------------------
def told_to(actor: Actor) -> QuerySet[Notice]:
    """The notices that somebody was given; of what is prohibited there is nothing to be seen."""
    subjects = SubjectAccount.objects.filter(user_id=actor.user_id).values("subject_id")
    rows = Notice.objects.filter(
        Q(account_id=actor.user_id) | Q(subject_id__in=subjects), given_at__isnull=False
    )
    with_case = rows.select_related(
        "disclosure", "disclosure__organisation", "disclosure__release", "disclosure__opened_by"
    )
    return with_case.order_by("-given_at", "pk")


# For the store's sweep ---------------------------------------------------------------------------
def blobs_among(names: Collection[str]) -> set[str]:
    papers = Paper.objects.filter(blob_name__in=names).values_list("blob_name", flat=True)
    packages = Release.objects.filter(blob_name__in=names).values_list("blob_name", flat=True)
    return {*papers, *packages}


def keys_among(keys: Collection[UUID]) -> set[UUID]:
    return set(Disclosure.objects.filter(key_id__in=keys).values_list("key_id", flat=True))


def paper_keys_among(keys: Collection[UUID]) -> set[UUID]:
    return set(Paper.objects.filter(key_id__in=keys).values_list("key_id", flat=True))


def package_keys_among(keys: Collection[UUID]) -> set[UUID]:
    return set(Release.objects.filter(key_id__in=keys).values_list("key_id", flat=True))
