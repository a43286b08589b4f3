"""Every read of studies takes the person who asks; what they may not see is not there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.rules import Actor
from consent.models import Grant, GrantItem
from consent.rules.decision import Decision, Resource, Scoped
from consent.selectors import granting_organisations, in_force, may_be_listed, names_recipient
from consent.selectors.directives import unbarred
from studies import index
from studies.gateways.corrections import as_corrected, coercions_of
from studies.models import Blob, Instance, Series, Study, StudyNameToken, Upload
from studies.rules.qido import DateRange, is_literal, is_name_start, literal_start, words_of
from studies.rules.rejecting import REASONS
from studies.sealing import metadata_context, opened_metadata, series_context, study_context
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_keys

PATIENT_NAME, PATIENT_ID = "00100010", "00100020"
ACCESSION, STUDY_ID = "00080050", "00200010"
STUDY_DATE, MODALITIES = "00080020", "00080061"
MOST_DAMAGED = 200

# Studies that have anything: without, one is on its way out, and its key may be gone.
THERE = Q(instance_count__gt=0) | Q(held_count__gt=0)
# Those that law alone asks for: in no list, and their keys open for cases of release only.
ARCHIVED = Q(archived_at__isnull=False)
# Those that somebody rejected as wrongly sent, until they are restored or gone.
REJECTED = Q(rejected_at__isnull=False)
# All that is there and in no list: holds, the law and the person's rights reach it as well.
HIDDEN = ARCHIVED | REJECTED
# Rejected, for it shows somebody else than its name says: no copy of it goes to that person.
OF_SOMEBODY_ELSE = Q(
    rejection__why__in=[one.value for one, reason in REASONS.items() if reason.is_of_somebody_else]
)


def held_in(study: Study) -> list[Instance]:
    """What is shown to nobody until somebody has looked, or named a guardian: one query."""
    rows = Instance.objects.filter(study=study, held=True)
    return list(rows.select_related("series").order_by("pk"))


def studies_of_person(organisation_id: UUID, subject_ids: Collection[UUID]) -> QuerySet[Study]:
    """Of which a copy goes to the person: also what was rejected, unless it shows somebody else.

    What lies in the legal archive is another room's to speak of, and opens for nobody here.
    """
    rows = Study.objects.filter(
        organisation_id=organisation_id, subject_id__in=subject_ids, archived_at=None
    )
    return rows.exclude(OF_SOMEBODY_ELSE).order_by("pk")


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """How many files an organisation has in the store, and how they have been found."""

    files: int
    never_checked: int
    oldest_check: datetime | None
    damaged: list[Blob]


def stored_files_of(organisation_id: UUID) -> StoredFiles:
    """The state of an organisation's files: two queries."""
    held = Blob.objects.filter(study__organisation_id=organisation_id)
    facts = held.aggregate(
        files=Count("pk"),
        never_checked=Count("pk", filter=Q(checked_at=None)),
        oldest_check=Min("checked_at"),
    )
    damaged = held.exclude(damaged_at=None).select_related("study")
    counted = damaged.annotate(object_count=Count("instances")).order_by("-damaged_at", "pk")
    return StoredFiles(**facts, damaged=list(counted[:MOST_DAMAGED]))


def studies_listed_for(actor: Actor, *, held_too: bool = False) -> QuerySet[Study]:
    """Studies that the actor may know of, the latest received first."""
    present = Q(instance_count__gt=0)
    if held_too:
        present |= Q(held_count__gt=0)
    return Study.objects.filter(present, may_be_listed(actor, at=timezone.now())).order_by("-id")


def study_named(actor: Actor, uid: str) -> Study | None:
    """The study with this UID: one's own organisation's if it holds one, else one shared, else,
    so that a refusal can say why, one that once was.
    """
    if actor.organisation_id is None:
        return None
    # Without any object it is being disposed of, and its key may be gone.
    named = Study.objects.filter(THERE, uid=uid)
    own = named.filter(organisation_id=actor.organisation_id).first()
    if own is not None:
        return own
    now = named.filter(may_be_listed(actor, at=timezone.now())).first()
    return now or named.filter(_was_shared(actor)).first()


def _was_shared(actor: Actor) -> Q:
    return Exists(
        GrantItem.objects.filter(
            study_uid=OuterRef("uid"),
            grant__organisation_id=OuterRef("organisation_id"),
            grant__in=Grant.objects.filter(names_recipient(actor)),
        )
    )


def resource_of(study: Study, *, series: str = "", instance: str = "") -> Resource:
    return Resource(study.organisation_id, study.uid, series, instance, study.subject_id)


def instances_released(study: Study, decision: Decision) -> QuerySet[Instance]:
    """The objects of a study that a permit covers; held ones are never among them."""
    rows = Instance.objects.filter(study=study, held=False)
    if not decision.is_permit:
        return rows.none()
    if decision.scope is None:
        return rows
    return rows.filter(covered_by(decision.scope))


def covered_by(scope: Iterable[Scoped]) -> Q:
    """A permit's items as a condition on objects."""
    covered = Q(pk__in=[])
    for scoped in scope:
        one = Q(created_at__lte=scoped.received_until)
        if scoped.item.series_uid:
            one &= Q(series__uid=scoped.item.series_uid)
        if scoped.item.instance_uid:
            one &= Q(uid=scoped.item.instance_uid)
        covered |= one
    return covered


# Searching ---------------------------------------------------------------------------------------
def organisations_searched(actor: Actor) -> list[UUID]:
    """Whose index keys a search needs: one's own organisation's, and those that share."""
    own = [actor.organisation_id] if actor.organisation_id else []
    return own + [one for one in granting_organisations(actor, at=timezone.now()) if one not in own]


def narrowed(
    studies: QuerySet[Study],
    organisations: Sequence[UUID],
    texts: dict[str, str],
    dates: dict[str, DateRange],
    *,
    fuzzy: bool = False,
    whole_names: bool = False,
) -> QuerySet[Study]:
    """Narrow to what the keyed hashes can tell; the caller compares the rest (see `qido`).

    The beginning of a name is that of any of its parts; with `whole_names`, of the name.
    Each organisation has keys of its own, so that a token is found in its rows alone: the tokens
    of all are looked for together, by one index, and not organisation by organisation.
    """
    studies = studies.filter(organisation_id__in=organisations)
    tokens = _tokens(organisations, texts, fuzzy=fuzzy, whole_names=whole_names)
    for column, values in tokens.items():
        studies = studies.filter(**{f"{column}__in": values})
    if STUDY_DATE in dates:
        studies = studies.filter(_on_days(organisations, dates[STUDY_DATE]))
    if MODALITIES in texts:
        of_one = Q(pk__in=[])
        for modality in modalities_asked(texts[MODALITIES]):
            of_one |= Q(modalities__contains=f"\\{modality}\\")
        studies = studies.filter(of_one)
    return studies


def modalities_asked(text: str) -> list[str]:
    """Several may be asked for at once, parted as values are."""
    return [one.strip().upper() for one in re.split(r"[\\,]", text) if one.strip()]


def of_modalities_seen_by(actor: Actor, text: str) -> Q:
    """Over studies: is an object of these modalities there, and shared where it is another's?

    Without it a search would tell a recipient which modalities the rest of a study has.
    """
    shared = Instance.objects.filter(
        _is_shared(actor),
        study=OuterRef("pk"),
        held=False,
        series__modality__in=modalities_asked(text),
    )
    return Q(organisation_id=actor.organisation_id) | Exists(shared)


def _tokens(
    organisations: Sequence[UUID], texts: dict[str, str], *, fuzzy: bool, whole_names: bool
) -> dict[str, Any]:
    """Give what is to be found in which column, for all organisations together."""
    found: dict[str, Any] = {}
    exact = {PATIENT_ID: "identifier", ACCESSION: "accession", STUDY_ID: "study_id"}
    for tag, field in exact.items():
        if tag in texts and is_literal(texts[tag]):
            found[f"{field}_token"] = [index.token(one, field, texts[tag]) for one in organisations]
    if PATIENT_NAME in texts:
        tokens = [
            _name_token(one, texts[PATIENT_NAME], fuzzy=fuzzy, whole=whole_names)
            for one in organisations
        ]
        if all(tokens):
            # Not a join: SQLite would walk through all studies and ask for the name of each.
            named = StudyNameToken.objects.filter(token__in=tokens)
            found["pk"] = named.values("study_id")
    return found


def _name_token(organisation_id: UUID, pattern: str, *, fuzzy: bool, whole: bool) -> bytes | None:
    if fuzzy:
        return index.token_of_name_start(organisation_id, next(iter(words_of(pattern)), ""))
    if whole and is_name_start(pattern):
        return index.token_of_whole_name_start(organisation_id, literal_start(pattern))
    return index.token_of_name_start(organisation_id, literal_start(pattern))


def _on_days(organisations: Sequence[UUID], wanted: DateRange) -> Q:
    found: dict[str, list[bytes]] = {}
    for organisation_id in organisations:
        tokens = index.tokens_of_range(organisation_id, wanted.start, wanted.end)
        for column, values in tokens.items():
            found.setdefault(column, []).extend(values)
    condition = Q(pk__in=[])
    for column, values in found.items():
        if values:
            # Asked apart, or SQLite would rather read all studies in the order of the answer.
            on_these = Study.objects.filter(
                organisation_id__in=organisations, **{f"{column}_token__in": values}
            )
            condition |= Q(pk__in=on_these.values("pk"))
    return condition


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of a study somebody may know of."""

    series: int
    instances: int
    modalities: tuple[str, ...]


def counts_seen_by(actor: Actor, studies: Sequence[Study]) -> dict[int, Counts]:
    """Count what each study holds for the actor: all of one's own, of others what is shared.

    One query, and none where all studies are one's own organisation's.
    """
    found = {
        study.pk: Counts(
            study.series_count,
            study.instance_count,
            tuple(one for one in study.modalities.split("\\") if one),
        )
        for study in studies
        if study.organisation_id == actor.organisation_id
    }
    foreign = [study.pk for study in studies if study.pk not in found]
    if foreign:
        found |= dict.fromkeys(foreign, Counts(0, 0, ())) | _shared_counts(actor, foreign)
    return found


def _shared_counts(actor: Actor, study_ids: Sequence[int]) -> dict[int, Counts]:
    rows = (
        Instance.objects.filter(_is_shared(actor), study_id__in=study_ids, held=False)
        .order_by("study_id", "series_id")
        .values_list("study_id", "series_id", "series__modality")
        .annotate(instances=Count("pk"))
    )
    found: dict[int, Counts] = {}
    for study_id, _, modality, instances in rows:
        one = found.get(study_id, Counts(0, 0, ()))
        words = dict.fromkeys((*one.modalities, modality)) if modality else one.modalities
        found[study_id] = Counts(one.series + 1, one.instances + instances, tuple(words))
    return found


def _is_shared(actor: Actor) -> Exists:
    """Over objects: is this one covered by a grant in force? The decision for lists, in SQL."""
    now = timezone.now()
    return Exists(
        GrantItem.objects.filter(
            Q(series_uid="") | Q(series_uid=OuterRef("series__uid")),
            Q(instance_uid="") | Q(instance_uid=OuterRef("uid")),
            unbarred(actor, subject="study__subject_id"),
            study_uid=OuterRef("study__uid"),
            grant__organisation_id=OuterRef("organisation_id"),
            grant__granted_at__gte=OuterRef("created_at"),
            grant__in=Grant.objects.filter(names_recipient(actor), in_force(now)),
        )
    )


# Opening -----------------------------------------------------------------------------------------
def study_summaries(studies: Sequence[Study]) -> list[bytes]:
    """The DICOM JSON of studies as corrected: one query for all their keys, one for what was."""
    coercions = coercions_of([study.pk for study in studies])
    return [
        as_corrected(summary, coercions.get(study.pk, ()), whole=False)
        for study, summary in zip(studies, summaries_as_received(studies), strict=True)
    ]


def summaries_as_received(studies: Sequence[Study]) -> list[bytes]:
    """The DICOM JSON of studies as their files had it; nothing of it goes out."""
    keys = open_data_keys(ids={study.key_id for study in studies})
    return [
        FieldSealer(keys[study.key_id]).open(
            study.sealed_summary, study_context(study.organisation_id, study.uid)
        )
        for study in studies
    ]


def series_summaries(study: Study, rows: Sequence[Series]) -> list[bytes]:
    """The DICOM JSON of series of one study."""
    if not rows:
        return []
    sealer = FieldSealer(open_data_keys(ids=[study.key_id])[study.key_id])
    return [
        sealer.open(row.sealed_summary, series_context(study.organisation_id, row.uid))
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Metadata:
    """An object's whole DICOM JSON, and the places of its bulk values as JSON."""

    header: bytes
    places: bytes


def metadata_of(rows: Sequence[Instance]) -> list[Metadata]:
    """Open the descriptions of objects; `blob` must be joined. One query for all keys."""
    keys = open_data_keys(ids={row.blob.key_id for row in rows})
    sealers = {key_id: FieldSealer(key) for key_id, key in keys.items()}
    coercions = coercions_of({row.study_id for row in rows}) if rows else {}
    found = []
    for row in rows:
        header, places = opened_metadata(
            sealers[row.blob.key_id].open(
                row.sealed_metadata, metadata_context(row.organisation_id, row.uid)
            )
        )
        now = as_corrected(header, coercions.get(row.study_id, ()), whole=True)
        found.append(Metadata(now, places))
    return found


# Where images came from --------------------------------------------------------------------------
WAYS = {"browser": "by the browser", "stow": "by a program", "command": "by an operator",
        "anonymous": "made anonymous when its time was over"}  # fmt: skip


def sources_of(study_ids: Iterable[int]) -> list[str]:
    """Say from whom and by which way the objects of these studies came, each once (LIFEIMAGE-3.1).

    A partner is named by its agreement; whoever else sent them is somebody of the organisation.
    """
    uploads = (
        Upload.objects.filter(instances__study_id__in=list(study_ids))
        .order_by("agreement__party", "source")
        .values_list("agreement__party", "organisation__name", "source")
        .distinct()
    )
    return [
        f"{f'{party}, a partner of {organisation}' if party else organisation}, {WAYS[source]}"
        for party, organisation, source in uploads
    ]
