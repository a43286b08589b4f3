"""What an erasure does with requests: copies go, and what was asked and answered stays."""

from __future__ import annotations

from collections.abc import Iterator

from dsar.models import Package
from dsar.selectors import cases_about
from dsar.services.packaging import end_packages_of
from policies.rules.erasing import Erased, Eraser, Fate, Line, register_eraser
from policies.rules.holdings import Whose


def _copies(whose: Whose) -> list[Package]:
    rows = Package.objects.filter(case__in=cases_about(whose)).exclude(state=Package.State.GONE)
    return list(rows.select_related("case"))


def _plan(whose: Whose) -> Iterator[Line]:
    if copies := _copies(whose):
        yield Line(Fate.GOES, "Copies made for requests", len(copies))
    if number := cases_about(whose).count():
        yield Line(
            Fate.STAYS, "Requests and their answers", number,
            "they show that the law was kept (GDPR Art. 5(2); 11 CCR 7101)",
        )  # fmt: skip


def _carry_out(erased: Erased) -> None:
    end_packages_of(_copies(erased.whose))


def register() -> None:
    register_eraser(Eraser("requests", _plan, _carry_out))
