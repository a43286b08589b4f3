"""How the controls of incidents are broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from accounts.models import Organisation
from audit.models import Event
from audit.selectors import Touched
from dsar.rules.clocks.days import Duration
from incidents.models import Incident
from incidents.rules.table import RULES
from tests.governance.tools import Breaking, Tools, gives, item, pack, patched, without

_C = "incidents.controls"
_S = "incidents.services"


def late_unseen(_: Tools) -> None:
    """An incident of last month that no reminder has looked at."""
    office = Organisation.objects.create(
        slug="any", name="Any", country="US", state="MA", regimes=["hipaa"]
    )
    Incident.objects.create(
        organisation=office, number=1, source="officer", key_id=uuid4(), sealed_title=b"-",
        discovered_at=timezone.now() - timedelta(days=31),
    )  # fmt: skip


def _time(code: str, written: str) -> Breaking:
    return item(RULES, code, replace(RULES[code], time=Duration.read(written)))


def _everything(**given: object) -> object:
    """The trail, with what was refused as well."""
    rows = Event.objects.filter(actor_id=str(given["user_id"])).exclude(target_uid="")
    columns = ("organisation_id", "target_uid", "subject_id")
    return {Touched(*row) for row in rows.values_list(*columns)}


def _lost_tokens(tools: Tools) -> None:
    tools.patch.setattr(f"{_S}.locking.revoke_token", lambda **_: None)


def _everybody_lives_in_new_york(tools: Tools) -> None:
    tools.patch.setattr(f"{_S}.counting.residences_of", lambda ids: dict.fromkeys(ids, "US-NY"))


INCIDENTS: list[tuple[str, Breaking]] = [
    ("incidents.told-promptly", pack("breach.threshold", "legal-required")),
    ("incidents.told-promptly", gives(f"{_C}.schedules", [])),
    ("incidents.told-promptly", gives(f"{_C}.duties", ())),
    ("incidents.told-promptly", late_unseen),
    ("incidents.told-promptly", gives(f"{_C}.remind_of_incidents", {})),
    ("incidents.told-promptly", gives(f"{_S}.reminders.notify", [])),
    ("incidents.law-clocks", _time("gdpr.authority", "96 hours")),
    ("incidents.law-clocks", _time("hipaa.people", "61 days")),
    ("incidents.law-clocks", without(RULES, "ny.people")),
    ("incidents.law-clocks", patched(f"{_S}.counting.things_touched", _everything)),
    ("incidents.law-clocks", gives(f"{_S}.counting.things_touched", set())),
    ("incidents.law-clocks", gives(f"{_S}.telling.record", None)),
    ("incidents.law-clocks", gives(f"{_S}.telling._conclude", None)),
    ("incidents.new-york", _time("ny.people", "60 days")),
    ("incidents.new-york", _time("ny.regulators", "31 days")),
    (
        "incidents.new-york",
        patched("incidents.rules.duties.in_state", lambda facts, _: facts.people),
    ),
    ("incidents.new-york", _everybody_lives_in_new_york),
    ("incidents.new-york", gives(f"{_S}.counting.residences_of", {})),
    ("incidents.account-locked", gives(f"{_C}.gate_of", "manage_members")),
    ("incidents.account-locked", gives(f"{_S}.locking.end_all_sessions", 0)),
    ("incidents.account-locked", _lost_tokens),
    (
        "incidents.account-locked",
        patched("accounts.models.User.set_unusable_password", lambda _: None),
    ),
    (
        "incidents.account-locked",
        patched(f"{_S}.locking._where", lambda _: Organisation.objects.none()),
    ),
]
