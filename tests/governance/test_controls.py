"""Each control passes while what it watches is in force, and fails once that is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from accounts.forms import JoinForm
from accounts.models import User
from accounts.rules import ROLE_CAPABILITIES, Capability, Role
from accounts.rules.messages import BOTH, CATEGORIES, EMAIL, PORTAL, Category
from accounts.rules.tracking import Signals
from audit.rules.append_only import drop_statements as drop_append_only
from consent.models import Grant
from consent.rules.decision import Decision, Outcome, Reason
from policies.controls.below import MARK
from policies.rules import categories, inventory
from policies.rules.controls import Control, control, control_named, known_controls, require
from policies.rules.immutable import drop_statements as drop_immutable
from policies.rules.logs import SIGN_INS
from policies.rules.notice.section import Section
from policies.selectors import clauses_of, shipped_packs
from studies.forms import ShareForm
from studies.models import Upload
from tests.factories import Cast, actor_of, small_ct_object, take_in

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

# The values of a pack in which a clause is kept by the control.
VALUES = {
    clause.control: values
    for code, values in shipped_packs().items()
    for clause in clauses_of(code)
    if clause.control
}


@pytest.fixture(autouse=True)
def viewer_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building it takes minutes; what fails without it is tried below."""
    monkeypatch.setattr("studies.controls.is_built", lambda: True)


@pytest.mark.parametrize("one", known_controls(), ids=lambda one: one.code)
def test_a_control_passes_while_it_is_in_force(one: Control) -> None:
    evidence = one.check(VALUES[one.code])
    assert evidence.passed, evidence.says
    assert evidence.says.endswith(".")
    assert one.title[0].isupper()
    assert one.room == one.code.partition(".")[0]


# How each is broken ------------------------------------------------------------------------------
@dataclass
class Tools:
    patch: pytest.MonkeyPatch
    settings: Any
    values: dict[str, Any]


Breaking = Callable[[Tools], object]


def patched(path: str, value: Any) -> Breaking:
    return lambda tools: tools.patch.setattr(path, value)


def gives(path: str, value: Any) -> Breaking:
    """A function that answers the same whatever it is asked, and refuses nothing."""
    return patched(path, lambda *_, **__: value)


def setting(name: str, value: Any) -> Breaking:
    return lambda tools: setattr(tools.settings, name, value)


def pack(path: str, value: Any) -> Breaking:
    return lambda tools: tools.values.update({path: value})


def item(mapping: Any, key: Any, value: Any) -> Breaking:
    return lambda tools: tools.patch.setitem(mapping, key, value)


def without(mapping: Any, key: Any) -> Breaking:
    return lambda tools: tools.patch.delitem(mapping, key)


def sql(*statements: str) -> Breaking:
    def run(_: Tools) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    return run


def accepts_anything(model: Any) -> Breaking:
    """Stand for a table without its constraints."""
    return lambda tools: tools.patch.setattr(model.objects, "create", lambda **_: None)


def middleware_without(name: str) -> Breaking:
    return lambda tools: setattr(
        tools.settings, "MIDDLEWARE", [one for one in tools.settings.MIDDLEWARE if name not in one]
    )


PERMIT = Decision(Outcome.PERMIT, Reason.GRANTED, "research", None)
ALL_IS_PERMITTED = gives("consent.controls.decide", PERMIT)
NO_FAULTS = gives("accounts.controls.messages.fault_of", "")
UNSUBSCRIBE = "accounts.controls.messages.user_of_unsubscribe_token"
SAYS_NOTHING = Section("nothing", "Nothing")
ELSEWHERE = (("a.html", '<img src="https://tracker.example/x">'), ("accounts/leaving.html", ""))
IMAGES = categories.Category.IMAGES

BREAKS: list[tuple[str, Breaking]] = [
    ("vault.streams-sealed", gives("policies.controls.below.open_bytes", MARK)),
    ("vault.streams-sealed", gives("policies.controls.below.seal_bytes", MARK)),
    ("vault.fields-sealed", gives("vault.rules.sealed_field.FieldSealer.open", MARK)),
    ("vault.keys-apart", gives("vault.routers.KeysRouter.db_for_write", None)),
    ("vault.master-key-rotates", gives("vault.gateways.master_key.LocalMasterKey.unwrap", b"")),
    ("audit.tamper-evident", sql(*drop_append_only(connection.vendor))),
    ("audit.no-words", gives("audit.services.recording.offending_keys", [])),
    ("policies.uses-closed", gives("policies.controls.purposes.check_use", None)),
    ("policies.no-use-unnamed", gives("policies.controls.purposes.require_purpose", None)),
    ("policies.not-backwards", gives("policies.controls.purposes.check_collected", None)),
    ("policies.nothing-sold", gives("policies.controls.purposes.check_document", {})),
    ("policies.health-for-care", gives("policies.rules.schema.uses.purposes_below_floor", [])),
    ("policies.basis-said", gives("policies.controls.purposes.findings_of", ())),
    ("policies.advertising-gated", gives("policies.controls.purposes.findings_of", ())),
    ("policies.inventory-complete", without(inventory._entries, ("accounts.User", "email"))),
    ("policies.sources-said", without(categories.CATEGORIES, categories.Category.BILLING)),
    (
        "policies.health-sensitive",
        item(categories.CATEGORIES, IMAGES, replace(categories.CATEGORIES[IMAGES], sensitive="")),
    ),
    ("policies.retention-said", pack("retention", {"account": {}})),
    ("policies.notice-made", gives("policies.controls.texts.notice_of", ())),
    ("policies.contact-shown", gives("policies.rules.notice.care.contact", SAYS_NOTHING)),
    ("policies.placeholders-refused", gives("policies.controls.texts.claims", ())),
    ("policies.placeholders-refused", pack("contact.phone", "")),
    ("policies.signals-said", gives("policies.rules.notice.care.traces", SAYS_NOTHING)),
    ("policies.effective-date", gives("policies.controls.versions._version", None)),
    ("policies.posted-fixed", sql(*drop_immutable(connection.vendor))),
    ("policies.notice-period", pack("notice.min_days", 3)),
    ("policies.notice-period", gives("policies.controls.versions.check_effect", None)),
    ("policies.changes-shown", gives("policies.controls.versions.compare", ())),
    ("policies.ways-of-telling", pack("notice.channels", ("email",))),
    ("accounts.transit", setting("ALLOWED_HOSTS", ["portal.example"])),
    ("accounts.transit", setting("DEPLOYED", True)),
    ("accounts.passwords-strong", setting("AUTH_PASSWORD_VALIDATORS", [])),
    ("accounts.second-factor", pack("auth.mfa_roles", ("clinician",))),
    ("accounts.factors-by-policy", pack("auth.factors", ("recovery",))),
    (
        "accounts.factors-by-policy",
        setting("AUTHENTICATION_BACKENDS", ["django.contrib.auth.backends.ModelBackend"]),
    ),
    ("accounts.sessions-listed", gives("accounts.controls.signing_in.session_expired", False)),
    ("accounts.sessions-listed", middleware_without("ActorMiddleware")),
    ("accounts.shared-computer", setting("CSRF_COOKIE_AGE", 1000)),
    ("accounts.pages-gated", gives("accounts.controls.signing_in.declared_use", None)),
    ("accounts.pages-gated", gives("accounts.controls.signing_in.gate_of", "")),
    ("accounts.roles", item(ROLE_CAPABILITIES, Role.AUDITOR, frozenset({Capability.VIEW_IMAGES}))),
    ("accounts.no-place", middleware_without("PermissionsPolicy")),
    ("accounts.no-place", patched("accounts.controls.signing_in.PERMISSIONS_POLICY", "camera=()")),
    ("accounts.policy-gate", gives("accounts.controls.people.needs_acceptance", False)),
    ("accounts.policy-gate", middleware_without("PolicyMiddleware")),
    ("accounts.acceptance-recorded", without(JoinForm.base_fields, "accepts")),
    ("accounts.acceptance-recorded", gives("accounts.controls.people._acceptance", None)),
    ("accounts.by-invitation", item(JoinForm.base_fields, "roles", JoinForm.base_fields["name"])),
    ("accounts.changes-told", pack("notice.channels", ("website",))),
    ("accounts.versions-public", gives("accounts.controls.people.gate_of", "signed-in")),
    ("accounts.own-data", patched("accounts.controls.people.PARTS", [])),
    ("accounts.one-account", sql("DROP INDEX user_email_once")),
    ("accounts.npi", gives("accounts.controls.people.is_valid_npi", True)),
    ("accounts.messages-without-data", NO_FAULTS),
    ("accounts.promotion-apart", NO_FAULTS),
    ("accounts.promotion-opt-out", NO_FAULTS),
    ("accounts.marketing-basis", pack("marketing.basis", {"default": "opt-out"})),
    ("accounts.objection-final", gives("accounts.controls.messages.may_be_sent", True)),
    ("accounts.unsubscribe-signed", gives(UNSUBSCRIBE, None)),
    ("accounts.unsubscribe-signed", patched(UNSUBSCRIBE, lambda _: User.objects.last())),
    ("accounts.own-addresses", gives("accounts.controls.messages.send_campaign", None)),
    (
        "accounts.security-always",
        item(CATEGORIES, Category.SECURITY, replace(CATEGORIES[Category.SECURITY], always=EMAIL)),
    ),
    (
        "accounts.ways-chosen",
        item(CATEGORIES, Category.CASE, replace(CATEGORIES[Category.CASE], always=BOTH)),
    ),
    (
        "accounts.surveys-muted",
        item(CATEGORIES, Category.SURVEY, replace(CATEGORIES[Category.SURVEY], always=PORTAL)),
    ),
    ("accounts.cookies-registered", setting("SESSION_COOKIE_NAME", "other")),
    ("accounts.cookies-here-only", setting("SESSION_COOKIE_DOMAIN", ".example")),
    ("accounts.cookies-go", setting("SESSION_COOKIE_AGE", 99)),
    ("accounts.cookies-opaque", setting("SESSION_COOKIE_HTTPONLY", False)),
    (
        "accounts.nothing-from-elsewhere",
        setting(
            "CONTENT_SECURITY_POLICY",
            {"DIRECTIVES": {"default-src": ["'none'"], "img-src": ["https://tracker.example"]}},
        ),
    ),
    ("accounts.nothing-from-elsewhere", gives("accounts.controls.traces._templates", ELSEWHERE)),
    ("accounts.links", gives("accounts.controls.traces._templates", ELSEWHERE)),
    ("accounts.links", setting("SECURE_REFERRER_POLICY", "unsafe-url")),
    (
        "accounts.signals-honoured",
        gives("accounts.controls.traces.signals_of", Signals(gpc=False, dnt=False, opts_out=True)),
    ),
    (
        "accounts.logs-declared",
        patched("accounts.controls.traces.LOGS", (replace(SIGN_INS, fields=SIGN_INS.fields[1:]),)),
    ),
    ("accounts.logs-forgotten", gives("accounts.controls.traces.schedules", [])),
    ("accounts.logs-forgotten", pack("logs.keep_days", 400)),
    ("accounts.no-trace", setting("AXES_DISABLE_ACCESS_LOG", False)),
    ("consent.nothing-without-consent", ALL_IS_PERMITTED),
    ("consent.nothing-without-consent", middleware_without("RefusedMiddleware")),
    ("consent.roles-decide", ALL_IS_PERMITTED),
    ("consent.share-ends", ALL_IS_PERMITTED),
    ("consent.revoked-at-once", ALL_IS_PERMITTED),
    ("consent.items-named", ALL_IS_PERMITTED),
    ("consent.purpose-bound", ALL_IS_PERMITTED),
    ("consent.download-apart", ALL_IS_PERMITTED),
    ("consent.no-passing-on", ALL_IS_PERMITTED),
    ("consent.express", gives("consent.controls.is_proven", True)),
    ("consent.recipient-named", accepts_anything(Grant)),
    ("consent.evidence-kept", accepts_anything(Grant)),
    ("consent.words-agreed", gives("consent.controls.digest_of_text", "the same")),
    ("consent.closing-withdraws", pack("account.withdrawal", "each-share")),
    (
        "consent.shares-listed",
        patched("consent.selectors.grants_given", lambda _: Grant.objects.filter(revoked_at=None)),
    ),
    ("studies.hostile-refused", gives("studies.controls.inspect", None)),
    ("studies.attested", accepts_anything(Upload)),
    ("studies.health-sealed", patched("studies.controls._NOT_ABOUT_ANYBODY", set())),
    ("studies.found-by-hash", patched("studies.controls.exact_token", lambda _, t: t.encode())),
    ("studies.owners-known", gives("studies.controls.gate_of", "")),
    (
        "studies.nothing-ticked",
        patched(
            "studies.controls.ShareForm",
            lambda *given, **more: ShareForm(*given, **more, initial={"items": ["whole"]}),
        ),
    ),
    ("studies.doors-decide", gives("studies.controls.gate_of", "public")),
    ("studies.viewer", gives("studies.controls.is_built", False)),
]


@pytest.mark.parametrize(("code", "breaking"), BREAKS, ids=[code for code, _ in BREAKS])
def test_a_control_fails_once_what_it_watches_is_broken(
    code: str, breaking: Breaking, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    found = control_named(code)
    assert found is not None
    tools = Tools(monkeypatch, settings, dict(VALUES[code]))
    breaking(tools)
    evidence = found.check(tools.values)
    assert not evidence.passed, f"{code} did not notice: {evidence.says}"
    assert "could not be checked" not in evidence.says


def test_there_is_no_control_that_cannot_fail() -> None:
    apart = {"studies.files-sealed"}  # below: it needs something in the store
    assert {code for code, _ in BREAKS} | apart == {one.code for one in known_controls()}


def test_a_file_in_the_clear_is_found_in_the_store(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = control_named("studies.files-sealed")
    assert found is not None
    take_in(actor_of(cast.clinician), small_ct_object())
    assert "was looked at in the store" in found.check({}).says
    reader = SimpleNamespace(read_at=lambda *_: bytes(128) + b"DICM", close=lambda: None)
    store = SimpleNamespace(open=lambda _: reader)
    monkeypatch.setattr("studies.controls.blob_store", lambda: store)
    evidence = found.check({})
    assert (evidence.passed, evidence.says) == (
        False,
        "The latest file in the store is not sealed.",
    )


# The registry ------------------------------------------------------------------------------------
def test_a_check_that_cannot_be_carried_out_has_not_passed() -> None:
    def look() -> str:
        raise ConnectionError("the database is gone")

    evidence = Control("a.control", "A control", "a", False, look).check({})
    assert (evidence.passed, evidence.says) == (
        False,
        "It could not be checked (ConnectionError).",
    )


@pytest.mark.parametrize("code", ["nothing", "A.b", "a.b_c", "a.b.c", ""])
def test_a_code_names_a_room_and_a_thing(code: str) -> None:
    with pytest.raises(ValueError, match=r"room\.words"):
        control(code, "Something")


def test_a_code_stands_for_one_control() -> None:
    with pytest.raises(ValueError, match="another meaning"):

        @control("vault.keys-apart", "Something else")
        def keys_apart() -> str:
            return "-"


def test_what_has_to_be_refused_and_is_not_is_broken() -> None:
    from policies.rules.controls import Broken, must_refuse

    with pytest.raises(Broken, match="This was not refused"), must_refuse(KeyError, "This"):
        pass
    with must_refuse(KeyError, "This"):
        raise KeyError
    with pytest.raises(ValueError, match="other"), must_refuse(KeyError, "This"):
        raise ValueError("other")
    with pytest.raises(Broken, match="It is so"):
        require(False, "It is so.")
