"""Look now whether the promises of a policy are kept: run their controls, and join the two."""

from __future__ import annotations

from governance.rules.promises import Promise, promise_of
from policies.rules.clauses import Clause
from policies.rules.controls import Control, Evidence, Values, control_named
from policies.selectors import clauses_of, shipped_packs

# What was seen, by control; and by pack for those that can differ from one policy to another.
_Seen = dict[tuple[str, str], Evidence]


def promises_under(pack_code: str, values: Values) -> tuple[Promise, ...]:
    """How the promises of a pack stand under these values of it. Raises LookupError."""
    return _joined(pack_code, values, {})


def promises_of_shipped_packs() -> dict[str, tuple[Promise, ...]]:
    """How the promises of every pack that ships stand. A control is run once, or once per pack."""
    seen: _Seen = {}
    return {code: _joined(code, values, seen) for code, values in shipped_packs().items()}


def _joined(pack_code: str, values: Values, seen: _Seen) -> tuple[Promise, ...]:
    return tuple(_promise(clause, pack_code, values, seen) for clause in clauses_of(pack_code))


def _promise(clause: Clause, pack_code: str, values: Values, seen: _Seen) -> Promise:
    control = control_named(clause.control)
    if control is None:
        return promise_of(clause, "", None)
    return promise_of(clause, control.title, _seen(control, pack_code, values, seen))


def _seen(control: Control, pack_code: str, values: Values, seen: _Seen) -> Evidence:
    key = (control.code, pack_code if control.of_policy else "")
    if key not in seen:
        seen[key] = control.check(values)
    return seen[key]
