"""How a member likes the portal to look: off, until they switch it on (MEDDIM-3.6)."""

from __future__ import annotations

from django.db import transaction

from accounts.models import WorkSettings
from accounts.rules import Actor
from accounts.services.trail import record
from policies.rules.categories import Category
from policies.rules.pack import Pack
from policies.rules.purposes import Purpose
from policies.selectors import packs_held


class SettingsRefused(Exception):
    """One sentence that says why, and what to do."""


def may_remember(actor: Actor, pack: Pack | None) -> bool:
    """Does the policy list personal settings, and has the person not objected to them?"""
    return (
        pack is not None
        and pack.lists(Purpose.PERSONALISATION, Category.ACCOUNT)
        and Purpose.PERSONALISATION not in actor.objected_to
    )


def work_settings_of(actor: Actor) -> WorkSettings | None:
    """What is remembered of a person; asks the database only where something can be."""
    if not may_remember(actor, _pack(actor)):
        return None
    return WorkSettings.objects.filter(membership_id=actor.membership_id).first()


@transaction.atomic
def switch_personal_settings(*, actor: Actor, on: bool) -> None:
    """Begin to remember, or forget all of it. Off is how everybody begins. Safe to repeat."""
    rows = WorkSettings.objects.filter(membership_id=actor.membership_id)
    if not on:
        if rows.delete()[0]:
            record(action="settings.forgotten", actor=actor)
        return
    if not may_remember(actor, _pack(actor)):
        raise SettingsRefused(
            "The privacy policy of your organisation lists no personal settings, or you objected."
        )
    _, is_new = WorkSettings.objects.get_or_create(membership_id=actor.membership_id)
    if is_new:
        record(action="settings.begun", actor=actor)


@transaction.atomic
def remember_worklist(*, actor: Actor, modality: str, per_page: int | None) -> None:
    """Keep how the worklist is shown from now on. Raises `SettingsRefused` where that is off."""
    settings = _switched_on(actor)
    settings.modality, settings.per_page = modality, per_page
    settings.save(update_fields=["modality", "per_page"])


@transaction.atomic
def choose_colours(*, actor: Actor, colours: str) -> None:
    """Keep whether pages are light or dark, whatever the computer is set to. As above."""
    if colours not in WorkSettings.Colours.values:
        raise SettingsRefused("Choose one of the colours from the list.")
    settings = _switched_on(actor)
    settings.colours = colours
    settings.save(update_fields=["colours"])


def _switched_on(actor: Actor) -> WorkSettings:
    settings = work_settings_of(actor)
    if settings is None:
        raise SettingsRefused(
            "Personal settings are off. Switch them on under “How my data is used”."
        )
    return settings


def _pack(actor: Actor) -> Pack | None:
    held = packs_held(actor.organisation_id) if actor.organisation_id else ()
    return held[-1] if held else None
