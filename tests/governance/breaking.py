"""How each control is broken: what it watches is taken away, one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from os import urandom
from types import SimpleNamespace

from django.db import connection

from accounts.forms import AgeForm, JoinForm, ProfileForm
from accounts.models import Agreement, Invoice, Organisation, UsageEvent, User
from accounts.rules import ROLE_CAPABILITIES, Capability, Role
from accounts.rules.messages import BOTH, CATEGORIES, EMAIL, PORTAL, Category
from accounts.rules.tracking import Signals
from audit.rules.append_only import drop_statements as drop_append_only
from audit.selectors import Page, events_of_organisation
from consent.models import Grant, PurposeConsent
from consent.rules.decision import Decision, Outcome, Reason
from policies.controls.below import MARK
from policies.rules import categories, inventory
from policies.rules.categories import DataClass
from policies.rules.immutable import drop_statements as drop_immutable
from policies.rules.logs import SIGN_INS, USE
from policies.rules.notice.section import Section
from retention.models import Hold
from retention.rules.duties import DUTIES
from retention.rules.keeping import Keeping
from studies.forms import ShareForm
from studies.models import Upload
from studies.rules.classes import MEDICAL
from tests.governance.breaking_archive import ARCHIVE
from tests.governance.breaking_backups import BACKUPS
from tests.governance.breaking_copies import COPIES
from tests.governance.breaking_directives import DIRECTED
from tests.governance.breaking_disclosures import DISCLOSURES
from tests.governance.breaking_incidents import INCIDENTS
from tests.governance.breaking_records import RECORDS_BROKEN
from tests.governance.breaking_releases import RELEASES
from tests.governance.breaking_requests import REQUESTS
from tests.governance.tools import (
    Breaking,
    Tools,
    accepts_anything,
    gives,
    item,
    middleware_without,
    pack,
    patched,
    setting,
    sql,
    without,
)


def note_address(_: Tools) -> None:
    """Somebody's line in which the address of a page is kept."""
    organisation = Organisation.objects.create(slug="any", name="Any")
    UsageEvent.objects.create(
        organisation=organisation, day="2026-11-26", page="/studies/1.2.3/", forget_on="2026-12-26"
    )


def all_of(organisation_id: str) -> Page:
    return events_of_organisation(organisation_id=organisation_id)


def somebody_with(password: str) -> Breaking:
    facts = {"email": "x@y.example", "name": "X", "password": password}
    return lambda _: User.objects.create(**facts)


PERMIT = Decision(Outcome.PERMIT, Reason.GRANTED, "research", None)
ALL_IS_PERMITTED = gives("consent.controls.decide", PERMIT)
NO_FAULTS = gives("accounts.controls.messages.fault_of", "")
UNSUBSCRIBE = "accounts.controls.messages.user_of_unsubscribe_token"
SAYS_NOTHING = Section("nothing", "Nothing")
ELSEWHERE = (("a.html", '<img src="https://tracker.example/x">'), ("accounts/leaving.html", ""))
IMAGES = categories.Category.IMAGES
MAILBOX = "control@control.invalid"

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
    ("policies.collected-for", gives("policies.controls.purposes.findings_of", ())),
    ("policies.collected-for", pack("purposes", {})),
    ("accounts.sensitive-guarded", gives("accounts.controls.people.readable_for", None)),
    ("accounts.sensitive-guarded", gives("accounts.controls.people.unprotected", ["a.B.c is"])),
    ("policies.sources-said", without(categories.CATEGORIES, categories.Category.BILLING)),
    (
        "policies.health-sensitive",
        item(categories.CATEGORIES, IMAGES, replace(categories.CATEGORIES[IMAGES], kinds=())),
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
    ("accounts.partners-told", pack("notice.partners", False)),
    ("accounts.partners-told", gives("accounts.controls.agreements.tell_partners", 0)),
    (
        "accounts.partners-told",
        patched(
            "accounts.services.agreements.agreements_in_force",
            lambda organisation: list(Agreement.objects.filter(organisation_id=organisation)),
        ),
    ),
    ("accounts.partners-send", gives("accounts.services.tokens._check_partner", None)),
    ("accounts.partners-send", gives("accounts.controls.agreements.actor_of_token", None)),
    ("accounts.sources-named", gives("accounts.controls.agreements.checked_contacts", ["a@b.c"])),
    ("accounts.sources-named", patched("accounts.controls.agreements.PARTS", [])),
    ("accounts.contract-basis", gives("accounts.controls.agreements.check_use", None)),
    ("accounts.contract-basis", gives("accounts.selectors.agreements.has_lapsed", False)),
    ("accounts.no-card-number", middleware_without("CardNumber")),
    ("accounts.no-card-number", gives("accounts.middleware.holds_card_number", False)),
    ("accounts.no-card-number", gives("accounts.controls.billing.check_reference", "pi_1")),
    ("accounts.billing-apart", accepts_anything(Invoice)),
    ("accounts.billing-apart", gives("accounts.controls.billing.gate_of", "see_trail")),
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
    ("accounts.people-sealed", gives("accounts.fields.seal_text", MAILBOX.encode())),
    ("accounts.people-sealed", patched("accounts.controls.sealing._CODES", set())),
    ("accounts.people-sealed", gives("accounts.controls.sealing.name_of_attempt", MAILBOX)),
    ("accounts.people-sealed", setting("AXES_SENSITIVE_PARAMETERS", [])),
    (
        "accounts.secrets-sealed",
        patched("accounts.fields.seal_text", lambda text, **_: text.encode()),
    ),
    (
        "accounts.secrets-sealed",
        patched("accounts.models.factors.keyed_hash", lambda _, text: text[-8:].encode()),
    ),
    ("accounts.secrets-sealed", somebody_with("in the clear")),
    ("accounts.tries-counted", setting("AXES_FAILURE_LIMIT", 8)),
    ("accounts.tries-counted", setting("AXES_ENABLED", False)),
    ("accounts.tries-counted", gives("accounts.controls.sealing.session_expired", False)),
    ("studies.damage-told", patched("studies.gateways.objects._alarms", [])),
    ("studies.damage-told", gives("studies.controls.open_bytes", b"control")),
    ("studies.damage-told", gives("studies.controls.schedules", [])),
    ("studies.own-acts", gives("studies.controls.gate_of", "see_trail")),
    ("studies.own-acts", gives("studies.controls.own_acts", SimpleNamespace(events=[]))),
    (
        "studies.own-acts",
        patched(
            "studies.controls.own_acts", lambda **_: events_of_organisation(organisation_id="1")
        ),
    ),
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
    (
        "accounts.read-to-the-end",
        patched("accounts.controls.people.render_to_string", lambda *_: ""),
    ),
    ("accounts.read-before-joining", without(JoinForm.base_fields, "digest")),
    ("accounts.read-before-joining", gives("accounts.controls.people.require_read", None)),
    ("policies.terms-explained", gives("policies.controls.texts._pages", ["<p>no terms</p>"])),
    ("accounts.age-first", gives("accounts.controls.ages.is_old_enough", True)),
    ("accounts.age-first", gives("accounts.controls.ages.youngest_age", 12)),
    ("accounts.age-first", gives("accounts.controls.ages.shows_age", True)),
    ("accounts.age-first", gives("accounts.controls.ages.gate_of", "signed-in")),
    ("accounts.age-first", item(AgeForm.base_fields, "name", JoinForm.base_fields["name"])),
    ("accounts.by-invitation", item(JoinForm.base_fields, "roles", JoinForm.base_fields["name"])),
    ("accounts.changes-told", pack("notice.channels", ("website",))),
    ("accounts.versions-public", gives("accounts.controls.people.gate_of", "signed-in")),
    ("accounts.own-data", patched("accounts.controls.people.PARTS", [])),
    ("accounts.one-account", patched("accounts.fields.token_of_email", lambda _: urandom(16))),
    ("accounts.officer-remains", gives("accounts.services.members._require_successor", None)),
    ("accounts.officer-remains", gives("accounts.services.members.sole_roles_of", [])),
    ("accounts.address-confirmed", gives("accounts.controls.details.gate_of", "")),
    ("accounts.address-confirmed", gives("accounts.rules.Actor.is_fresh", True)),
    ("accounts.address-confirmed", gives("accounts.services.email_change._send_letters", None)),
    ("accounts.address-confirmed", gives("accounts.controls.details.confirm_address", None)),
    ("accounts.address-confirmed", gives("accounts.services.email_change.record", None)),
    ("accounts.details-kept", without(ProfileForm.base_fields, "phone")),
    ("accounts.details-kept", gives("accounts.services.details.record", None)),
    ("accounts.details-kept", gives("accounts.controls.details.change_details", None)),
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
    ("accounts.logs-declared", setting("AXES_DISABLE_ACCESS_LOG", False)),
    ("accounts.logs-declared", gives("accounts.controls.traces._undeclared", {"a_log"})),
    ("accounts.use-by-policy", gives("accounts.controls.use.noted", frozenset({"usage"}))),
    ("accounts.use-by-policy", gives("accounts.controls.use.noted", frozenset())),
    ("accounts.use-by-policy", gives("accounts.controls.use.finds", False)),
    ("accounts.use-by-policy", middleware_without("UsageMiddleware")),
    ("accounts.use-linked", patched("accounts.controls.use.PARTS", [])),
    ("accounts.use-linked", gives("accounts.controls.use.forget_use_of", 0)),
    ("accounts.use-linked", gives("accounts.index.periods_kept", [])),
    ("accounts.use-nameless", gives("accounts.controls.use.pseudonym_of", "the same")),
    ("accounts.use-nameless", note_address),
    ("accounts.use-nameless", patched("accounts.controls.use.USE", replace(USE, fields=()))),
    ("accounts.use-class", patched("accounts.models.UsageEvent.data_class", DataClass.TECHNICAL)),
    ("accounts.trends-grouped", patched("accounts.controls.use.shown", lambda counts, _: counts)),
    ("accounts.trends-grouped", gives("accounts.controls.use.gate_of", "signed-in")),
    ("accounts.trends-grouped", patched("accounts.rules.use.PERIOD", timedelta(days=30))),
    ("accounts.no-trace", pack("optional_events", ("usage", "clicks"))),
    (
        "accounts.no-trace",
        gives("accounts.controls.use.line_of", UsageEvent(from_page="studies:study")),
    ),
    ("accounts.joined-under-ticket", gives("accounts.controls.use.fault_of_ticket", "")),
    (
        "accounts.joined-under-ticket",
        patched("accounts.controls.use._window", lambda **_: SimpleNamespace(save=lambda **_: 0)),
    ),
    ("accounts.joined-under-ticket", gives("accounts.controls.use.gate_of", "")),
    ("accounts.support-ends", patched("accounts.models.SupportWindow.is_open", lambda *_: True)),
    ("accounts.support-ends", gives("accounts.controls.use.read_joined_records", None)),
    ("accounts.personal-settings", gives("accounts.controls.use.may_remember", True)),
    ("accounts.personal-settings", gives("accounts.controls.use.switch_personal_settings", None)),
    (
        "accounts.faults-nameless",
        setting(
            "LOGGING",
            {"formatters": {"plain": {}}, "handlers": {"stderr": {"formatter": "plain"}}},
        ),
    ),
    ("accounts.faults-nameless", middleware_without("TraceMiddleware")),
    ("consent.objection-holds", gives("consent.controls.stop_purpose", 0)),
    ("consent.objection-holds", gives("consent.controls.noted", frozenset({"usage"}))),
    ("consent.objection-offered", gives("consent.controls.finds", False)),
    ("consent.objection-offered", gives("consent.controls.gate_of", "")),
    (
        "consent.objection-offered",
        patched("policies.rules.pack.ListedPurpose.may_be_objected_to", False),
    ),
    ("governance.law-cited", gives("governance.controls.check_citation", "45 CFR 164.512(d)")),
    ("governance.law-cited", gives("governance.controls.gate_of", "see_trail")),
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
    ("consent.both-factors", gives("consent.controls.is_proven", True)),
    ("consent.both-factors", gives("consent.controls.is_proven", False)),
    ("consent.both-factors", patched("consent.controls.Grant", PurposeConsent)),
    ("consent.recipient-named", accepts_anything(Grant)),
    ("consent.evidence-kept", accepts_anything(Grant)),
    ("consent.words-agreed", gives("consent.controls.digest_of_text", "the same")),
    ("consent.closing-withdraws", pack("account.withdrawal", "each-share")),
    (
        "consent.shares-listed",
        patched("consent.selectors.grants_given", lambda _: Grant.objects.filter(revoked_at=None)),
    ),
    ("retention.law-counts", without(DUTIES, "ny.hospital")),
    ("retention.law-counts", gives("retention.controls.duties_over", ())),
    ("retention.law-counts", patched("retention.rules.keeping.Keeping.is_due", lambda *_: True)),
    ("retention.law-counts", pack("retention", {})),
    (
        "retention.law-counts",
        gives("retention.controls.keeping_of_rejected", Keeping(date(2020, 4, 1), (), "archive")),
    ),
    ("retention.holds-keep", gives("retention.controls.bars_now", {})),
    ("retention.holds-keep", gives("retention.selectors.holds.holds_in_force", [])),
    ("retention.holds-keep", patched("retention.rules.holds.HoldFacts.covers", lambda *_: False)),
    ("retention.holds-keep", accepts_anything(Hold)),
    ("retention.holds-keep", gives("retention.controls.refusal_to_lift", "")),
    ("retention.holds-keep", gives("retention.controls.gate_of", "see_trail")),
    (
        "retention.holds-keep",
        item(
            ROLE_CAPABILITIES,
            Role.AUDITOR,
            frozenset({Capability.SEE_TRAIL, Capability.PLACE_HOLDS}),
        ),
    ),
    ("studies.hostile-refused", gives("studies.controls.inspect", None)),
    ("studies.attested", accepts_anything(Upload)),
    ("studies.minors-held", gives("studies.controls.waits", False)),
    ("studies.minors-held", gives("studies.controls.guardian_is_asked", False)),
    ("studies.minors-held", gives("studies.controls.shown_by_a_look", True)),
    ("studies.minors-held", gives("studies.controls.refusal_of_guardian", "")),
    ("studies.minors-held", gives("studies.controls.gate_of", "public")),
    ("dsar.child-deleted", gives("dsar.controls.account.close_at_once", None)),
    ("dsar.child-deleted", gives("dsar.controls.account.end_account", None)),
    ("dsar.child-deleted", gives("dsar.controls.account.hours_to_delete", 400)),
    ("dsar.child-deleted", gives("dsar.controls.account.gate_of", "signed-in")),
    ("dsar.child-deleted", gives("dsar.controls.account.refusal_of_report", "")),
    ("dsar.child-deleted", gives("dsar.controls.account._late", 2)),
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
    ("studies.medical-known", without(MEDICAL, 0x00101010)),
    ("studies.medical-known", gives("studies.controls.row_of", None)),
    ("studies.viewer", gives("studies.controls.is_built", False)),
    *RECORDS_BROKEN,
    *ARCHIVE,
    *RELEASES,
    *BACKUPS,
    *INCIDENTS,
    *DIRECTED,
    *REQUESTS,
    *COPIES,
    *DISCLOSURES,
]
