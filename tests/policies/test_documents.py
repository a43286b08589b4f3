"""A pack is data with a schema; what does not fit is refused with the key and the reason."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policies.rules.comparison import compare, is_material
from policies.rules.document import LARGEST, check_document, digest_of, read_pack, written
from policies.rules.findings import PackInvalid
from policies.rules.lint import findings_of
from policies.rules.schema import KEYS
from policies.selectors import FOLDER, shipped_packs

CODES = sorted(path.parent.name for path in FOLDER.glob("*/pack.yaml"))
TEXT = (FOLDER / "image-exchange" / "pack.yaml").read_text()


def document() -> dict[str, Any]:
    return dict(yaml.safe_load(TEXT))


def changed(path: str, value: Any) -> dict[str, Any]:
    section, _, inner = path.partition(".")
    found = document()
    if inner:
        found[section] = {**found[section], inner: value}
    else:
        found[section] = value
    return found


def refusal_of(found: Any) -> str:
    with pytest.raises(PackInvalid) as refused:
        check_document(found)
    return str(refused.value)


def published_refusals(path: str, value: Any) -> list[tuple[str, str]]:
    values = check_document(changed(path, value))
    return [(finding.key, finding.reason) for finding in findings_of(values)]


def test_five_packs_ship_and_each_can_be_published() -> None:
    assert len(CODES) == 5
    for code in CODES:
        assert findings_of(shipped_packs()[code]) == (), code


@pytest.mark.parametrize("code", CODES)
def test_a_pack_survives_being_written_and_read(code: str) -> None:
    values = shipped_packs()[code]
    again = read_pack(written(values))
    assert again == values
    assert digest_of(again) == digest_of(values)


def test_every_key_says_what_it_means_does_and_serves() -> None:
    for key in KEYS:
        assert key.meaning.endswith((".", "?")), key.path
        assert key.effect.endswith("."), key.path
        assert key.clauses, key.path
        assert len({one.path for one in KEYS}) == len(KEYS)


# Bad input ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("notice.min_dayz", 7, "is no key of a policy. Did you mean notice.min_days?"),
        ("frobnicate", 1, "frobnicate: is no key of a policy."),
        ("notice.min_days", "seven", "notice.min_days: must be a whole number of days"),
        ("notice.min_days", "7", "without quotes"),
        ("notice.min_days", 7.5, "must be a whole number"),
        ("notice.min_days", True, "must be a whole number"),
        ("notice.min_days", 4000, "must be between 0 and 365 days."),
        ("notice", 7, "notice: must be a section with keys of its own."),
        ("notice.channels", "email", "must be a list of some of: website, email"),
        ("notice.channels", ["pigeon"], "'pigeon' is none of: website, email"),
        ("notice.channels", ["email", "email"], "names the same thing twice."),
        ("legal.advance_notice", "yes", "legal.advance_notice: must be true or false."),
        ("role", "owner", "role: must be one of: controller, processor"),
        ("contact.email", "nowhere", "contact.email: has not the form of name@hospital.example."),
        ("contact.email", "", "contact.email: must not be empty."),
        ("title", "x" * 121, "title: is longer than 120 characters."),
        ("title", "a\u202eb", "title: holds characters that cannot be seen"),
        ("account.min_age", {"US": 13}, "must give a value for places, and one named default"),
        ("account.min_age", {"default": 13, "Mars": 3}, "'Mars' is no country"),
        ("account.min_age", {"default": "old"}, "default must be a whole number of years"),
        ("purposes", {"sale": {}}, "purposes: sale: personal data is never sold"),
        ("purposes", {"magic": {}}, "'magic' is none of: treatment"),
        ("purposes", {"treatment": {"basis": "consent", "share": True}}, "lacks categories."),
        (
            "purposes",
            {"treatment": {"basis": "whim", "share": True, "categories": ["images"]}},
            "treatment, basis must be one of: consent",
        ),
        (
            "retention",
            {"images": {"trigger": "examination", "keep": "ages", "action": "delete"}},
            "images, keep must be a period such as: 30 days, 6 months, 7 years.",
        ),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_with_its_key(path: str, value: Any, said: str) -> None:
    assert said in refusal_of(changed(path, value))


def test_every_missing_key_is_named_at_once() -> None:
    said = refusal_of({})
    for key in KEYS:
        assert (key.path in said) is not key.optional


def test_a_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    began = time.process_time()
    with pytest.raises(PackInvalid, match="aliases"):
        read_pack("\n".join(lines))
    assert time.process_time() - began < 5


def test_a_file_of_50_megabytes_is_refused_unread() -> None:
    with pytest.raises(PackInvalid, match="is larger than 200 kB"):
        read_pack(b"a" * 50_000_000)
    assert len(TEXT) < LARGEST


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: !!python/object/apply:os.system ['true']", "tags"),
        ("- a\n- b", "must be a mapping"),
        ("title: a\ntitle: b", "line 1: 'title' is given twice"),
        ("7: a", "line 1: 7 must be in quotes"),
        ("[" * 100, "nested too deep"),
        ("a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}", "nested too deep"),
        ("a: 'b", "line"),
        (b"\xff\xfe", "not UTF-8"),
        ("", "must be a mapping"),
        ("title: a\n--- \ntitle: b", "line 2"),
    ],
)
def test_a_document_that_is_more_or_less_than_plain_data_is_refused(
    text: str | bytes, said: str
) -> None:
    with pytest.raises(PackInvalid, match=said):
        read_pack(text)


def test_norway_is_a_country_and_dates_are_text() -> None:
    values = check_document(yaml_plain(changed("account.min_age", {"default": 16, "NO": 15})))
    assert values["account.min_age"]["NO"] == 15
    assert read_pack(written(values)) == values
    title = read_pack(TEXT.replace("title: Statement of privacy", "title: 2026-01-01"))["title"]
    assert title == "2026-01-01"


def yaml_plain(found: Mapping[str, Any]) -> Any:
    return yaml.safe_load(yaml.safe_dump(dict(found)))


@given(st.binary(max_size=300))
def test_whatever_bytes_come_the_answer_is_a_refusal(data: bytes) -> None:
    with pytest.raises(PackInvalid):
        read_pack(data)


# Floors ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("notice.min_days", 6, "floor is 7 days"),
        ("notice.channels", ["email"], "floor is a notice on the website"),
        ("consent.share_days_at_most", 731, "floor is 730 days"),
        ("auth.step_up_minutes", 16, "floor is 15 minutes"),
        ("auth.password_length", 11, "floor is 12 characters"),
        ("auth.factors", ["recovery"], "an authenticator app or a passkey"),
        ("auth.mfa_roles", ["clinician"], "needs a second factor"),
        ("session.idle_minutes", 61, "floor is 60 minutes"),
        ("session.absolute_hours", 25, "floor is 24 hours"),
        ("account.min_age", {"default": 16, "US": 12}, "13 years everywhere"),
        ("minors.attestation", False, "patients may be minors anywhere"),
        ("legal.advance_notice", False, "floor is yes"),
        ("transfers.mechanisms", ["privacy-shield"], "C-311/18"),
        ("breach.internal_hours", 721, "30 days"),
        ("deid.min_group_size", 4, "floor is 5 people"),
        ("logs.keep_days", 91, "floor is 90 days"),
        ("requests.answer_days", 46, "floor is 45 days"),
        ("marketing.basis", {"default": "opt-out"}, "2002/58/EC"),
    ],
)
def test_below_a_floor_is_refused_with_key_floor_and_reason(
    path: str, value: Any, reason: str
) -> None:
    found = published_refusals(path, value)
    assert path in {key for key, _ in found}
    assert any(reason in said for key, said in found if key == path), found


def test_health_information_is_never_used_for_marketing_or_training() -> None:
    purposes = document()["purposes"]
    for code, categories, said in (
        (
            "marketing",
            ["account", "identity"],
            "marketing may not use health information (identity)",
        ),
        ("statistics", ["images"], "statistics may use only data without people in it, not images"),
        ("transactions", ["images", "billing"], "transactions may not use health information"),
    ):
        wrong = {**purposes, code: {**purposes[code], "categories": categories}}
        assert any(said in reason for _, reason in published_refusals("purposes", wrong))
    shared = {**purposes, "marketing": {**purposes["marketing"], "share": True}}
    assert "marketing is no purpose of care" in str(published_refusals("purposes", shared))


# Before publishing -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("contact.phone", "[Number]", "holds '[Number]', which was never filled in."),
        ("contact.address", "Data centres in [specify regions]", "'[specify regions]'"),
        ("contact.officer", "{{ name }}", "never filled in"),
        ("contact.email", "privacy@example.com", "never filled in"),
        ("closing", "TODO", "never filled in"),
        ("security.introduction", "Your data is 100% secure.", "a policy cannot promise it"),
        ("opening", "Our systems are unhackable.", "a policy cannot promise it"),
        ("account.post_inactivation", "purge-after", "is needed where accounts end by deletion"),
        ("secondary.research", "deidentified", "must list research"),
        ("marketing.basis", {"default": "none"}, "the purposes list marketing"),
        ("regimes", ["gdpr"], "answers are free"),
        ("legal.grounds", ["law"], "must list compliance-review"),
    ],
)
def test_what_is_unfinished_or_contradicts_itself_is_not_published(
    path: str, value: Any, said: str
) -> None:
    assert said in str(published_refusals(path, value))


def test_that_no_system_is_impenetrable_may_be_said() -> None:
    assert published_refusals("security.disclaimer", "No system is impenetrable.") == []


def test_a_purpose_on_legitimate_interests_names_their_assessment() -> None:
    purposes = document()["purposes"]
    wrong = {**purposes, "statistics": {**purposes["statistics"], "basis": "legitimate-interests"}}
    assert "names no assessment" in str(published_refusals("purposes", wrong))


def test_a_purpose_that_cites_no_obligation_is_not_published() -> None:
    purposes = document()["purposes"]
    wrong = {**purposes, "transactions": {**purposes["transactions"], "basis": "legal-obligation"}}
    assert "and cites none" in str(published_refusals("purposes", wrong))


def test_a_regime_demands_its_keys() -> None:
    values = check_document(changed("signals.gpc", False))
    assert findings_of(values) == ()
    found = changed("signals.gpc", False) | {"regimes": ["hipaa", "ccpa"]}
    assert "11 CCR 7025" in str(findings_of(check_document(found)))
    uk = changed("transfers.mechanisms", ["scc"]) | {"regimes": ["uk-gdpr"]}
    assert "uk-addendum" in str(findings_of(check_document(uk)))


def test_a_category_that_is_used_has_a_rule_of_retention() -> None:
    retention = document()["retention"]
    del retention["billing"]
    assert "says nothing of billing" in str(published_refusals("retention", retention))


# Comparing ---------------------------------------------------------------------------------------
def test_a_comparison_says_what_changes_and_which_way() -> None:
    before = check_document(document())
    after = check_document(changed("consent.share_days_at_most", 90))
    (change,) = compare(before, after)
    assert (change.label, change.before, change.after, change.direction) == (
        "Longest share", "365 days", "90 days", "stricter",
    )  # fmt: skip
    (back,) = compare(after, before)
    assert back.direction == "weaker"
    assert is_material(before, after)


def test_a_comparison_names_the_one_purpose_that_changes() -> None:
    before = check_document(document())
    purposes = document()["purposes"]
    del purposes["second-opinion"]
    (change,) = compare(before, check_document(changed("purposes", purposes)))
    assert change.label == "Purposes: Second opinion"
    assert change.after == "not listed"
    assert change.direction == "stricter"


def test_a_reworded_closing_is_not_material() -> None:
    before = check_document(document())
    assert not is_material(before, check_document(changed("closing", "Write to us.")))
    assert is_material(before, check_document(changed("contact.email", "new@exchange.example")))


@pytest.mark.parametrize("code", CODES)
def test_a_pack_differs_in_nothing_from_itself(code: str) -> None:
    values = shipped_packs()[code]
    assert compare(values, values) == ()
    # A database gives lists for tuples.
    assert compare(values, yaml.safe_load(written(values)) and read_pack(written(values))) == ()


def test_what_is_noted_of_use_needs_a_purpose_that_people_can_read() -> None:
    """MEDDIM-2.5: a record of use is kept for a purpose of the policy, or not at all."""
    assert published_refusals("optional_events", ["usage", "performance", "clicks"]) == []
    (found,) = published_refusals("optional_events", ["performance"])
    assert found[0] == "optional_events"
    assert "must list usage" in found[1]
    purposes = {code: one for code, one in document()["purposes"].items() if code != "analytics"}
    values = check_document(changed("purposes", purposes))
    (finding,) = findings_of(values)
    assert finding.key == "optional_events"
    assert "analytics, service-improvement" in finding.reason
    of_accounts = {"categories": ["account"], "basis": "consent", "share": False}
    for_accounts = check_document(changed("purposes", {**purposes, "analytics": of_accounts}))
    assert "technical data" in str(findings_of(for_accounts))
