"""How this room says no: one sentence that says why, and what to do."""

from __future__ import annotations


class RetentionRefused(Exception):
    """What was asked for cannot be done now."""


class NotYours(RetentionRefused):
    """It is not this person's to do."""


class ProveAgain(RetentionRefused):
    """The person has to prove again who they are."""
