"""Papers of a request: asked for, sealed, opened by officers alone, and destroyed in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.rules import Actor
from audit.models import Event
from dsar.models import Case, CaseDocument
from dsar.rules.documents import DocumentKind, term_of
from dsar.rules.kinds import Kind
from dsar.rules.laws import Law
from dsar.rules.states import Denial, Outcome, State
from dsar.selectors import read_token
from dsar.services import documents, handling
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.routing import hand_over_case
from policies.rules.erasing import Erased, Fate, erasers
from policies.rules.holdings import Whose, holders
from retention.rules.holds import Scope
from retention.rules.periods import Period
from studies.services.sweeping import sweep_store
from tests.dsar.asking import by_form, post, signed_in, written_down
from tests.dsar.papers import archive, pdf, picture
from tests.factories import Cast, text_of
from tests.retention.cases import held
from vault.rules.errors import KeyDestroyed
from vault.services.blobs import is_stored
from vault.services.data_keys import open_data_key

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"], transaction=False),
    pytest.mark.usefixtures("for_rights"),
]
Acting = Callable[..., Actor]
Browsers = Callable[[User], Client]
DAY = date(2026, 3, 31)


def add(actor: Actor, case: Case, kind: DocumentKind = DocumentKind.IDENTITY) -> CaseDocument:
    return documents.add_document(actor=actor, case=case, kind=kind, content=picture())


def deny(actor: Actor, case: Case) -> None:
    handling.answer_case(
        actor=actor, case=case, text="No.", outcome=Outcome.DENIED, denial=Denial.IDENTITY
    )


def is_gone(document: CaseDocument, blob: str) -> bool:
    document.refresh_from_db()
    try:
        open_data_key(id=document.key_id)
    except KeyDestroyed:
        return document.destroyed_at is not None and not is_stored(name=blob)
    return False


# How long ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "laws", "policy", "until"),
    [
        ("identity", [Law.HIPAA, Law.CCPA], "6 years", DAY),
        ("authority", [], None, date(2028, 3, 31)),
        ("authority", [Law.CCPA], "3 months", date(2028, 3, 31)),
        ("authority", [Law.CCPA, Law.HIPAA], None, date(2032, 3, 31)),
        ("release", [Law.HIPAA], "10 years", date(2036, 3, 31)),
        ("support", [Law.GDPR], "6 months", date(2026, 9, 30)),
    ],
)
def test_a_paper_is_kept_as_long_as_policy_and_law_ask_and_an_identity_document_no_longer(
    kind: str, laws: list[Law], policy: str | None, until: date
) -> None:
    term = Period.read(policy) if policy else None
    assert term_of(DocumentKind(kind), DAY, laws, term).until == until


# Taking in ---------------------------------------------------------------------------------------
def test_a_paper_is_sealed_and_its_name_is_not_kept(cast: Cast, actor: Acting) -> None:
    case = by_form()
    document = add(actor(cast.officer), case, DocumentKind.AUTHORITY)
    assert document.size == len(picture()) and is_stored(name=document.blob_name)
    event = Event.objects.get(action="request.document_added")
    assert event.details["document_kind"] == "authority"
    sweep_store(older_than=timedelta(0))
    assert is_stored(name=document.blob_name) and open_data_key(id=document.key_id)


@pytest.mark.parametrize("content", [archive(), pdf(script="x()"), picture() + archive(), b""])
def test_a_hostile_paper_is_refused_written_down_and_not_kept(
    cast: Cast, actor: Acting, content: bytes
) -> None:
    case = by_form()
    with pytest.raises(CaseRefused):
        documents.add_document(
            actor=actor(cast.officer), case=case, kind=DocumentKind.AUTHORITY, content=content
        )
    assert not CaseDocument.objects.exists()
    assert Event.objects.get(action="request.document_refused").details["bytes"] == len(content)


def test_nobody_sends_a_paper_that_nobody_asked_for(cast: Cast) -> None:
    case = by_form()
    with pytest.raises(CaseRefused, match="Nobody asked you"):
        documents.send_document(case=case, kind=DocumentKind.IDENTITY, content=picture())


def test_a_person_sends_what_was_asked_once_by_the_link_of_their_letter(
    cast: Cast, actor: Acting, client: Client
) -> None:
    """MEDDIM-7.23: a requester uploads by link; the file is gone after the decision."""
    case = by_form(kind=Kind.ACCESS)
    documents.ask_for_document(
        actor=actor(cast.officer), case=case, kind=DocumentKind.IDENTITY, text="Cover the number."
    )
    assert any("a paper is needed" in letter for letter in post())
    page = f"/requests/read/{read_token(case)}/"
    assert "A paper is needed from you" in text_of(client.get(page))
    sent = {"kind": "identity", "file": SimpleUploadedFile("<b>Greta</b>.exe", picture("JPEG"))}
    assert client.post(f"{page}documents/", sent).status_code == 302
    document = CaseDocument.objects.get()
    assert document.by_person and document.added_by is None and document.file_type == "jpeg"
    assert "A paper is needed from you" not in text_of(client.get(page))
    again = {"kind": "identity", "file": SimpleUploadedFile("a.png", picture())}
    client.post(f"{page}documents/", again)
    assert CaseDocument.objects.count() == 1


def test_a_stranger_sends_nothing_into_somebody_elses_request(
    cast: Cast, actor: Acting, client_of: Browsers
) -> None:
    case = signed_in(actor(cast.patient), kind=Kind.ACCESS)
    documents.ask_for_document(
        actor=actor(cast.officer), case=case, kind=DocumentKind.IDENTITY, text="Please."
    )
    sent = {"kind": "identity", "file": SimpleUploadedFile("a.png", picture())}
    address = f"/requests/mine/{case.number}/documents/"
    assert client_of(cast.owner).post(address, sent).status_code == 404
    with pytest.raises(NotYours):
        documents.send_document(
            case=case, kind=DocumentKind.IDENTITY, content=picture(), actor=actor(cast.owner)
        )
    sent["file"].seek(0)  # type: ignore[attr-defined]
    client_of(cast.patient).post(address, sent)
    assert CaseDocument.objects.get().by_person


def test_a_file_too_large_never_reaches_the_portal(cast: Cast, client_of: Browsers) -> None:
    case = by_form()
    large = SimpleUploadedFile("a.pdf", b"%PDF-1.7\n" + b"0" * (10 << 20))
    answer = client_of(cast.officer).post(
        f"/requests/{case.number}/documents/", {"kind": "identity", "file": large}
    )
    assert answer.status_code == 422
    assert "at most 8 MB" in text_of(answer)
    assert not CaseDocument.objects.exists()


def test_a_paper_of_some_megabytes_is_taken(cast: Cast, client_of: Browsers) -> None:
    case = by_form()
    held = picture("PNG", size=(2000, 900), compress_level=0)
    assert len(held) > 5 << 20
    answer = client_of(cast.officer).post(
        f"/requests/{case.number}/documents/",
        {"kind": "identity", "file": SimpleUploadedFile("a.png", held)},
    )
    assert answer.status_code == 302
    assert CaseDocument.objects.get().size == len(held)


# Opening -----------------------------------------------------------------------------------------
def test_only_an_officer_who_has_just_proved_who_they_are_opens_it(
    cast: Cast, actor: Acting, client_of: Browsers
) -> None:
    case = by_form()
    document = add(actor(cast.officer), case)
    address = f"/requests/{case.number}/documents/{document.pk}/"
    browser = client_of(cast.officer)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        assert "/sign-in/again/" in browser.get(address)["Location"]
    assert client_of(cast.clinician).get(address).status_code == 403
    with pytest.raises(CaseRefused, match="Prove again"):
        documents.open_document(actor=actor(cast.officer), document=document)
    with pytest.raises(NotYours):
        documents.open_document(actor=actor(cast.clinician, fresh=True), document=document)
    assert not Event.objects.filter(action="request.document_opened").exists()
    content = documents.open_document(actor=actor(cast.officer, fresh=True), document=document)
    assert content == picture()
    assert Event.objects.get(action="request.document_opened").actor_id == str(cast.officer.pk)


def test_a_browser_saves_it_and_runs_nothing_of_it(
    cast: Cast, actor: Acting, client_of: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = by_form()
    document = add(actor(cast.officer), case)
    monkeypatch.setattr(Actor, "is_fresh", lambda *_: True)
    answer = client_of(cast.officer).get(f"/requests/{case.number}/documents/{document.pk}/")
    assert answer.content == picture()
    assert answer["Content-Disposition"] == f'attachment; filename="{case.number}-identity.png"'
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


# Their end ---------------------------------------------------------------------------------------
def test_an_identity_document_goes_with_the_answer_and_an_authority_after_its_term(
    cast: Cast, actor: Acting, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    officer = actor(cast.officer)
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        case = by_form(kind=Kind.ACCESS, residence="US-CA")
        identity, authority = add(officer, case), add(officer, case, DocumentKind.AUTHORITY)
        blobs = identity.blob_name, authority.blob_name
        documents.end_documents()
        assert not is_gone(identity, blobs[0])
        with django_capture_on_commit_callbacks(execute=True):
            deny(officer, case)
        assert is_gone(identity, blobs[0]) and not is_gone(authority, blobs[1])
        # HIPAA counts for the hospital wherever somebody lives: six years.
        clock.move_to(datetime(2032, 9, 1, 12, tzinfo=UTC))
        assert documents.end_documents() == 0
        clock.move_to(datetime(2032, 9, 3, 12, tzinfo=UTC))
        assert documents.end_documents() == 1
        assert is_gone(authority, blobs[1])
        assert documents.end_documents() == 0
    assert Event.objects.filter(action="request.document_destroyed").count() == 2


def test_what_a_rolled_back_answer_would_have_destroyed_is_still_there(
    cast: Cast, actor: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = by_form(kind=Kind.ACCESS)
    document = add(actor(cast.officer), case)

    def fails(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("dsar.services.handling.tell_person", fails)
    with pytest.raises(RuntimeError):
        deny(actor(cast.officer), case)
    document.refresh_from_db()
    assert document.ends_at is None and open_data_key(id=document.key_id)


def test_a_hold_keeps_the_papers_of_whom_it_is_about(
    cast: Cast, actor: Acting, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    case = by_form(kind=Kind.ACCESS)
    document = add(actor(cast.officer), case)
    hold = held(cast, Scope.ORGANISATION)
    with django_capture_on_commit_callbacks(execute=True):
        deny(actor(cast.officer), case)
    assert not is_gone(document, document.blob_name)
    hold.delete()
    blob = document.blob_name
    assert documents.end_documents() == 1
    assert is_gone(document, blob)


def test_a_destroyed_paper_cannot_be_opened(cast: Cast, actor: Acting) -> None:
    document = add(actor(cast.officer), by_form())
    documents.end_documents_of([document])
    document.refresh_from_db()
    with pytest.raises(CaseRefused, match="destroyed"):
        documents.open_document(actor=actor(cast.officer, fresh=True), document=document)


def test_papers_move_with_the_request_under_a_key_of_the_provider(
    cast: Cast, actor: Acting, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:  # fmt: skip
    monkeypatch.setattr("dsar.selectors.routes_on", lambda _: True)
    case = by_form("imaging", kind=Kind.ACCESS)
    document = add(actor(cast["officer@imaging.example"]), case)
    before = CaseDocument.objects.get(pk=document.pk)
    with django_capture_on_commit_callbacks(execute=True):
        hand_over_case(
            actor=actor(cast["officer@imaging.example"]), case=case, text="They have it.",
            to=Organisation.objects.get(slug="hospital"),
        )  # fmt: skip
    document.refresh_from_db()
    assert document.key_id != before.key_id and not is_stored(name=before.blob_name)
    with pytest.raises(KeyDestroyed):
        open_data_key(id=before.key_id)
    document = CaseDocument.objects.select_related("case").get(pk=document.pk)
    assert documents.open_document(actor=actor(cast.officer, fresh=True), document=document)


def test_asking_for_a_paper_stops_only_the_clocks_that_may_wait(cast: Cast, actor: Acting) -> None:
    """UK GDPR Art. 12A waits for proof of identity; the GDPR's month runs on."""
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        case = written_down(actor(cast.officer), kind=Kind.ACCESS, residence="FR")
        due = case.answer_on
        documents.ask_for_document(
            actor=actor(cast.officer), case=case, kind=DocumentKind.IDENTITY, text="Please."
        )
        case.refresh_from_db()
        assert case.state == State.NEEDS_DETAIL
        clock.shift(timedelta(days=5))
        handling.give_detail(case=case, text="I will not send any.")
    case.refresh_from_db()
    assert case.answer_on == due


# What other rooms see ----------------------------------------------------------------------------
def test_papers_are_listed_as_held_and_erased_when_no_longer_needed(
    cast: Cast, actor: Acting
) -> None:
    case = signed_in(actor(cast.patient), kind=Kind.ACCESS)
    add(actor(cast.officer), case, DocumentKind.AUTHORITY)
    left = add(actor(cast.officer), case)
    Case.objects.filter(pk=case.pk).update(answered_at=case.received_at)
    whose = Whose(case.organisation_id, user_id=cast.patient.pk)
    room = next(one for one in holders() if one.code == "requests")
    assert "Papers that came with requests" in {one.what for one in room.holdings(whose)}
    eraser = next(one for one in erasers() if one.code == "requests")
    lines = {(one.fate, one.what, one.number) for one in eraser.plan(whose)}
    assert (Fate.GOES, "Identity documents of answered requests", 1) in lines
    assert (Fate.STAYS, "Papers that came with requests", 1) in lines
    blob = left.blob_name
    eraser.carry_out(Erased(whose, case.pk, frozenset()))
    assert is_gone(left, blob)
    assert CaseDocument.objects.filter(destroyed_at=None).count() == 1
