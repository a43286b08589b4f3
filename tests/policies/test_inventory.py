"""Nothing is kept that nobody has classified (C13)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.apps import apps

from accounts.rules import Role, capabilities_of, may_use
from policies.checks import (
    every_field_is_classified,
    what_is_specially_protected_is_sealed,
)
from policies.rules import inventory
from policies.rules.categories import CATEGORIES, Category, DataClass, SubjectClass
from policies.rules.inventory import Protection, categories_kept, differences


def test_every_field_of_every_model_is_classified() -> None:
    assert every_field_is_classified() == []
    classified = {(entry.model, entry.field) for entry in inventory.inventory()}
    models = apps.get_models(include_auto_created=True)
    fields = {
        (one._meta.label, field.name) for one in models for field in one._meta.concrete_fields
    }
    assert classified == fields


def test_a_new_field_that_nobody_classified_fails_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LIFEIMAGE-1.3, MEDDIM-1.4."""
    entries = dict(inventory._entries)
    del entries["accounts.Profile", "npi"]
    monkeypatch.setattr(inventory, "_entries", entries)
    (error,) = every_field_is_classified()
    assert error.id == "policies.E001"
    assert "accounts.Profile.npi is not classified" in error.msg


def test_a_field_or_model_that_is_gone_is_named() -> None:
    fields: dict[str, set[str]] = {}
    for entry in inventory.inventory():
        fields.setdefault(entry.model, set()).add(entry.field)
    fields["accounts.Profile"].remove("npi")
    del fields["axes.AccessLog"]
    found = list(differences(fields))
    assert found == [
        "accounts.Profile.npi is classified, but there is no such field.",
        "axes.AccessLog is classified, but there is no such model.",
    ]


def test_all_health_information_is_sensitive_and_personal() -> None:
    """MEDDIM-1.4: all patient information is sensitive."""
    for entry in inventory.inventory():
        if entry.model.partition(".")[0] == "studies" or entry.model == "consent.DataSubject":
            assert entry.is_personal
            if entry.facts.data_class is DataClass.DIAGNOSTIC:
                assert entry.facts.sensitive


def test_whatever_says_who_a_patient_is_is_sealed_or_hashed() -> None:
    named = {"sealed_record", "sealed_summary", "sealed_metadata", "sealed_text"}
    for entry in inventory.inventory():
        if entry.field in named:
            assert entry.protection is Protection.SEALED
        if entry.field.endswith("_token") and entry.model.startswith(("studies", "consent")):
            assert entry.protection is Protection.KEYED_HASH
            assert not entry.exported


def test_what_is_specially_protected_is_sealed_or_the_check_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MEDDIM-1.3: call a field genetic, and it has to be ciphertext."""
    assert what_is_specially_protected_is_sealed() == []
    entries = dict(inventory._entries)
    bare = entries["accounts.Profile", "npi"]
    entries["accounts.Profile", "npi"] = replace(
        bare, category=Category.SPECIAL, protection=Protection.READABLE
    )
    monkeypatch.setattr(inventory, "_entries", entries)
    (error,) = what_is_specially_protected_is_sealed()
    assert error.id == "policies.E004"
    assert "accounts.Profile.npi" in error.msg
    entries["accounts.Profile", "npi"] = replace(
        bare, category=Category.SPECIAL, protection=Protection.SEALED
    )
    assert what_is_specially_protected_is_sealed() == []


@pytest.mark.parametrize("role", list(Role))
def test_no_role_reads_what_is_specially_protected(role: Role) -> None:
    assert not may_use(capabilities_of(frozenset({role})), Category.SPECIAL)


def test_secrets_are_never_exported() -> None:
    for model, field in (
        ("accounts.User", "password"),
        ("accounts.ApiToken", "secret_digest"),
        ("accounts.Authenticator", "seed"),
        ("accounts.RecoveryCode", "digest"),
        ("sessions.Session", "session_key"),
    ):
        assert not inventory._entries[model, field].exported


def test_technical_data_of_a_person_is_personal() -> None:
    """MEDDIM-1.1, LIFEIMAGE-1.2: what can be linked to somebody."""
    for model, field in (
        ("axes.AccessAttempt", "ip_address"),
        ("accounts.SignIn", "browser"),
        ("audit.Event", "network"),
    ):
        assert inventory._entries[model, field].is_personal


def test_visitors_users_and_patients_differ_in_what_is_kept_of_them() -> None:
    """MEDDIM-0.2."""
    kept = {
        about: {one for one in categories_kept() if about in CATEGORIES[one].about}
        for about in SubjectClass
    }
    assert Category.IMAGES in kept[SubjectClass.PATIENT] - kept[SubjectClass.USER]
    assert Category.PROFESSIONAL in kept[SubjectClass.USER] - kept[SubjectClass.PATIENT]
    assert Category.TECHNICAL in kept[SubjectClass.VISITOR]
    assert Category.ACCOUNT not in kept[SubjectClass.VISITOR]


def test_every_category_says_where_its_data_comes_from() -> None:
    """MEDDIM-1.2."""
    for category in Category:
        assert CATEGORIES[category].source
        assert CATEGORIES[category].examples
