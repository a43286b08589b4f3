"""The time that laws give: every rule of the table, and days counted out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.rules.clocks import (
    RULES,
    Duration,
    Step,
    due_on,
    extended_until,
    holidays_of,
    moment_due,
)
from dsar.rules.clocks.days import (
    business_days_after,
    is_working_day,
    no_holidays,
)
from dsar.rules.kinds import Kind
from retention.rules.periods import months_after
from tests.dsar.reckoning import of

US, FRANCE = holidays_of("US"), holidays_of("FR")
WEDNESDAY = date(2026, 11, 18)

# Rule; its time, and the last day of it for what begins on Wednesday 18 November 2026 where the
# 26th is a holiday; the extension, and the last day then; from when on it holds; how sure; where.
TABLE = [
    (
        "gdpr.dsar.access",
        "1 month",
        "2026-12-18",
        "2 months",
        "2027-02-18",
        "",
        "high",
        "Art. 12(3), 15",
    ),
    (
        "gdpr.dsar.rectification",
        "1 month",
        "2026-12-18",
        "2 months",
        "2027-02-18",
        "",
        "high",
        "Art. 12(3), 16",
    ),
    (
        "gdpr.dsar.erasure",
        "1 month",
        "2026-12-18",
        "2 months",
        "2027-02-18",
        "",
        "high",
        "Art. 12(3), 17",
    ),
    (
        "gdpr.dsar.restriction",
        "1 month",
        "2026-12-18",
        "2 months",
        "2027-02-18",
        "",
        "high",
        "Art. 12(3), 18",
    ),
    (
        "gdpr.dsar.portability",
        "1 month",
        "2026-12-18",
        "2 months",
        "2027-02-18",
        "",
        "high",
        "Art. 12(3), 20",
    ),
    (
        "gdpr.dsar.objection",
        "1 month",
        "2026-12-18",
        "2 months",
        "2027-02-18",
        "",
        "high",
        "Art. 12(3), 21",
    ),
    ("gdpr.dsar.refusal_notice", "1 month", "2026-12-18", "", "", "", "high", "Art. 12(4)"),
    ("gdpr.dsar.identity", "", "", "", "", "", "medium", "Art. 12(6), 11(2)"),
    ("gdpr.dsar.fee", "", "", "", "", "", "high", "Art. 12(5)"),
    ("gdpr.notice.indirect", "1 month", "2026-12-18", "", "", "", "high", "Art. 14(3)(a)"),
    ("uk.dsar.all", "1 month", "2026-12-18", "2 months", "2027-02-18", "2026-02-05", "high", "12A"),
    ("uk.complaint.ack", "30 days", "2026-12-17", "", "", "2026-06-19", "high", "s. 164A(3)"),
    ("hipaa.access", "30 days", "2026-12-18", "30 days", "2027-01-17", "", "high", "164.524(b)(2)"),
    (
        "hipaa.amendment",
        "60 days",
        "2027-01-17",
        "30 days",
        "2027-02-16",
        "",
        "high",
        "164.526(b)(2)(i)",
    ),
    (
        "hipaa.accounting",
        "60 days",
        "2027-01-17",
        "30 days",
        "2027-02-16",
        "",
        "high",
        "164.528(c)(1)",
    ),
    (
        "hipaa.accounting.suspend_oral",
        "30 days",
        "2026-12-18",
        "",
        "",
        "",
        "high",
        "164.528(a)(2)(ii)",
    ),
    ("hipaa.restriction.selfpay", "", "", "", "", "", "high", "164.522(a)(1)(vi)"),
    ("hipaa.confidential_comm", "", "", "", "", "", "high", "164.522(b)"),
    ("ca.hsc123110.inspect", "5 business days", "2026-11-25", "", "", "", "medium", "123110(a)"),
    ("ca.hsc123110.copy", "15 days", "2026-12-03", "", "", "", "medium", "123110(b)"),
    ("tx.occ159006", "15 business days", "2026-12-10", "", "", "", "medium", "159.006"),
    ("ny.phl18", "10 days", "2026-11-28", "", "", "", "medium", "18(2)(a)"),
    ("ccpa.ack", "10 business days", "2026-12-03", "", "", "", "high", "7021(a)"),
    (
        "ccpa.respond",
        "45 days",
        "2027-01-02",
        "45 days",
        "2027-02-16",
        "",
        "high",
        "1798.130(a)(2)(A)",
    ),
    ("ccpa.optout", "15 business days", "2026-12-10", "", "", "", "high", "7026(f)"),
    ("ccpa.limit", "15 business days", "2026-12-10", "", "", "", "high", "7027(g)"),
    ("ccpa.verify", "", "", "", "", "", "high", "7060 to 7062"),
    ("ccpa.agent", "", "", "", "", "", "high", "7063"),
    ("ccpa.frequency", "", "", "", "", "", "high", "1798.130(b)"),
    ("ccpa.fee", "", "", "", "", "", "high", "1798.145(h)(3)"),
    ("ca.shine_the_light", "30 days", "2026-12-18", "", "", "", "high", "1798.83"),
    ("ehds.access_log", "3 years", "2029-11-18", "", "", "2027-03-26", "medium", "2025/327 Art. 9"),
    ("br.lgpd.access", "15 days", "2026-12-03", "", "", "", "medium", "Art. 19 II"),
    ("ch.fadp.access", "30 days", "2026-12-18", "", "", "", "medium", "Art. 25(7)"),
    ("ca.pipeda.access", "30 days", "2026-12-18", "30 days", "2027-01-17", "", "medium", "s. 8(3)"),
    ("on.phipa.access", "30 days", "2026-12-18", "30 days", "2027-01-17", "", "medium", "s. 54(2)"),
    ("kr.pipa.access", "10 days", "2026-11-28", "", "", "", "low", "Art. 35(3)"),
]


@pytest.mark.parametrize("line", TABLE, ids=[line[0] for line in TABLE])
def test_each_rule_has_its_time_its_last_day_and_its_paragraph(line: tuple[str, ...]) -> None:
    number, within, due, extends, until, holds_from, sure, cites = line
    rule = RULES[number]
    assert rule.within == (Duration.read(within) if within else None)
    assert rule.extends == (Duration.read(extends) if extends else None)
    assert rule.valid_from == (date.fromisoformat(holds_from) if holds_from else None)
    assert rule.sure == sure
    assert cites in rule.cites
    if due:
        assert due_on(rule, WEDNESDAY, US)[0] == date.fromisoformat(due)
    longer = extended_until(rule, WEDNESDAY, US)
    assert (longer[0].isoformat() if longer else "") == until


def test_the_table_has_no_other_rules() -> None:
    assert RULES.keys() == {line[0] for line in TABLE}


def test_every_kind_that_is_a_right_under_a_law_is_in_the_table() -> None:
    named = {kind for rule in RULES.values() for kind in rule.kinds if rule.step is Step.ANSWER}
    # These have no clock in any law; the policy's own promise counts.
    own = {
        Kind.WITHDRAW_CONSENT,
        Kind.ACCOUNT_CLOSURE,
        Kind.RECORDS_RELEASE,
        Kind.COMPLAINT,
        Kind.QUESTION,
        Kind.SUPPORT,
    }
    assert named == set(Kind) - own


# Vectors: what was received when, and the last day in time ---------------------------------------
VECTORS = [
    # 31 January has no day in February; the 28th is a Saturday.
    ("gdpr.dsar.access", "2026-01-31", "2026-03-02"),
    # The day falls on Easter Sunday; Monday is a holiday as well.
    ("gdpr.dsar.access", "2026-03-05", "2026-04-07"),
    ("gdpr.dsar.access", "2026-08-31", "2026-09-30"),
    # Thirty days would end on 14 August.
    ("gdpr.dsar.access", "2026-07-15", "2026-08-17"),
    ("hipaa.access", "2026-01-31", "2026-03-02"),
    ("hipaa.accounting", "2026-11-20", "2027-01-19"),
    # Thanksgiving lies between.
    ("ccpa.ack", "2026-11-18", "2026-12-03"),
    ("ccpa.respond", "2026-11-18", "2027-01-02"),
    ("ccpa.optout", "2026-11-18", "2026-12-10"),
]


@pytest.mark.parametrize(("number", "received", "last"), VECTORS)
def test_the_last_day_in_time(number: str, received: str, last: str) -> None:
    is_holiday = FRANCE if number.startswith("gdpr") else US
    found, how = due_on(RULES[number], date.fromisoformat(received), is_holiday)
    assert found == date.fromisoformat(last)
    assert f"{found.day} {found:%B %Y}" in how


@pytest.mark.parametrize("number", sorted(one for one in RULES if one.startswith("gdpr.dsar.")))
def test_all_rules_of_the_gdpr_count_alike(number: str) -> None:
    if RULES[number].within:
        assert due_on(RULES[number], date(2026, 1, 31), FRANCE)[0] == date(2026, 3, 2)


def test_an_extension_is_counted_from_receipt_and_not_from_a_day_that_was_moved() -> None:
    longer = extended_until(RULES["gdpr.dsar.access"], date(2026, 1, 31), FRANCE)
    assert longer is not None
    # Two months after Monday 2 March would be 2 May.
    assert longer[0] == date(2026, 4, 30)


def test_hours_run_through_a_weekend_to_the_exact_moment() -> None:
    aware = datetime(2026, 11, 20, 16, 20, tzinfo=timezone(timedelta(hours=1)))
    assert moment_due(aware, 72) == datetime(2026, 11, 23, 15, 20, tzinfo=UTC)


def test_the_british_clock_stands_still_while_the_person_is_asked() -> None:
    rule = RULES["uk.dsar.all"]
    assert due_on(rule, date(2026, 9, 1), no_holidays)[0] == date(2026, 10, 1)
    paused, how = due_on(rule, date(2026, 9, 1), no_holidays, paused_days=5)
    assert paused == date(2026, 10, 6)
    assert "5 days of waiting" in how
    # No other clock waits.
    for other in ("gdpr.dsar.access", "ccpa.respond", "hipaa.access"):
        assert due_on(RULES[other], date(2026, 9, 1), no_holidays, paused_days=5) == due_on(
            RULES[other], date(2026, 9, 1), no_holidays
        )


def test_a_boxing_day_moves_a_british_due_date_and_no_french_one() -> None:
    # 26 December 2024 was a Thursday.
    assert is_working_day(date(2024, 12, 26), FRANCE)
    assert not is_working_day(date(2024, 12, 26), holidays_of("GB"))
    rule = RULES["uk.dsar.all"]
    assert due_on(rule, date(2024, 11, 26), holidays_of("GB"))[0] == date(2024, 12, 27)


def test_a_rule_does_not_hold_before_its_day() -> None:
    assert not RULES["uk.complaint.ack"].holds_on(date(2026, 6, 18))
    assert RULES["uk.complaint.ack"].holds_on(date(2026, 6, 19))
    asked = of("GB", Kind.COMPLAINT, received=date(2026, 6, 18))
    assert [clock.rule for clock in asked.clocks] == ["own", "own"]


@pytest.mark.parametrize(
    "written", ["one month", "0 days", "1 months", "2 month", "5 weeks", "", "-1 days"]
)
def test_a_time_that_cannot_be_read_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        Duration.read(written)


# Properties ---------------------------------------------------------------------------------------
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


@given(DAYS, st.integers(1, 40))
def test_months_keep_the_date_or_take_the_last_of_the_month(start: date, months: int) -> None:
    found = months_after(start, months)
    assert (found.year * 12 + found.month) - (start.year * 12 + start.month) == months
    assert found.day == start.day or (
        found.day < start.day and (found + timedelta(days=1)).day == 1
    )


@given(DAYS, st.integers(1, 30))
def test_business_days_are_counted_one_by_one(start: date, days: int) -> None:
    found = business_days_after(start, days, US)
    between = [start + timedelta(days=n) for n in range(1, (found - start).days + 1)]
    assert sum(is_working_day(day, US) for day in between) == days
    assert is_working_day(found, US)


@given(DAYS)
def test_who_asks_later_is_never_answered_earlier(start: date) -> None:
    later = start + timedelta(days=1)
    for rule in RULES.values():
        if rule.within is not None:
            assert due_on(rule, start, US)[0] <= due_on(rule, later, US)[0]
