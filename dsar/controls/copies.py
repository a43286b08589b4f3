"""Controls of copies: one's own data at any time, a choice, portable ones, each fetched once."""

from __future__ import annotations

import io
import json
import secrets
import zipfile
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

from django.core.management import get_commands
from django.utils import timezone

from accounts.controls.signing_in import gate_of
from accounts.models import Membership, Organisation, User
from accounts.rules import Actor, Capability, Factor
from accounts.services.policy_gate import WITHOUT_ACCEPTANCE
from consent.models import DataSubject, SubjectAccount
from consent.rules.identity import Identity
from dsar.models import Case, Package
from dsar.rules.kinds import Kind
from dsar.rules.packages import ENOUGH_FOR, LASTS, WITH_COPY, What, is_chosen
from dsar.rules.portable import (
    NotPortable,
    ObjectTold,
    StudyTold,
    Told,
    check_document,
    document_of,
    tables_of,
)
from dsar.services.choosing import studies_held
from dsar.services.copying import SUMS, Archive, categories_files
from dsar.services.entries import CaseRefused
from dsar.services.explaining import Explained
from dsar.services.own_record import own_archive, whose_own
from dsar.services.packaging import is_spent, is_to_be_had
from dsar.views import own_data
from policies.controls.trying import undone
from policies.rules.categories import CARE_DATA, Category
from policies.rules.controls import control, must_refuse, require
from policies.rules.gate import declared_use, using
from policies.rules.holdings import Holding, one_file
from policies.rules.purposes import Purpose
from studies.models import Study

_MARK = "PLANTED-5501"


def _unpacked(archive: Archive) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(archive.pieces()))) as found:
        return {name: found.read(name) for name in found.namelist()}


def _somebody(office: Organisation) -> Actor:
    """A member of an office that is not there, who has not proved anew who they are."""
    user = User.objects.create(email=f"{secrets.token_hex(8)}@control.invalid", name="Nobody")
    Membership.objects.create(user=user, organisation=office)
    return Actor(user.pk, "Nobody", organisation_id=office.pk)


def _office() -> Organisation:
    slug = f"control-{secrets.token_hex(4)}"
    return Organisation.objects.create(slug=slug, name="Nowhere", country="US")


@control("dsar.own-data", "Everybody with an account sees and exports what is held, at any time")
def own_data_seen() -> str:
    for page, view in (("my_data", own_data.my_data), ("my_data_file", own_data.my_data_file)):
        require(gate_of(f"dsar:{page}") == "signed-in", "It is no page for everybody signed in.")
        use = declared_use(view)
        always = use is not None and use.purpose in WITHOUT_ACCEPTANCE
        require(always, "Whoever has not accepted a policy does not come to it.")
    with undone(), using(Purpose.RIGHTS, *CARE_DATA, *Category):
        actor = _somebody(_office())
        with must_refuse(CaseRefused, "An export without a fresh proof"):
            own_archive(actor=actor)
        fresh = replace(actor, stepped_up_at=timezone.now(), factor=Factor.TOTP.value)
        files = _unpacked(own_archive(actor=fresh))
    wanted = {"account.json", "shares-that-name-me.json", "what-i-did.json", SUMS}
    require(wanted <= files.keys(), "The export leaves out profile, shares or acts.")
    require("control.invalid" in files["account.json"].decode(), "The profile is not in it.")
    return f"An export of {len(files)} files was made just now; without a fresh proof it was not."


@control("dsar.own-records", "Whoever has a record linked sees every study and object of it")
def own_records() -> str:
    require(gate_of("studies:my_record") == "signed-in", "Nobody sees whom it was shown to.")
    require(gate_of("consent:my_purposes") == "signed-in", "Nobody sees what they agreed to.")
    with undone():
        office = _office()
        actor = _somebody(office)
        mine, other = (_patient(office) for _ in range(2))
        SubjectAccount.objects.create(user_id=actor.user_id, subject=mine)
        for subject, objects in ((mine, 3), (mine, 4), (other, 5)):
            _study(office, subject, objects)
        places = [one for one in whose_own(actor) if one.subject_ids]
        held = [study for one in places for study in studies_held(one)]
        counted = Study.objects.filter(subject=mine).count()
        require(len(held) == counted, "The page has not every study that is there.")
        shown = sum(study.instance_count + study.held_count for study in held)
        require(shown == 7, "It has not every object, or somebody else's.")
    return f"Of three studies of two people one saw their own two, with all {shown} objects."


def _patient(office: Organisation) -> DataSubject:
    return DataSubject.objects.create(
        id=uuid4(), organisation=office, kind=DataSubject.Kind.PERSON, key_id=uuid4(),
        sealed_record=b"-",
    )  # fmt: skip


def _study(office: Organisation, subject: DataSubject, objects: int) -> None:
    # One of the objects is held back: it is held about the person as well.
    Study.objects.create(
        organisation=office, uid=f"2.25.{uuid4().int}", subject=subject, key_id=uuid4(),
        sealed_summary=b"-", patient_id_token=b"-", instance_count=objects - 1, held_count=1,
    )  # fmt: skip


@control("dsar.copy-portable", "Data can be taken along in forms that programs read")
def copy_portable() -> str:
    require(Kind.PORTABILITY in WITH_COPY, "No copy is made for taking data elsewhere.")
    schema = gate_of("dsar:portable_schema")
    require(schema == "public", "The schema is published to nobody.")
    require("import_copy" in get_commands(), "No portal takes such a copy in.")
    person, uid = uuid4(), "2.25.1"
    one = ObjectTold(uid, uid, uid, f"studies/images/{uid}/{uid}/{uid}.dcm")
    told = Told(
        timezone.now(), "Nowhere", "0000-0000", {person: Identity(name=_MARK)},
        [StudyTold(uid, person, None, "=1+1", ("CT",), (one,))], [], [],
    )  # fmt: skip
    document = document_of(told)
    check_document(document)
    for part in ("people", "studies", "organisation"):
        without = {name: value for name, value in document.items() if name != part}
        with must_refuse(NotPortable, f"A document without {part}"):
            check_document(without)
    tables = tables_of(document)
    require(_MARK in tables["people.csv"].decode(), "The tables leave people out.")
    require(one.file in tables["objects.csv"].decode(), "The tables leave objects out.")
    require("'=1+1" in tables["studies.csv"].decode(), "A table runs formulas of strangers.")
    return f"A document and {len(tables)} tables were written; three that lack a part were refused."


@control("dsar.copy-chosen", "Whoever wants one report gets that one, and digests")
def copy_chosen() -> str:
    gate = gate_of("dsar:choose")
    require(gate == Capability.ANSWER_REQUESTS, "Nobody can choose, or everybody.")
    names = ("studies/images/1/2/3.dcm", "studies/images/1/2/33.dcm", "consent/shares.json")
    files = [one_file(name, name.encode()) for name in names]
    for chosen, number in ((names[:1], 1), (("studies/images/1/",), 2), (("studies/images/",), 2)):
        mine = [one for one in files if is_chosen(one.path, chosen)]
        found = _unpacked(Archive(mine))
        listed = found.pop(SUMS).decode()
        require(len(found) == number, "The copy holds something else than was chosen.")
        right = all(sha256(text).hexdigest() in listed for text in found.values())
        require(right, "The digests are not of what is in it.")
    return "Of three files the one that was chosen was copied, with its digest, and no other."


@control("dsar.copy-once", "A copy lies sealed, has an end, and is fetched once")
def copy_once() -> str:
    now = timezone.now()
    case = Case(answered_at=now, outcome="granted")
    there = {
        "state": Package.State.READY,
        "expires_at": now + timedelta(hours=1),
        "key_id": uuid4(),
    }
    require(is_to_be_had(case, Package(**there)), "Nobody can fetch a copy.")
    ended = Package(**there | {"expires_at": now - timedelta(seconds=1)})
    require(not is_to_be_had(case, ended), "A copy is to be had after its end.")
    fetched = Package(**there, spent_at=now)
    require(is_spent(fetched) and not is_to_be_had(case, fetched), "It is fetched twice.")
    require(not is_to_be_had(Case(), Package(**there)), "It is fetched before the answer.")
    require(timedelta(0) < LASTS <= timedelta(days=30), "Copies have no end.")
    field = Package._meta.get_field("key_id")
    require(not field.null, "A copy lies there without a key of its own.")
    return f"A copy that had been fetched, and one past its {LASTS.days} days, were refused."


@control("dsar.two-levels", "Kinds of data are told without the data, and take less proof")
def two_levels() -> str:
    more = ENOUGH_FOR[What.EVERYTHING] > ENOUGH_FOR[What.CATEGORIES]
    require(more, "The data themselves take no more proof than their kinds.")
    number = 550_155
    holding = Holding(Category.IMAGES, _MARK, number, timezone.now(), _MARK, (_MARK,), _MARK)
    lines = [Explained(_MARK, holding, ("Care",), _MARK)]
    case = Case(number="0000-0000", organisation=Organisation(name="Nowhere"))
    files = categories_files(case, lines, timezone.now())
    text = b"".join(piece for one in files for piece in one.pieces()).decode()
    require(_MARK not in text and str(number) not in text, "It holds values of the data.")
    require("Care" in text, "It says not what for.")
    told = json.loads(b"".join(files[-1].pieces()))["kinds"]
    require(len(told) == 1 and told[0]["third_parties"], "It says not that others have got it.")
    return "A report of kinds was made from planted data, and none of these was in it."
