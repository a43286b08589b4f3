"""An organisation and its first people, set up by whoever runs the portal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts.models import Organisation
from accounts.rules import Role
from accounts.services.agreements import Terms, store_agreement
from accounts.services.members import invite_first
from accounts.services.policy import adopt_pack
from accounts.services.trail import record, system_ref
from policies.rules.findings import PackInvalid
from policies.selectors import shipped_packs


class FoundingRefused(Exception):
    """What is wrong, each fault on a line; nothing was set up."""


@dataclass(frozen=True, slots=True)
class Charter:
    """What an organisation starts with: the policy it adopts, what that says of it, the agreement
    that the portal serves it under, and the addresses of its first people."""

    pack_code: str
    changes: Mapping[str, Any]
    agreement: Terms
    administrator: str
    officer: str

    @property
    def people(self) -> dict[str, list[Role]]:
        """The first people by their addresses; one person may be both."""
        first: dict[str, list[Role]] = {}
        for email, role in (
            (self.administrator, Role.ADMINISTRATOR), (self.officer, Role.OFFICER),
        ):  # fmt: skip
            first.setdefault(email.strip().lower(), []).append(role)
        return first


@transaction.atomic
def found_organisation(*, organisation: Organisation, charter: Charter) -> Organisation:
    """Set up an organisation that was not saved yet, and invite its administrator and its officer.

    All of it or nothing. Raises `FoundingRefused`.
    """
    if faults := _faults_of(organisation, charter):
        raise FoundingRefused("\n".join(faults))
    organisation.save()
    try:
        adopt_pack(organisation=organisation, pack_code=charter.pack_code, changes=charter.changes)
    except PackInvalid as invalid:
        raise FoundingRefused(str(invalid)) from None
    store_agreement(organisation_id=organisation.pk, terms=charter.agreement, by=None)
    record(
        action="organisation.founded", actor=system_ref(), organisation_id=organisation.pk,
        details={"slug": organisation.slug, "pack": charter.pack_code},
    )  # fmt: skip
    for email, roles in charter.people.items():
        invite_first(organisation=organisation, email=email, roles=roles)
    return organisation


def _faults_of(organisation: Organisation, charter: Charter) -> list[str]:
    faults = []
    try:
        organisation.full_clean(exclude=["closed_at"])
    except ValidationError as error:
        faults += [
            f"{name}: {text}" for name, texts in error.message_dict.items() for text in texts
        ]
    if charter.pack_code not in shipped_packs():
        faults.append(f"pack: there is none of that name. There are: {', '.join(shipped_packs())}.")
    for email in charter.people:
        try:
            validate_email(email)
        except ValidationError:
            faults.append(f"{email}: this is no e-mail address.")
    return faults
