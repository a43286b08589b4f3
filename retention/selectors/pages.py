"""What pages show of how long things are kept."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Organisation
from policies.rules.categories import CATEGORY_LABELS, Category
from policies.rules.schema.care_of_data import TRIGGERS
from policies.selectors import NoPolicy, effective_pack
from retention.rules.duties import Duty, Term, duties_over
from retention.selectors.keeping import holder_of, keeping_of_studies, terms_of
from studies.models import Study


def keeping_for_page(study: Study) -> str:
    """The sentence on a study's page."""
    found = keeping_of_studies([study], terms_of(study.organisation))
    if study.pk not in found:
        return "No policy is in force here, so it is kept."
    return found[study.pk].words


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """One kind of data: what the policy says, and what laws ask at least."""

    category: Category
    said: str
    then: str
    duties: tuple[Duty, ...]

    @property
    def label(self) -> str:
        return CATEGORY_LABELS[self.category]


_THEN = {
    "delete": "deleted", "anonymise": "made anonymous", "review": "looked at by a person",
    "archive": "archived as long as law asks for it, then deleted",
}  # fmt: skip


def schedule_lines(organisation: Organisation) -> list[ScheduleLine]:
    """For each kind of data that the policy names: its schedule and the duties that bind here."""
    try:
        lines = effective_pack(organisation.pk)["retention"]
    except NoPolicy:
        return []
    holder = holder_of(organisation)
    found = []
    for category in Category:
        if (line := lines.get(category.value)) is None:
            continue
        said = f"{line['keep']} from {TRIGGERS[line['trigger']]}"
        if "and_until" in line:
            said += f", and until {TRIGGERS[line['and_until']]}"
        duties = duties_over(holder, [category])
        found.append(ScheduleLine(category, said, _THEN[line["action"]], duties))
    return found


def term_words(duty: Duty) -> list[str]:
    """Each way in which a duty counts, in words."""
    return [_words(term) for term in duty.terms]


def _words(term: Term) -> str:
    when = ", ".join(_WHEN[one] for one in term.when)
    if term.keep is None:
        said = f"until the day before the age of {term.age}" if term.before else (
            f"until the age of {term.age}"
        )  # fmt: skip
    else:
        said = f"{term.keep.words} from {_FROM[term.start]}"
    return f"{when}: {said}" if when else said


_WHEN = {
    "minor": "a minor at the examination", "adult": "an adult at the examination",
    "seventeen-at-end": "17 when last seen", "mammogram": "a mammogram",
    "no-later-mammogram": "no later mammogram here",
}  # fmt: skip
_FROM = {
    "examination": "the examination", "last-contact": "the last examination here",
    "majority": "the age of 18", "death": "the death", "created": "the day it was made",
    "last-effective": "the day it last held", "employment-ended": "the end of employment",
    "project-ended": "the end of the project",
}  # fmt: skip
