"""The demonstration is whole, is made once, and cannot be had where it has no business."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.services.sign_in import DEMO_LINK_LASTS, demo_token, user_of_demo_token
from audit.models import Event
from consent.models import Grant, SubjectAccount
from consent.selectors import identities
from studies.models import Instance, Study
from studies.rules.demo_uids import uid_of
from studies.services.demo import DRAWN, SHARED

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def run(command: str, **options: object) -> str:
    output = io.StringIO()
    call_command(command, stdout=output, **options)
    return output.getvalue()


def counts() -> dict[str, int]:
    models = (User, Study, Instance, Grant, SubjectAccount, Event)
    return {model.__name__: model._default_manager.count() for model in models}


@pytest.fixture
def seeded() -> None:
    run("seed_demo")


def test_each_organisation_holds_what_it_should(seeded: None) -> None:
    held: dict[str, set[str]] = {}
    for slug, kinds in Study.objects.values_list("organisation__slug", "modalities"):
        held.setdefault(slug, set()).update(kinds.strip("\\").split("\\"))
    assert held["hospital"] >= {"CT", "MR", "US", "SR", "SEG", "NM", "RTDOSE", "ECG"}
    assert held["imaging"] == {"MR", "US"}
    assert held["practice"] == {"DX"}


def test_the_chest_is_a_volume_that_can_be_cut_in_any_plane(seeded: None) -> None:
    from studies.selectors import metadata_of

    rows = list(Instance.objects.filter(study__uid=uid_of("hospital chest")).order_by("number"))
    assert len(rows) == 40
    headers = [json.loads(one.header) for one in metadata_of(rows)]
    places = [one["00200032"]["Value"][2] for one in headers]
    steps = {round(later - earlier, 3) for earlier, later in pairwise(places)}
    assert steps == {4.0}
    assert {tuple(one["00200037"]["Value"]) for one in headers} == {(1, 0, 0, 0, 1, 0)}
    assert len({one["00200052"]["Value"][0] for one in headers}) == 1


def test_patient_and_owner_see_their_own(seeded: None, client_of: Callable[[User], Client]) -> None:
    found = {
        link.user.email: identities([link.subject])[link.subject_id]
        for link in SubjectAccount.objects.select_related("user", "subject")
    }
    assert found["patient@home.example"].name == "Adler^Paula"
    dog = found["owner@home.example"]
    assert dog.is_animal
    assert (dog.species, dog.breed) == ("Canine", "Labrador Retriever")
    assert (dog.responsible_person, dog.responsible_role) == ("Lund^Oscar", "OWNER")
    page = client_of(User.objects.with_email("owner@home.example").get()).get("/my/")
    assert "Lund" in page.content.decode()


def test_one_study_is_shared_and_the_evidence_says_how(seeded: None) -> None:
    grant = Grant.objects.get()
    assert grant.items.get().study_uid == uid_of(SHARED)
    assert grant.organisation.slug == "imaging"
    assert grant.recipient is not None
    assert grant.recipient.user.email == "clinician@hospital.example"
    assert grant.factor == "demo"


def test_doing_it_again_changes_nothing(seeded: None) -> None:
    before = counts()
    run("seed_demo")
    assert counts() == before


def test_a_study_that_is_missing_is_made_again(seeded: None) -> None:
    before = counts()
    uid = uid_of("practice thorax")
    Instance.objects.filter(study__uid=uid).delete()
    study = Study.objects.get(uid=uid)
    study.blobs.all().delete()
    study.delete()
    run("seed_demo")
    assert counts() | {"Event": 0} == before | {"Event": 0}


def test_no_file_of_the_demonstration_is_refused(seeded: None) -> None:
    assert not Event.objects.filter(action="object.refused").exists()
    assert Study.objects.filter(uid__in=[uid_of(drawn.name) for drawn in DRAWN]).count() == len(
        DRAWN
    )


# Links --------------------------------------------------------------------------------------------
@pytest.fixture
def clinician(cast: dict[str, User]) -> User:
    return cast["clinician@hospital.example"]


def test_a_link_opens_once(clinician: User, client: Client) -> None:
    link = run("demo_link", user=clinician.email).strip()
    path = urlsplit(link).path
    assert client.get(path)["Location"] == "/"
    assert client.get("/account/").status_code == 200
    assert Client().get(path).status_code == 403


def test_using_one_link_leaves_the_others_good(clinician: User) -> None:
    first, second = demo_token(clinician), demo_token(clinician)
    assert user_of_demo_token(first) == clinician
    assert user_of_demo_token(first) is None
    assert user_of_demo_token(second) == clinician


def test_a_link_ends_by_itself_and_so_does_the_memory_of_it(clinician: User) -> None:
    token = demo_token(clinician)
    assert user_of_demo_token(demo_token(clinician)) == clinician
    remembered = Session.objects.get(session_key__startswith="demo")
    assert remembered.expire_date > timezone.now()
    with time_machine.travel(timezone.now() + DEMO_LINK_LASTS * 2):
        assert user_of_demo_token(token) is None
        call_command("clearsessions")
    assert not Session.objects.filter(session_key__startswith="demo").exists()


def test_what_remembers_a_used_link_opens_no_session(clinician: User, settings: Settings) -> None:
    user_of_demo_token(demo_token(clinician))
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = Session.objects.get().session_key
    assert browser.get("/account/")["Location"].startswith("/sign-in/")


def test_a_forged_link_opens_nothing(clinician: User) -> None:
    assert user_of_demo_token(demo_token(clinician)[:-1] + "x") is None


def test_links_are_for_the_invented_people_only(cast: dict[str, User]) -> None:
    User.objects.create_user(email="real@hospital.org", name="Somebody")
    for email in ("real@hospital.org", "nobody@hospital.example"):
        with pytest.raises(CommandError, match="not an account of the demonstration"):
            run("demo_link", user=email)


def test_all_links_come_with_who_they_are_for(cast: dict[str, User]) -> None:
    people = json.loads(run("demo_link", all=True, json=True))
    assert len(people) == 10
    assert all(person["name"] and person["what"] and person["link"] for person in people)


def test_from_another_machine_a_link_is_nothing(clinician: User) -> None:
    path = urlsplit(run("demo_link", user=clinician.email).strip()).path
    assert Client(REMOTE_ADDR="10.0.0.9").get(path).status_code == 404


@pytest.mark.parametrize("command", ["seed_demo", "demo_link"])
def test_without_the_demonstration_both_commands_refuse(settings: Settings, command: str) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEPLOYED=1"):
        run(command, **({"all": True} if command == "demo_link" else {}))
