"""The DICOM store's rows. What identifies a person is sealed; what is searched is a keyed hash."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Agreement, Organisation, User
from consent.models import DataSubject
from studies.rules.minors import RELATIONS
from studies.rules.rejecting import REASONS, Why


class Upload(models.Model):
    """One submission: who sent, under which attestation, and what came of it (C07)."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    submitted_by_id = models.BigIntegerField()
    source = models.CharField(max_length=10)  # browser, stow, command, anonymous
    # Of the partner whose program sent it (LIFEIMAGE-3.1).
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, null=True)
    attested_at = models.DateTimeField()
    attestation_digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    accepted = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)


class Study(models.Model):
    id = models.BigAutoField(primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    uid = models.CharField(max_length=64)
    # The index `study_of_subject` begins with it.
    subject = models.ForeignKey(
        DataSubject, on_delete=models.PROTECT, related_name="studies", db_index=False
    )
    key_id = models.UUIDField(unique=True)
    # DICOM JSON of the study-level attributes, as received.
    sealed_summary = models.BinaryField()
    # Of issuer and identifier together, and of the identifier alone, as searches give it.
    patient_id_token = models.BinaryField(max_length=16)
    identifier_token = models.BinaryField(max_length=16, null=True)
    accession_token = models.BinaryField(max_length=16, null=True)
    study_id_token = models.BinaryField(max_length=16, null=True)
    # Keyed hashes of the day, the month and the year, so that a range is a set of tokens.
    day_token = models.BinaryField(max_length=16, null=True)
    month_token = models.BinaryField(max_length=16, null=True)
    year_token = models.BinaryField(max_length=16, null=True)
    modalities = models.CharField(max_length=100, blank=True)  # "\\CT\\SR\\", to be found by LIKE
    # What was left of a study when its time was over, without the person.
    is_anonymous = models.BooleanField(default=False)
    # Since when law alone asks for it: it is in no list, and its keys lie in the archive.
    archived_at = models.DateTimeField(null=True)
    # Since when it is rejected as wrongly sent: it is in no list, until it is restored or goes.
    rejected_at = models.DateTimeField(null=True)
    # Why the identifier may be naming somebody else; empty once a person has settled it.
    doubts = models.JSONField(default=list)
    series_count = models.PositiveIntegerField(default=0)
    instance_count = models.PositiveIntegerField(default=0)
    held_count = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "uid"], name="study_once"),
            # Every list asks for these counts, so what is archived or rejected is in none.
            models.CheckConstraint(
                condition=models.Q(archived_at=None) | models.Q(instance_count=0, held_count=0),
                name="study_archived_is_hidden",
            ),
            models.CheckConstraint(
                condition=models.Q(rejected_at=None) | models.Q(instance_count=0, held_count=0),
                name="study_rejected_is_hidden",
            ),
        ]
        indexes = [
            models.Index(fields=["uid"], name="study_uid"),
            models.Index(
                fields=["organisation", "-archived_at"],
                name="study_archived",
                condition=~models.Q(archived_at=None),
            ),
            models.Index(
                fields=["organisation", "-rejected_at"],
                name="study_rejected",
                condition=~models.Q(rejected_at=None),
            ),
            models.Index(fields=["organisation", "-id"], name="study_recent"),
            # With the organisation too: on the other column alone, SQLite would rather read all of
            # an organisation's studies in the order of the answer.
            models.Index(fields=["subject", "organisation", "-id"], name="study_of_subject"),
            models.Index(fields=["organisation", "identifier_token"], name="study_by_identifier"),
            models.Index(fields=["organisation", "accession_token"], name="study_by_accession"),
            models.Index(fields=["organisation", "day_token"], name="study_by_day"),
            models.Index(fields=["organisation", "month_token"], name="study_by_month"),
            models.Index(fields=["organisation", "year_token"], name="study_by_year"),
        ]

    @property
    def is_hidden(self) -> bool:
        """Is it in no list although it is there?"""
        return self.archived_at is not None or self.rejected_at is not None


class Rejection(models.Model):
    """Somebody said that a study should not have been sent. Gone with it, or when it is restored.

    The trail keeps who said so, when and by which code.
    """

    study = models.OneToOneField(
        Study, on_delete=models.CASCADE, primary_key=True, related_name="rejection"
    )
    why = models.CharField(max_length=20, choices=[(one.value, REASONS[one].label) for one in Why])
    # In the words of whoever rejected it, under the study's key.
    sealed_note = models.BinaryField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)


class GuardianAttestation(models.Model):
    """Somebody confirmed who agreed for a minor, before images of them are shown. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="guardians")
    relation = models.CharField(
        max_length=10, choices=[(one.value, words) for one, words in RELATIONS.items()]
    )
    # Under the study's key.
    sealed_name = models.BinaryField()
    words_digest = models.CharField(max_length=64)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)


class StudyNameToken(models.Model):
    """Keyed hash of one prefix of the patient's (or owner's) name."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="name_tokens")
    token = models.BinaryField(max_length=16)

    class Meta:
        indexes = [models.Index(fields=["token", "study"], name="study_name_token")]


class Series(models.Model):
    id = models.BigAutoField(primary_key=True)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="series")
    uid = models.CharField(max_length=64)
    modality = models.CharField(max_length=16, blank=True)
    number = models.IntegerField(null=True)
    sealed_summary = models.BinaryField()
    instance_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "uid"], name="series_once")]


class Blob(models.Model):
    """One sealed stream in the store: what was received together of one study."""

    id = models.BigAutoField(primary_key=True)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="blobs")
    name = models.CharField(max_length=64, unique=True)
    # The study's key, or one of its own where the study was not known yet when it was written.
    key_id = models.UUIDField()
    size = models.BigIntegerField()  # of the plaintext, in bytes
    created_at = models.DateTimeField(default=timezone.now)
    # When it was last read from end to end, and since when it is known not to open.
    checked_at = models.DateTimeField(null=True)
    damaged_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["checked_at", "id"], name="blob_to_check"),
            models.Index(
                fields=["study"], name="blob_damaged", condition=~models.Q(damaged_at=None)
            ),
        ]


class Instance(models.Model):
    id = models.BigAutoField(primary_key=True)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="instances")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="instances")
    organisation_id = models.UUIDField()
    uid = models.CharField(max_length=64)
    sop_class_uid = models.CharField(max_length=64)
    transfer_syntax_uid = models.CharField(max_length=64)
    number = models.IntegerField(null=True)
    frames = models.PositiveIntegerField(default=0)  # 0: no pixel data
    rows = models.PositiveIntegerField(null=True)
    columns = models.PositiveIntegerField(null=True)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="instances")
    offset = models.BigIntegerField()
    length = models.BigIntegerField()
    # Where each frame lies in the object (studies.rules.layout).
    layout = models.BinaryField(default=bytes)
    # Keyed hash of the bytes as stored: the same again is success, other bytes are a conflict.
    content_token = models.BinaryField(max_length=32)
    # Compressed DICOM JSON and the places of bulk values, sealed under the blob's key.
    sealed_metadata = models.BinaryField()
    # Out of norm: kept, but shown to nobody until a clinician has looked at the reasons.
    held = models.BooleanField(default=False)
    reasons = models.JSONField(default=list)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="instances")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation_id", "uid"], name="instance_once")
        ]
        indexes = [models.Index(fields=["series", "number", "id"], name="instance_in_order")]


class Correction(models.Model):
    """New values of attributes, applied to whatever of a study goes out. Never changed.

    The stored objects are evidence and stay as they came (`studies.rules.coercing`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="corrections")
    # Tags with old and new values, under the study's key.
    sealed_values = models.BinaryField()
    case_number = models.CharField(max_length=9)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)


class Statement(models.Model):
    """What a person says of a study that was not corrected, or what is replied to it.

    It goes wherever the study goes (45 CFR 164.526(d)(5)).
    """

    class Kind(models.TextChoices):
        DISAGREEMENT = "disagreement", "Statement of disagreement"
        REBUTTAL = "rebuttal", "Reply of the organisation"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="statements")
    kind = models.CharField(max_length=12, choices=Kind)
    # Under the study's key.
    sealed_text = models.BinaryField()
    case_number = models.CharField(max_length=9)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "case_number", "kind"], name="statement_once")
        ]
