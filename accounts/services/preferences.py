"""What a person chose: which messages, advertising or none, and what their browser signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.core import signing
from django.db import transaction
from django.utils import timezone

from accounts.models import ChannelChoice, MarketingChoice, SaleOptOut, User
from accounts.rules import Actor
from accounts.rules.messages import CATEGORIES, Category, Channel, channels_for
from accounts.rules.tracking import Signals
from accounts.selectors import all_choices_of
from accounts.selectors.advertising import marketing_choice_of
from accounts.services.notifications import UNSUBSCRIBE_SALT
from accounts.services.trail import record, user_ref


@transaction.atomic
def choose_channels(
    *, actor: Actor, user: User, wanted: Mapping[tuple[Category, Channel], bool]
) -> None:
    """Keep which messages a person wants on which way; what cannot be chosen is left alone."""
    before = all_choices_of(user)
    changed = set()
    for (category, channel), want in wanted.items():
        rule = CATEGORIES[category]
        if rule.promotional or channel not in rule.choosable:
            continue
        if (channel in channels_for(category, before.get(category, {}))) == want:
            continue
        ChannelChoice.objects.update_or_create(
            user=user, category=category, channel=channel, defaults={"wanted": want}
        )
        changed.add(category.value)
    if changed:
        record(action="preferences.changed", actor=actor, details={"categories": sorted(changed)})


@transaction.atomic
def choose_marketing(*, user: User, wanted: bool, source: str) -> bool:
    """Keep a yes or a no to advertising; it counts from the next letter on.

    Nobody decides on a no, and no link or page of ours asks who objects (MEDDIM-7.11). Returns
    whether that was new.
    """
    before = marketing_choice_of(user)
    if before is not None and before.wanted == wanted:
        return False
    MarketingChoice.objects.update_or_create(
        user=user,
        defaults={"wanted": wanted, "source": source, "decided_at": timezone.now()},
    )
    action = "marketing.accepted" if wanted else "marketing.objected"
    record(action=action, actor=user_ref(user), reason=source)
    return True


def user_of_unsubscribe_token(token: str) -> User | None:
    """Say whose advertising a link ends; None if we did not sign it. Such a link never ends."""
    try:
        value = signing.loads(token, salt=UNSUBSCRIBE_SALT)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=value["user"]).first()


_heard: list[Callable[[User, str], None]] = []


def when_signalled(hear: Callable[[User, str], None]) -> None:
    """Have a room above do its part of a new opt-out, in the same transaction."""
    if hear not in _heard:
        _heard.append(hear)


@transaction.atomic
def keep_signal(*, user: User, signals: Signals) -> bool:
    """Keep the opt-out that a person's browser signals; returns whether that was new."""
    return keep_opt_out(user=user, source=signals.source)


@transaction.atomic
def keep_opt_out(*, user: User, source: str) -> bool:
    """Keep an opt-out of sale and sharing, and have every room do its part, once."""
    _, made = SaleOptOut.objects.get_or_create(user=user, defaults={"source": source})
    if made:
        record(action="signal.recorded", actor=user_ref(user), reason=source)
        for hear in _heard:
            hear(user, source)
    return made


def forget_signal(*, user_id: int) -> None:
    """What a browser had signalled holds no more: its person said so. It counts again with the
    next session in which it is sent."""
    SaleOptOut.objects.filter(user_id=user_id).delete()
