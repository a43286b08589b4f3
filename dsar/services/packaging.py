"""The copy of what is held: asked for, handed out by proof, and deleted in time.

A job writes it (`dsar.services.copying`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.trail import system_ref
from dsar.models import Case, Package
from dsar.permissions import can_answer, is_person_of
from dsar.rules.kinds import Kind
from dsar.rules.packages import (
    ENOUGH_FOR,
    EVERYTHING,
    TRIES,
    WITH_COPY,
    Wanted,
    What,
    digest_of_code,
    is_code,
    new_code,
)
from dsar.rules.states import UNANSWERED
from dsar.selectors import standing_of
from dsar.selectors.agents import answer_is_persons
from dsar.selectors.identity import level_known
from dsar.services.choosing import choices_of
from dsar.services.collecting import collect, whose_of
from dsar.services.entries import CaseRefused, NotYours, locked, write_event
from jobs.services import create_job
from vault.rules.contexts import bind
from vault.services.blobs import SealedBlob, delete_blob, open_blob
from vault.services.data_keys import create_data_key, destroy_data_keys, open_data_key

MAKE: Final = "dsar.package"
KEY_KIND: Final = "request-package"


def package_context(package_id: UUID) -> bytes:
    return bind("collimate/request-package", package_id)


# Making ------------------------------------------------------------------------------------------
@transaction.atomic
def prepare_package(
    *, actor: Actor, case: Case, wanted: Wanted = EVERYTHING
) -> tuple[Package, str]:
    """Have a copy made; returns it with the code for whoever has no account (else empty).

    Raises `CaseRefused`: nothing is copied before it is known who asks, and of whom.
    """
    row = locked(case)
    if not can_answer(actor, row):
        raise NotYours("Only privacy officers of the organisation that was asked can do this.")
    if refusal := _refusal_to_prepare(row, wanted):
        raise CaseRefused(refusal)
    return begin_package(actor=actor, row=row, kind=MAKE, wanted=wanted)


def begin_package(
    *, actor: Actor, row: Case, kind: str, once: bool = False, wanted: Wanted = EVERYTHING
) -> tuple[Package, str]:
    """Let a job of this kind make a package for a locked case, in the place of earlier ones.

    With `once` it counts as fetched as soon as somebody began. The caller has checked that it may
    be made.
    """
    for earlier in row.packages.exclude(state=Package.State.GONE):
        _end(earlier)
    code = "" if row.person_id and not answer_is_persons(row) else new_code()
    package = Package.objects.create(
        id=uuid4(), case=row, made_by_id=actor.user_id, once=once,
        key_id=create_data_key(organisation_id=row.organisation_id, kind=KEY_KIND).id,
        code_digest=digest_of_code(code) if code else "",
        what=wanted.what.value, chosen=sorted(wanted.chosen),
    )  # fmt: skip
    package.job_id = create_job(
        kind=kind, natural_key=str(package.pk), payload={"package": str(package.pk)},
        organisation_id=row.organisation_id, created_by_id=actor.user_id,
    ).pk  # fmt: skip
    package.save(update_fields=["job_id"])
    write_event(
        "request.copy_begun", row, actor=actor, package=str(package.pk), what=wanted.what.value,
        chosen=len(wanted.chosen),
    )  # fmt: skip
    return package, code


def _refusal_to_prepare(row: Case, wanted: Wanted) -> str:
    if row.state not in UNANSWERED:
        return "This case is answered. A new request makes a new one."
    if Kind(row.kind) not in WITH_COPY:
        return "Nothing is copied for a request of this kind."
    if row.identified_at is None:
        return "Note first how it is known who asks; until then nothing is handed out."
    if whose_of(row).user_id is None and not row.subjects.exists():
        return "Say first whom the request is about: find the person among the patients."
    standing = standing_of(row)
    if standing.unauthorised:
        return standing.unauthorised
    if standing.fee_open:
        return "The person has not accepted the fee yet. Wait for it, or quote none."
    return _refusal_of(row, wanted)


def _refusal_of(row: Case, wanted: Wanted) -> str:
    """Why this cannot be copied, where something can."""
    if wanted.what is What.CHOSEN:
        if not wanted.chosen:
            return "Tick what is to be copied."
        whose = whose_of(row)
        if not wanted.chosen <= {one.path for one in choices_of(collect(whose), whose)}:
            return "Something that was ticked is not held any more. Look at the list again."
    if level_known(row) < ENOUGH_FOR[wanted.what]:
        if wanted.what is What.CATEGORIES:
            return "It has to be reasonably sure who asks. Look once more at who asks."
        return (
            "A copy holds the data itself, so each record needs more proof that it is theirs. Look"
            " once more at who asks."
        )
    return ""


# Handing out -------------------------------------------------------------------------------------
def package_of(case: Case) -> Package | None:
    """The copy of a case that was made last, whether or not it is there yet."""
    return case.packages.exclude(state=Package.State.GONE).order_by("-created_at").first()


def is_there(case: Case, package: Package | None) -> bool:
    """Is it ready, within its term, and the request answered with it?"""
    return (
        package is not None
        and package.state == Package.State.READY
        and package.expires_at is not None
        and package.expires_at > timezone.now()
        and case.answered_at is not None
        and case.outcome in {"granted", "partly"}
    )


def is_to_be_had(case: Case, package: Package | None) -> bool:
    """Can the person fetch it now?"""
    return package is not None and is_there(case, package) and not is_spent(package)


def is_spent(package: Package) -> bool:
    """Did its person fetch it? Archived records count as fetched from the beginning on."""
    return package.spent_at is not None or (package.once and package.downloads > 0)


@transaction.atomic
def open_package(
    *, case: Case, actor: Actor | None, code: str = "", by_person: bool = False
) -> tuple[Package, SealedBlob]:
    """Open the copy for the person of a case, signed in with a fresh proof, or by code.

    `by_person`: by the link of somebody in whose name another asked. Raises `CaseRefused`; a wrong
    code is counted, and after five nobody opens it any more.
    """
    package = package_of(locked(case))
    if package is not None and is_spent(package):
        raise CaseRefused("It was fetched already, which is possible once. Ask for another, and"
                          " tell the privacy officer if it was not you.")  # fmt: skip
    if package is None or not is_to_be_had(case, package):
        raise CaseRefused("There is no copy to be had here, or not any more.")
    package = Package.objects.select_for_update().get(pk=package.pk)
    if answer_is_persons(case) and not by_person:
        raise NotYours("This copy goes to the person whose data it is.")
    if case.person_id is not None and not by_person:
        if actor is None or not is_person_of(actor, case):
            raise NotYours("This copy is somebody else's.")
        if not actor.is_fresh(timezone.now()):
            raise CaseRefused("Prove again that it is you, then fetch it.")
    elif package.failed_tries >= TRIES:
        raise CaseRefused("Too many wrong codes. Ask the privacy officer for another copy.")
    elif not is_code(code, package.code_digest):
        raise CaseRefused("This is not the code. Look at it again, or ask the privacy officer.")
    blob = open_blob(
        package.blob_name, key=open_data_key(id=package.key_id),
        context=package_context(package.pk),
    )  # fmt: skip
    Package.objects.filter(pk=package.pk).update(
        downloads=F("downloads") + 1, downloaded_at=timezone.now()
    )
    write_event("request.copy_fetched", case, actor=actor, bytes=package.size)
    return package, blob


def spend(package: Package) -> None:
    """It was fetched once the whole of it went out; what broke off can be fetched anew."""
    Package.objects.filter(pk=package.pk).update(code_digest="", spent_at=timezone.now())


def try_code(*, case: Case, code: str) -> bool:
    """Is this the code of the copy? Counted in a transaction of its own, whatever comes after."""
    package = package_of(case)
    if package is None or not package.code_digest or package.failed_tries >= TRIES:
        return False
    if is_code(code, package.code_digest):
        return True
    with transaction.atomic():
        Package.objects.filter(pk=package.pk).update(failed_tries=F("failed_tries") + 1)
        write_event("request.copy_refused", case, actor=None, package=str(package.pk))
    return False


# Its end -----------------------------------------------------------------------------------------
def end_packages(now: datetime | None = None) -> int:
    """Delete the copies whose term is over. Safe to repeat."""
    moment = now or timezone.now()
    due = Package.objects.filter(expires_at__lte=moment).exclude(state=Package.State.GONE)
    packages = list(due.select_related("case"))
    end_packages_of(packages)
    return len(packages)


def end_packages_of(packages: Iterable[Package]) -> None:
    """Delete copies. Safe to repeat."""
    for package in packages:
        with transaction.atomic():
            _end(package)
            write_event("request.copy_deleted", package.case, actor=system_ref())


def _end(package: Package) -> None:
    """The key first, which is final; the file after the commit, or by the store's sweep."""
    destroy_data_keys(ids=[package.key_id])
    name = package.blob_name
    package.state, package.blob_name = Package.State.GONE, ""
    package.save(update_fields=["state", "blob_name"])
    if name:
        transaction.on_commit(lambda: delete_blob(name=name))
