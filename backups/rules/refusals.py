"""What a backup or a restore refuses, in one sentence that says what to do."""

from __future__ import annotations


class BackupRefused(Exception):
    """It cannot be done as asked; nothing was written."""


class PlaceRefused(BackupRefused):
    """A place does not answer, or cannot be written."""


class PlaceFull(PlaceRefused):
    """A place has no room left."""


class CopyDamaged(BackupRefused):
    """What lies in a place is not what was put there, or nobody we trust signed for it."""


class KeyGone(BackupRefused):
    """The key of a copy was destroyed or is not here: the copy opens no more."""
