"""Another policy for the hospital: as only tests can, or by the pages that administrators use."""

from __future__ import annotations

from typing import Any

from django.db import connection

from accounts.services.policy import adopt_pack
from policies.models import PolicyVersion
from policies.rules.immutable import create_statements, drop_statements
from policies.selectors import forget_policies
from tests.audit.append_only import run_each
from tests.factories import Cast


def under(cast: Cast, pack_code: str, **changes: Any) -> PolicyVersion:
    """Let the hospital run under another shipped pack from the beginning, accepted by all."""
    organisation = cast.clinician.memberships.get().organisation
    run_each(drop_statements(connection.vendor))
    PolicyVersion.objects.filter(organisation_id=organisation.pk).delete()
    run_each(create_statements(connection.vendor))
    forget_policies()
    version = adopt_pack(organisation=organisation, pack_code=pack_code, changes=changes)
    organisation.memberships.update(accepted_version_id=version.pk)
    return version


def without(values: dict[str, Any], *codes: str) -> dict[str, Any]:
    """Give the purposes of a policy but these."""
    return {code: one for code, one in values["purposes"].items() if code not in codes}
