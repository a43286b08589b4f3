"""What members had objected to, and browsers had signalled, is kept as directives."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.models import Membership, SaleOptOut
from accounts.services.demo import seed_cast
from consent.models import Directive
from consent.rules.directives import DirectiveKind, packed, purposes_reached
from consent.services.subjects import link_account
from studies.models import Study
from tests.factories import Cast, actor_of, small_ct_object, take_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])
BEFORE, AFTER = [("consent", "0004_both_factors")], [("consent", "0007_no_objections_apart")]


def migrated(target: list[tuple[str, str]]) -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.migrate(target)
    return MigrationExecutor(connection)


def test_rows_of_before_are_carried_over_and_back() -> None:
    cast = Cast(seed_cast())
    take_in(actor_of(cast.clinician), small_ct_object())
    link_account(user=cast.patient, subject=Study.objects.get().subject)
    for user in (cast.patient, cast.clinician):
        SaleOptOut.objects.create(user=user, source="gpc")
    membership = Membership.objects.get(user=cast.clinician)
    try:
        apps = migrated(BEFORE).loader.project_state(BEFORE).apps
        old = apps.get_model("consent", "PurposeObjection")
        ended = timezone.now()
        for purpose, withdrawn in (("analytics", None), ("marketing", ended)):
            old.objects.create(
                membership_id=membership.pk, purpose=purpose, version_id=uuid4(),
                withdrawn_at=withdrawn,
            )  # fmt: skip
        migrated(AFTER)
        said = Directive.objects.filter(kind="objection").order_by("purposes")
        assert [(one.user, one.purposes, one.lifted_at) for one in said] == [
            (cast.clinician, "|analytics|", None), (cast.clinician, "|marketing|", ended),
        ]  # fmt: skip
        out = Directive.objects.filter(kind="opt-out")
        assert {(one.user_id, one.subject_id is None) for one in out} == {
            (None, False), (cast.clinician.pk, True),
        }  # fmt: skip
        usual = packed(purposes_reached(DirectiveKind.OPT_OUT, ()))
        assert {one.purposes for one in out} == {usual}
        back = migrated(BEFORE).loader.project_state(BEFORE).apps
        kept = back.get_model("consent", "PurposeObjection").objects.order_by("purpose")
        assert [(one.purpose, one.withdrawn_at) for one in kept] == [
            ("analytics", None), ("marketing", ended),
        ]  # fmt: skip
    finally:
        # Whatever hung on what was taken back comes again too, in every room.
        migrated(MigrationExecutor(connection).loader.graph.leaf_nodes())
