"""An erasure is passed on to those who process data for the organisation (MEDDIM-7.15)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.gateways import post as gateway
from accounts.models import Agreement
from accounts.rules.agreements import AgreementKind
from accounts.services.agreements import Terms, record_agreement
from audit.models import Event
from dsar.models import Case, ErasureNotice
from dsar.services.entries import NotYours
from dsar.services.passing_on import TELL, confirm_passed_on, processors_of
from jobs.models import Job
from jobs.services import RunOutcome, run_job
from studies.models import Study
from tests.dsar.erasures import asked, erased, said
from tests.factories import Cast, actor_of, signed_in_client, text_of
from tests.retention.cases import hospital

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
LINE = ("changes", "What others hold for the organisation")


def agreed(cast: Cast, kind: AgreementKind, party: str) -> Agreement:
    return record_agreement(
        acting=actor_of(cast.administrator, fresh=True),
        terms=Terms(
            kind=kind, party=party, contact=f"privacy@{party.lower()}.example", reference="AV-7",
            starts_on=timezone.localdate() - timedelta(days=10),
            partner_id=cast.stranger.memberships.get().organisation_id
            if kind is AgreementKind.DATA_USE
            else None,
        ),
    )  # fmt: skip


@pytest.fixture
def processors(cast: Cast) -> list[Agreement]:
    before = processors_of(hospital(cast).pk)
    agreed(cast, AgreementKind.DATA_USE, "University")
    return [*before, agreed(cast, AgreementKind.PROCESSING, "Hosting")]


def tell() -> RunOutcome:
    return run_job(job_id=Job.objects.get(kind=TELL).pk)


def carried_out(cast: Cast, old: Study) -> Case:
    case = asked(cast, old)
    erased(cast, case)
    return case


def test_each_processor_is_told_once_and_by_no_name(
    cast: Cast, old: Study, processors: list[Agreement]
) -> None:
    case = carried_out(cast, old)
    assert said(case)[LINE] == len(processors)
    assert ErasureNotice.objects.count() == len(processors)
    mail.outbox.clear()
    assert tell() is RunOutcome.DONE
    letters = {one.to[0]: str(one.body) for one in mail.outbox}
    assert len(letters) == len(processors)
    letter = letters["privacy@hosting.example"]
    assert case.number in letter
    assert "AV-7" in letter
    assert "Adler" not in letter
    assert "privacy@university.example" not in letters
    assert not ErasureNotice.objects.filter(mailed_at=None).exists()


def test_a_letter_that_cannot_go_out_is_shown_and_nothing_else_waits_for_it(
    cast: Cast, old: Study, processors: list[Agreement], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = carried_out(cast, old)

    def refuse(**_: object) -> None:
        raise gateway.MailFailed("refused", final=True)

    monkeypatch.setattr("dsar.services.passing_on.send_letter", refuse)
    assert tell() is RunOutcome.DONE
    page = text_of(signed_in_client(cast.officer).get(f"/requests/{case.number}/erasure/"))
    assert "the letter did not go out" in page


def test_the_officer_notes_who_has_confirmed_it(
    cast: Cast, old: Study, processors: list[Agreement]
) -> None:
    case = carried_out(cast, old)
    notice = ErasureNotice.objects.get(agreement=processors[-1])
    client = signed_in_client(cast.officer)
    path = f"/requests/{case.number}/erasure/"
    assert "Hosting" in text_of(client.get(path))
    assert client.post(f"{path}{notice.pk}/").status_code == 302
    notice.refresh_from_db()
    assert (notice.confirmed_by, notice.confirmed_at is not None) == (cast.officer, True)
    client.post(f"{path}{notice.pk}/")
    assert Event.objects.filter(action="request.erasure_confirmed").count() == 1
    with pytest.raises(NotYours):
        confirm_passed_on(actor=actor_of(cast["officer@imaging.example"]), notice=notice)
    other = signed_in_client(cast["officer@imaging.example"])
    assert other.post(f"{path}{notice.pk}/").status_code == 404


def test_without_processors_nothing_is_said_of_them(cast: Cast, old: Study) -> None:
    Agreement.objects.filter(organisation=hospital(cast)).update(
        ended_on=timezone.localdate() - timedelta(days=1)
    )
    from accounts.selectors.agreements import forget_agreements

    forget_agreements()
    case = carried_out(cast, old)
    assert LINE not in said(case)
    assert not Job.objects.filter(kind=TELL).exists()
