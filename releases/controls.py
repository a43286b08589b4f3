"""The controls of this room: nothing leaves without its people taken out, asked and agreed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction
from pydicom.dataset import Dataset

from accounts.controls.people import SOMEBODY
from accounts.controls.signing_in import routes
from accounts.models import User
from accounts.rules import ROLE_CAPABILITIES, Capability, Role
from audit.models import Event
from consent.models import DataSubject
from jobs.rules.kinds import schedules
from policies.controls.purposes import pack_with
from policies.controls.trying import undone
from policies.rules.categories import Category
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.gate import declared_use
from policies.rules.pack import Pack
from policies.rules.purposes import SECONDARY, Purpose
from releases.gateways.counts_reader import counts_alone
from releases.models import Output, Project, SnapshotBlock, SnapshotPerson
from releases.permissions import can_read_counts
from releases.rules.aggregates.blocks import AggregateRefused, blocks_of
from releases.rules.aggregates.reading import facts_of
from releases.rules.aggregates.scan import OutputRefused
from releases.rules.aggregates.succession import refusal_to_replace
from releases.rules.aggregates.tables import Table, lines_of, table_of
from releases.rules.aggregates.vocabulary import Dimension, Facts, LabelRefused
from releases.rules.exclusions import Candidate, Exclusion, exclusion_of
from releases.rules.risk import risk_of
from releases.rules.states import Act, State, can_be_done
from releases.rules.terms import (
    OFF,
    Method,
    Plan,
    needed_options,
    needs_consent,
    purposes_under,
    refusal_of_plan,
)
from releases.services.counting import ONLY_INSIDE, answer
from releases.services.ending import END_DUE
from releases.services.projects import ReleaseRefused
from studies.models import Instance, Study
from studies.rules.deidentification.assess import Doubt, doubts_of
from studies.rules.deidentification.clean import Cleaner
from studies.rules.deidentification.keyed import KEY_BYTES, Keyed
from studies.rules.deidentification.profile import Option, profile_of

_NAME, _NUMBER = "Nobody^Invented", "CONTROL-4711"


def _invented() -> Dataset:
    one = Dataset()
    one.PatientName, one.PatientID, one.PatientBirthDate = _NAME, _NUMBER, "19010203"
    one.SOPClassUID, one.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.3.4711"
    one.StudyInstanceUID, one.SeriesInstanceUID, one.Modality = "1.2.3.4712", "1.2.3.4713", "US"
    one.StudyDescription = f"Seen by Dr Invented for {_NUMBER}"
    one.PixelData = b"\0\0"
    return one


@control("releases.people-taken-out", "What is released has no people in it", of_policy=True)
def people_taken_out(values: Values) -> str:
    one = _invented()
    require(Doubt.PIXELS_AT_RISK in doubts_of(one), "Text in ultrasound images is not looked for.")
    chosen = {*values["deid.options"]} & {option.value for option in Option}
    profile = profile_of(chosen)
    Cleaner(profile, Keyed(bytes(KEY_BYTES))).clean(one)
    left = [word for word in ("Invented", "CONTROL", "4711", "19010203") if word in str(one)]
    require(not left, f"After cleaning an invented object, {len(left)} of its details were left.")
    require(one.get("PatientIdentityRemoved") == "YES", "It does not say what was done to it.")
    return (
        f"An invented object was cleaned with {len(profile.methods)} methods, and nothing of its "
        "person was left; an ultrasound image was held for its pixels."
    )


def _plan(purpose: Purpose, **more: Any) -> Plan:
    facts: dict[str, Any] = {
        "purpose": purpose, "is_external": True, "ethics_reference": "E-1",
        "method": Method.SAFE_HARBOR, "method_reference": "", "options": frozenset(),
        "has_agreement": True,
    }  # fmt: skip
    return Plan(**(facts | more))


@control("releases.terms-asked", "No release without ethics review and agreement", of_policy=True)
def terms_asked(values: Values) -> str:
    pack = pack_with(values)
    purposes = purposes_under(pack)
    require(purposes, "The policy lets images be released for nothing, yet promises it.")
    for purpose in purposes:
        require(not refusal_of_plan(_plan(purpose), pack, pack), f"{purpose} is always refused.")
        for refused in ({"ethics_reference": " "}, {"has_agreement": False},
                        {"options": frozenset({Option.FULL_DATES})},
                        {"method": Method.EXPERT}):  # fmt: skip
            tried = _plan(purpose, **refused)
            require(refusal_of_plan(tried, pack, pack), f"A release went out despite {refused}.")
        require(refusal_of_plan(_plan(purpose), pack, _without(pack, purpose)),
                "The stricter policy of two does not count.")  # fmt: skip
    return f"For {len(purposes)} purposes, five plans that lack something were refused."


def _without(pack: Pack, purpose: Purpose) -> Pack:
    return pack_with({**pack.values, SECONDARY[purpose]: OFF})


@control(
    "releases.consent-asked", "Consent to research and to training is asked apart", of_policy=True
)
def consent_asked(values: Values) -> str:
    pack = pack_with(values)
    for purpose in purposes_under(pack):
        asked = needs_consent(purpose, pack)
        require(asked == (values[SECONDARY[purpose]] != "deidentified"),
                f"Whether {purpose} needs consent does not follow the policy.")  # fmt: skip
    nobody = Candidate(True, True, False, False)
    require(exclusion_of(nobody, needs_consent=True) is Exclusion.NO_CONSENT,
            "Somebody who has not consented is not left out.")  # fmt: skip
    younger = Candidate(True, True, False, True)
    require(exclusion_of(younger, needs_consent=False) is Exclusion.COLLECTED_BEFORE,
            "A younger purpose reaches what was received before it.")  # fmt: skip
    agreed = Candidate(True, True, True, True)
    require(exclusion_of(agreed, needs_consent=True) is None, "Consent opens nothing.")
    require(len(set(SECONDARY.values())) == len(SECONDARY), "One consent is taken for two.")
    require(can_be_done(Act.REBUILD, State.RELEASED), "A withdrawal cannot be followed.")
    return "Whoever has not consented was left out, for each purpose by itself."


@control("releases.risk-measured", "How easily somebody could be told is measured", of_policy=True)
def risk_measured(values: Values) -> str:
    smallest = values["deid.min_group_size"]
    alone = {"a": [{"sex": "F", "age": "041Y"}], "b": [{"sex": "M", "age": "007Y"}]}
    require(risk_of(alone, threshold=smallest).is_too_high, "Two who stand out may go out.")
    crowd = {str(number): [{"sex": "F", "age": "041Y"}] for number in range(smallest)}
    require(not risk_of(crowd, threshold=smallest).is_too_high, "No group is large enough.")
    bare = {"a": [{"modality": "CT"}]}
    require(not risk_of(bare, threshold=smallest).is_too_high, "Nothing may ever go out.")
    return f"Two people who stood out were refused, {smallest} who look the same were not."


@control("releases.agreement-cleans", "Cleaning follows policy and agreement", of_policy=True)
def agreement_cleans(values: Values) -> str:
    pack = pack_with({**values, "deid.options": [Option.CLEAN_PIXEL_DATA.value]})
    both = needed_options(pack, [Option.CLEAN_GRAPHICS.value])
    require(both == {Option.CLEAN_PIXEL_DATA, Option.CLEAN_GRAPHICS},
            "Either the policy's options or the agreement's are forgotten.")  # fmt: skip
    return "An agreement that asks for more cleaning got it, on top of the policy's."


@control("releases.project-ends", "A project ends by itself, and the way back with it")
def project_ends() -> str:
    found = [one for one in schedules() if one.name == END_DUE]
    require(found and found[0].every <= timedelta(days=1), "Nobody looks daily for a last day.")
    require(not can_be_done(Act.RELEASE, State.ENDED), "What has ended can be released again.")
    may = {role for role in Role if Capability.LOOK_UP_LINKS in ROLE_CAPABILITIES[role]}
    require(may == {Role.OFFICER}, "Others than privacy officers look up pseudonyms.")
    return "Last days are looked for daily; only privacy officers can look up a pseudonym."


# Counts ------------------------------------------------------------------------------------------
def _people(few: int) -> list[Facts]:
    """Many of three kinds, and so many of a fourth that the others and their sums would show."""
    many = 4 * few
    return [
        *[Facts(sex="female", age="40")] * many, *[Facts(sex="male", age="40")] * many,
        *[Facts(sex="male", age="90")] * many, *[Facts(sex="female", age="90")] * few,
    ]  # fmt: skip


def _remainders(table: Table) -> list[int]:
    """What is left of each row and column when all its shown cells are taken from its sum."""
    rows = [(line.cells, line.people) for line in table.lines]
    columns = zip(zip(*(line.cells for line in table.lines), strict=True), table.foot, strict=True)
    return [
        total - sum(cell or 0 for cell in cells)
        for cells, total in (*rows, *columns)
        if total is not None
    ]


@control("releases.counts-in-groups", "Counts tell of large groups, however combined",
         of_policy=True)  # fmt: skip
def counts_in_groups(values: Values) -> str:
    smallest = values["deid.min_group_size"]
    few, both = smallest - 1, [Dimension.SEX, Dimension.AGE]
    with must_refuse(AggregateRefused, f"Counting {few} people"):
        blocks_of([Facts()] * few, at_least=smallest)
    with must_refuse(AggregateRefused, "A group of one"):
        blocks_of([Facts()] * few, at_least=1)
    blocks = blocks_of(_people(few), at_least=smallest, dimensions=both)
    table = table_of(blocks, Dimension.SEX, Dimension.AGE, at_least=smallest)
    require(table.hides, f"A cell of {few} people is shown.")
    told = [*table.counts, *(one for one in _remainders(table) if one)]
    require(min(told) >= smallest, "A small group can be found by subtraction.")
    one_more = {str(number): 0 for number in range(smallest)}
    require(refusal_to_replace([one_more], {**one_more, "new": 0}, smallest),
            "Counts of today less those of yesterday tell of one person.")  # fmt: skip
    with undone(), must_refuse(IntegrityError, "A row about four people"):
        SnapshotBlock.objects.create(snapshot_id=0, place=0, box={}, people=4)
    return (
        f"Of four invented groups, one of {few}, no number and no difference told of fewer than "
        f"{smallest}."
    )


@control("releases.counts-scanned", "Nothing in counts reaches or names anybody")
def counts_scanned() -> str:
    reaching = {
        "an e-mail address": "jo@clinic.example", "a telephone number": "+49 89 5550142",
        "a date": "17.03.1942", "a long number": "778812",
    }  # fmt: skip
    for kind, text in reaching.items():
        with must_refuse(LabelRefused, f"A body part with {kind}"):
            facts_of([{"body_part": text}], dates_are_true=False)
    table = table_of(blocks_of([Facts()] * 20, at_least=11), Dimension.SEX, at_least=11)
    for kind, text in reaching.items():
        heading = replace(table.lines[0].heading, label=text)
        with must_refuse(OutputRefused, f"An answer with {kind}"):
            lines_of(replace(table, lines=(replace(table.lines[0], heading=heading),)))
    require(len(lines_of(table)) > 1, "Nothing is ever told.")
    return f"{len(reaching)} kinds of texts were refused as a label, and again in an answer."


@control("releases.counts-inside", "Counts are for the organisation itself, and each is recorded",
         of_policy=True)  # fmt: skip
def counts_inside(values: Values) -> str:
    listed = pack_with(values).lists(Purpose.STATISTICS, Category.DEIDENTIFIED)
    require(listed, "The policy does not list statistics about groups, yet promises them.")
    for name in ("releases:counts", "releases:counts_csv"):
        use = declared_use(dict(routes())[name])
        require(use and use.purpose is Purpose.STATISTICS, f"{name} is for something else.")
    may = frozenset({Capability.PREPARE_RELEASES, Capability.APPROVE_RELEASES})
    received = Project(organisation_id=UUID(int=2), recipient_id=UUID(int=1))
    recipient = replace(SOMEBODY, organisation_id=received.recipient_id, capabilities=may)
    with undone():
        before = Event.objects.count()
        try:
            answer(actor=recipient, project=received, by=Dimension.SEX)
        except ReleaseRefused as refusal:
            require(str(refusal) == ONLY_INSIDE, "A recipient may ask for counts of the data.")
        require(Event.objects.count() == before + 1, "Asking leaves no event.")
    inside = replace(recipient, organisation_id=received.organisation_id)
    require(can_read_counts(inside, received), "Nobody is ever told.")
    return "The recipient of a release asked for its counts just now: refused, and recorded."


@control("releases.counts-apart", "Whoever reads counts can read nothing else in the database")
def counts_apart() -> str:
    tried = (DataSubject, Study, Instance, Output, SnapshotPerson, User)
    with counts_alone():
        SnapshotBlock.objects.first()
        for model in tried:
            with (
                must_refuse(DatabaseError, f"Reading {model._meta.db_table}"),
                transaction.atomic(),
            ):
                model._default_manager.first()
        with must_refuse(DatabaseError, "Changing a count"), transaction.atomic():
            SnapshotBlock.objects.filter(pk=0).update(people=99)
    return f"The database refused to read {len(tried)} tables of people and images just now."
