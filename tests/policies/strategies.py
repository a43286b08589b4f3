"""Values that keys of a pack can have, made from the schema itself."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from policies.rules.kinds import ByPlace, Choice, Codes, Flag, Kind, Records, Stricter, Whole
from policies.rules.schema import CROSSING
from policies.rules.strictness import Terms, stricter_of

PLACES = ["US", "US-CA", "DE", "GB", "EEA"]


def values_of(kind: Kind) -> st.SearchStrategy[Any]:
    """Give checked values of a kind that crosses organisations."""
    match kind:
        case Flag():
            return st.booleans()
        case Whole():
            return st.integers(kind.least, kind.most)
        case Choice():
            return st.sampled_from(list(kind.options))
        case Codes():
            codes = st.lists(st.sampled_from(list(kind.options)), unique=True)
            return codes.map(lambda chosen: tuple(one for one in kind.options if one in chosen))
        case ByPlace():
            inner = values_of(kind.of)
            return st.builds(
                lambda default, places: dict(sorted({"default": default, **places}.items())),
                inner,
                st.dictionaries(st.sampled_from(PLACES), inner, max_size=3),
            )
        case Records():
            assert kind.options is not None
            assert kind.stricter is Stricter.FEWER
            record = st.fixed_dictionaries(
                {name: values_of(one) for name, one in kind.fields.items() if one.crosses}
            )
            return st.dictionaries(st.sampled_from(list(kind.options)), record, max_size=4)
    raise TypeError(kind)


def terms() -> st.SearchStrategy[Terms]:
    parts = st.fixed_dictionaries({key.path: values_of(key.kind) for key in CROSSING})
    return parts.map(lambda values: stricter_of(Terms(values), Terms(values)))
