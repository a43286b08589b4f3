"""Incidents as officers open them, by the services that the pages call."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from incidents.models import Incident
from incidents.rules.letters import Draft
from incidents.rules.states import Factors, Risk
from incidents.services.assessing import Assessment, assess
from incidents.services.opening import open_incident
from incidents.services.telling import write_letter
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import enter_use, use
from policies.rules.purposes import Purpose
from tests.factories import Cast, actor_of

TITLE = "Ein Laptop ist weg MARKER-TITLE"
DRAFT = Draft("A laptop was stolen.", "We ended its sessions.", "Look at your invoices.")
FACTORS = Factors("names", "a colleague", "opened and closed", "deleted, in writing")


def opened(cast: Cast, **more: Any) -> Incident:
    # A page that was asked for before has taken its own purpose with it.
    enter_use(use(Purpose.LEGAL_OBLIGATION, *CARE_DATA, *Category))
    given: dict[str, Any] = {
        "title": TITLE, "discovered_at": timezone.now(), "kinds": ["identity", "images"],
    }  # fmt: skip
    return open_incident(actor=actor_of(cast.officer), **(given | more))


def assessed(cast: Cast, incident: Incident, **more: Any) -> Incident:
    given: dict[str, Any] = {
        "is_breach": True, "unreadable": False, "low_probability": False, "risk": Risk.HIGH,
        "factors": FACTORS, "reasons": "Looked at by two of us.",
    }  # fmt: skip
    assess(actor=actor_of(cast.officer), incident=incident, found=Assessment(**(given | more)))
    incident.refresh_from_db()
    return incident


def lettered(cast: Cast, incident: Incident) -> Incident:
    write_letter(actor=actor_of(cast.officer), incident=incident, draft=DRAFT)
    incident.refresh_from_db()
    return incident


def around(moment: datetime | None = None) -> dict[str, datetime]:
    """A window that holds what a test has just done."""
    now = moment or timezone.now()
    return {"since": now - timedelta(hours=1), "until": now + timedelta(minutes=1)}


def lives(user: User, residence: str) -> None:
    User.objects.filter(pk=user.pk).update(residence=residence)
