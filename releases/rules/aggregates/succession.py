"""What follows on counts that were given: later people, and later snapshots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from releases.rules.aggregates.blocks import Blocks
from releases.rules.aggregates.vocabulary import Facts


def joined_by(blocks: Blocks, newcomers: Mapping[str, Facts]) -> tuple[Blocks, dict[str, int]]:
    """Let people in where at least as many enter one block at once as a group has; others wait.

    Returns the blocks with new counts, and the place of each person who entered. The boxes stay
    as they are: two partitions of one population, laid over each other, would part small groups.
    """
    waiting: dict[int, list[str]] = {}
    for person, facts in sorted(newcomers.items()):
        waiting.setdefault(blocks.place_of(facts), []).append(person)
    entering = {at: them for at, them in waiting.items() if len(them) >= blocks.at_least}
    grown = tuple(
        replace(block, people=block.people + len(entering.get(place, ())))
        for place, block in enumerate(blocks.blocks)
    )
    places = {person: place for place, them in entering.items() for person in them}
    return replace(blocks, blocks=grown), places


# Of everybody in a snapshot (by a pseudonym), in which of its blocks they are.
Places = Mapping[str, int]


def touched_by(new: Places, told: Places) -> Places:
    """Of what was told, the blocks that hold anybody of the new: only those can be parted by it."""
    blocks = {told[person] for person in new if person in told}
    return {person: place for person, place in told.items() if place in blocks}


def refusal_to_replace(published: Sequence[Places], new: Places, at_least: int) -> str:
    """Say why a snapshot cannot follow those that were published; empty if it can.

    Whatever the answers of all snapshots tell together is a union of groups of people who were
    in the same block, or in none, each time. So each such group has to be large. All earlier
    snapshots count, not the last alone: what was told stays told.
    """
    people = set(new).union(*published)
    groups = Counter(
        (*(before.get(person) for before in published), new.get(person)) for person in people
    )
    if all(size >= at_least for size in groups.values()):
        return ""
    return (
        f"Beside the counts that were given before, of this project or of others with some of the "
        f"same people, these would tell of fewer than {at_least} people. They are not made."
    )
