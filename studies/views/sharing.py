"""Sharing in two pages: say what, then read exactly what that means and agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import Membership, Organisation
from accounts.permissions import needs, needs_step_up, to_step_up
from accounts.rules import Capability
from accounts.selectors import possible_recipients
from consent.rules.agreement import Agreement, OfferedItem, digest_of_contents, digest_of_text
from consent.rules.decision import Action, Decision, Item, Outcome, Reason
from consent.selectors import identities
from consent.services.decisions import Refused, decide
from consent.services.grants import (
    USER_AUTHORISED,
    GrantRefused,
    NotProven,
    compose_agreement,
    create_grant,
)
from policies.rules.categories import CARE_DATA
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from policies.selectors import effective_pack
from studies.forms import ShareForm, chosen_recipient, recipient_choices
from studies.models import Instance, Study
from studies.rules.display import StudyWords, day_of, words_of_study
from studies.selectors import resource_of, study_summaries
from studies.views.study import ShownSeries, shown_series, study_or_404

WHOLE = "study"
EVERYTHING = Decision(Outcome.PERMIT, Reason.OWN_ORGANISATION, "", None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A share as the form has it, ready to be put into words."""

    agreement: Agreement
    organisation: Organisation
    recipient: Membership | None
    purpose: str


@needs(Capability.SHARE_STUDIES)
@require_http_methods(["GET", "POST"])
@uses(Purpose.TREATMENT, *CARE_DATA)
def share(request: HttpRequest, uid: str) -> HttpResponse:
    study = study_or_404(request, uid)
    decision = decide(actor=request.actor, action=Action.SHARE, resource=resource_of(study))
    if not decision.is_permit:
        raise Refused(decision, resource_of(study))
    if _must_prove(study) and (detour := needs_step_up(request)):
        return detour
    words = words_of_study(orjson.loads(study_summaries([study])[0]))
    series = shown_series(study, EVERYTHING)
    memberships = possible_recipients(request.actor)
    form = _form(request, study, words, series, memberships)
    context: dict[str, Any] = {"study": study, "words": words, "form": form}
    if not form.is_bound or not form.is_valid():
        return render(request, "studies/share.html", context, status=422 if form.is_bound else 200)
    try:
        wanted = _wanted(request, study, words, series, memberships, form)
        if request.POST.get("agree"):
            return _agree(request, study, wanted)
    except NotProven:
        # The recipient's policy asks for more than ours: prove it, then say it again.
        return to_step_up(request)
    except GrantRefused as refusal:
        form.add_error(None, str(refusal))
        return render(request, "studies/share.html", context, status=422)
    text = wanted.agreement.text()
    context |= {
        "text": text,
        "digest": digest_of_text(text),
        "chosen": form.cleaned_data["items"],
    }
    return render(request, "studies/share_check.html", context)


def _must_prove(study: Study) -> bool:
    return effective_pack(study.organisation_id)["consent.disclosure_level"] != USER_AUTHORISED


def _form(
    request: HttpRequest,
    study: Study,
    words: StudyWords,
    series: list[ShownSeries],
    memberships: list[Membership],
) -> ShareForm:
    pack = effective_pack(study.organisation_id)
    return ShareForm(
        request.POST or None,
        recipients=recipient_choices(memberships),
        purposes=[(purpose.code, purpose.label) for purpose in pack.shareable_purposes],
        items=[(WHOLE, f"The whole study: {_study_in_words(words, series)}")]
        + [(one.row.uid, f"Series: {_series_in_words(one)}") for one in series],
        lasts_at_most=pack.share_lasts_at_most,
    )


def _wanted(
    request: HttpRequest,
    study: Study,
    words: StudyWords,
    series: list[ShownSeries],
    memberships: list[Membership],
    form: ShareForm,
) -> Wanted:
    organisation, recipient = chosen_recipient(form.cleaned_data["recipient"], memberships)
    identity = identities([study.subject])[study.subject_id]
    birth = day_of(identity.birth_date)
    born = f", born {birth:%d %B %Y}" if birth else ""
    agreement = compose_agreement(
        actor=request.actor,
        owner=study.organisation,
        recipient_organisation=organisation,
        recipient=recipient,
        subject_name=f"{identity.display_name} (ID {identity.identifier or 'none'}{born})",
        purpose_code=form.cleaned_data["purpose"],
        may_download=form.cleaned_data["may_download"],
        expires_at=form.expires_at(),
        items=_offered(study, words, series, form.cleaned_data["items"]),
        subject_id=study.subject_id,
        collected_at=study.created_at,
    )
    return Wanted(agreement, organisation, recipient, form.cleaned_data["purpose"])


def _offered(
    study: Study, words: StudyWords, series: list[ShownSeries], chosen: list[str]
) -> tuple[OfferedItem, ...]:
    """Name what is released, with the digest of what each item holds at this moment."""
    contents: dict[str, list[bytes]] = {}
    rows = Instance.objects.filter(study=study, held=False).values_list(
        "series__uid", "content_token"
    )
    for series_uid, content in rows:
        contents.setdefault(series_uid, []).append(bytes(content))
    if WHOLE in chosen:
        everything = [one for list_ in contents.values() for one in list_]
        return (
            OfferedItem(
                Item(study.uid),
                f"The study “{_study_in_words(words, series)}”, all of it",
                len(everything),
                digest_of_contents(everything),
            ),
        )
    return tuple(
        OfferedItem(
            Item(study.uid, one.row.uid),
            f"Of the study “{_study_in_words(words, series)}”, "
            f"the series “{_series_in_words(one)}”",
            one.count,
            digest_of_contents(contents.get(one.row.uid, [])),
        )
        for one in series
        if one.row.uid in chosen
    )


def _study_in_words(words: StudyWords, series: list[ShownSeries]) -> str:
    day = f" of {words.date:%d %B %Y}" if words.date else ""
    count = sum(one.count for one in series)
    return f"{words.title}{day}, {len(series)} series, {_objects(count)}"


def _series_in_words(one: ShownSeries) -> str:
    return f"{one.words.modality} {one.words.title}, {_objects(one.count)}"


@transaction.atomic
def _agree(request: HttpRequest, study: Study, wanted: Wanted) -> HttpResponse:
    grant = create_grant(
        actor=request.actor,
        owner=study.organisation,
        recipient_organisation=wanted.organisation,
        recipient=wanted.recipient,
        subject_id=study.subject_id,
        purpose_code=wanted.purpose,
        agreement=wanted.agreement,
        shown_digest=request.POST.get("digest", ""),
    )
    messages.success(request, "Shared with whom you named.")
    return redirect("consent:share", pk=grant.pk)


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"
