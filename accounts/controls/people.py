"""The policy's acceptance, news of it, and one's own data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.controls.signing_in import gate_of, require_order, routes
from accounts.forms import JoinForm
from accounts.models import Acceptance, Invitation, User
from accounts.rules import Actor, is_valid_npi
from accounts.rules.messages import BOTH, CATEGORIES, Category, template_named
from accounts.services.own_data import PARTS
from accounts.services.policy_gate import needs_acceptance
from policies.controls.purposes import pack_with
from policies.controls.trying import undone
from policies.rules.categories import Category as Data
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.gate import Use
from policies.rules.inventory import fields_of
from policies.rules.purposes import Purpose

SOMEBODY = Actor(user_id=0, name="Nobody", organisation_id=UUID(int=1))


@control("accounts.policy-gate", "Nobody gets past the policy without accepting it", of_policy=True)
def policy_gate(values: Values) -> str:
    require_order("accounts.middleware.ActorMiddleware", "accounts.middleware.PolicyMiddleware")
    pack = pack_with(values)
    looking = Use(Purpose.TREATMENT, frozenset({Data.IMAGES}))
    require(needs_acceptance(SOMEBODY, pack, looking), "Images are shown before it is accepted.")
    older = replace(SOMEBODY, accepted_version=UUID(int=2))
    require(needs_acceptance(older, pack, looking), "Having accepted an older version is enough.")
    accepted = replace(SOMEBODY, accepted_version=pack.id)
    require(not needs_acceptance(accepted, pack, looking), "Accepting it does not help.")
    rights = Use(Purpose.RIGHTS, frozenset({Data.ACCOUNT}))
    require(not needs_acceptance(SOMEBODY, pack, rights), "Rights wait for its acceptance.")
    for route in ("accounts:own_data", "accounts:policy_declined", "consent:account_close"):
        require(gate_of(route) == "signed-in", f"Who declines cannot come to {route}.")
    return "Without acceptance, images were refused and one's rights were not."


@control(
    "accounts.acceptance-recorded", "Whoever joins accepts a version, and that is written down"
)
def acceptance_recorded() -> str:
    given = {"name": "Nobody", "password": "a lamp on the windowsill", "old_enough": "on"}
    form = JoinForm({**given, "digest": "0" * 64}, min_age=16)
    require("accepts" in form.errors, "An account can be had without accepting the policy.")
    wrong = {
        "without a version": {"version_id": None},
        "without the digest of its words": {"digest": None},
        "without a moment": {"answered_at": None},
    }
    for said, facts in wrong.items():
        refused = must_refuse(IntegrityError, f"An acceptance {said}")
        with undone(), refused, transaction.atomic():
            _acceptance(**facts)
    return "Joining without the tick was refused, and so was a record without version or words."


def _acceptance(**more: Any) -> None:
    facts = {
        "user_id": 0, "organisation_id": UUID(int=1), "version_id": UUID(int=2), "revision": 1,
        "digest": "0" * 64, "is_accepted": True, "answered_at": timezone.now(),
    }  # fmt: skip
    Acceptance.objects.create(**(facts | more))


@control("accounts.by-invitation", "An account begins with an invitation that sets its roles")
def by_invitation() -> str:
    for field in ("roles", "organisation"):
        require(field not in JoinForm.base_fields, f"Who joins can choose their {field}.")
    digest = Invitation._meta.get_field("secret_digest")
    require(getattr(digest, "unique", False), "Two invitations can have one secret.")
    ways = [name for name, _ in routes() if "sign_up" in name or "register" in name]
    require(not ways, f"An account can be had at {', '.join(ways)}.")
    return "There is no other way to an account, and the form has no place for a role."


@control("accounts.changes-told", "A change of the policy reaches every member", of_policy=True)
def changes_told(values: Values) -> str:
    for code in ("policy-changed", "policy-withdrawn"):
        category = template_named(code).category
        require(category is Category.POLICY_CHANGE, f"{code} goes out as something else.")
    rule = CATEGORIES[Category.POLICY_CHANGE]
    require(not rule.choosable and rule.always, "A person can have no word of a change at all.")
    require(rule.usual == BOTH, "A change is not told in both ways.")
    ways = set(values["notice.channels"])
    told = ways & {"email", "announcement", "dashboard"}
    require(told, "This policy's changes stand on the website alone.")
    return f"Members cannot switch it off; here it goes by {', '.join(sorted(told))}."


@control("accounts.versions-public", "Anybody can read every version, and what changed")
def versions_public() -> str:
    for name in ("notice", "notice_version", "notice_versions", "notice_changes"):
        require(gate_of(f"accounts:{name}") == "public", f"{name} is not for everybody.")
    source = (settings.BASE_DIR / "templates/policies/notice.html").read_text()
    require("upcoming" in source, "The notice does not say that a new version is posted.")
    return "The notice, its versions and their differences open without signing in."


@control("accounts.own-data", "One gets all that is held about one's account, but for secrets")
def own_data() -> str:
    about = {
        model._meta.label
        for model in apps.get_app_config("accounts").get_models()
        if any(field.remote_field and field.name == "user" for field in model._meta.fields)
    }
    left_out = about - {model._meta.label for model, _ in PARTS}
    require(not left_out, f"Left out: {', '.join(sorted(left_out))}.")
    for model, _ in PARTS:
        for entry in fields_of(model._meta.label):
            handed = entry.exported and entry.field.startswith(("password", "secret"))
            require(not handed, f"{model._meta.label}.{entry.field} is handed out.")
    require(gate_of("accounts:own_data") == "signed-in", "Nobody can come to the page.")
    return f"{len(PARTS)} kinds of rows are handed out; passwords and secrets are not."


@control("accounts.one-account", "One address, one account, whatever its capitals")
def one_account() -> str:
    with undone():
        User.objects.create(email="control@control.invalid", name="Nobody")
        refused = must_refuse(IntegrityError, "The same address in capitals")
        with refused, transaction.atomic():
            User.objects.create(email="CONTROL@control.invalid", name="Nobody")
    return "The database just refused a second account for one address in other capitals."


@control("accounts.npi", "An NPI is checked by its last digit")
def npi() -> str:
    require(is_valid_npi("1234567893"), "A right NPI is refused.")
    for wrong in ("1234567890", "123456789", "abcdefghij", ""):
        require(not is_valid_npi(wrong), f"{wrong!r} passes as an NPI.")
    return "1234567893 was taken; 1234567890 and others were refused."
