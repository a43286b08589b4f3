"""Write a released project into a folder, or store it in another DICOMweb server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.trail import system_ref
from policies.rules.categories import Category
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from releases.gateways.stow import StowRefused
from releases.models import Project
from releases.services.exporting import export_to, store_at
from releases.services.projects import ReleaseRefused


class Command(BaseCommand):
    help = (
        "Hand out a released project: OUT is an empty or new folder, or the https address of a "
        "DICOMweb server's studies. Its report and signature go into the folder as well."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organisation", metavar="ORGANISATION", help="its short name")
        parser.add_argument("number", type=int, metavar="NUMBER", help="of the project")
        parser.add_argument("target", metavar="OUT")
        parser.add_argument(
            "--token-from", metavar="NAME",
            help="environment variable with the server's bearer token",
        )  # fmt: skip

    @under(Purpose.OPERATIONS, Category.DEIDENTIFIED)
    def handle(self, *_: Any, **options: Any) -> None:
        slug, number = options["organisation"], options["number"]
        project = (
            Project.objects.select_related("organisation", "recipient", "agreement")
            .filter(organisation__slug=slug, number=number)
            .first()
        )
        if project is None:
            raise CommandError(f"{slug} has no project {number}.")
        target = options["target"]
        try:
            if target.startswith(("https://", "http://")):
                token = os.environ.get(options["token_from"] or "", "")
                done = store_at(project=project, url=target, token=token, actor=system_ref())
            else:
                done = export_to(project=project, folder=Path(target), actor=system_ref())
        except (ReleaseRefused, StowRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{done} objects of {project.name} handed out.")
