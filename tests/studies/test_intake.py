"""What is sent in is stored once, whole, under the right patient, or not at all."""

from __future__ import annotations

import os
import threading
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.models import DataSubject
from studies.gateways.objects import ObjectReader
from studies.models import Blob, Instance, Study, Upload
from studies.rules.results import Status
from studies.services.intake import GATHERED_BYTES, Intake
from studies.services.sweeping import sweep_store
from vault.models import DataKey

from .conftest import COLLEAGUE, Kept, Portal
from .hostile import HOSTILE, MB, element
from .objects import an_object, of_size, uid

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
NOTHING = Kept(studies=0, series=0, instances=0, blobs=0, subjects=0, keys=0, files=0)


def bytes_of(row: Instance) -> bytes:
    row = Instance.objects.select_related("blob").get(pk=row.pk)
    with ObjectReader([row]) as reader:
        return b"".join(bytes(piece) for piece in reader.stream(row))


def statuses(results) -> list[str]:
    return [result.code or result.status.value for result in results]


def test_what_was_taken_in_comes_out_byte_for_byte(portal: Portal) -> None:
    objects = [an_object(number=n, pixels=bytes([n]) * 64) for n in range(1, 4)]
    assert statuses(portal.take(*objects)) == ["stored"] * 3
    assert [bytes_of(row) for row in Instance.objects.order_by("number")] == objects
    assert portal.kept() == Kept(1, 1, 3, 1, 1, 2, 1)


def test_the_same_again_is_success_and_stores_nothing(portal: Portal) -> None:
    objects = [an_object(number=1), an_object(number=2)]
    portal.take(*objects)
    before = portal.kept()
    assert statuses(portal.take(*objects)) == ["repeated"] * 2
    assert portal.kept() == before
    assert len(portal.events("study.received")) == 1
    assert portal.events("object.refused") == []


def test_the_same_twice_in_one_submission_is_stored_once(portal: Portal) -> None:
    assert statuses(portal.take(an_object(), an_object())) == ["stored", "repeated"]
    assert portal.kept() == Kept(1, 1, 1, 1, 1, 2, 1)


@pytest.mark.parametrize("together", [True, False], ids=["one submission", "two submissions"])
def test_other_content_under_a_known_identifier_is_refused_and_kept_nowhere(
    portal: Portal, together: bool
) -> None:
    first, other = an_object(), an_object(pixels=b"\7" * 64)
    results = portal.take(first, other) if together else portal.take(first) + portal.take(other)
    assert statuses(results) == ["stored", "other-content"]
    assert portal.kept() == Kept(1, 1, 1, 1, 1, 2, 1)
    assert bytes_of(Instance.objects.get()) == first
    assert [event.reason for event in portal.events("object.refused")] == ["other-content"]


@pytest.mark.parametrize("together", [True, False], ids=["one submission", "two submissions"])
def test_an_identifier_of_another_study_is_refused(portal: Portal, together: bool) -> None:
    first, moved = an_object(study="1", instance="77"), an_object(study="2", instance="77")
    results = portal.take(first, moved) if together else portal.take(first) + portal.take(moved)
    assert statuses(results) == ["stored", "other-study"]
    assert portal.kept() == Kept(1, 1, 1, 1, 1, 2, 1)


@pytest.mark.parametrize("together", [True, False], ids=["one submission", "two submissions"])
def test_another_patient_under_the_same_study_is_refused(portal: Portal, together: bool) -> None:
    first, other = an_object(number=1), an_object(number=2, patient="P-2")
    results = portal.take(first, other) if together else portal.take(first) + portal.take(other)
    assert statuses(results) == ["stored", "other-patient"]
    assert portal.kept() == Kept(1, 1, 1, 1, 1, 2, 1)


def test_an_object_of_another_study_than_the_one_named_is_refused(portal: Portal) -> None:
    results = portal.take(an_object(study="1"), an_object(study="2"), only_study=uid("1"))
    assert statuses(results) == ["stored", "not-this-study"]
    assert portal.kept().studies == 1


def test_the_same_object_may_be_held_by_two_organisations(portal: Portal) -> None:
    portal.take(an_object())
    assert statuses(portal.take(an_object(), email=COLLEAGUE)) == ["stored"]
    assert Study.objects.count() == DataSubject.objects.count() == 2
    first, second = Instance.objects.all()
    assert bytes(first.content_token) != bytes(second.content_token)


# Batches with good and bad -----------------------------------------------------------------------
def test_in_a_batch_the_good_is_stored_and_the_bad_named_with_its_reason(portal: Portal) -> None:
    bad = HOSTILE["two patients by order"][0]()
    results = portal.take(an_object(number=1), bad, b"", an_object(number=2))
    assert [result.status for result in results] == [
        Status.STORED, Status.REFUSED, Status.REFUSED, Status.STORED,
    ]  # fmt: skip
    assert all(result.sentence for result in results if result.status is Status.REFUSED)
    assert portal.kept() == Kept(1, 1, 2, 1, 1, 2, 1)
    assert len(portal.events("object.refused")) == 2
    upload = Upload.objects.get()
    assert (upload.accepted, upload.refused, upload.repeated) == (2, 2, 0)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_object_leaves_one_event_and_nothing_else(portal: Portal, name: str) -> None:
    build, codes = HOSTILE[name]
    (result,) = portal.take(build())
    assert result.status is Status.REFUSED
    # Where the size is known a false length is noticed before the end is.
    assert result.code in {*codes.split(), "length-past-end"}
    assert portal.kept() == NOTHING
    (event,) = portal.events("object.refused")
    assert (event.outcome, event.reason) == ("refused", result.code)
    assert portal.events("study.received") == []
    assert statuses(portal.take(an_object())) == ["stored"]


def test_a_submission_that_is_left_stores_nothing(portal: Portal) -> None:
    upload = portal.upload()
    with (
        pytest.raises(ConnectionResetError),
        Intake(actor=portal.actor(), upload=upload) as intake,
    ):
        intake.take([an_object()])
        intake.take(of_size(6))
        raise ConnectionResetError
    assert portal.kept() == NOTHING


def test_a_stream_that_breaks_off_stores_nothing(portal: Portal) -> None:
    def cut():
        yield from (piece for piece, _ in zip(of_size(6), range(90), strict=False))
        raise ConnectionResetError

    upload = portal.upload()
    with (
        pytest.raises(ConnectionResetError),
        Intake(actor=portal.actor(), upload=upload) as intake,
    ):
        intake.take(cut())
    assert portal.kept() == NOTHING


# Held --------------------------------------------------------------------------------------------
def held_object(number: int = 1) -> bytes:
    return an_object(number=number, changes={0x00100040: ("CS", "x" * 40)})


# Preambles ---------------------------------------------------------------------------------------
def test_a_preamble_is_neutralised_and_the_same_object_again_is_a_repetition(
    portal: Portal,
) -> None:
    sent = an_object(preamble=b"II*\0\x08\0\0\0")
    (result,) = portal.take(sent)
    assert result.neutralised
    assert bytes_of(Instance.objects.get()) == bytes(128) + sent[128:]
    assert statuses(portal.take(sent, an_object())) == ["repeated", "repeated"]


def test_the_preamble_of_a_large_object_is_neutralised_too(portal: Portal) -> None:
    def pieces():
        stream = of_size(5)
        first = next(stream)
        opening = b"II*\0\x08\0\0\0".ljust(128, b"\0") + first[128:]
        # In crumbs, so that the opening comes in several pieces.
        yield from (opening[at : at + 50] for at in range(0, len(opening), 50))
        yield from stream

    with Intake(actor=portal.actor(), upload=portal.upload()) as intake:
        result = intake.take(pieces())
        intake.commit()
    assert (result.status, result.neutralised) == (Status.STORED, True)
    assert bytes_of(Instance.objects.get())[:132] == bytes(128) + b"DICM"


# Large objects -----------------------------------------------------------------------------------
def test_a_large_object_passes_in_bounded_memory(portal: Portal) -> None:
    megabytes = 40
    upload, actor = portal.upload(), portal.actor()
    portal.take(an_object(study="77"))  # what is loaded once is loaded now
    tracemalloc.start()
    with Intake(actor=actor, upload=upload) as intake:
        result = intake.take(of_size(megabytes))
        intake.commit()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.status is Status.STORED
    assert peak < 24 * MB
    row = Instance.objects.get(study__uid=uid("9"))
    assert row.length > megabytes * MB
    assert row.frames == megabytes
    assert bytes_of(row) == b"".join(of_size(megabytes))


def test_a_large_object_again_is_a_repetition_and_leaves_nothing(portal: Portal) -> None:
    for wanted in (Status.STORED, Status.REPEATED):
        with Intake(actor=portal.actor(), upload=portal.upload()) as intake:
            result = intake.take(of_size(5))
            intake.commit()
        assert result.status is wanted
        assert portal.kept() == Kept(1, 1, 1, 1, 1, 2, 1)


def test_small_and_large_objects_of_one_study_are_compared_in_the_order_they_came(
    portal: Portal,
) -> None:
    with Intake(actor=portal.actor(), upload=portal.upload()) as intake:
        intake.take([an_object(study="9", number=2)])
        intake.take(of_size(5, number=1))
        # Of another patient; a large one that comes later must not decide whose study it is.
        intake.take([an_object(study="8", number=1, patient="P-8")])
        intake.take(of_size(5, number=2, study="8"))
        results = intake.commit()
    assert statuses(results) == ["stored", "stored", "stored", "other-patient"]


def test_objects_beyond_what_is_gathered_lie_in_one_blob_of_their_study(portal: Portal) -> None:
    count = GATHERED_BYTES // MB + 3
    objects = [
        an_object(number=n, changes={0x00091001: element(0x00091001, "OB", bytes([n]) * MB)})
        for n in range(1, count + 1)
    ]
    portal.take(*objects)
    assert Blob.objects.count() == 1
    assert [bytes_of(row) for row in Instance.objects.order_by("number")] == objects


# In any order ------------------------------------------------------------------------------------
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 4),
)
def test_however_objects_are_cut_into_submissions_the_first_of_each_identifier_is_kept(
    portal: Portal, sent: list[tuple[int, int, int, bool]], batch: int
) -> None:
    for model in (Instance, Blob, Study):
        model.objects.all().delete()
    expected: dict[str, tuple[int, int, int, bool]] = {}
    owners: dict[int, int] = {}
    objects, wanted = [], []
    for study, number, patient, other in sent:
        name = f"5.{number}"
        objects.append(
            an_object(
                study=str(study),
                instance=name,
                patient=f"P-{patient}",
                pixels=bytes([other]) * 64,
            )
        )
        this, earlier = (study, number, patient, other), expected.get(name)
        if earlier is None and owners.setdefault(study, patient) == patient:
            expected[name] = this
            wanted.append("stored")
        elif earlier is None:
            wanted.append("other-patient")
        elif earlier[0] != study:
            wanted.append("other-study")
        else:
            wanted.append("repeated" if earlier == this else "other-content")
    results = []
    for at in range(0, len(objects), batch):
        results += portal.take(*objects[at : at + batch])
    assert statuses(results) == wanted
    assert Instance.objects.count() == len(expected)
    assert sum(Study.objects.values_list("instance_count", flat=True)) == len(expected)


# At the same time --------------------------------------------------------------------------------
# On the stack: threads share SQLite in memory. For processes on SQLite in a file, see
# tests/stack/test_intake_crashes.py.
@pytest.mark.stack
def test_two_submissions_of_one_study_at_the_same_time_store_it_once(
    living_portal: Portal,
) -> None:
    portal, results, start = living_portal, [], threading.Barrier(4)
    objects = [an_object(number=n) for n in range(1, 6)]

    def submit() -> None:
        try:
            start.wait()
            results.append(statuses(portal.take(*objects)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [["repeated"] * 5] * 3 + [["stored"] * 5]
    assert DataKey.objects.filter(kind="study", destroyed_at__isnull=True).count() == 1
    # Keys of subjects that were rolled back seal nothing; the sweep destroys them.
    sweep_store(older_than=timedelta(seconds=-5))
    assert portal.kept() == Kept(1, 1, 5, 1, 1, 2, 1)


def test_no_file_of_the_store_holds_what_was_sent(portal: Portal) -> None:
    portal.take(an_object(name="Canary^Planted", patient="CANARY-77"))
    for path in portal.folder.rglob("*"):
        assert path.is_dir() or b"anary" not in path.read_bytes()
    assert not any("anary" in os.fspath(path) for path in Path(portal.folder).rglob("*"))
