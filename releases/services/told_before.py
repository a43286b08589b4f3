"""What counts have told of people before: in this project, and in others of the organisation.

Pseudonyms differ from project to project, so that nobody joins the data. But counts of two projects
with nearly the same people tell, by their difference, of the few others. So pseudonyms are opened
here for as long as the comparison takes. Of a project that has ended nobody can, not even the
portal: its linking table is destroyed.
"""

from __future__ import annotations

from collections.abc import Mapping

from releases.models import Link, Project, Snapshot
from releases.rules.aggregates.succession import Places, refusal_to_replace, touched_by
from releases.rules.states import State
from releases.sealing import link_context
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key


def refusal_to_tell(project: Project, now: Mapping[str, int], at_least: int) -> str:
    """Say why people (by pseudonym) cannot be counted in these blocks; empty if they can."""
    new = _by_subject(project, now)
    told: list[Places] = []
    counted = Snapshot.objects.filter(project__organisation_id=project.organisation_id)
    for snapshot in counted.exclude(project__state__in=[State.ENDING, State.ENDED]):
        told += [touched_by(new, one) for one in _told_by(snapshot)]
    return refusal_to_replace(told, new, at_least)


def _told_by(snapshot: Snapshot) -> list[Places]:
    """Who was in which block, each time that people entered."""
    people = list(snapshot.people.all())
    return [
        _by_subject(snapshot.project, {one.code: one.place for one in people if one.batch <= batch})
        for batch in range(1, snapshot.batch + 1)
    ]


def _by_subject(project: Project, places: Mapping[str, int]) -> Places:
    """The same by who they are; whoever is not in the linking table any more stays a pseudonym."""
    sealer = FieldSealer(open_data_key(id=project.link_key_id))
    subjects = {
        link.code: sealer.open(
            bytes(link.sealed_subject), link_context(project.pk, link.code)
        ).decode()
        for link in Link.objects.filter(project=project, code__in=places)
    }
    return {subjects.get(code, f"{project.pk}/{code}"): place for code, place in places.items()}
