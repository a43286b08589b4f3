"""At the API as on pages: under the policy in force, and by whom it was accepted."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission

from accounts.services.policy_gate import NotAccepted, enter
from policies.rules.gate import PurposeRefused, declared_use


class UnderPolicy(BasePermission):
    """Comes after authentication: a token says who asks only then."""

    def has_permission(self, request: Any, view: Any) -> bool:
        try:
            enter(request.auth, declared_use(view))
        except (NotAccepted, PurposeRefused) as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        return True
