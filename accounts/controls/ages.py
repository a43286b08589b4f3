"""The control of the youngest age: asked first, the strictest that holds, and kept nowhere."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from accounts.controls.signing_in import gate_of
from accounts.forms import AgeForm, JoinForm
from accounts.models import Invitation, Profile, User
from accounts.rules.ages import fault_of_birth, is_old_enough
from accounts.services.ages import age_shown, shows_age
from policies.controls.purposes import pack_with
from policies.rules.controls import Values, control, require
from policies.rules.pack import youngest_age

TODAY = date(2026, 11, 26)
_CHILD = 12


@control("accounts.age-first", "Whoever is too young has no account, and nothing of them is kept",
         of_policy=True)  # fmt: skip
def age_first(values: Values) -> str:
    pack = pack_with(values)
    places = {"", "US", "DE", "BR", *values["account.min_age"]} - {"default"}
    child = date(TODAY.year - _CHILD - 1, TODAY.month, TODAY.day + 1)
    for place in places:
        youngest = youngest_age(pack, place)
        require(not is_old_enough(child, TODAY, youngest=youngest), "A child can have an account.")
        grown = date(TODAY.year - youngest, TODAY.month, TODAY.day)
        require(is_old_enough(grown, TODAY, youngest=youngest), "Nobody can have an account.")
    require(youngest_age(pack, "") == max(values["account.min_age"].values()),
            "Where no country is given, the strictest age does not count.")  # fmt: skip
    require(fault_of_birth(date(TODAY.year + 1, 1, 1), TODAY), "One can be born next year.")
    require(set(AgeForm.base_fields) == {"born", "country"}, "More is asked than the age.")
    require(gate_of("accounts:join_age") == "public", "Whoever joins does not come to it.")
    form = JoinForm({"name": "Nobody", "password": "a lamp on the windowsill", "accepts": "on"})
    require("age" in form.errors, "One can join without having said how old one is.")
    mine, other = (Invitation(pk=uuid4()) for _ in range(2))
    mark = age_shown(mine)
    require(shows_age(mine, mark), "Nobody can go on.")
    reused = shows_age(other, mark) or shows_age(mine, f"{mark}x") or shows_age(mine, "")
    require(not reused, "A mark that was forged, or is of somebody else, lets one go on.")
    kept = [one.name for model in (User, Profile, Invitation) for one in model._meta.get_fields()
            if "born" in one.name or "birth" in one.name]  # fmt: skip
    require(not kept, f"It is kept: {', '.join(kept)}.")
    return f"A child of {_CHILD} was refused in {len(places)} places; no day of birth is kept."
