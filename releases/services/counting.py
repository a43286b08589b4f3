"""Count the people of a released project, and answer what is asked about their numbers.

They are cut into blocks once (releases.rules.aggregates.blocks), from what the de-identified
objects say. After that only the blocks are read: neither a study nor a released object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from accounts.models import Organisation
from accounts.rules import Actor
from accounts.services.trail import record
from policies.rules.categories import Category
from policies.rules.purposes import Purpose
from policies.selectors import effective_pack
from releases.gateways.counts_reader import counts_alone
from releases.models import Project, Snapshot, SnapshotBlock, SnapshotPerson
from releases.permissions import can_approve, can_read_counts
from releases.rules.aggregates.blocks import (
    GROUP_KEY,
    AggregateRefused,
    Blocks,
    blocks_of,
    coarser,
)
from releases.rules.aggregates.reading import Said, countable, facts_of
from releases.rules.aggregates.scan import OutputRefused
from releases.rules.aggregates.succession import joined_by
from releases.rules.aggregates.tables import Table, lines_of, table_of
from releases.rules.aggregates.vocabulary import EDITION, Dimension, Facts, LabelRefused
from releases.rules.states import State
from releases.selectors import blocks_told, releasable_of
from releases.services.projects import ReleaseRefused
from releases.services.releasing import withdrawn_since
from releases.services.told_before import refusal_to_tell
from studies.rules.deidentification.profile import Option

COUNTED: Final = "release.counted"
REFUSED: Final = "release.counts_refused"
ANSWERED: Final = "release.counts_seen"
ALL: Final = frozenset(Dimension)
ONLY_INSIDE: Final = "Counts are told within the organisation that released the data."


def count_people(*, actor: Actor, project: Project, dimensions: Sequence[str] = ()) -> Snapshot:
    """Count the people of a released project, or let in those who have come since.

    `dimensions` are chosen the first time, for good: the same people cut in another way would be
    told of in small parts. Raises `ReleaseRefused`; a refusal is recorded.
    """
    try:
        return _count(actor, project, dimensions)
    except ReleaseRefused:
        _write(actor, project, REFUSED)
        raise


@transaction.atomic
def _count(actor: Actor, project: Project, dimensions: Sequence[str]) -> Snapshot:
    # The organisation too: counts of two projects are compared, so they are not made at once.
    Organisation.objects.select_for_update().get(pk=project.organisation_id)
    locked = Project.objects.select_for_update().get(pk=project.pk)
    if not can_approve(actor, locked):
        raise ReleaseRefused("Only a privacy officer has people counted.")
    if locked.state != State.RELEASED:
        raise ReleaseRefused("People are counted once the project is released.")
    if withdrawn_since(locked):
        raise ReleaseRefused(
            "Some of its studies may not be used any more. Make it anew and release it; then "
            "people are counted."
        )
    at_least = effective_pack(locked.organisation_id)[GROUP_KEY]
    people = _people_of(locked)
    snapshot = Snapshot.objects.filter(project=locked).first()
    try:
        if snapshot is None:
            chosen = _chosen(locked, dimensions)
            blocks = blocks_of([*people.values()], at_least=at_least, dimensions=chosen)
            found = _first(actor, locked, blocks, people)
        else:
            found = _further(snapshot, people, at_least)
    except AggregateRefused as refusal:
        raise ReleaseRefused(str(refusal)) from None
    _write(actor, locked, COUNTED, {"batch": found.batch, "at_least": found.at_least})
    return found


def _people_of(project: Project) -> dict[str, Facts]:
    """What the released objects of each person say, in the words of the vocabularies."""
    said: dict[str, list[Said]] = {}
    for code, facts in releasable_of(project).values_list("patient", "facts").iterator(2000):
        said.setdefault(code, []).append(facts)
    dates_are_true = Option.FULL_DATES in project.options
    found = {}
    for code, objects in said.items():
        try:
            found[code] = facts_of(objects, dates_are_true=dates_are_true)
        except LabelRefused as refusal:
            raise ReleaseRefused(f"{refusal} It is one of pseudonym {code}.") from None
    return found


def _chosen(project: Project, names: Sequence[str]) -> list[Dimension]:
    possible = countable(project.options)
    if not names or not set(names) <= set(possible):
        raise ReleaseRefused("Choose what to count by among what the project keeps.")
    return [one for one in possible if one in set(names)]


def _first(actor: Actor, project: Project, blocks: Blocks, people: Mapping[str, Facts]) -> Snapshot:
    places = {code: blocks.place_of(facts) for code, facts in people.items()}
    _require_untold(project, places, blocks.at_least)
    snapshot = Snapshot.objects.create(
        project=project,
        dimensions=[*blocks.dimensions],
        at_least=blocks.at_least,
        edition=EDITION,
        made_by_id=actor.user_id,
    )
    _write_blocks(snapshot, blocks)
    _enter(snapshot, places)
    return snapshot


def _require_untold(project: Project, places: Mapping[str, int], at_least: int) -> None:
    if refusal := refusal_to_tell(project, places, at_least):
        raise ReleaseRefused(refusal)


def _further(snapshot: Snapshot, people: Mapping[str, Facts], at_least: int) -> Snapshot:
    blocks = blocks_told(snapshot)
    if at_least > blocks.at_least:
        blocks = _put_together(snapshot, blocks, at_least)
    before = {one.code: one for one in snapshot.people.all()}
    newcomers = {code: facts for code, facts in people.items() if code not in before}
    grown, entered = joined_by(blocks, newcomers)
    now = {code: one.place for code, one in before.items()} | entered
    _require_untold(snapshot.project, now, snapshot.at_least)
    snapshot.at_least = grown.at_least
    snapshot.batch += bool(entered)
    snapshot.save()
    _write_blocks(snapshot, grown)
    _enter(snapshot, entered)
    return snapshot


def _put_together(snapshot: Snapshot, blocks: Blocks, at_least: int) -> Blocks:
    """Larger blocks, of whole ones; people go with theirs."""
    larger = coarser(blocks, at_least)
    within = [
        next(place for place, one in enumerate(larger.blocks) if one.covers(block))
        for block in blocks.blocks
    ]
    counted = list(snapshot.people.all())
    for person in counted:
        person.place = within[person.place]
    SnapshotPerson.objects.bulk_update(counted, ["place"], batch_size=500)
    return larger


def _write_blocks(snapshot: Snapshot, blocks: Blocks) -> None:
    snapshot.blocks.all().delete()
    SnapshotBlock.objects.bulk_create(
        SnapshotBlock(
            snapshot=snapshot,
            place=place,
            box={dimension.value: sorted(span) for dimension, span in block.box.items()},
            people=block.people,
        )
        for place, block in enumerate(blocks.blocks)
    )


def _enter(snapshot: Snapshot, places: Mapping[str, int]) -> None:
    SnapshotPerson.objects.bulk_create(
        SnapshotPerson(snapshot=snapshot, code=code, place=place, batch=snapshot.batch)
        for code, place in sorted(places.items())
    )


# Answers -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Answer:
    """A table, and the same as text."""

    table: Table
    lines: list[list[str]]


def answer(*, actor: Actor, project: Project, by: str, across: str = "") -> Answer:
    """Tell how many people there are, by one dimension or two. Raises `ReleaseRefused`.

    Each answer is an event (LIFEIMAGE-9.3), and so is a refusal.
    """
    # What is no dimension is somebody's own text, which the trail never holds.
    asked = {"by": by if by in ALL else "", "across": across if across in ALL else ""}
    try:
        if not can_read_counts(actor, project):
            raise ReleaseRefused(ONLY_INSIDE)
        blocks = _told(project)
        at_least = effective_pack(project.organisation_id)[GROUP_KEY]
        table = table_of(blocks, by, across, at_least=at_least)
        found = Answer(table, lines_of(table))
    except (ReleaseRefused, AggregateRefused, OutputRefused) as refusal:
        _write(actor, project, REFUSED, asked)
        raise ReleaseRefused(str(refusal)) from None
    _write(actor, project, ANSWERED, {**asked, "at_least": table.at_least})
    return found


def _told(project: Project) -> Blocks:
    """The blocks, read as somebody who can read nothing else (LIFEIMAGE-5.4)."""
    with counts_alone():
        snapshot = Snapshot.objects.filter(project_id=project.pk).first()
        if snapshot is None:
            raise ReleaseRefused("The people of this project have not been counted yet.")
        return blocks_told(snapshot)


def may_tell_counts(project: Project) -> bool:
    """Is there something to ask: are people counted, or can they be, and does the policy let it?"""
    counted = Snapshot.objects.filter(project=project).exists()
    pack = effective_pack(project.organisation_id)
    return (counted or project.state == State.RELEASED) and pack.lists(
        Purpose.STATISTICS, Category.DEIDENTIFIED
    )


def discard_counts(project: Project, *, blocks_too: bool) -> None:
    """At a project's end who was counted is forgotten; the numbers too, if the data is deleted."""
    SnapshotPerson.objects.filter(snapshot__project=project).delete()
    if blocks_too:
        Snapshot.objects.filter(project=project).delete()


def _write(
    actor: Actor, project: Project, action: str, details: Mapping[str, object] | None = None
) -> None:
    record(
        action=action, actor=actor, organisation_id=project.organisation_id,
        purpose=Purpose.STATISTICS.value, target=("release", str(project.pk)),
        details=details or {},
    )  # fmt: skip
