"""The upload API's words in and out; names of patients are in none of them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from studies.models import Upload
from studies.rules.results import Result


class UploadIn(serializers.Serializer[Any]):
    attested = serializers.BooleanField(
        help_text="True: the sender confirms the sentence that GET on an upload returns."
    )


class UploadOut(serializers.ModelSerializer[Upload]):
    attestation = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields = [
            "id", "state", "source", "accepted", "repeated", "refused", "created_at", "closed_at",
            "attestation",
        ]  # fmt: skip

    def get_attestation(self, upload: Upload) -> str:
        from studies.services.uploads import attestation_for

        return attestation_for(upload.organisation_id)


class ReasonOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    sentence = serializers.CharField()


class ResultOut(serializers.Serializer[Result]):
    """What became of one object; `name` is what the sender or the archive called it."""

    name = serializers.CharField()
    status = serializers.CharField(help_text="stored, repeated, held, refused or conflict")
    code = serializers.CharField(help_text="Why it was refused; empty otherwise.")
    sentence = serializers.CharField(help_text="The same for people.")
    study = serializers.CharField()
    series = serializers.CharField()
    instance = serializers.CharField(source="sop_instance")
    held_for = ReasonOut(many=True)
    neutralised = serializers.BooleanField(
        help_text="The 128 free bytes in front of the object were set to zero."
    )


class ResultsOut(serializers.Serializer[Any]):
    results = ResultOut(many=True)


class ProblemOut(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
