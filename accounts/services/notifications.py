"""Tell people what happened: a row in the transaction of the act, a letter after its commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from accounts.gateways.post import MailFailed, send_letter
from accounts.models import Notification, User
from accounts.rules import Actor
from accounts.rules.messages import (
    CATEGORIES,
    Channel,
    MessageTemplate,
    channels_for,
    template_named,
)
from accounts.selectors import choices_of
from accounts.selectors.advertising import may_be_advertised_to
from accounts.services.trail import record
from jobs.services import Run, create_job

MAIL = "accounts.mail"
UNSUBSCRIBE_SALT = "accounts.unsubscribe"


class MailUnfinished(Exception):
    """Some letters of a batch were not taken; they are tried again."""


@transaction.atomic
def notify(
    *,
    users: Iterable[User],
    template: str,
    target_id: object = "",
    needs_acknowledgement: bool = False,
    channels: frozenset[Channel] | None = None,
) -> list[Notification]:
    """Tell each of these people, as the category and their own choice say.

    Call it in the transaction of the act. `channels` are for a category whose ways the policy
    sets; the portal is always one of them. Advertising has a service of its own.
    """
    words = template_named(template)
    if words.promotional:
        raise ValueError("advertising goes out by send_campaign, which asks who may get it")
    people = {user.pk: user for user in users if user.is_active}
    chosen = choices_of(people, words.category)
    batch = uuid4()
    rows = []
    for pk in people:
        ways = channels_for(words.category, chosen.get(pk, {}))
        if channels is not None and not CATEGORIES[words.category].choosable:
            ways = channels | CATEGORIES[words.category].always
        if not ways:
            continue
        rows.append(
            Notification(
                user_id=pk,
                batch_id=batch,
                category=words.category,
                template=template,
                target_id=str(target_id),
                needs_acknowledgement=needs_acknowledgement,
                in_portal=Channel.PORTAL in ways or needs_acknowledgement,
                by_email=Channel.EMAIL in ways,
            )
        )
    return post(rows, batch)


def post(rows: list[Notification], batch: UUID) -> list[Notification]:
    """Write a batch down and let one job mail what of it goes by mail."""
    Notification.objects.bulk_create(rows)
    letters = sum(row.by_email for row in rows)
    if letters:
        create_job(kind=MAIL, natural_key=str(batch), payload={"batch": batch}, total=letters)
    return rows


def mail_batch(run: Run) -> None:
    """Send what of a batch has not gone out; a letter is sent outside of any transaction."""
    unsent = Notification.objects.filter(
        batch_id=run.payload["batch"], by_email=True, mailed_at=None, mail_given_up=False
    ).select_related("user")
    mail_each(run, unsent.order_by("pk"), _send)


def mail_each(run: Run, rows: Iterable[Model], send: Callable[[Any], None]) -> None:
    """Send a letter for each row and note on it what became of it.

    The rows have `mailed_at`, `mail_failure` and `mail_given_up`.
    Raises `MailUnfinished` if some are to be tried again.
    """
    failed = False
    for row in rows:
        unsent = type(row)._default_manager.filter(pk=row.pk, mailed_at=None)
        try:
            send(row)
        except MailFailed as failure:
            failed |= not failure.final
            # Not in a step: a step counts as progress, and a server that is down for ever
            # would be asked for ever.
            unsent.update(mail_failure=failure.code, mail_given_up=failure.final)
            continue
        with run.step(advance=1):
            unsent.update(mailed_at=timezone.now(), mail_failure="")
    if failed:
        raise MailUnfinished


def _send(row: Notification) -> None:
    words = row.words
    if not row.user.is_active:
        raise MailFailed("account-closed", final=True)
    # Asked again now: whoever objected since the campaign began gets nothing (MEDDIM-7.11).
    if words.promotional and not may_be_advertised_to(row.user_id, campaign_id=row.batch_id):
        raise MailFailed("objected", final=True)
    opt_out = opt_out_link(row.user) if words.promotional else ""
    send_letter(
        letter_id=row.pk,
        to=row.user.email,
        title=words.title,
        body=body_of(words, target_id=row.target_id, opt_out=opt_out),
        opt_out=opt_out,
    )


def body_of(words: MessageTemplate, *, target_id: str, opt_out: str) -> str:
    """Write the letter: the sentence, a link, and why it comes."""
    sentence = words.sentence.format(opt_out_link=opt_out)
    why = CATEGORIES[words.category].label.lower()
    choose = settings.PUBLIC_URL + reverse("accounts:preferences")
    return (
        f"{sentence}\n\n{settings.PUBLIC_URL}{path_of(words, target_id)}\n\n"
        f"--\nCollimate sends this under “{why}”. Choose your messages: {choose}\n"
    )


def path_of(words: MessageTemplate, target_id: str) -> str:
    """Where in the portal a message leads."""
    return reverse(words.route, args=[target_id] if words.has_target else [])


def opt_out_link(user: User) -> str:
    """The address that ends advertising to a person, by one click and without signing in."""
    token = signing.dumps({"user": user.pk}, salt=UNSUBSCRIBE_SALT)
    return settings.PUBLIC_URL + reverse("accounts:unsubscribe", args=[token])


@transaction.atomic
def mark_read(*, actor: Actor, notification: Notification | None = None) -> int:
    """Note that a person has read one message, or all of theirs. Safe to repeat."""
    rows = Notification.objects.filter(user_id=actor.user_id, in_portal=True, read_at=None)
    if notification is not None:
        rows = rows.filter(pk=notification.pk)
    return rows.update(read_at=timezone.now())


@transaction.atomic
def acknowledge(*, actor: Actor, notification: Notification) -> None:
    """Note that, and when, a person has taken note of an announcement. Safe to repeat."""
    now = timezone.now()
    changed = Notification.objects.filter(
        pk=notification.pk,
        user_id=actor.user_id,
        needs_acknowledgement=True,
        acknowledged_at=None,
    ).update(acknowledged_at=now)
    if not changed:
        return
    mark_read(actor=actor, notification=notification)
    record(
        action="notification.acknowledged",
        actor=actor,
        target=("notification", str(notification.pk)),
        details={"template": notification.template},
    )
