"""De-identify a folder of DICOM files, without a database."""

from __future__ import annotations

import json
import os
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from policies.rules.gate import uses_no_personal_data
from studies.rules.deidentification.keyed import KEY_BYTES
from studies.rules.deidentification.profile import Option, Profile, ProfileRefused, profile_of
from studies.services.deidentifying_folder import FolderRefused, Run, deidentify_folder

ALL_RELEASED, FAILED, SOME_PUT_ASIDE = 0, 1, 3


class Command(BaseCommand):
    help = (
        "De-identify DICOM files by DICOM PS3.15 Annex E, and look whether anything is left. IN "
        "is a file or a folder with all below it; OUT an empty or new folder. Exit status 0: all "
        "were released; 3: some were put aside, which the report lists with the reasons; 1: "
        "nothing was done."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="IN", type=Path)
        parser.add_argument("target", metavar="OUT", type=Path)
        parser.add_argument("--profile", choices=["basic"], default="basic")
        parser.add_argument(
            "--option", action="append", default=[], metavar="NAME",
            help=f"an option of the profile, as often as needed: {', '.join(Option)}. "
            f"{Option.CLEAN_VISUAL_FEATURES} takes no face out, for that needs all slices of a "
            "head and files are taken one by one: it puts aside CT, MR and PET that may show a "
            "head, or do not say what they show, and photographs. "
            f"{Option.CLEAN_DOCUMENTS} writes PDF and CDA anew from their words, cleaned; names "
            "that no object and no document lists may stay in them, as in other free text",
        )  # fmt: skip
        parser.add_argument(
            "--key", type=Path, metavar="FILE",
            help="the project's key: pseudonyms are the same in every run with it. Made if it is "
            "not there. Without one, nothing of this run can be linked to another",
        )  # fmt: skip
        parser.add_argument(
            "--report", type=Path, metavar="FILE",
            help="write what came of each file, as JSON; it names the files of IN",
        )  # fmt: skip
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")

    @uses_no_personal_data
    def handle(self, *_: Any, **options: Any) -> None:
        try:
            profile = profile_of(options["option"])
            _check_models(profile)
            run = deidentify_folder(
                source=options["source"], target=options["target"], profile=profile,
                key=_key(options["key"]), jobs=max(1, options["jobs"]),
            )  # fmt: skip
        except (ProfileRefused, ModelsMissing, FolderRefused, KeyRefused) as refusal:
            raise CommandError(str(refusal), returncode=FAILED) from refusal
        if options["report"]:
            _write(options["report"], run)
        for words in run.words():
            self.stdout.write(words)
        if run.put_aside:
            raise SystemExit(SOME_PUT_ASIDE)


class ModelsMissing(ValueError):
    """An option needs models that this installation has not."""


def _check_models(profile: Profile) -> None:
    """Say so at once, not once a file. Nothing is imported: the children do that."""
    if not profile.has(Option.CLEAN_PIXEL_DATA):
        return
    if any(find_spec(one) is None for one in ("onnxruntime", "rapidocr_onnxruntime")):
        raise ModelsMissing(
            f"{Option.CLEAN_PIXEL_DATA} needs the packages onnxruntime and rapidocr-onnxruntime, "
            "which come with Python 3.11 and 3.12. Install one of these, or leave the option out: "
            "then objects with text in their pixels are put aside."
        )


class KeyRefused(ValueError):
    """The key's file is none."""


def _key(path: Path | None) -> bytes:
    """Read the project's key, or make one; a file of it is its owner's alone."""
    if path is None:
        return secrets.token_bytes(KEY_BYTES)
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES))
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (ValueError, UnicodeDecodeError):
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyRefused(f"{path} holds no key: {2 * KEY_BYTES} hexadecimal digits are needed.")
    return key


def _write(path: Path, run: Run) -> None:
    """The report appears whole or not at all, readable by its owner alone."""
    part = path.with_name(f".{path.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(run.report(), file, indent=1, ensure_ascii=False)
    part.replace(path)
