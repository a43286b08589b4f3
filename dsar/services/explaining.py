"""What is held, as the answer explains it: what for, who got it, and how long it is kept.

GDPR Art. 15(1)(a) to (g), 45 CFR 164.524, Cal. Civ. Code 1798.110: from the policy in force and,
for studies, from what policy and law ask for together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.models import Organisation
from dsar.services.collecting import Collection
from policies.rules.categories import CATEGORIES, CATEGORY_LABELS, Category
from policies.rules.holdings import Holding, Whose
from policies.rules.pack import Pack
from policies.rules.schema.care_of_data import TRIGGERS
from policies.selectors import packs_held
from retention.rules.periods import Period
from retention.selectors.keeping import keeping_of_studies, terms_of
from studies.models import Study

UNKNOWN = "as the privacy policy says"


@dataclass(frozen=True, slots=True)
class Explained:
    """A line of the answer."""

    room: str
    holding: Holding
    purposes: tuple[str, ...]
    kept: str

    @property
    def category(self) -> str:
        return CATEGORY_LABELS[self.holding.category]


def explained(collection: Collection, whose: Whose) -> list[Explained]:
    """Every holding with its purposes and its term; the rooms that could not say have none."""
    held = packs_held(whose.organisation_id)
    pack = held[-1] if held else None
    studies = _kept_studies(whose)
    return [
        Explained(
            part.label,
            one,
            purposes_of(pack, one.category) if pack else (),
            _kept(pack, one, studies),
        )
        for part in collection.parts
        for one in part.holdings or ()
    ]


def purposes_of(pack: Pack, category: Category) -> tuple[str, ...]:
    return tuple(one.label for one in pack.purposes if category.value in one.categories)


def _kept(pack: Pack | None, one: Holding, studies: str) -> str:
    if one.kept:
        return one.kept
    if one.category is Category.IMAGES and studies:
        return studies
    return kept_words(pack, one.category) if pack else UNKNOWN


def kept_words(pack: Pack, category: Category) -> str:
    """How long the policy keeps data of a category, and from when on."""
    line = pack["retention"].get(category.value)
    if line is None:
        return UNKNOWN
    return f"{Period.read(line['keep']).words} from {TRIGGERS[line['trigger']]}"


def _kept_studies(whose: Whose) -> str:
    """From the first to the last day on which one of the studies falls due."""
    studies = list(
        Study.objects.filter(
            organisation_id=whose.organisation_id, subject_id__in=whose.subject_ids
        )
    )
    if not studies:
        return ""
    organisation = Organisation.objects.get(pk=whose.organisation_id)
    days = sorted(one.until for one in keeping_of_studies(studies, terms_of(organisation)).values())
    if not days:
        return ""
    return " and ".join(dict.fromkeys(f"until {one:%d %B %Y}" for one in (days[0], days[-1])))


def rooms(lines: list[Explained]) -> Iterator[tuple[str, list[Explained]]]:
    """The lines by room, in the order in which they come."""
    for room in dict.fromkeys(line.room for line in lines):
        yield room, [line for line in lines if line.room == room]


@dataclass(frozen=True, slots=True)
class KindTold:
    """A kind of data that is held, and nothing of the data: what for, from where, to whom."""

    category: str
    purposes: tuple[str, ...]
    sources: tuple[str, ...]
    third_parties: tuple[str, ...]


def kinds_told(lines: list[Explained]) -> list[KindTold]:
    """The categories of what is held (Cal. Civ. Code 1798.110(c), 1798.115(a)).

    Of who got something it says what kind of organisation it was, of sources what kind of source.
    """
    told = []
    for category in dict.fromkeys(line.holding.category for line in lines):
        mine = [line for line in lines if line.holding.category is category]
        shared = any(line.holding.recipients for line in mine)
        told.append(KindTold(
            CATEGORY_LABELS[category],
            tuple(dict.fromkeys(one for line in mine for one in line.purposes)),
            (CATEGORIES[category].source.value,),
            ("organisations with which studies were shared",) if shared else (),
        ))  # fmt: skip
    return told
