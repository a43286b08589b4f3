"""A child's account is closed when it is reported, and gone within the policy's hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Membership, Notification, SignIn, User
from accounts.services.erasing import FORMER
from audit.models import Event
from consent.services.subjects import link_account
from dsar.models import Case, Erasure
from dsar.rules.children import delete_by, hours_to_delete, refusal_of_report
from dsar.rules.erasure import ErasureState
from dsar.rules.states import Door, Outcome
from dsar.services.children import is_gone, report_child, tell_of_late_children
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.handling import answer_case
from dsar.services.reminders import remind_of_cases
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from retention.models import Certificate
from retention.services.certificates import check_certificate
from studies.models import Study
from tests.dsar.erasures import carry_out
from tests.factories import Cast, actor_of, signed_in_client, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
HOW = "The mother called and gave the birth date: 12 years old."


def report(cast: Cast, user: User, **more: Any) -> Case:
    with using(Purpose.RIGHTS, *CARE_DATA, *Category):
        given = {"email": user.email, "how": HOW, "door": Door.TELEPHONE, **more}
        return report_child(actor=actor_of(cast.officer, fresh=True), **given)


def test_hours_and_words() -> None:
    assert hours_to_delete({}) == 72
    assert hours_to_delete({"minors.delete_hours": 24}) == 24
    now = timezone.now()
    assert delete_by(now, 24) - now == timedelta(hours=24)
    assert refusal_of_report("a child") and refusal_of_report("x" * 2001)
    assert refusal_of_report(HOW) == ""


def test_it_is_closed_at_once_and_gone_after_two_approvals(cast: Cast, old: Study) -> None:
    """MEDDIM-10.3."""
    browser, at = signed_in_client(cast.clinician), timezone.now()
    case = report(cast, cast.clinician)
    user = User.objects.get(pk=cast.clinician.pk)
    assert (user.is_active, user.erased_at) == (False, None)
    assert not Membership.objects.filter(user=user, is_active=True).exists()
    assert not SignIn.objects.filter(user=user, ended_at=None).exists()
    assert browser.get("/").status_code == 302
    assert case.delete_by is not None
    assert timedelta(hours=71) < case.delete_by - at <= timedelta(hours=73)
    assert case.answer_on <= (case.delete_by + timedelta(days=1)).date()
    assert not is_gone(case)
    carry_out(cast, case)
    with using(Purpose.RIGHTS, *Category):
        user.refresh_from_db()
        assert user.name == FORMER
    assert user.erased_at is not None
    assert is_gone(case)
    # It is proven, though no study was among what went; a patient's study is not touched.
    certificate = Certificate.objects.get()
    looked = check_certificate(certificate)
    assert looked.is_signed and looked.agrees
    assert "studies: 0" in looked.text
    assert "beside: goes: The account" in looked.text.replace("Goes", "goes")
    assert "first key" not in looked.text
    assert Study.objects.filter(pk=old.pk).exists()
    with using(Purpose.RIGHTS, *Category):
        case.refresh_from_db()
        answer_case(actor=actor_of(cast.officer, fresh=True), case=case, outcome=Outcome.GRANTED,
                    text="The account is gone.")  # fmt: skip


def test_a_patients_images_stay_with_whoever_treats_them(cast: Cast, old: Study) -> None:
    link_account(user=cast.patient, subject=old.subject)
    case = report(cast, cast.patient)
    assert case.subjects.count() == 0
    old.refresh_from_db()
    assert (old.archived_at, old.instance_count) == (None, 2)
    assert User.objects.get(pk=cast.patient.pk).is_active is False


def test_whoever_is_late_is_told_to_those_above_once(cast: Cast) -> None:
    case = report(cast, cast.clinician)
    assert tell_of_late_children() == 0
    with time_machine.travel(case.delete_by + timedelta(minutes=1), tick=False):
        assert remind_of_cases()["late"] == 1
        assert remind_of_cases()["late"] == 0
    told = Notification.objects.filter(template="child-late").values_list("user__pk", flat=True)
    assert {cast.officer.pk, cast.administrator.pk} <= set(told)
    assert Event.objects.filter(action="request.escalated").count() == 1


def test_what_is_done_in_time_is_not_late(cast: Cast) -> None:
    case = report(cast, cast.clinician)
    Erasure.objects.filter(case=case).update(state=ErasureState.DONE)
    with time_machine.travel(case.delete_by + timedelta(hours=2), tick=False):
        assert tell_of_late_children() == 0


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"email": "nobody@home.example"}, "No open account at"),
        ({"email": "clinician@imaging.example"}, "No open account at"),
        ({"how": "young"}, "how it is known"),
        ({"door": Door.FORM}, "how it came"),
        ({"email": "officer@hospital.example"}, "last active privacy officer"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    cast: Cast, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(CaseRefused, match=says):
        report(cast, cast.clinician, **more)
    assert not Case.objects.exists()
    assert not User.objects.filter(is_active=False).exists()


def test_only_an_officer_who_just_proved_who_they_are(cast: Cast) -> None:
    given = {"email": cast.clinician.email, "how": HOW, "door": Door.EMAIL}
    for who in (cast.administrator, cast.stranger, cast.patient):
        with pytest.raises(NotYours):
            report_child(actor=actor_of(who, fresh=True), **given)
    with pytest.raises(CaseRefused, match="Prove again"):
        report_child(actor=actor_of(cast.officer), **given)
    assert not Case.objects.exists()


def test_the_trail_and_the_letters_name_nobody(cast: Cast) -> None:
    name, email = cast.clinician.name, cast.clinician.email
    case = report(cast, cast.clinician)
    event = Event.objects.get(action="request.child_reported")
    assert event.target_id == str(case.pk)
    said = str(list(Event.objects.values())) + str(list(Notification.objects.values()))
    assert name not in said and email not in said and "mother" not in said
    # The child is not written to.
    assert not Notification.objects.filter(user=cast.clinician).exists()


def test_the_page_asks_says_and_leads_to_the_plan(cast: Cast) -> None:
    browser = signed_in_client(cast.officer)
    page = text_of(browser.get("/requests/child/"))
    assert "within 72 hours" in page
    answer = browser.post("/requests/child/", {"email": "", "how": "young"})
    assert answer.status_code == 422
    for said in ("Write the address", "Choose how it came", "how it is known"):
        assert said in text_of(answer), said
    form = {"email": cast.clinician.email, "door": "post", "how": HOW}
    answer = browser.post("/requests/child/", form, follow=True)
    case = Case.objects.get()
    assert case.number in text_of(answer)
    page = text_of(browser.get(f"/requests/{case.number}/"))
    assert "reported as a child's account" in page
