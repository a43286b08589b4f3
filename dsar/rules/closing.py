"""When the account of whoever asks can be closed, and when that can be answered. Pure (C28)."""

from __future__ import annotations

from dsar.rules.kinds import Kind
from dsar.rules.states import Outcome


def refusal_to_close(kind: Kind, *, is_open: bool, is_identified: bool) -> str:
    """Why the account stays as it is; empty if it can be closed now."""
    if kind is not Kind.ACCOUNT_CLOSURE:
        return "Nobody asked for an account to be closed here."
    if not is_open:
        return "This case is answered. A new request makes a new one."
    if not is_identified:
        return "Note first how it is known who asks. Until then the account stays as it is."
    return ""


def refusal_to_answer(outcome: Outcome, *, has_open_account: bool) -> str:
    """Nothing is called closed that is not; empty: the answer can go out."""
    if outcome in {Outcome.GRANTED, Outcome.PARTLY} and has_open_account:
        return "The account is still open. Close it first."
    return ""
