"""The controls of borders: on what images cross one, and that it is written down."""

from __future__ import annotations

from uuid import UUID

from accounts.models import Agreement, Organisation
from accounts.rules.agreements import SIGNED_MECHANISMS
from accounts.services.agreements import what_ends_with
from consent.models import Grant
from consent.rules.transfers import EXPLICIT, Clauses, Ground, ground_of
from consent.services.grants import transfer_details
from policies.rules.controls import Values, control, require

# A country for which nobody has found that it protects data well, and whence data may come.
UNLISTED = "IN"
ORIGINS = {"US": "scc", "DE": "scc", "GB": "uk-addendum", "CH": "swiss-addendum"}


def _signed(mechanism: str) -> list[Clauses]:
    return [Clauses(UUID(int=1), mechanism, None)]


@control(
    "consent.border-bridged",
    "Images go to a country that protects them less only on what the policy lists",
    of_policy=True,
)
def border_bridged(values: Values) -> str:
    listed = values["transfers.mechanisms"]
    for origin, clauses in ORIGINS.items():
        alone = ground_of(origin, UNLISTED, listed=listed, signed=[])
        require(
            alone is None or (alone == Ground(EXPLICIT) and EXPLICIT in listed),
            f"From {origin} images went abroad on nothing.",
        )
        others = [one for one in SIGNED_MECHANISMS if one not in listed]
        unlisted = [one for code in others for one in _signed(code)]
        require(
            ground_of(origin, UNLISTED, listed=listed, signed=unlisted) == alone,
            f"From {origin} they went on clauses that the policy does not list.",
        )
        if clauses in listed:
            found = ground_of(origin, UNLISTED, listed=listed, signed=_signed(clauses))
            require(found is not None and found.mechanism == clauses, "Signed clauses do not do.")
    british = ground_of("GB", UNLISTED, listed=["scc"], signed=_signed("scc"))
    require(british is None, "From the UK they went on clauses without its addendum.")
    require("privacy-shield" not in SIGNED_MECHANISMS, "Privacy Shield can be signed.")
    return f"From {len(ORIGINS)} countries nothing went to an unlisted one without a ground."


@control(
    "consent.border-written",
    "A share that crosses a border says on what, from where to where, and ends with its clauses",
)
def border_written() -> str:
    key = UUID(int=2)
    grant = Grant(
        organisation=Organisation(country="DE"), recipient_organisation=Organisation(country="US"),
        transfer_mechanism="scc", key_id=key,
    )  # fmt: skip
    told = {"transfer": "scc", "countries": "de-us", "key": str(key)}
    require(transfer_details(grant) == told, "The event does not say on what, and where to.")
    grant.transfer_mechanism = ""
    require(transfer_details(grant) == {}, "A share within a country is called a transfer.")
    ends = Agreement(id=UUID(int=3), party="Nobody")
    require(what_ends_with(ends) == [], "An agreement without shares ends some.")
    latest = Grant.objects.exclude(transfer_mechanism="").order_by("-granted_at").first()
    if latest is None:
        return "No share has crossed such a border yet; the entry was made for one tried now."
    require(
        latest.transfer_mechanism in {*SIGNED_MECHANISMS, "adequacy", EXPLICIT},
        "The latest share across a border names nothing that bridges it.",
    )
    return f"The latest share across a border rests on {latest.transfer_mechanism}."
