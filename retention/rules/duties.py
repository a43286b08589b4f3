"""Reads the catalogue of duties to keep (duties.yaml), and says which of them hold. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from policies.rules.categories import Category
from policies.rules.document import load_yaml
from retention.rules.facts import Facts, Holder, Milestone, Setting
from retention.rules.periods import Period, birthday
from studies.rules.minors import MAJORITY

# From what a term is counted. None: it did not happen, or nobody knows of it.
STARTS: dict[str, Callable[[Facts], date | None]] = {
    "examination": lambda facts: facts.examination,
    "last-contact": lambda facts: facts.last_contact,
    "majority": lambda facts: birthday(facts.birth, MAJORITY),
    "death": lambda facts: facts.died_on,
    "created": lambda facts: facts.received_on,
    "last-effective": lambda facts: facts.milestones.get("last-effective"),
    "employment-ended": lambda facts: facts.milestones.get("employment-ended"),
    "project-ended": lambda facts: facts.milestones.get(Milestone.PROJECT_ENDED),
}
CONDITIONS: dict[str, Callable[[Facts], bool]] = {
    "minor": lambda facts: facts.is_minor,
    "adult": lambda facts: not facts.is_minor,
    "seventeen-at-end": lambda facts: facts.age_at_end == 17,
    "mammogram": lambda facts: facts.is_mammogram,
    "no-later-mammogram": lambda facts: facts.later_mammogram_on is None,
}
IMAGES: dict[str, Callable[[Facts], bool]] = {
    "": lambda _: True,
    "ionising": lambda facts: facts.is_ionising,
    "mammography": lambda facts: facts.is_mammogram,
    "radiotherapy": lambda facts: facts.is_radiotherapy,
}
SUBJECTS = frozenset({"people", "animals", "both"})
SURE = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Term:
    """One way to reach a last day: so long from something, or until a birthday."""

    start: str = ""
    keep: Period | None = None
    age: int = 0
    before: bool = False
    when: tuple[str, ...] = ()

    def until(self, facts: Facts) -> date | None:
        """The last day of this term; None if it does not hold for these facts."""
        if not all(CONDITIONS[one](facts) for one in self.when):
            return None
        if self.keep is None:
            reached = birthday(facts.birth, self.age)
            return reached - timedelta(days=1) if self.before else reached
        start = STARTS[self.start](facts)
        return self.keep.after(start) if start else None


@dataclass(frozen=True, slots=True)
class Duty:
    """A line of the catalogue; what each field means stands at its head."""

    code: str
    law: str
    places: frozenset[str]
    covers: frozenset[Category]
    terms: tuple[Term, ...]
    cites: str
    sure: str
    settings: frozenset[Setting] = frozenset()
    regime: str = ""
    subjects: str = "people"
    images: str = ""
    note: str = ""

    def binds(self, holder: Holder) -> bool:
        """Does it hold for this organisation at all?"""
        return (
            bool(self.places & holder.places)
            and (not self.settings or bool(self.settings & holder.settings))
            and (not self.regime or self.regime in holder.regimes)
        )

    def concerns(self, facts: Facts) -> bool:
        """Does it speak of such a study?"""
        about = "animals" if facts.is_animal else "people"
        return self.subjects in {about, "both"} and IMAGES[self.images](facts)


_FIELDS = frozenset(
    "law places settings regime subjects images covers terms cites sure note".split()
)


def _term(line: Mapping[str, Any]) -> Term:
    if ("keep" in line) == ("age" in line) or ("keep" in line) != ("from" in line):
        raise ValueError("a term has a period and what it is counted from, or an age")
    term = Term(
        start=line.get("from", ""), keep=Period.read(line["keep"]) if "keep" in line else None,
        age=line.get("age", 0), before=line.get("before", False),
        when=tuple(line.get("when", ())),
    )  # fmt: skip
    if unknown := set(term.when) - CONDITIONS.keys() | ({term.start} - STARTS.keys() - {""}):
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    return term


def read_duty(code: str, line: Mapping[str, Any]) -> Duty:
    """Read one line. Raises ValueError for what no duty can have."""
    if unknown := line.keys() - _FIELDS:
        raise ValueError(f"{code}: unknown {', '.join(sorted(unknown))}")
    duty = Duty(
        code=code, law=line["law"], places=frozenset(line["places"]),
        covers=frozenset(map(Category, line["covers"])), terms=tuple(map(_term, line["terms"])),
        cites=line["cites"], sure=line["sure"], settings=frozenset(
            Setting(one) for one in line.get("settings", ())
        ),
        regime=line.get("regime", ""), subjects=line.get("subjects", "people"),
        images=line.get("images", ""), note=line.get("note", ""),
    )  # fmt: skip
    if not duty.cites or not duty.terms or duty.sure not in SURE:
        raise ValueError(f"{code}: a duty has terms, a citation, and says how sure it is")
    if duty.subjects not in SUBJECTS or duty.images not in IMAGES:
        raise ValueError(f"{code}: unknown subjects or images")
    return duty


_TABLE = load_yaml(Path(__file__).with_name("duties.yaml").read_text(encoding="utf-8"))
DUTIES: dict[str, Duty] = {code: read_duty(code, line) for code, line in _TABLE.items()}


def duties_of(holder: Holder) -> tuple[Duty, ...]:
    """The duties that bind an organisation, in the order of the catalogue."""
    return tuple(duty for duty in DUTIES.values() if duty.binds(holder))


def duties_over(holder: Holder, categories: Collection[Category]) -> tuple[Duty, ...]:
    """Those that bind it for data of any of these categories."""
    return tuple(duty for duty in duties_of(holder) if duty.covers & set(categories))
