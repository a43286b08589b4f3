"""People keep their own details: name, telephone number, e-mail address."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from accounts.controls.people import SOMEBODY
from accounts.controls.signing_in import gate_of
from accounts.forms import ProfileForm
from accounts.models import Profile, User
from accounts.services.details import change_details
from accounts.services.email_change import (
    CONFIRMED,
    LETTERS,
    ChangeRefused,
    ask_for_address,
    change_of_link,
    confirm_address,
)
from audit.models import Event
from jobs.models import Job
from policies.controls.trying import undone
from policies.rules.controls import control, must_refuse, require

BEFORE, AFTER = "control@control.invalid", "changed@control.invalid"


@control("accounts.address-confirmed", "A new e-mail address holds once its mailbox confirmed it")
def address_confirmed() -> str:
    require(gate_of("accounts:email_change") == "signed-in", "Nobody can change their address.")
    require(change_of_link("forged") is None, "A forged link confirms an address.")
    with undone():
        somebody = User.objects.create(email=BEFORE, name="Nobody")
        stale = replace(SOMEBODY, user_id=somebody.pk)
        with must_refuse(ChangeRefused, "A change of address without a fresh proof"):
            ask_for_address(actor=stale, user=somebody, email=AFTER)
        fresh = replace(stale, stepped_up_at=timezone.now())
        change = ask_for_address(actor=fresh, user=somebody, email=AFTER)
        held = User.objects.with_email(BEFORE).exists()
        early = User.objects.with_email(AFTER).exists()
        require(held and not early, "It holds before it was confirmed.")
        confirm_address(change=change)
        require(User.objects.with_email(AFTER).exists(), "Confirming it changes nothing.")
        told = Job.objects.filter(kind=LETTERS, natural_key__startswith=f"{change.pk}/")
        require(told.count() == 2, "Not both addresses are told.")
        old_told = told.filter(natural_key__endswith=f"/{CONFIRMED}").exists()
        require(old_told, "The old address does not learn of it.")
        written = Event.objects.filter(action="address.changed", actor_id=str(somebody.pk))
        require(written.exists(), "The trail does not have it.")
    return "An address was changed just now, not before it was confirmed; both are told."


@control("accounts.details-kept", "People change their own details, at once and on record")
def details_kept() -> str:
    require(gate_of("accounts:account") == "signed-in", "People cannot come to their account.")
    missing = {"name", "phone"} - set(ProfileForm.base_fields)
    require(not missing, f"These cannot be changed: {', '.join(sorted(missing))}.")
    with undone():
        somebody = User.objects.create(email=BEFORE, name="Nobody")
        profile = Profile.objects.create(user=somebody)
        somebody.phone = "+1 555 0100"
        actor = replace(SOMEBODY, user_id=somebody.pk)
        change_details(actor=actor, user=somebody, profile=profile, fields=["phone"])
        again = User.objects.with_email(BEFORE).get()
        require(again.phone == "+1 555 0100", "A new telephone number does not show at once.")
        events = Event.objects.filter(action="profile.changed", actor_id=str(somebody.pk))
        event = events.order_by("-occurred_at").first()
        require(event is not None, "The trail does not say who changed it, and when.")
        said = str(event.entry()) if event else ""
        require("0100" not in said, "The trail holds the number itself.")
    return "A telephone number was changed just now: shown at once, and the trail has who and when."
