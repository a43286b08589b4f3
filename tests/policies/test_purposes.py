"""Every use of personal data names a purpose; one that the policy does not list is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
import time_machine
from django.core.management import get_commands
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Membership
from accounts.services.policy_gate import enter
from audit.models import Event
from consent.models import DataSubject
from consent.selectors import identities
from jobs.rules import kinds
from policies.models import PolicyVersion
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import (
    PurposeRefused,
    Use,
    Why,
    declared_use,
    enter_use,
    listed_since,
    require_purpose,
    resume_use,
    under,
    use,
    using,
)
from policies.rules.pack import Pack
from policies.rules.purposes import ALWAYS, CARE, Purpose
from policies.selectors import packs_held, shipped_packs
from studies.models import Study
from tests.factories import Cast, actor_of, signed_in_client, take_in, token_client
from tests.policies.packs import without

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
ROOT = Path(__file__).resolve().parents[2]
# They know no policies: they handle sealed bytes, numbers and states.
BELOW = {"vault", "jobs", "audit"}


def views(
    patterns: list[URLPattern | URLResolver] | None = None,
) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            found += views(one.url_patterns)
        else:
            found.append((str(one.name), one.callback))
    return found


def test_every_page_and_address_names_what_it_uses_data_for() -> None:
    silent = [name for name, view in views() if declared_use(view) is None]
    assert silent == [], "declare @uses(...) nearest to the view"


def test_every_job_names_what_it_uses_data_for() -> None:
    silent = [
        kind.name
        for kind in kinds._kinds.values()
        if kind.name.partition(".")[0] not in BELOW
        and not kind.name.startswith("test")
        and declared_use(kind.handler) is None
    ]
    assert silent == [], "declare @under(...) on the handler"


def test_every_command_names_what_it_uses_data_for() -> None:
    ours = {path.parent.parent.parent.name for path in ROOT.glob("*/management/commands")}
    silent = []
    for name, app in get_commands().items():
        if app in ours - BELOW:
            command = import_module(f"{app}.management.commands.{name}").Command
            if declared_use(command.handle) is None:
                silent.append(name)
    assert silent == [], "declare @under(...) on handle"


def test_a_view_that_declares_nothing_is_refused_and_recorded(cast: Cast) -> None:
    with pytest.raises(PurposeRefused, match="names no purpose"):
        enter(actor_of(cast.clinician), None)
    (event,) = Event.objects.filter(action="purpose.refused")
    assert (event.outcome, event.reason) == ("refused", "no-purpose")


# Closed lists ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        # LIFEIMAGE-5.0, AVMI-3.6: training is not in the exchange's list at all.
        (use(Purpose.AI_TRAINING, Category.DEIDENTIFIED), Why.NOT_LISTED),
        # Nor is developing anything from accounts; trends of use are, but not of images.
        (use(Purpose.DEVELOPMENT, Category.ACCOUNT), Why.NOT_LISTED),
        (use(Purpose.ANALYTICS, Category.IMAGES), Why.NOT_FOR_CATEGORY),
        # LIFEIMAGE-3.9, MEDDIM-2.14: technical and patients' data are not for marketing.
        (use(Purpose.MARKETING, Category.TECHNICAL), Why.NOT_FOR_CATEGORY),
        (use(Purpose.MARKETING, Category.IDENTITY), Why.NOT_FOR_CATEGORY),
        # LIFEIMAGE-5.1: signing in never touches health information.
        (use(Purpose.AUTHENTICATION, Category.IMAGES), Why.NOT_FOR_CATEGORY),
    ],
)
def test_a_use_that_is_not_listed_is_refused_and_recorded(
    cast: Cast, wanted: Use, why: Why
) -> None:
    with pytest.raises(PurposeRefused) as refused:
        enter(actor_of(cast.clinician), wanted)
    assert refused.value.why is why
    (event,) = Event.objects.filter(action="purpose.refused")
    assert (event.purpose, event.reason) == (wanted.purpose.value, why.value)


def test_what_is_listed_may_begin(cast: Cast) -> None:
    enter(actor_of(cast.clinician), use(Purpose.TREATMENT, *CARE_DATA))
    enter(actor_of(cast.clinician), use(Purpose.MARKETING, Category.ACCOUNT))
    assert not Event.objects.filter(action="purpose.refused").exists()


def test_operations_do_not_reach_images_where_the_policy_says_so(cast: Cast) -> None:
    """AVMI-3.3."""
    vet = actor_of(cast["vet@practice.example"])
    enter(vet, use(Purpose.OPERATIONS, Category.IDENTITY))
    with pytest.raises(PurposeRefused, match="not for: Images"):
        enter(vet, use(Purpose.OPERATIONS, Category.IMAGES))


@given(st.sampled_from(sorted(shipped_packs())), st.sampled_from(Category))
def test_duties_and_rights_are_never_closed(code: str, category: Category) -> None:
    values = shipped_packs()[code]
    pack = Pack(PolicyVersion().pk, code, 1, timezone.now(), values, "")
    for purpose in ALWAYS:
        assert pack.lists(purpose, category)


def test_every_page_carries_its_purpose_into_the_trail(
    cast: Cast, small_ct: Callable[..., bytes]
) -> None:
    """AVMI-3.1, XENRAD-3.1."""
    take_in(actor_of(cast.clinician), small_ct())
    study = Study.objects.get()
    signed_in_client(cast.clinician).get(f"/studies/{study.uid}/")
    viewed = Event.objects.filter(target_uid=study.uid).exclude(action="study.received")
    assert viewed
    assert {event.purpose for event in viewed} == {"treatment"}


# No purpose, no data ---------------------------------------------------------------------
def subject_of(cast: Cast, small_ct: Callable[..., bytes]) -> DataSubject:
    with using(Purpose.TREATMENT, *CARE_DATA):
        take_in(actor_of(cast.clinician), small_ct())
    return DataSubject.objects.get()


@pytest.mark.names_no_purpose
def test_a_background_job_without_a_purpose_reads_nobody(
    cast: Cast, small_ct: Callable[..., bytes]
) -> None:
    """LIFEIMAGE-5.2."""
    subject = subject_of(cast, small_ct)
    enter_use(None)
    with pytest.raises(PurposeRefused, match="names no purpose"):
        identities([subject])
    with using(Purpose.COMMUNICATION, Category.ACCOUNT), pytest.raises(PurposeRefused):
        identities([subject])
    with using(Purpose.TREATMENT, Category.IDENTITY):
        assert identities([subject])[subject.pk].identifier == "HVH-1"
    with using(Purpose.RIGHTS):
        assert identities([subject])


@pytest.mark.names_no_purpose
def test_no_request_inherits_the_purpose_of_the_one_before(cast: Cast) -> None:
    client = signed_in_client(cast.clinician)
    assert client.get("/").status_code == 200
    Client().get("/nowhere/")
    with pytest.raises(PurposeRefused):
        identities([])


# Changing the policy changes what happens ----------------------------------------------------
def test_a_purpose_taken_out_of_the_policy_stops_what_was_for_it(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    pack = packs_held(actor_of(cast.clinician).organisation_id)[-1]
    version = announced({"purposes": without(pack.values, "communication")})
    with time_machine.travel(version.effective_at + timedelta(minutes=1)):
        client = signed_in_client(cast.clinician)
        Membership.objects.update(accepted_version_id=version.pk)
        page = client.get("/notifications/")
        assert page.status_code == 403
        assert b"does not list the purpose" in page.content
        assert client.get("/").status_code == 200


# Pure ---------------------------------------------------------------------
NOW = timezone.now()


def pack_at(day: int, *purposes: str) -> Pack:
    record = {"categories": ["images"], "basis": "consent", "share": True}
    values = {"purposes": dict.fromkeys(purposes, record)}
    return Pack(PolicyVersion().pk, "p", day, NOW + timedelta(days=day), values, str(day))


LISTS = st.lists(st.frozensets(st.sampled_from(sorted(CARE))), min_size=1, max_size=6)


@given(LISTS)
def test_listed_since_is_where_the_unbroken_run_begins(lists: list[frozenset[str]]) -> None:
    packs = [pack_at(day, *purposes) for day, purposes in enumerate(lists)]
    for purpose in sorted(CARE):
        since = listed_since(packs, purpose, Category.IMAGES)
        if purpose not in lists[-1]:
            assert since is None
            continue
        assert since is not None
        run = 0
        for purposes in reversed(lists):
            if purpose not in purposes:
                break
            run += 1
        if run == len(lists):
            assert since.year == 1
        else:
            assert since == packs[len(lists) - run].effective_at


def test_a_token_of_a_program_is_under_the_policy_as_well(cast: Cast) -> None:
    from accounts.rules import Scope

    Membership.objects.filter(user=cast.clinician).update(accepted_version_id=None)
    assert token_client(cast.clinician, Scope.READ).get("/dicom-web/studies").status_code == 403


def test_the_request_of_nobody_reaches_public_pages_only() -> None:
    request = RequestFactory().get("/")
    assert request.path == "/"
    enter(None, use(Purpose.AUTHENTICATION, Category.ACCOUNT))


def test_a_job_has_no_role_of_whoever_asked_before_it_in_the_thread() -> None:
    @under(Purpose.TREATMENT, Category.IDENTITY)
    def work() -> str:
        require_purpose(Category.IDENTITY)
        return "done"

    with resume_use():
        enter_use(use(Purpose.TREATMENT, Category.IDENTITY), lambda _: False)
        with pytest.raises(PurposeRefused, match="Your role"):
            require_purpose(Category.IDENTITY)
        assert work() == "done"
        with pytest.raises(PurposeRefused, match="Your role"):
            require_purpose(Category.IDENTITY)
