"""Trends of use: counts of groups that are large enough, for administrators, and no more (C37)."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.index import pseudonym_of
from accounts.models import Membership, MembershipRole, Organisation, UsageEvent, User
from accounts.rules import Role
from accounts.rules.use import first_day_of, period_of
from accounts.selectors.use import trends_of
from accounts.services.housekeeping import forget_technical_records
from audit.models import Event
from consent.services.purposes import object_to_purpose
from policies.selectors import effective_pack
from tests.factories import Cast, actor_of
from tests.policies.packs import under

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
ClientOf = Callable[..., Client]
BEGAN = first_day_of(period_of(timezone.now().date()))


def used(
    people: int, *, slug: str = "hospital", feature: str = "Sharing", day: date = BEGAN,
    times: int = 1, outcome: str = "done", took_ms: int | None = None,
) -> None:  # fmt: skip
    """Let so many people use a feature; they are the same ones each time."""
    organisation = Organisation.objects.get(slug=slug)
    UsageEvent.objects.bulk_create(
        UsageEvent(
            organisation=organisation, day=day, feature=feature, page="consent:shares",
            pseudonym=pseudonym_of(
                organisation_id=organisation.pk, user_id=1000 + number, period=period_of(day)
            ),
            browser="Firefox on Linux", outcome=outcome, took_ms=took_ms,
            forget_on=day + timedelta(days=90),
        )
        for number in range(people)
        for _ in range(times)
    )  # fmt: skip


def table(client: Client, asked: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/organisation/use/counts.csv{asked}")
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(answer.content.decode().splitlines()))


def test_a_group_is_shown_from_its_smallest_size_on(cast: Cast, client_of: ClientOf) -> None:
    """LIFEIMAGE-15.3, LIFEIMAGE-9.1: 20 people by this policy; many visits make no group."""
    admin = client_of(cast.administrator)
    used(19, times=50)
    page = admin.get("/organisation/use/").content.decode()
    assert "No group is large enough" in page
    assert [one for one in table(admin) if one["of"] == "feature"] == []
    used(20, feature="Downloading", times=2)
    (row,) = [one for one in table(admin) if one["of"] == "feature"]
    assert (row["what"], row["people"], row["uses"]) == ("Downloading", "20", "40")
    page = admin.get("/organisation/use/").content.decode()
    assert "Downloading" in page and "use-bar" in page
    assert "Sharing" not in page


def test_a_person_counts_once_in_a_week_and_no_week_is_added_to_another(
    cast: Cast, client_of: ClientOf
) -> None:
    used(12, times=3)
    used(12, day=BEGAN + timedelta(days=7))
    assert [one for one in table(client_of(cast.administrator)) if one["of"] == "feature"] == []
    used(25, day=BEGAN + timedelta(days=14), times=2)
    (row,) = [one for one in table(client_of(cast.administrator)) if one["of"] == "feature"]
    assert (row["from"], row["people"]) == (str(BEGAN + timedelta(days=14)), "25")


def test_durations_and_errors_are_said_of_large_groups_only(cast: Cast) -> None:
    under(cast, "radiology-information-system")
    organisation = Organisation.objects.get(slug="hospital")
    for took in (10, 20, 30, 40):
        used(11, took_ms=took)
    used(10, feature="Members", took_ms=5)
    used(11, outcome="refused")
    used(10, outcome="fault")
    found = trends_of(organisation.pk, effective_pack(organisation.pk), BEGAN)
    (duration,) = found.durations
    assert (duration.label, duration.people, duration.median, duration.late) == (
        "Sharing",
        11,
        20,
        40,
    )
    assert [(one.label, one.uses) for one in found.outcomes] == [("Refused", 11)]
    assert [one.label for one in found.browsers] == ["Firefox on Linux"]


def test_the_counts_name_nobody(cast: Cast, client_of: ClientOf) -> None:
    """LIFEIMAGE-15.3: the report and its table: counts alone, no address, name or number."""
    used(30)
    admin = client_of(cast.administrator)
    kept = {one.pseudonym for one in UsageEvent.objects.all()}
    for address in ("/organisation/use/counts.csv", "/organisation/use/"):
        text = admin.get(address).content.decode()
        assert "Sharing" in text
        assert not any(name in text for name in kept)
        assert not any(one.email in text for one in cast.people.values())
        assert "127.0.0.1" not in text
    words = {"of", "from", "what", "people", "uses", "median ms", "95 % within ms"}
    assert set(table(admin)[0]) == words


def test_whoever_objects_is_in_no_later_report(cast: Cast, client_of: ClientOf) -> None:
    """AVMI-3.4, XENRAD-3.6, MEDDIM-7.10: 20 people less one are no group any more."""
    used(19)
    client_of(cast.clinician).get("/consent/")
    UsageEvent.objects.exclude(browser="Firefox on Linux").update(day=BEGAN)
    admin = client_of(cast.administrator)
    assert [one["people"] for one in table(admin) if one["of"] == "feature"] == ["20"]
    object_to_purpose(actor=actor_of(cast.clinician), purpose="analytics")
    assert [one for one in table(admin) if one["of"] == "feature"] == []


def test_another_organisations_use_is_not_in_it(cast: Cast, client_of: ClientOf) -> None:
    used(40, slug="imaging")
    assert [one for one in table(client_of(cast.administrator)) if one["of"] == "feature"] == []


def test_earlier_weeks_stand_by_themselves(cast: Cast, client_of: ClientOf) -> None:
    before = BEGAN - timedelta(days=28)
    used(20, day=before)
    admin = client_of(cast.administrator)
    assert [one for one in table(admin) if one["of"] == "feature"] == []
    assert [one["from"] for one in table(admin, f"?from={before}")] == [str(before)] * 2
    for nonsense in ("?from=yesterday", "?from=1999-01-01", "?from="):
        assert admin.get(f"/organisation/use/{nonsense}").status_code == 200


def test_who_the_members_are_is_said_of_groups(cast: Cast, client_of: ClientOf) -> None:
    """LIFEIMAGE-15.3: members as a whole; of two officers nothing is said."""
    admin = client_of(cast.administrator)
    assert [one for one in table(admin) if one["of"] == "member"] == []
    organisation = Organisation.objects.get(slug="hospital")
    for number in range(20):
        user = User.objects.create(email=f"{number}@hospital.example", name="Somebody")
        held = Membership.objects.create(user=user, organisation=organisation)
        MembershipRole.objects.create(membership=held, role=Role.CLINICIAN.value)
    rows = [one for one in table(admin) if one["of"] == "member"]
    assert [(one["what"], one["people"]) for one in rows] == [("Clinician", "21")]
    assert "Members as a group" in admin.get("/organisation/use/").content.decode()


def test_a_line_written_in_the_moment_of_an_objection_counts_nowhere(
    cast: Cast, client_of: ClientOf
) -> None:
    used(19)
    object_to_purpose(actor=actor_of(cast.clinician), purpose="analytics")
    organisation = Organisation.objects.get(slug="hospital")
    late = UsageEvent.objects.last()
    assert late is not None
    late.pk = uuid4()
    late.pseudonym = pseudonym_of(
        organisation_id=organisation.pk, user_id=cast.clinician.pk, period=period_of(BEGAN)
    )
    late.save(force_insert=True)
    assert [one for one in table(client_of(cast.administrator)) if one["of"] == "feature"] == []
    assert forget_technical_records()["records_of_use"] == 1


def test_a_policy_without_the_purpose_has_no_report(cast: Cast, client_of: ClientOf) -> None:
    under(cast, "image-share")
    admin = client_of(cast.administrator)
    assert admin.get("/organisation/use/").status_code == 403
    assert Event.objects.filter(action="purpose.refused").last().purpose == "analytics"
    assert "/organisation/use/" not in admin.get("/members/").content.decode()
    under(cast, "veterinary-teleradiology")
    assert admin.get("/organisation/use/").status_code == 200, "there it is to improve the service"
    assert "/organisation/use/" in admin.get("/members/").content.decode()


def test_a_policy_that_lists_no_records_says_so(cast: Cast, client_of: ClientOf) -> None:
    under(cast, "image-exchange", optional_events=[])
    page = client_of(cast.administrator).get("/organisation/use/").content.decode()
    assert "The policy lists no records of use" in page
