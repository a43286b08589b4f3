"""What was released is stored in another server: a portal of our own, over a real connection."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.rules import Actor, Scope
from releases.gateways.stow import StowRefused, StowServer
from releases.models import Project
from releases.services.releasing import release_project
from studies.models import Instance
from tests.factories import Cast, small_ct_object, token_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


def token_of(user: User) -> str:
    headers = token_client(user, Scope.READ, Scope.WRITE).defaults
    return str(headers["HTTP_AUTHORIZATION"]).removeprefix("Bearer ")


def test_another_server_takes_all_of_it_and_again(
    made: Project, officer: Actor, cast: Cast, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_project(actor=officer, project=made)
    monkeypatch.setenv("THEIR_TOKEN", token_of(cast.people["vet@practice.example"]))
    url = f"{live_server.url}/dicom-web/studies"
    for _ in range(2):
        call_command("export_release", "imaging", "1", url, token_from="THEIR_TOKEN")
    practice = cast.people["vet@practice.example"].memberships.get().organisation_id
    there = Instance.objects.filter(organisation_id=practice)
    assert set(there.values_list("uid", flat=True)) == set(
        made.outputs.values_list("uid", flat=True)
    )


def test_what_the_server_does_not_take_is_said(cast: Cast, live_server: Any) -> None:
    url = f"{live_server.url}/dicom-web/studies"
    with pytest.raises(StowRefused, match="answered 401"):
        StowServer(url).store([small_ct_object()])
    server = StowServer(url, token_of(cast.clinician))
    server.store([small_ct_object()])
    with pytest.raises(StowRefused, match=r"answered 409 and did not take .*reason"):
        server.store([small_ct_object(StudyDescription="Another content under one number")])


def test_nothing_goes_out_unsealed_or_by_a_detour(
    made: Project, officer: Actor, live_server: Any
) -> None:
    with pytest.raises(StowRefused, match="https only"):
        StowServer("http://elsewhere.example/dicom-web/studies")
    with pytest.raises(StowRefused, match="cannot be reached"):
        StowServer("http://127.0.0.1:9/studies").store([b""])
    # The sign-in page sends a browser elsewhere; a redirect is no answer here.
    with pytest.raises(StowRefused, match="answered"):
        StowServer(f"{live_server.url}/").store([b""])
    with pytest.raises(CommandError, match="not released"):
        call_command("export_release", "imaging", "1", f"{live_server.url}/dicom-web/studies")
