"""Records of use: whether any is written, what it may say, and who may tie it to a name."""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.controls.people import SOMEBODY
from accounts.controls.signing_in import gate_of, require_order
from accounts.index import pseudonym_of
from accounts.models import Membership, Organisation, SupportWindow, UsageEvent, User, WorkSettings
from accounts.rules import Capability
from accounts.rules.messages import Category as MessageCategory
from accounts.rules.messages import template_named
from accounts.rules.support import WINDOW_HOURS, fault_of_ticket
from accounts.rules.use import Count, Visitor, first_day_of, noted, period_of, shown
from accounts.services.own_data import PARTS
from accounts.services.support import SupportRefused, read_joined_records
from accounts.services.usage import Visit, forget_use_of, line_of, use_of
from accounts.services.work_settings import may_remember, switch_personal_settings
from audit.rules.vocabulary import known_actions
from policies.controls.purposes import finds, pack_with
from policies.controls.trying import undone
from policies.rules.categories import DataClass
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.logs import USE
from policies.rules.purposes import OF_USE

MARK = "Marker^Patient"
_TIES = re.compile(r"@|\b\d{1,3}(?:\.\d{1,3}){3}\b|[0-9a-f]{1,4}:[0-9a-f]{0,4}:|/")
_LOOKED_AT = 500


def somebody(values: Values) -> tuple[Membership, UsageEvent]:
    """A member and a line of their use, to try things on; call it where all is undone."""
    name = uuid4().hex
    organisation = Organisation.objects.create(slug=name, name="Control", country="US")
    user = User.objects.create(email=f"{name}@control.invalid", name="Nobody")
    membership = Membership.objects.create(user=user, organisation=organisation)
    return membership, _line(values, organisation.pk, user.pk)


def _line(values: Values, organisation_id: UUID, user_id: int | None) -> UsageEvent:
    visit = Visit(organisation_id, user_id, "studies:study", "studies:worklist", "A on B", 200, 12)
    return line_of(pack=pack_with(values), kinds=frozenset({"usage"}), visit=visit)


@control("accounts.use-by-policy", "Use is noted as the policy says, or not at all", of_policy=True)
def use_by_policy(values: Values) -> str:
    require_order("accounts.middleware.ActorMiddleware", "accounts.middleware.UsageMiddleware")
    pack, events = pack_with(values), frozenset(values["optional_events"])
    require(noted(pack, Visitor()) == events, "Something else is noted than the policy lists.")
    rest = {code: one for code, one in values["purposes"].items() if code not in OF_USE}
    silent = {
        "a policy that lists none": noted(pack_with({**values, "optional_events": ()}), Visitor()),
        "no purpose": noted(pack_with({**values, "purposes": rest}), Visitor()),
        "an objection": noted(pack, Visitor(objected_to=frozenset({OF_USE[0].value}))),
        "a signal of the browser": noted(pack, Visitor(opts_out=True)),
        "a shared computer": noted(pack, Visitor(public_computer=True)),
    }
    for against, found in silent.items():
        require(not found, f"Use is noted against {against}.")
    listed: dict[str, Any] = {"optional_events": ("usage",), "purposes": rest}
    require(finds(values, "optional_events", **listed), "Records may be listed for no purpose.")
    said = ", ".join(sorted(events)) or "nothing"
    return f"This policy lets be noted: {said}. Against {len(silent)} hindrances, nothing was."


@control(
    "accounts.use-linked", "What is tied to an account is in its export, and goes with it",
    of_policy=True,
)  # fmt: skip
def use_linked(values: Values) -> str:
    require((UsageEvent, use_of) in PARTS, "Records of use are left out of one's data.")
    with undone():
        membership, line = somebody(values)
        line.save(force_insert=True)
        lasts = line.forget_on - line.day
        require(lasts.days == values["logs.keep_days"], "A line has no day of its end.")
        mine = UsageEvent.objects.filter(use_of(membership.user_id))
        require(mine.filter(pk=line.pk).exists(), "One's own lines are not found.")
        forget_use_of(user_id=membership.user_id)
        require(not mine.exists(), "Lines outlast the account they are tied to.")
    return "A line was found for its account, with the day of its end, and went with the account."


@control("accounts.use-nameless", "A record of use names nobody, and no address")
def use_nameless() -> str:
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, USE.table)
    there = {one.name for one in columns}
    require(there == {one.name for one in USE.fields}, "The table holds what is not declared.")
    tied = [one.name for one in UsageEvent._meta.concrete_fields if one.related_model is User]
    require(not tied, "A line names an account.")
    week = period_of(timezone.now().date())
    names = {
        pseudonym_of(organisation_id=UUID(int=one), user_id=7, period=week + later)
        for one in (1, 2)
        for later in (0, 1)
    }
    require(len(names) == 4, "A pseudonym is the same in two places, or in two periods.")
    texts = ("pseudonym", "feature", "page", "from_page", "browser", "outcome")
    rows = UsageEvent.objects.order_by("-day").values_list(*texts)[:_LOOKED_AT]
    found = sum(bool(_TIES.search(" ".join(row))) for row in rows)
    require(not found, f"{found} lines hold an address, of a page, a person or a network.")
    return f"{len(rows)} lines were looked at; none holds an address, and none names an account."


@control("accounts.use-class", "Technical data is personal once it is tied to an account")
def use_class() -> str:
    anonymous, tied = UsageEvent(pseudonym=""), UsageEvent(pseudonym="0" * 32)
    require(anonymous.data_class is DataClass.TECHNICAL, "A visitor's line counts as somebody's.")
    require(tied.data_class is DataClass.PERSONAL, "A member's line counts as nobody's.")
    return "A line of a visitor is technical; the same line of a member is personal."


@control("accounts.trends-grouped", "Trends speak of large groups, never of one", of_policy=True)
def trends_grouped(values: Values) -> str:
    at_least = values["deid.min_group_size"]
    small, large = Count("A", 9999, at_least - 1), Count("B", at_least, at_least)
    unknown = Count("C", at_least - 1)
    require(shown([small, large, unknown], at_least) == [large], "A small group is spoken of.")
    for route in ("accounts:trends", "accounts:trends_csv"):
        require(
            gate_of(route) == "manage_configuration", f"Others than administrators see {route}."
        )
    first = first_day_of(period_of(timezone.now().date()))
    require(first.weekday() == 0, "A week lies in two periods, so people count twice in it.")
    return f"A group of {at_least - 1} was left out, and one of {at_least} was counted."


@control(
    "accounts.no-trace", "Clicks and searches are not noted, nor in which order", of_policy=True
)
def no_trace(values: Values) -> str:
    require("clicks" not in values["optional_events"], "This policy lists where somebody clicks.")
    line = _line(values, UUID(int=1), 7)
    require(not line.from_page, "The page before is noted though the policy does not list it.")
    moments = [
        one.name
        for one in UsageEvent._meta.concrete_fields
        if isinstance(one, models.DateTimeField | models.AutoField)
    ]
    require(not moments, f"Lines can be put in order by {', '.join(moments)}.")
    require(settings.AXES_DISABLE_ACCESS_LOG, "A second log of sign-ins is kept.")
    return "The page before was left out just now; a line has a day, no hour and no number."


# Joining with an account -------------------------------------------------------------------------
def _window(**more: Any) -> SupportWindow:
    now = timezone.now()
    facts = {
        "member_id": 0, "opened_by_id": SOMEBODY.user_id, "ticket": "CONTROL-1",
        "reason": "page-fails", "opened_at": now - timedelta(hours=2),
        "ends_at": now - timedelta(hours=1), "organisation_id": UUID(int=1),
    }  # fmt: skip
    return SupportWindow(**(facts | more))


@control("accounts.joined-under-ticket", "Records are joined with a name only under a ticket")
def joined_under_ticket() -> str:
    for none in ("", "Clara Reyes", "ab"):
        require(fault_of_ticket(none), f"{none!r} goes as a ticket.")
    for lacking in ({"ticket": ""}, {"reason": ""}, {"ends_at": None}):
        refused = must_refuse(IntegrityError, f"A window without {next(iter(lacking))}")
        with undone(), refused, transaction.atomic():
            _window(**lacking).save(force_insert=True)
    names = {one.name for one in known_actions()}
    require({"records.joined", "records.read"} <= names, "Joining them cannot be recorded.")
    told = template_named("records-joined")
    require(told.category is MessageCategory.SECURITY, "A member can be left without word of it.")
    require(gate_of("consent:my_purposes") == "signed-in", "Members do not see who joined them.")
    return "Windows without ticket, reason or end were refused just now; members are always told."


@control("accounts.support-ends", "Support ends with its window")
def support_ends() -> str:
    officer = replace(SOMEBODY, capabilities=frozenset({Capability.JOIN_RECORDS}))
    with must_refuse(SupportRefused, "A look through a window that is over"):
        read_joined_records(acting=officer, window=_window())
    ahead = timezone.now() + timedelta(hours=1)
    with must_refuse(SupportRefused, "A look through somebody else's window"):
        read_joined_records(acting=officer, window=_window(ends_at=ahead, opened_by_id=1))
    require(_window(ends_at=ahead).is_open(timezone.now()), "No window is ever open.")
    return f"A window that was over was refused; none lasts longer than {max(WINDOW_HOURS)} hours."


# Personal settings, and faults -------------------------------------------------------------------
@control(
    "accounts.personal-settings", "Personal settings are off until switched on", of_policy=True
)
def personal_settings(values: Values) -> str:
    pack = pack_with(values)
    objects = replace(SOMEBODY, objected_to=frozenset({"personalisation"}))
    require(not may_remember(objects, pack), "They are remembered of those who object.")
    without = {code: one for code, one in values["purposes"].items() if code != "personalisation"}
    unlisted = pack_with({**values, "purposes": without})
    require(not may_remember(SOMEBODY, unlisted), "They are remembered without a purpose.")
    require(may_remember(SOMEBODY, pack), "The policy lists them, and they cannot be had.")
    with undone():
        membership, _ = somebody(values)
        rows = WorkSettings.objects.filter(membership=membership)
        require(not rows.exists(), "They are on from the beginning.")
        rows.create(membership=membership, modality="CT")
        person = replace(SOMEBODY, user_id=membership.user_id, membership_id=membership.pk)
        switch_personal_settings(actor=person, on=False)
        require(not rows.exists(), "Something is remembered after they were switched off.")
    return "They were off, and when switched off again no row was left."


@control("accounts.faults-nameless", "The log of faults says which and where, and not of whom")
def faults_nameless() -> str:
    logs: dict[str, Any] = settings.LOGGING
    made = logs["formatters"]
    for name, handler in logs["handlers"].items():
        formatter = import_string(made[handler["formatter"]].get("()", "logging.Formatter"))()
        line = formatter.format(_fault())
        require(MARK not in line, f"The log {name} holds what was being worked on.")
        require("ValueError" in line and "use.py:" in line, f"The log {name} tells no fault.")
    require_order("config.faults.TraceMiddleware", "accounts.middleware.ActorMiddleware")
    return "A fault with a patient's name in it was written just now: type and place, no name."


def _fault() -> logging.LogRecord:
    """A fault while somebody looks at a patient, as the framework would log it."""
    patient, path = MARK, f"/studies/?name={MARK}"
    try:
        raise ValueError(f"cannot show {patient}")
    except ValueError:
        return logging.LogRecord(
            "django.request", logging.ERROR, __file__, 1, "%s: %s",
            ("Internal Server Error", path), sys.exc_info(),
        )  # fmt: skip
