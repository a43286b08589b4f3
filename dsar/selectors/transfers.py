"""Copies that people send to a provider of their choice."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor, Capability
from dsar.models import Case, Package, Transfer


def transfers_to(actor: Actor) -> QuerySet[Transfer]:
    """What people sent to the organisation that an officer works for, and can still be fetched."""
    if not actor.can(Capability.ANSWER_REQUESTS):
        return Transfer.objects.none()
    found = Transfer.objects.filter(
        to_id=actor.organisation_id, withdrawn_at=None, package__state=Package.State.READY,
        package__expires_at__gt=timezone.now(),
    )  # fmt: skip
    return found.select_related("package", "package__case", "package__case__organisation").order_by(
        "-named_at"
    )


def transfers_of(case: Case) -> QuerySet[Transfer]:
    """To whom the person of a case had its copy sent."""
    found = Transfer.objects.filter(package__case=case).exclude(package__state=Package.State.GONE)
    return found.select_related("to").order_by("-named_at")


def receivers_for(case: Case) -> QuerySet[Organisation]:
    """The providers of this portal to whom it can go."""
    return Organisation.objects.filter(is_active=True).exclude(pk=case.organisation_id)
