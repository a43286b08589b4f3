"""Whether what the policies promise is kept: the board, and the command that an operator runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.services.policy import post_draft, save_draft
from audit.models import Event
from governance.rules.promises import BUILT, State, counted, promise_of, shares_of
from policies.rules import controls
from policies.rules.clauses import CAPABILITIES, Clause, Kind
from policies.rules.controls import Control, Evidence
from policies.selectors import clauses_of, forget_policies, shipped_packs
from tests.factories import Cast, actor_of, small_ct_object, take_in

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture(autouse=True)
def two_places(settings: Settings) -> None:
    """As any portal that keeps the promise of backups has."""
    settings.BACKUP_URL, settings.BACKUP_KEYS_URL = "/srv/backups", "/mnt/keys"


def checked(*arguments: str) -> tuple[str, int]:
    """Run the command; give what it printed and what it exited with."""
    out = StringIO()
    try:
        call_command("check_promises", *arguments, stdout=out)
    except SystemExit as left:
        return out.getvalue(), int(left.code or 0)
    return out.getvalue(), 0


@pytest.fixture
def out_of_force(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a control out of force: ``out_of_force("room.code")``."""

    def put(code: str) -> None:
        def broken() -> str:
            raise controls.Broken("It was taken away.")

        control = Control(code, "Nothing", code.partition(".")[0], False, broken)
        monkeypatch.setitem(controls._controls, code, control)

    return put


# The command -------------------------------------------------------------------------------------
def test_everything_that_is_said_to_be_built_is_kept() -> None:
    said, code = checked()
    assert code == 0
    assert "is kept." in said.splitlines()[-1]


def test_each_enforceable_clause_is_listed_once_with_its_control_or_as_missing() -> None:
    lines = checked()[0].splitlines()
    for clause in (clause for pack in shipped_packs() for clause in clauses_of(pack)):
        found = [line for line in lines if line.split()[:1] == [clause.id]]
        assert len(found) == (clause.kind is Kind.ENFORCEABLE), clause.id
        if found:
            assert (clause.control or " missing ") in found[0]


def test_a_clause_that_nothing_keeps_is_a_fault_once_its_capability_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clause = Clause("AVMI-4.4", "It says.", Kind.ENFORCEABLE, "C12", "")
    monkeypatch.setattr("governance.rules.promises.BUILT", frozenset({"C32"}))
    assert not promise_of(clause, "", None).is_fault
    assert not promise_of(clause, "Control", Evidence(False, "Broken.")).is_fault
    monkeypatch.setattr("governance.rules.promises.BUILT", frozenset({"C12"}))
    assert promise_of(clause, "", None).is_fault
    assert promise_of(clause, "Control", Evidence(False, "Broken.")).is_fault


def test_a_built_clause_whose_control_fails_makes_the_command_fail(
    out_of_force: Callable[[str], None],
) -> None:
    out_of_force("consent.revoked-at-once")
    said, code = checked()
    assert code == 1
    last = said[said.index("Not kept, though") :]
    assert "XENRAD-8.7" in last
    assert "It was taken away." in last
    # The pack of a practice promises nothing of the kind.
    assert checked("--pack", "veterinary-teleradiology")[1] == 0
    assert checked("--pack", "image-share")[1] == 1


def test_a_built_clause_without_a_control_makes_the_command_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(controls._controls, "consent.revoked-at-once")
    said, code = checked("--pack", "image-share")
    assert code == 1
    assert "VIGILANT-2.2    C09  missing" in said


def test_a_failing_clause_of_what_is_not_built_is_said_and_no_fault(
    out_of_force: Callable[[str], None],
) -> None:
    out_of_force("studies.viewer")
    said, code = checked("--pack", "radiology-information-system")
    assert "XENRAD-2.9      C06  failing  studies.viewer: It was taken away." in said
    assert code == 0


def test_programs_get_one_document() -> None:
    said, code = checked("--json", "--pack", "image-exchange")
    document = json.loads(said)
    assert code == 0
    assert document["built"] == sorted(BUILT)
    assert document["not_kept"] == []
    (pack,) = document["packs"].values()
    assert len(pack["clauses"]) == sum(pack["counts"].values()) == 135
    one = next(clause for clause in pack["clauses"] if clause["id"] == "LIFEIMAGE-2.3")
    assert (one["state"], one["control"]) == ("kept", "consent.revoked-at-once")


def test_a_pack_that_does_not_ship_is_an_error_that_names_those_that_do() -> None:
    with pytest.raises(CommandError, match="image-exchange"):
        call_command("check_promises", "--pack", "nothing")


def test_looking_leaves_nothing_behind(cast: Cast) -> None:
    def kept() -> list[int]:
        return [model.objects.count() for model in (Event, User)]

    before = kept()
    checked()
    assert kept() == before


# The rules ---------------------------------------------------------------------------------------
def clause(kind: Kind, capability: str = "C09") -> Clause:
    return Clause("AVMI-1.1", "Something.", kind, capability)


@pytest.mark.parametrize(
    ("kind", "evidence", "state", "is_fault"),
    [
        (Kind.ENFORCEABLE, Evidence(True, "seen"), State.KEPT, False),
        (Kind.ENFORCEABLE, Evidence(False, "not seen"), State.FAILING, True),
        (Kind.ENFORCEABLE, None, State.MISSING, True),
        (Kind.ATTESTABLE, None, State.ATTESTED, False),
        (Kind.INFORMATIONAL, None, State.INFORMATIONAL, False),
    ],
)
def test_how_a_clause_stands(
    kind: Kind, evidence: Evidence | None, state: State, is_fault: bool
) -> None:
    promise = promise_of(clause(kind), "", evidence)
    assert (promise.state, promise.is_fault) == (state, is_fault)
    assert not promise_of(clause(kind, "C03"), "", evidence).is_fault


def test_what_is_built_are_capabilities_that_there_are() -> None:
    assert CAPABILITIES.keys() >= BUILT


def test_the_picture_is_as_wide_as_all_promises() -> None:
    promises = [promise_of(clause(kind), "", None) for kind in [*Kind, Kind.ENFORCEABLE] * 7]
    shares = shares_of(promises)
    assert sum(share.width for share in shares) == 1000
    assert {share.state: share.count for share in shares} == counted(promises)
    assert sum(share.width for share in shares_of([])) == 0


# The board ---------------------------------------------------------------------------------------
@pytest.fixture
def board(cast: Cast, client_of: Callable[[User], Client]) -> Callable[..., str]:
    """Give the board as the officer of the hospital reads it."""

    def read(state: str = "") -> str:
        response = client_of(cast.officer).get(reverse("governance:promises"), {"state": state})
        assert response.status_code == 200
        return response.content.decode()

    return read


def test_the_board_shows_the_clauses_of_ones_own_pack(board: Callable[..., str]) -> None:
    page = board()
    assert "135 promises" in page
    for one in clauses_of("image-exchange"):
        assert f'id="{one.id}"' in page
    assert "MEDDIM-" not in page


def test_the_board_can_be_narrowed_to_a_state(
    board: Callable[..., str], out_of_force: Callable[[str], None]
) -> None:
    assert "No promise stands like that." in board("failing")
    out_of_force("consent.revoked-at-once")
    page = board("failing")
    assert "It was taken away." in page
    assert 'id="LIFEIMAGE-2.3"' in page
    assert 'id="LIFEIMAGE-13.3"' not in page


def test_a_state_that_there_is_not_is_refused(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    address = reverse("governance:promises")
    assert client_of(cast.auditor).get(address, {"state": "<b>"}).status_code == 400


def test_the_board_measures_by_the_policy_in_force(cast: Cast, board: Callable[..., str]) -> None:
    """And not by the pack that shipped: who changes what closing does can break a promise."""
    admin = actor_of(cast.administrator, fresh=True)
    save_draft(acting=admin, changes={"account.withdrawal": "each-share"})
    post_draft(acting=admin, effective_at=None)
    said = "closing the account leaves consent as it was"
    assert said not in board()
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        forget_policies()
        assert said in board()


def test_the_number_of_queries_does_not_grow_with_the_portal(
    cast: Cast, client_of: Callable[[User], Client]
) -> None:
    client, address = client_of(cast.officer), reverse("governance:promises")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    take_in(actor_of(cast.clinician), small_ct_object())
    asked()
    before = asked()
    for number in range(2, 6):
        take_in(actor_of(cast.clinician), small_ct_object(study=f"study {number}"))
    assert asked() == before
