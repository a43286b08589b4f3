"""How long an answer may take, by which law, and how that was counted. Pure (C29, MEDDIM-7.24)."""

from dsar.rules.clocks.days import (
    Duration,
    Holidays,
    Unit,
    holidays_of,
    local_day,
    moment_due,
    noon_of,
)
from dsar.rules.clocks.reckoning import (
    Clock,
    Deadlines,
    Request,
    conditions_of,
    due_on,
    extended_until,
    reckon,
)
from dsar.rules.clocks.table import RULES, Rule, Step

__all__ = [
    "RULES",
    "Clock",
    "Deadlines",
    "Duration",
    "Holidays",
    "Request",
    "Rule",
    "Step",
    "Unit",
    "conditions_of",
    "due_on",
    "extended_until",
    "holidays_of",
    "local_day",
    "moment_due",
    "noon_of",
    "reckon",
]
