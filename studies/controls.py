"""The controls of this room: taking in, keeping and showing studies."""

from __future__ import annotations

import struct
from datetime import timedelta
from inspect import unwrap
from types import CodeType
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.controls.signing_in import gate_of, routes
from accounts.rules import Capability
from accounts.rules.messages import template_named, words_of
from audit.models import Event
from audit.selectors import own_acts
from config.viewer import is_built
from consent.models import DataSubject
from consent.rules.identity import Identity
from consent.services.grants import tell_recipients
from jobs.rules.kinds import schedules
from policies.controls.trying import undone
from policies.rules.categories import CATEGORIES, HEALTH, Category
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.inventory import Protection, inventory
from studies.forms import ShareForm
from studies.gateways.objects import ObjectReader, has_alarm
from studies.models import Blob, Upload
from studies.rules.classes import MEDICAL, category_of
from studies.rules.coercing import edits_of
from studies.rules.correcting import ORIGINALS, Coercion, corrected
from studies.rules.deidentification.profile import Profile
from studies.rules.deidentification.table import Action, row_of
from studies.rules.gate import inspect
from studies.rules.messages import CORRECTED
from studies.rules.minors import (
    UNATTESTED,
    guardian_is_asked,
    refusal_of_guardian,
    shown_by_a_look,
    waits,
)
from studies.rules.reasons import Refused
from studies.selectors import metadata_of, study_summaries
from studies.services.correcting import correct_studies
from studies.services.disagreeing import keep_statement
from studies.services.integrity import CHECK, DAMAGED
from studies.services.uploads import attestation_for
from vault.gateways.blob_store import blob_store
from vault.rules.blind_index import exact_token, index_key
from vault.rules.errors import BlobMissing, SealError
from vault.rules.key_wrap import new_key
from vault.rules.sealed_stream import PREFIX, open_bytes, seal_bytes

# Words in a row of health data that are no words about anybody: DICOM's own numbers and codes,
# and codes of ours.
_NOT_ABOUT_ANYBODY = {
    "uid", "study_uid", "series_uid", "instance_uid", "modality", "modalities", "source", "state",
    "sop_class_uid", "transfer_syntax_uid", "name", "kind", "attestation_digest", "doubts",
    "reasons", "why", "case_number", "studies", "relation", "words_digest",
}  # fmt: skip
# A store of terabytes takes its time; a file that is read by nobody for longer is not looked after.
UNREAD_AT_MOST = timedelta(days=30)
_WORDS = (models.CharField, models.TextField, models.JSONField, models.DateField)


@control("studies.hostile-refused", "What is no proper DICOM object is refused at the door")
def hostile_refused() -> str:
    tried = {
        "A text file that is called .dcm": b"This is no image.\n" * 40,
        "An object that ends in its header": bytes(128) + b"DICM" + b"\x02\x00\x00\x00UL\x04",
        "An empty file": b"",
    }
    for said, content in tried.items():
        with must_refuse(Refused, said):
            inspect(content)
    return "A text file, a truncated object and an empty file were refused just now."


@control("studies.attested", "Whoever sends says that they may, and it is kept who that was")
def attested() -> str:
    attested = attestation_for(None)
    require("allowed to send" in attested, "What is attested says nothing of being allowed.")
    require("minor" in attested, "What is attested says nothing of minors.")
    for name in ("submitted_by_id", "attested_at", "attestation_digest", "organisation_id"):
        refused = must_refuse(IntegrityError, f"An upload without {name}")
        with undone(), refused, transaction.atomic():
            Upload.objects.create(**_upload(**{name: None}))
    return "The database just refused uploads without sender, attestation or its words."


@control(
    "studies.minors-held",
    "Images of minors wait until a guardian who agreed is named",
    of_policy=True,
)
def minors_held(values: Values) -> str:
    require(guardian_is_asked(values), "The policy does not have a guardian named.")
    today = timezone.localdate()
    for texts in (
        {"PatientBirthDate": f"{today.year - 10}0101"},
        {"PatientBirthDate": f"{today.year - 18}1231"} if (today.month, today.day) < (12, 31)
        else {"PatientBirthDate": f"{today.year - 17}0101"},
        {"PatientBirthDate": "", "PatientAge": "009M"},
    ):  # fmt: skip
        require(waits(values, texts, today), "An image of a minor does not wait.")
    grown = {"PatientBirthDate": f"{today.year - 19}0101"}
    require(not waits(values, grown, today), "An image of somebody of age waits for a guardian.")
    require(not shown_by_a_look([UNATTESTED]), "A look is enough to show images of a minor.")
    require(refusal_of_guardian(" "), "A guardian without a name does.")
    may = gate_of("studies:guardian")
    require(Capability.SUBMIT_STUDIES.value in may, f"Who names a guardian is let in by: {may}.")
    return "A child, a youth and a newborn would wait now, and somebody of age would not."


def _upload(**more: Any) -> dict[str, Any]:
    facts = {
        "organisation_id": UUID(int=1), "submitted_by_id": 0, "source": "browser",
        "attested_at": timezone.now(), "attestation_digest": "0" * 64,
    }  # fmt: skip
    return facts | more


@control("studies.files-sealed", "Images lie encrypted in the store")
def files_sealed() -> str:
    latest = Blob.objects.order_by("-pk").values_list("name", flat=True).first()
    if latest is None:
        return "Nothing is stored yet."
    try:
        reader = blob_store().open(latest)
    except BlobMissing:
        require(False, "The latest file is missing from the store.")
        raise
    try:
        beginning = bytes(reader.read_at(0, 65_536))
    finally:
        reader.close()
    require(beginning.startswith(PREFIX), "The latest file in the store is not sealed.")
    require(b"DICM" not in beginning, "The latest file in the store holds a DICOM header.")
    return "The latest file was looked at in the store: sealed, and no DICOM header in it."


@control("studies.damage-told", "A file that was altered is not shown, and its alarm is heard")
def damage_told() -> str:
    key = new_key()
    sealed = bytearray(seal_bytes(b"control", key, b"control"))
    sealed[len(sealed) // 2] ^= 1
    with must_refuse(SealError, "A file with one flipped bit"):
        open_bytes(sealed, key, b"control")
    require(has_alarm(), "A damaged file is refused, and nobody is told.")
    require(words_of(DAMAGED.code) == DAMAGED, "There are no words for telling it.")
    due = [one.every for one in schedules() if one.kind == CHECK]
    require(bool(due) and max(due) <= timedelta(days=1), "No job reads the stored files.")
    long_ago = timezone.now() - UNREAD_AT_MOST
    old = Blob.objects.filter(created_at__lt=long_ago)
    unread = old.filter(models.Q(checked_at=None) | models.Q(checked_at__lt=long_ago)).exists()
    require(not unread, f"Some files were not read for {UNREAD_AT_MOST.days} days.")
    return "One flipped bit was refused; files are read by turns, and damage is told at once."


@control("studies.own-acts", "One sees what one did oneself, and nobody else's acts")
def own_acts_shown() -> str:
    require(gate_of("studies:my_acts") == "signed-in", "Not everybody can see their own acts.")
    common = {"action": "study.viewed", "outcome": "success", "occurred_at": timezone.now()}
    with undone():
        for kind, who, whose in (
            ("user", "0", "1"), ("user", "1", "1"), ("job", "0", "1"), ("user", "0", "2"),
        ):  # fmt: skip
            Event.objects.create(actor_kind=kind, actor_id=who, organisation_id=whose, **common)
        found = own_acts(user_id=0, organisation_id="1").events
    seen = [(one.actor_kind, one.actor_id, one.organisation_id) for one in found]
    require(("user", "0", "1") in seen, "One's own act is not shown.")
    require(len(seen) == 1, "Acts of somebody else, or for another organisation, are shown.")
    return "Of four acts tried, one's own was shown, and none of others or for others."


@control("studies.health-sealed", "No words about a patient stand in the database")
def health_sealed() -> str:
    bare = []
    entries = [one for one in inventory() if one.category in HEALTH]
    for entry in entries:
        field = apps.get_model(entry.model)._meta.get_field(entry.field)
        moment = isinstance(field, models.DateTimeField)
        in_words = isinstance(field, _WORDS) and entry.field not in _NOT_ABOUT_ANYBODY
        if entry.protection is Protection.READABLE and in_words and not moment:
            bare.append(f"{entry.model}.{entry.field}")
        if entry.is_sealed and not isinstance(field, models.BinaryField) and not moment:
            require(entry.field.endswith("digest"), f"{entry.model}.{entry.field} is not sealed.")
    require(not bare, f"In the clear: {', '.join(bare)}.")
    sealed = sum(one.is_sealed for one in entries)
    return f"{sealed} of {len(entries)} fields about patients are sealed; the others are numbers."


@control("studies.found-by-hash", "Names and numbers are searched by keyed hashes")
def found_by_hash() -> str:
    root = new_key()
    key = index_key(root, "1", "control")
    token = exact_token(key, "Adler^Paula")
    require(b"Adler" not in token, "The index holds a name.")
    require(token == exact_token(key, "Adler^Paula"), "What was stored is not found again.")
    elsewhere = exact_token(index_key(root, "2", "control"), "Adler^Paula")
    require(token != elsewhere, "Two organisations' indexes can be compared.")
    readable = [
        one.field
        for one in inventory()
        if one.category in HEALTH and one.field.endswith("token") and not one.is_sealed
    ]
    require(not readable, f"Not a hash: {', '.join(readable)}.")
    return "A name was found by its hash, which is another one for each organisation."


@control(
    "studies.owners-known", "An animal's record is its owner's; nobody needs an account for it"
)
def owners_known() -> str:
    animal = Identity(name="Bello", species="Canis lupus", responsible_person="Roth^Ida",
                      responsible_role="OWNER")  # fmt: skip
    require(animal.is_animal, "An animal with its owner passes for a person.")
    require(not Identity(name="Adler^Paula").is_animal, "A person passes for an animal.")
    again = Identity.from_json(animal.to_json())
    require(again.responsible_person == "Roth^Ida", "The owner is not kept.")
    users = [one.name for one in DataSubject._meta.concrete_fields if one.name == "user"]
    require(not users, "A patient is one only with an account.")
    require(gate_of("studies:my_record") == "signed-in", "Owners cannot come to their record.")
    return "An animal's record keeps its owner; records are there without an account."


@control("studies.nothing-ticked", "On the page of sharing, nothing is ticked beforehand")
def nothing_ticked() -> str:
    choices: dict[str, Any] = {
        "recipients": [("person:1", "Somebody")], "purposes": [("treatment", "Treatment")],
        "items": [("whole", "The whole study"), ("1.2.3", "A series")],
        "lasts_at_most": timedelta(days=30),
    }  # fmt: skip
    form = ShareForm(**choices)
    for name in ("recipient", "purpose", "items", "may_download"):
        require(not form[name].initial, f"{name} is filled in beforehand.")
    untouched = ShareForm({}, **choices).errors
    for name in ("recipient", "purpose", "items"):
        require(name in untouched, f"A share can be sent without {name}.")
    return "The form opens with nothing ticked, and sending it untouched was refused."


@control("studies.doors-decide", "Each door to images asks who comes")
def doors_decide() -> str:
    doors = [name for name, _ in routes() if name.startswith(("dicomweb:", "studies:"))]
    open_ = [name for name in doors if gate_of(name) in {"", "public"}]
    require(not open_, f"Open to anybody: {', '.join(open_)}.")
    return f"Each of {len(doors)} doors to studies asks who comes; none is public."


# Corrections -------------------------------------------------------------------------------------
def _invented() -> bytes:
    """The beginning of an object in explicit little endian, of nobody."""

    def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
        return struct.pack("<HH2sH", group, number, vr, len(value)) + value

    syntax = element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0")
    return bytes(128) + b"DICM" + syntax + element(0x10, 0x10, b"PN", b"Before^A")


def _calls(function: Any) -> set[str]:
    """The names that a function uses, also in what it makes inside."""
    found: set[str] = set()
    codes = [unwrap(function).__code__]
    while codes:
        code = codes.pop()
        found |= set(code.co_names)
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
    return found


@control("studies.corrected-everywhere", "What was corrected reads so on every way out")
def corrected_everywhere() -> str:
    content, now = _invented(), timezone.now()
    new = Coercion(now, {"00100010": "After^A", "00100020": "NEW-1"})
    edits = edits_of(lambda start, length: content[start : start + length], len(content), [new])
    put_in = b"".join(edit.puts_in for edit in edits)
    for said in (b"After^A", b"NEW-1", b"CORRECT", b"Before^A"):
        require(said in put_in, f"A corrected object does not say {said.decode()}.")
    there: dict[str, Any] = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Before^A"}]}}
    described = corrected(there, [new], whole=True)
    name = described["00100010"]["Value"] == [{"Alphabetic": "After^A"}]
    require(name and ORIGINALS in described, "Descriptions forget a correction.")
    for door in (ObjectReader.stream, ObjectReader.length):
        require("_edits" in _calls(door), "Objects go out without their corrections.")
    for read in (study_summaries, metadata_of):
        require("as_corrected" in _calls(read), "Descriptions go out uncorrected.")
    return "An object of nobody was corrected; it says the new name, and which stood there before."


@control("studies.correction-told", "Whoever was given something learns of its correction")
def correction_told() -> str:
    told = template_named(CORRECTED.code)
    require(told.route == "consent:share", "The message does not lead to the share.")
    for act in (correct_studies, keep_statement):
        require("tell_recipients" in _calls(act), "Recipients are not told.")
    grants = _calls(tell_recipients)
    require("Grant" in grants and "in_force" not in grants, "Only whose share still runs is told.")
    return (
        "Every share of a corrected study is looked for, ended ones too, and its people are told."
    )


@control("studies.viewer", "Images can be looked at in the browser")
def viewer() -> str:
    require(is_built(), "The viewer is not built. Run: make viewer")
    names = dict(routes())
    for name in ("dicomweb:frames", "dicomweb:instance_rendered", "studies:viewer"):
        require(name in names, f"There is no {name}.")
    return "The viewer is built, and the doors that it fetches images by are there."


@control("studies.medical-known", "Medical attributes are known, and go in de-identification")
def medical_known() -> str:
    named = {
        "Patient's Age", "Patient's Weight", "Patient's Size", "Patient's Sex", "Ethnic Group",
        "Additional Patient History", "Occupation",
    }  # fmt: skip
    by_name = {name: tag for tag, name in MEDICAL.items()}
    for name in sorted(named):
        known = name in by_name and category_of(by_name[name]) is Category.MEDICAL
        require(known, f"{name} is not known as medical.")
    kept = [
        name
        for name, tag in by_name.items()
        if (row := row_of(tag)) is None or row.action(Profile()) is Action.KEEP
    ]
    require(not kept, f"De-identification keeps {', '.join(kept)}.")
    require(CATEGORIES[Category.MEDICAL].sensitive, "Medical data does not count as sensitive.")
    return f"{len(MEDICAL)} attributes are classified as medical; the Basic Profile keeps none."
