"""Whoever started a job sees how far it is; nobody else does."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from jobs import permissions
from jobs.models import Job
from jobs.selectors import dead_letters, jobs_started_by
from jobs.views import show_job

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.jobs.page_urls")]


@dataclass
class Person:
    pk: str
    is_authenticated: bool = True


CREATOR, STRANGER, NOBODY = Person("7"), Person("8"), Person("7", is_authenticated=False)


@pytest.fixture
def job() -> Job:
    now = timezone.now()
    return Job.objects.create(
        kind="test.progress",
        natural_key="one",
        created_by_id="7",
        organisation_id="org-1",
        done=3,
        total=12,
        not_before=now,
        created_at=now,
    )


def get(job: Job, person: Person, **headers: str) -> HttpResponse:
    request = RequestFactory().get(f"/jobs/{job.id}/", headers={"accept": "text/html", **headers})
    request.user = person  # type: ignore[assignment]
    return show_job(request, job.id)


def elements(response: HttpResponse) -> list[tuple[str, dict[str, str | None]]]:
    found: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list) -> None:
            found.append((tag, dict(attrs)))

    Reader().feed(response.content.decode())
    return found


def test_the_creator_sees_progress_in_a_bar_and_in_words(job: Job) -> None:
    response = get(job, CREATOR)
    bar = next(attrs for _, attrs in elements(response) if attrs.get("role") == "progressbar")
    assert (bar["aria-valuenow"], bar["aria-valuemin"], bar["aria-valuemax"]) == ("25", "0", "100")
    assert bar["aria-valuetext"] == "3 of 12 done"
    assert "3 of 12 done (25 %)" in response.content.decode()


def test_an_unfinished_job_polls_and_has_a_link_for_those_without_scripts(job: Job) -> None:
    found = elements(get(job, CREATOR))
    assert found[0][1]["hx-get"] == f"/jobs/{job.id}/"
    assert found[0][1]["hx-trigger"] == "every 2s"
    assert ("a", {"href": ""}) in found


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_a_finished_job_neither_polls_nor_asks_to_be_refreshed(job: Job, state: str) -> None:
    Job.objects.update(state=state)
    found = elements(get(job, CREATOR))
    assert not any("hx-get" in attrs for _, attrs in found)
    assert not any(tag == "a" for tag, _ in found)


def test_what_could_not_be_done_is_listed_and_escaped(job: Job) -> None:
    Job.objects.update(failures=[{"what": "<b>1.2.3</b>", "why": "unreadable"}], failure_count=4)
    words = get(job, CREATOR).content.decode()
    assert "&lt;b&gt;1.2.3&lt;/b&gt;" in words and "And 3 more." in words


def test_a_program_gets_json(job: Job) -> None:
    response = get(job, CREATOR, accept="application/json")
    assert response["Content-Type"] == "application/json"
    assert b'"per_cent": 25' in response.content and b'"finished": false' in response.content


@pytest.mark.parametrize("person", [STRANGER, NOBODY])
def test_a_stranger_cannot_tell_that_the_job_exists(job: Job, person: Person) -> None:
    with pytest.raises(Http404):
        get(job, person)


def test_a_job_of_the_system_is_nobodys(job: Job) -> None:
    Job.objects.update(created_by_id="")
    with pytest.raises(Http404):
        get(job, Person(""))


def test_an_app_above_may_open_jobs_to_more_people(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permissions, "_also", {})
    permissions.allow_seeing_jobs("officers", lambda user, job: user.pk == "8")
    assert get(job, STRANGER).status_code == 200
    with pytest.raises(Http404):
        get(job, Person("9"))


def test_an_answer_is_never_kept_by_a_cache(job: Job) -> None:
    assert "no-store" in get(job, CREATOR)["Cache-Control"]


def test_people_and_organisations_find_only_their_own(job: Job) -> None:
    assert [one.id for one in jobs_started_by(CREATOR)] == [job.id]
    assert jobs_started_by(STRANGER) == []
    Job.objects.update(state="failed", finished_at=timezone.now())
    assert [one.id for one in dead_letters(organisation_id="org-1")] == [job.id]
    assert dead_letters(organisation_id="org-2") == []
