"""Before a schedule is posted, it is seen what it does; and what the law forbids is not posted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services.policy import post_draft, save_draft
from policies.rules.findings import PackInvalid
from policies.rules.impact import impacts_of
from policies.selectors import draft_of, effective_pack, packs_posted
from retention.models import DisposalRun
from retention.rules.duties import duties_over
from retention.rules.facts import Holder, Setting
from retention.rules.floors import below_law
from retention.rules.schedule import OF_STUDIES
from retention.selectors import simulation
from retention.selectors.simulation import simulate
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of
from tests.retention.cases import hospital, take_in_old

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
NEW_YORK = Holder("US", "NY", frozenset({Setting.HOSPITAL}))
TODAY = date(2026, 11, 26)


def schedule(cast: Cast, **lines: str) -> dict[str, Any]:
    """The hospital's schedule with other periods for some categories."""
    now = dict(effective_pack(hospital(cast).pk)["retention"])
    return now | {code: now[code] | {"keep": keep} for code, keep in lines.items()}


def drafted(cast: Cast, **lines: str) -> dict[str, Any]:
    draft = save_draft(
        acting=actor_of(cast.administrator, fresh=True),
        changes={"retention": schedule(cast, **lines)},
    )
    return draft.values


ALL = ("identity", "medical", "images", "reports")


# What would change --------------------------------------------------------------------------------
def test_it_is_seen_how_many_would_be_kept_for_longer_and_until_when(cast: Cast) -> None:
    take_in_old(cast)
    take_in(actor_of(cast.clinician), small_ct_object(study="young"))
    values = drafted(cast, **dict.fromkeys(ALL, "40 years"))
    before = effective_pack(hospital(cast).pk).values
    found = simulate(hospital(cast), before, values)
    assert (found.studies, found.later, found.sooner, found.newly_due) == (2, 2, 0, 0)
    assert found.after == {"2050": 1, "2066": 1}
    assert found.before != found.after
    impacts = [str(one.count) + " " + one.sentence for one in
               impacts_of(hospital(cast).pk, before, values)]  # fmt: skip
    assert "2 studies would be kept for longer." in impacts
    assert not DisposalRun.objects.exists()


def test_the_law_counts_in_what_would_fall_due_as_well(cast: Cast) -> None:
    take_in(actor_of(cast.clinician), small_ct_object(study="young"))
    before = effective_pack(hospital(cast).pk).values
    hasty = before | {"retention": schedule(cast, **dict.fromkeys(ALL, "1 day"))}
    found = simulate(hospital(cast), before, hasty)
    assert found.newly_due == 0
    assert min(map(int, found.after)) >= 2032


def test_of_very_many_some_are_looked_at_and_count_for_the_others(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        take_in_old(cast, f"s{number}")
    monkeypatch.setattr(simulation, "MOST_LOOKED_AT", 3)
    before = effective_pack(hospital(cast).pk).values
    longer = before | {"retention": schedule(cast, **dict.fromkeys(ALL, "40 years"))}
    found = simulate(hospital(cast), before, longer)
    assert (found.studies, found.every, found.later) == (6, 2, 6)
    assert found.about == "about "


def test_it_asks_as_much_however_many_studies_there_are(cast: Cast, client_of: Any) -> None:
    drafted(cast, images="41 years")
    take_in_old(cast)
    browser = client_of(cast.officer)
    few = _queries(browser)
    for number in range(5):
        take_in_old(cast, f"s{number}")
    assert _queries(browser) == few


def _queries(browser: Client) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert browser.get("/retention/simulation/").status_code == 200
    return len(asked)


# What cannot be posted ----------------------------------------------------------------------------
def test_a_line_below_what_the_law_asks_is_not_posted(cast: Cast) -> None:
    drafted(cast, images="2 years")
    versions = len(packs_posted(hospital(cast).pk))
    with pytest.raises(PackInvalid, match=r"10 NYCRR 405\.10"):
        post_draft(acting=actor_of(cast.administrator, fresh=True), effective_at=None)
    assert len(packs_posted(hospital(cast).pk)) == versions
    assert draft_of(hospital(cast).pk) is not None


def test_a_line_that_nobody_touched_stops_nothing(cast: Cast) -> None:
    before = effective_pack(hospital(cast).pk).values
    before = before | {"retention": schedule(cast, **dict.fromkeys(ALL, "2 years"))}
    duties = duties_over(NEW_YORK, OF_STUDIES)
    assert below_law(before, before, duties, TODAY) == []
    after = before | {"retention": before["retention"] | {
        "billing": before["retention"]["billing"] | {"keep": "20 years"}
    }}  # fmt: skip
    assert below_law(before, after, duties, TODAY) == []
    shorter = before | {"retention": before["retention"] | {
        "images": before["retention"]["images"] | {"keep": "1 year"}
    }}  # fmt: skip
    (finding,) = below_law(before, shorter, duties, TODAY)
    assert finding.key == "retention"
    assert "kept for 1 year" in finding.reason


# Pages --------------------------------------------------------------------------------------------
def test_the_page_shows_both_pictures_and_what_cannot_be(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    take_in_old(cast)
    administrator = client_of(cast.administrator)
    assert "There is no draft" in text_of(administrator.get("/retention/simulation/"))
    drafted(cast, images="2 years")
    page = text_of(administrator.get("/retention/simulation/"))
    assert "As it is" in page
    assert "Under the draft" in page
    assert "This draft cannot be posted" in page
