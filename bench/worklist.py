"""The worklist as it grows: `python -m bench.worklist`, a part of `make bench`.

Rows are filled in bulk, with the keys, sealed summaries and keyed hashes that the intake makes;
what a colleague elsewhere shares comes in by the intake itself. Times are of the service behind
the page, with its event in the trail, over databases of its own: SQLite in a folder that is
thrown away, or what `DATABASE_URL` and `KEYS_DATABASE_URL` name with `--here`.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from bench.objects import FAMILIES, GIVEN

if TYPE_CHECKING:
    from accounts.rules import Actor

SIZES = (1_000, 100_000)
BATCH = 2_000
SHARED = 20
ENDINGS = [f"{one}{other}" for one in "AEIOU" for other in "NRST"]
STUDIES_OF_ONE = 4
FIRST_DAY, DAYS = date(2015, 1, 1), 3_650
MODALITIES = ("CT", "MR", "US", "DX", "XA")
OURS, THEIRS = "clinician@hospital.example", "clinician@imaging.example"


@dataclass(frozen=True)
class Patient:
    """What one study of the list can be found by."""

    number: int
    name: str
    identifier: str
    accession: str
    day: date
    modality: str

    def attributes(self, uid: str) -> dict[str, Any]:
        """Give the study's attributes as DICOM JSON."""
        day = f"{self.day:%Y%m%d}"
        return {
            "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
            "00080020": {"vr": "DA", "Value": [day]},
            "00080030": {"vr": "TM", "Value": ["101500"]},
            "00080050": {"vr": "SH", "Value": [self.accession]},
            "00081030": {"vr": "LO", "Value": ["Chest, without contrast"]},
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": self.name}]},
            "00100020": {"vr": "LO", "Value": [self.identifier]},
            "00100030": {"vr": "DA", "Value": ["19700101"]},
            "00100040": {"vr": "CS", "Value": ["F"]},
            "0020000D": {"vr": "UI", "Value": [uid]},
            "00200010": {"vr": "SH", "Value": [str(self.number)]},
        }


def patients(begin: int, end: int) -> Iterator[Patient]:
    """Invent patients; the same numbers give the same ones."""
    for number in range(begin, end):
        chance = random.Random(number)
        ending = chance.choice(ENDINGS)
        yield Patient(
            number,
            f"{chance.choice(FAMILIES)}{ending}^{chance.choice(GIVEN)}",
            f"P{number // STUDIES_OF_ONE:07d}",
            f"A{number:07d}",
            FIRST_DAY + timedelta(days=chance.randrange(DAYS)),
            "SR" if number % 1000 == 7 else chance.choice(MODALITIES),
        )


# Filling -----------------------------------------------------------------------------------------
def fill(actor: Actor, begin: int, end: int) -> None:
    """Add studies of the actor's organisation in batches."""
    for start in range(begin, end, BATCH):
        _fill_batch(actor, list(patients(start, min(start + BATCH, end))))


def _fill_batch(actor: Actor, listed: list[Patient]) -> None:
    from django.db import transaction

    from studies.models import Series, Study
    from vault.services.data_keys import create_data_keys

    organisation = actor.organisation_id
    assert organisation is not None
    with transaction.atomic():
        subjects = _subjects(organisation, listed)
        keys = create_data_keys(organisation_id=organisation, kind="study", count=len(listed))
        rows = [
            _study(organisation, patient, subject, key)
            for patient, subject, key in zip(
                listed, chain.from_iterable(subjects), keys, strict=True
            )
        ]
        Study.objects.bulk_create(rows, batch_size=500)
        Series.objects.bulk_create(
            [
                Series(
                    study=row, uid=f"{row.uid}.1", modality=patient.modality,
                    sealed_summary=b"", instance_count=1,
                )
                for row, patient in zip(rows, listed, strict=True)
            ],
            batch_size=500,
        )  # fmt: skip
        _file_names(
            [
                (row.pk, token)
                for row, patient in zip(rows, listed, strict=True)
                for token in _name_tokens(organisation, patient.name)
            ]
        )


@lru_cache(maxsize=100_000)
def _name_tokens(organisation: Any, name: str) -> list[bytes]:
    from studies import index

    return index.tokens_of_names(organisation, [name])


def _file_names(rows: list[tuple[int, bytes]]) -> None:
    """Some twenty rows for each study: written without a model for each of them."""
    from django.db import connection

    with connection.cursor() as cursor:
        for start in range(0, len(rows), 400):
            some = rows[start : start + 400]
            places = ", ".join(["(%s, %s)"] * len(some))
            cursor.execute(
                f"INSERT INTO studies_studynametoken (study_id, token) VALUES {places}",
                [value for row in some for value in row],
            )


def _subjects(organisation: Any, listed: list[Patient]) -> list[list[Any]]:
    """Make the patients of a batch; each is given as often as it has studies."""
    import uuid

    from consent.models import DataSubject
    from consent.selectors import subject_context
    from consent.services.subjects import IDENTIFIER_FIELD
    from vault.rules.blind_index import exact_token
    from vault.rules.sealed_field import FieldSealer
    from vault.services.data_keys import create_data_keys, open_index_key

    firsts = listed[::STUDIES_OF_ONE]
    keys = create_data_keys(organisation_id=organisation, kind="subject", count=len(firsts))
    index = open_index_key(organisation_id=organisation, field_name=IDENTIFIER_FIELD)
    rows = []
    for patient, key in zip(firsts, keys, strict=True):
        identity = uuid.uuid4()
        sealed = FieldSealer(key.key).seal(patient.name.encode(), subject_context(identity))
        token = exact_token(index, f"\x1f{patient.identifier}")
        rows.append(
            DataSubject(
                id=identity, organisation_id=organisation, kind="person", key_id=key.id,
                sealed_record=sealed, identifier_token=token,
            )
        )  # fmt: skip
    DataSubject.objects.bulk_create(rows, batch_size=500)
    return [[row] * STUDIES_OF_ONE for row in rows]


def _study(organisation: Any, patient: Patient, subject: Any, key: Any) -> Any:
    import orjson

    from studies import index
    from studies.models import Study
    from studies.sealing import study_context
    from vault.rules.sealed_field import FieldSealer

    uid = f"1.2.826.0.1.3680043.10.1999.9.{patient.number}"
    days = index.tokens_of_date(organisation, patient.day)
    return Study(
        organisation_id=organisation,
        uid=uid,
        subject=subject,
        key_id=key.id,
        sealed_summary=FieldSealer(key.key).seal(
            orjson.dumps(patient.attributes(uid)), study_context(organisation, uid)
        ),
        patient_id_token=index.token(organisation, "patient", f"\x1f{patient.identifier}"),
        identifier_token=index.token(organisation, "identifier", patient.identifier),
        accession_token=index.token(organisation, "accession", patient.accession),
        study_id_token=index.token(organisation, "study_id", str(patient.number)),
        day_token=days.day,
        month_token=days.month,
        year_token=days.year,
        modalities=f"\\{patient.modality}\\",
        series_count=1,
        instance_count=1,
    )


def share_some(ours: Actor, theirs: Actor) -> None:
    """Let a colleague elsewhere share a few studies with us, by the services of the pages."""
    from dataclasses import replace

    from django.utils import timezone

    from bench.objects import build
    from studies.services.intake import Intake
    from studies.services.uploads import open_upload

    objects = [
        build(study=n, series=0, instance=0, name=f"SHARED{n}^ANNA", rows=4, columns=4,
              pixels=bytes(32))
        for n in range(SHARED)
    ]  # fmt: skip
    upload = open_upload(actor=theirs, source="command")
    with Intake(actor=theirs, upload=upload) as intake:
        for one in objects:
            intake.take([one.data])
        intake.commit()
    fresh = replace(theirs, stepped_up_at=timezone.now(), factor="totp")
    for one in objects:
        _grant(fresh, ours, one.study)


def _grant(giver: Actor, to: Actor, study_uid: str) -> None:
    from django.utils import timezone

    from accounts.models import Membership, Organisation
    from consent.rules.agreement import OfferedItem, digest_of_text
    from consent.rules.decision import Item
    from consent.services.grants import compose_agreement, create_grant
    from studies.models import Study

    owner = Organisation.objects.get(pk=giver.organisation_id)
    recipient = Membership.objects.select_related("user", "organisation").get(pk=to.membership_id)
    study = Study.objects.get(organisation=owner, uid=study_uid)
    agreement = compose_agreement(
        actor=giver, owner=owner, recipient_organisation=recipient.organisation,
        recipient=recipient, subject_name="Anna", purpose_code="treatment", may_download=False,
        expires_at=timezone.now() + timedelta(days=1),
        items=(OfferedItem(Item(study_uid), "the study", 1, "0" * 64),),
    )  # fmt: skip
    create_grant(
        actor=giver, owner=owner, recipient_organisation=recipient.organisation,
        recipient=recipient, subject_id=study.subject_id, purpose_code="treatment",
        agreement=agreement, shown_digest=digest_of_text(agreement.text()),
    )  # fmt: skip


# Asking ------------------------------------------------------------------------------------------
def questions(size: int) -> dict[str, tuple[dict[str, Any], str]]:
    """What is asked of a list of so many: what the form holds, and which page."""
    one = next(patients(size // 2, size // 2 + 1))
    middle = size // 50 // 2
    return {
        "first page": ({}, "1"),
        f"page {min(1000, middle)}": ({}, str(min(1000, middle))),
        "name, three letters": ({"name": one.name[:3]}, "1"),
        "name, whole": ({"name": one.name}, "1"),
        "name, nobody": ({"name": "Nobodyatall"}, "1"),
        "patient ID": ({"identifier": one.identifier}, "1"),
        "accession number": ({"accession": one.accession}, "1"),
        "one week": ({"since": one.day, "until": one.day + timedelta(days=6)}, "1"),
        "one year": ({"since": date(2018, 1, 1), "until": date(2018, 12, 31)}, "1"),
        "since 2023": ({"since": date(2023, 1, 1)}, "1"),
        "modality, common": ({"modality": "CT"}, "1"),
        "modality, rare": ({"modality": "SR"}, "1"),
        "name and modality": ({"name": one.name[:3], "modality": "CT"}, "1"),
        "week and modality": (
            {"since": one.day, "until": one.day + timedelta(days=6), "modality": one.modality}, "1",
        ),
    }  # fmt: skip


@dataclass(frozen=True)
class Measured:
    milliseconds: float
    queries: int
    found: int


def ask(actor: Actor, wanted: dict[str, Any], page: str, *, rounds: int) -> Measured:
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    from studies.services.listing import worklist

    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = worklist(actor=actor, wanted=wanted, page=page)
        times.append((time.perf_counter() - began) * 1000)
    count = 0
    for name in ("default", "keys"):
        with CaptureQueriesContext(connections[name]) as captured:
            worklist(actor=actor, wanted=wanted, page=page)
        count += len(captured)
    return Measured(statistics.median(times), count, answer.page.paginator.count)


def explain(actor: Actor, wanted: dict[str, Any], page: str) -> str:
    """Give the plans of the statements about studies, for whoever wants to know why."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from studies.services.listing import worklist

    with CaptureQueriesContext(connection) as captured:
        worklist(actor=actor, wanted=wanted, page=page)
    plans = []
    word = "EXPLAIN ANALYZE" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    for query in captured:
        sql = query["sql"]
        if sql.startswith("SELECT") and '"studies_study"' in sql:
            with connection.cursor() as cursor:
                try:
                    cursor.execute(f"{word} {sql}")
                    plan = "\n".join("    " + str(row[-1]) for row in cursor.fetchall())
                except Exception as error:  # noqa: BLE001 - bytes are shown, not quoted, by SQLite
                    plan = f"    {type(error).__name__}"
            plans.append(f"  {query['time']} s  {sql[:150]} …\n{plan}")
    return "\n".join(plans)


def run(sizes: tuple[int, ...], *, rounds: int, plans: bool) -> None:
    from accounts.selectors import actor_of_user
    from accounts.services.demo import seed_cast

    people = seed_cast()
    ours, theirs = (actor_of_user(people[email]) for email in (OURS, THEIRS))
    share_some(ours, theirs)
    before: dict[str, Measured] = {}
    filled = 0
    for size in sizes:
        began = time.monotonic()
        fill(ours, filled, size)
        filled = size
        _analyse()
        print(f"\n{size:,} studies (filled in {time.monotonic() - began:.0f} s)")
        print(f"{'':22} {'ms':>8} {'queries':>8} {'found':>8} {'growth':>8}")
        for what, (wanted, page) in questions(size).items():
            measured = ask(ours, wanted, page, rounds=rounds)
            kind = "deep page" if what.startswith("page ") else what
            first = before.setdefault(kind, measured)
            print(
                f"{what:22} {measured.milliseconds:8.1f} {measured.queries:8}"
                f" {measured.found:8} {measured.milliseconds / first.milliseconds:7.1f}x"
            )
            if plans and size == sizes[-1]:
                print(explain(ours, wanted, page))


def _analyse() -> None:
    from django.db import connections

    for name in ("default", "keys"):
        with connections[name].cursor() as cursor:
            cursor.execute("ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--plans", action="store_true", help="print the plans of the last size")
    parser.add_argument("--here", action="store_true", help="use the databases that are set")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="collimate-worklist-") as folder:
        # With databases that stay, the keys that open them stay too.
        os.environ["STATE_DIR"] = os.environ.get("STATE_DIR", folder) if options.here else folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        if not options.here:
            for name in ("DATABASE_URL", "KEYS_DATABASE_URL", "STORAGE_URL"):
                os.environ.pop(name, None)
        import django
        from django.core.management import call_command

        django.setup()
        for name in ("default", "keys"):
            call_command("migrate", database=name, interactive=False, verbosity=0)
        sizes = tuple(int(one) for one in options.sizes.split(","))
        run(sizes, rounds=options.rounds, plans=options.plans)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
