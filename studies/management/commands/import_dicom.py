"""Take folders, files and archives into the store, in the name of a person who may send them."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.rules import Actor
from accounts.selectors import actor_of_user, memberships_of_user
from consent.services.decisions import Refused as AccessRefused
from policies.rules.categories import CARE_DATA
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from studies.rules import reasons
from studies.rules.archive import display_name, members
from studies.rules.results import Result, Status
from studies.services.intake import Intake
from studies.services.uploads import close_upload, open_upload

BLOCK = 256 * 1024
# Made durable together; what was acknowledged before a fault stays.
BATCH = 500
ALL_KEPT, NOTHING_KEPT, SOME_REFUSED = 0, 1, 3
_ARCHIVE_MARK = b"PK\3\4"


class Command(BaseCommand):
    help = (
        "Take in DICOM files: each PATH is a file, a folder with all below it, or a ZIP archive. "
        "Exit status 0: all were kept, but for the tables of contents of discs; 3: some were "
        "refused; 1: nothing was kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", type=Path)
        parser.add_argument("--user", required=True, metavar="EMAIL", help="who sends them")
        parser.add_argument(
            "--hold-differing-identifiers",
            action="store_true",
            help="hold files whose opening names another object than the one they are, as some "
            "de-identifiers leave them, and let it name this one; else they are refused",
        )
        parser.add_argument(
            "--organisation", metavar="SLUG", help="where, if they work for several"
        )

    @under(Purpose.TREATMENT, *CARE_DATA)
    def handle(self, *args: Any, **options: Any) -> None:
        actor = _actor(options["user"], options["organisation"])
        paths: list[Path] = options["paths"]
        if missing := [str(path) for path in paths if not path.exists()]:
            raise CommandError(f"There is no {', '.join(missing)}.", returncode=NOTHING_KEPT)
        try:
            results = self._take(actor, paths, hold=options["hold_differing_identifiers"])
        except AccessRefused as refusal:
            raise CommandError(refusal.decision.sentence, returncode=NOTHING_KEPT) from None
        self._print_studies(results)
        self._print_refused(results)
        if status := exit_status(results):
            sys.exit(status)

    def _take(self, actor: Actor, paths: list[Path], *, hold: bool) -> list[Result]:
        """Take everything in, a batch at a time, under one attestation."""
        upload = open_upload(actor=actor, source="command")
        results: list[Result] = []
        objects = _objects(paths)
        done = False
        while not done:
            with Intake(actor=actor, upload=upload, hold_differing=hold) as intake:
                done = _fill(intake, objects)
                results += intake.commit()
            self._show_progress(len(results))
        close_upload(upload=upload)
        self.stderr.write("")
        return results

    def _show_progress(self, count: int) -> None:
        self.stderr.write(f"\r{count} files", ending="")
        self.stderr.flush()

    def _print_studies(self, results: list[Result]) -> None:
        per_study: dict[str, list[Result]] = defaultdict(list)
        for result in results:
            if result.status.is_kept:
                per_study[result.study].append(result)
        if not per_study:
            return
        width = max(len(uid) for uid in per_study)
        self.stdout.write(f"{'Study':<{width}}  Series  Stored  There already  Held")
        for uid, kept in per_study.items():
            counts = [
                sum(one.status is status for one in kept)
                for status in (Status.STORED, Status.REPEATED, Status.HELD)
            ]
            series = len({one.series for one in kept})
            self.stdout.write(
                f"{uid:<{width}}  {series:>6}  {counts[0]:>6}  {counts[1]:>13}  {counts[2]:>4}"
            )

    def _print_refused(self, results: list[Result]) -> None:
        missed = [result for result in results if not result.status.is_kept]
        for word, left_out in (("Left out", True), ("Refused", False)):
            these = [result for result in missed if result.is_left_out is left_out]
            if these:
                self.stdout.write(f"\n{word}: {len(these)} of {len(results)}")
            for result in these:
                self.stdout.write(f"  {result.name}: {result.sentence} ({result.code})")


def exit_status(results: list[Result]) -> int:
    """Say it in one number: 0 all were kept, 3 some were refused, 1 nothing was kept."""
    kept = sum(result.status.is_kept for result in results)
    if not kept:
        return NOTHING_KEPT
    left_out = sum(result.is_left_out for result in results)
    return ALL_KEPT if kept + left_out == len(results) else SOME_REFUSED


def _actor(email: str, slug: str | None) -> Actor:
    user = User.objects.with_email(email).filter(is_active=True).first()
    if user is None:
        raise CommandError(f"Nobody signs in as {email}.")
    memberships = memberships_of_user(user.pk)
    if slug:
        memberships = memberships.filter(organisation__slug=slug)
    membership = memberships.first()
    if membership is None:
        raise CommandError(f"{email} is not a member of an organisation there.")
    return actor_of_user(user, membership.organisation)


# What is found: a name and its bytes, or the reason why there are none ----------------------------
Found = tuple[str, Iterator[bytes] | reasons.Refused]


def _fill(intake: Intake, objects: Iterator[Found]) -> bool:
    """Take one batch; say whether it was the last."""
    for count, (name, content) in enumerate(objects, start=1):
        if isinstance(content, reasons.Refused):
            intake.refuse(name=name, code=content.code, sentence=content.sentence)
        else:
            _take_one(intake, name, content)
        if count == BATCH:
            return False
    return True


def _take_one(intake: Intake, name: str, content: Iterator[bytes]) -> None:
    before = len(intake.results)
    try:
        intake.take(content, name=name)
    except reasons.Refused as refusal:
        # The archive broke in the middle of this file.
        intake.refuse(name=name, code=refusal.code, sentence=refusal.sentence)
    except OSError as error:
        sentence = f"The file cannot be read: {error.strerror or 'input/output error'}."
        if len(intake.results) > before:
            intake.results[-1].refuse("unreadable", sentence)
        else:
            intake.refuse(name=name, code="unreadable", sentence=sentence)


def _objects(paths: list[Path]) -> Iterator[Found]:
    for path in paths:
        if path.is_dir():
            # A link may lead out of the folder, or round in a circle.
            for file in sorted(one for one in path.rglob("*") if one.is_file()):
                if not file.is_symlink():
                    yield from _objects_of_file(file, str(file.relative_to(path)))
        else:
            yield from _objects_of_file(path, path.name)


def _objects_of_file(path: Path, name: str) -> Iterator[Found]:
    shown = "/".join(display_name(part) for part in Path(name).parts)
    try:
        with path.open("rb") as file:
            opening = file.read(len(_ARCHIVE_MARK))
    except OSError:
        yield shown, _chunks(path)
        return
    if opening == _ARCHIVE_MARK:
        yield from _objects_of_archive(path, shown)
    else:
        yield shown, _chunks(path)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(BLOCK):
            yield chunk


def _objects_of_archive(path: Path, name: str) -> Iterator[Found]:
    with path.open("rb") as file:
        try:
            for member in members(file):
                yield f"{name}: {member.name}", member.chunks()
        except reasons.Refused as refusal:
            yield name, refusal
