"""What this room holds about a person who has an account."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db.models import Q

from accounts.services.own_data import PARTS, rows_of_account
from policies.rules.categories import CATEGORIES
from policies.rules.holdings import File, Holder, Holding, Whose, one_file, register_holder
from policies.rules.inventory import fields_of


def _holdings(whose: Whose) -> Iterator[Holding]:
    if whose.user_id is None:
        return
    for model, way in PARTS:
        mine = Q(**{way: whose.user_id}) if isinstance(way, str) else way(whose.user_id)
        number = model._default_manager.filter(mine).count()
        category = fields_of(model._meta.label)[0].category
        if number:
            name = str(model._meta.verbose_name).capitalize()
            yield Holding(category, name, number, source=CATEGORIES[category].source.value,
                          file="account.json")  # fmt: skip


def _files(whose: Whose) -> Iterator[File]:
    if whose.user_id is not None:
        found = rows_of_account(whose.user_id)
        text = json.dumps(found, indent=2, ensure_ascii=False)
        yield one_file("account.json", text.encode())


def register() -> None:
    register_holder(Holder("accounts", "The account", _holdings, _files))
