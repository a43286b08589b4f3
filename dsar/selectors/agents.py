"""In whose name a request is made, and how the authority for it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.core import signing

from dsar.models import Authority, Case
from dsar.rules.agents import AuthorityState, Decides, Standing, deciding_age, who_decides
from policies.rules.pack import youngest_age
from policies.selectors import effective_pack

PERSON_SALT: Final = "dsar.person"


def authority_of(case: Case) -> Authority | None:
    """None where somebody asks for themself."""
    return Authority.objects.filter(pk=case.pk).select_related("document").first()


def standing_of_authority(authority: Authority) -> Standing:
    told = authority.told_at is not None
    return Standing(AuthorityState(authority.state), told, authority.valid_until)


def decides_about(case: Case, age: int | None) -> Decides:
    """Who decides about a request for somebody of this age; of age where it is not known."""
    if age is None:
        return Decides.PERSON
    country = case.residence.partition("-")[0]
    of_policy = youngest_age(effective_pack(case.organisation_id), country)
    return who_decides(age, deciding_age(country, of_policy))


def answer_is_persons(case: Case) -> bool:
    """Does the answer go to the person alone, and not to whoever asked in their name?"""
    authority = authority_of(case)
    return authority is not None and not authority.answer_to_agent


def person_token(authority: Authority) -> str:
    """What opens the person's own page of a request that was made in their name."""
    return signing.dumps(str(authority.token), salt=PERSON_SALT)


def authority_of_token(token: str, lasts: timedelta) -> Authority | None:
    """The request in somebody's name that their link opens; None if it is forged or too old."""
    try:
        found = signing.loads(token, salt=PERSON_SALT, max_age=lasts)
    except signing.BadSignature:
        return None
    rows = Authority.objects.select_related("case", "case__organisation", "case__officer")
    return rows.filter(token=found).first()
