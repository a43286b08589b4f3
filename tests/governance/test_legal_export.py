"""Records for authorities: a cited duty, a span, one organisation, and a record of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation
from audit.models import Event
from governance.models import LegalExport
from governance.rules.legal_export import ExportRefused, check_citation
from governance.services.legal_export import Wanted, export_under_law
from studies.models import Study
from tests.factories import Cast, actor_of, signed_in_client, small_ct_object, take_in

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

NEW = "/governance/authorities/new/"


def wanted(**more: Any) -> Wanted:
    today = timezone.now().date()
    made = Wanted(
        authority="Office for Civil Rights", ground="law", citation="45 CFR 164.512(d)",
        since=today - timedelta(days=1), until=today,
    )  # fmt: skip
    return replace(made, **more)


def form_of(one: Wanted) -> dict[str, str]:
    return {
        "authority": one.authority, "ground": one.ground, "citation": one.citation,
        "since": one.since.isoformat(), "until": one.until.isoformat(), "study_uid": one.study_uid,
    }  # fmt: skip


def handed_to(client: Client, one: Wanted) -> list[dict[str, Any]]:
    answer = client.post(NEW, form_of(one))
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    made = LegalExport.objects.latest("made_at")
    assert made.digest == hashlib.sha256(content).hexdigest()
    return [json.loads(line) for line in content.splitlines()]


def officer_who_proved_it(cast: Cast) -> Client:
    return signed_in_client(cast.officer)


def test_a_cited_duty_gets_the_organisations_events_and_nothing_else(cast: Cast) -> None:
    """XENRAD-3.14, AVMI-3.5."""
    take_in(actor_of(cast.clinician), small_ct_object())
    take_in(actor_of(cast.stranger), small_ct_object(study="other"))
    client = officer_who_proved_it(cast)
    head, *events = handed_to(client, wanted())
    assert (head["authority"], head["citation"]) == (
        "Office for Civil Rights",
        "45 CFR 164.512(d)",
    )
    hospital = str(Organisation.objects.get(slug="hospital").pk)
    assert events
    assert {one["organisation_id"] for one in events} == {hospital}
    assert [one["occurred_at"] for one in events] == sorted(one["occurred_at"] for one in events)
    made = LegalExport.objects.get()
    assert (made.citation, made.lines, made.made_by) == (
        head["citation"],
        len(events),
        cast.officer,
    )
    event = Event.objects.get(action="trail.disclosed")
    assert (event.purpose, event.reason) == ("legal-obligation", "law")
    assert event.details == {"lines": len(events), "digest": made.digest}
    page = client.get("/governance/authorities/").content.decode()
    assert "45 CFR 164.512(d)" in page
    assert "Adler" not in json.dumps(events)


def test_one_study_and_one_span_are_all_that_goes(cast: Cast) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    take_in(actor_of(cast.clinician), small_ct_object(study="other", PatientID="HVH-2"))
    study = Study.objects.first()
    assert study is not None
    client = officer_who_proved_it(cast)
    _, *events = handed_to(client, wanted(study_uid=study.uid))
    assert events
    assert {one["target_uid"] for one in events} == {study.uid}
    yesterday = timezone.now().date() - timedelta(days=1)
    assert len(handed_to(client, wanted(until=yesterday))) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"citation": ""}, "required"),
        ({"citation": "because I said so"}, "Cite what obliges"),
        ({"citation": "<script>1</script>"}, "Cite what obliges"),
        ({"ground": "curiosity"}, "Select a valid choice"),
        ({"authority": " "}, "required"),
        ({"study_uid": "Adler"}, "figures and points"),
        ({"since": timezone.now().date() + timedelta(days=1)}, "lies after the last one"),
        ({"until": timezone.now().date() + timedelta(days=2)}, "lies in the future"),
        ({"since": timezone.now().date() - timedelta(days=4000)}, "ten years"),
    ],
)
def test_what_is_not_a_duty_gets_nothing(cast: Cast, change: dict[str, Any], said: str) -> None:
    answer = officer_who_proved_it(cast).post(NEW, form_of(wanted(**change)))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not LegalExport.objects.exists()
    assert not Event.objects.filter(action="trail.disclosed").exists()


@pytest.mark.parametrize("who", ["clinician", "administrator", "auditor"])
def test_only_the_officer_hands_it_out(cast: Cast, who: str) -> None:
    with pytest.raises(ExportRefused, match="privacy officer"):
        export_under_law(acting=actor_of(getattr(cast, who), fresh=True), wanted=wanted())


def test_it_takes_proving_again_who_one_is(cast: Cast) -> None:
    with pytest.raises(ExportRefused, match="Prove again"):
        export_under_law(acting=actor_of(cast.officer), wanted=wanted())


def test_a_ground_that_the_policy_does_not_have_is_refused_and_recorded(cast: Cast) -> None:
    with pytest.raises(ExportRefused, match="does not have this ground"):
        export_under_law(
            acting=actor_of(cast.officer, fresh=True), wanted=wanted(ground="curiosity")
        )
    assert Event.objects.filter(action="trail.disclosure_refused").count() == 1


@pytest.mark.parametrize("citation", ["45 CFR 164.512(d)", "§ 85 Abs. 2 StrlSchG", "12 K 345/26"])
def test_laws_and_files_are_citations(citation: str) -> None:
    assert check_citation(f"  {citation} ") == citation
