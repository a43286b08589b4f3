"""Forms made from the schema of policies: a field for each key, by its kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any, cast

from django import forms

from governance.rules.legal_export import ExportRefused, check_citation
from governance.services.legal_export import Wanted
from policies.rules.document import LARGEST
from policies.rules.findings import Finding
from policies.rules.kinds import ByPlace, Choice, Codes, Flag, Kind, Records, Whole, Words
from policies.rules.schema import KEY, Key
from policies.rules.schema.key import Floor
from policies.rules.schema.uses import GROUNDS

YES_NO = [("true", "Yes"), ("false", "No")]
LONG = 200


def field_for(kind: Kind, *, label: str, required: bool) -> forms.Field:
    match kind:
        case Flag():
            return forms.ChoiceField(label=label, choices=YES_NO, widget=forms.RadioSelect)
        case Whole():
            return forms.IntegerField(
                label=f"{label}, in {kind.unit}", required=required,
                min_value=kind.least, max_value=kind.most,
            )  # fmt: skip
        case Choice():
            choices = list(kind.options.items())
            return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect)
        case Codes():
            return forms.MultipleChoiceField(
                label=label, required=False, choices=list(kind.options.items()),
                widget=forms.CheckboxSelectMultiple,
            )  # fmt: skip
        case ByPlace():
            return forms.CharField(
                label=label,
                help_text=(
                    "A line for each place, such as US: 13, US-CA: 16 or EEA: 16; and one that "
                    "begins with default: for elsewhere."
                ),
                widget=forms.Textarea(attrs={"rows": 6}),
            )
        case Words() if kind.longest > LONG:
            return forms.CharField(
                label=label, required=not kind.may_be_empty and required,
                max_length=kind.longest, widget=forms.Textarea(attrs={"rows": 5}),
            )  # fmt: skip
    longest = kind.longest if isinstance(kind, Words) else 60
    needed = required and not (isinstance(kind, Words) and kind.may_be_empty)
    return forms.CharField(label=label, required=needed, max_length=longest)


def shown_value(kind: Kind, value: Any) -> Any:
    """A value as its field shows it."""
    if value is None:
        return None
    match kind:
        case Flag():
            return "true" if value else "false"
        case ByPlace():
            return "\n".join(f"{place}: {one}" for place, one in value.items())
    return list(value) if isinstance(kind, Codes) else value


def given_value(kind: Kind, value: Any) -> Any:
    """What the schema is to check, from what a field gave."""
    match kind:
        case Flag():
            return value == "true"
        case ByPlace():
            return {place: _inner(kind, text) for place, text in _lines(value)}
    return value


def _lines(text: str) -> list[tuple[str, str]]:
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    return [(place.strip(), value.strip()) for place, _, value in lines]


def _inner(kind: ByPlace, text: str) -> Any:
    return int(text) if isinstance(kind.of, Whole) and text.isdecimal() else text


class KindsForm(forms.Form):
    """Fields by kind. Names with dots would be taken apart by nobody here, so they stay."""

    kinds: Mapping[str, Kind]

    def __init__(
        self,
        *args: Any,
        kinds: Mapping[str, Kind],
        labels: Mapping[str, str],
        optional: frozenset[str],
        values: Mapping[str, Any],
    ) -> None:
        super().__init__(*args)
        self.initial = {name: shown_value(kind, values.get(name)) for name, kind in kinds.items()}
        self.kinds, self.optional = kinds, optional
        for name, kind in kinds.items():
            self.fields[name] = field_for(kind, label=labels[name], required=name not in optional)

    def given(self) -> dict[str, Any]:
        found = {}
        for name, kind in self.kinds.items():
            value = self.cleaned_data[name]
            empty = value in (None, "")
            found[name] = None if empty and name in self.optional else given_value(kind, value)
        return found

    def add_findings(self, findings: tuple[Finding, ...]) -> None:
        for finding in findings:
            known = finding.key in self.fields
            self.add_error(
                finding.key if known else None, finding.reason if known else str(finding)
            )


class PartForm(KindsForm):
    """The keys of one part of a policy, but for those that hold records."""

    def __init__(self, *args: Any, keys: tuple[Key, ...], values: Mapping[str, Any]) -> None:
        plain = [key for key in keys if not isinstance(key.kind, Records)]
        super().__init__(
            *args,
            kinds={key.path: key.kind for key in plain},
            labels={key.path: key.label for key in plain},
            optional=frozenset(key.path for key in plain if key.optional),
            values=values,
        )

    def lines(self) -> list[dict[str, Any]]:
        """Each field with what stands beside it."""
        return [
            {"field": self[name], "key": KEY[name], "floor": _floor(KEY[name].floor),
             "many": isinstance(KEY[name].kind, Flag | Choice | Codes)}
            for name in self.kinds
        ]  # fmt: skip


def _floor(floor: Floor | None) -> str:
    return f"{floor.words}. {floor.reason[:1].upper()}{floor.reason[1:]}" if floor else ""


FIELD_LABELS = {
    "categories": "Kinds of data", "basis": "Legal basis", "share": "Images can be shared for it",
    "words": "In the organisation's own words", "cites": "Citation",
    "assessment": "Assessment of the interests", "trigger": "Counted from", "keep": "Kept for",
    "and_until": "And not before", "action": "And then", "term": "Term", "means": "Meaning",
}  # fmt: skip


class RecordForm(KindsForm):
    """One record of a key that holds several: a purpose, a rule of retention, a definition."""

    def __init__(
        self, *args: Any, key: Key, taken: Mapping[str, Any], values: Mapping[str, Any] | None
    ) -> None:
        kind = key.kind
        assert isinstance(kind, Records)
        super().__init__(
            *args,
            kinds=kind.fields,
            labels=FIELD_LABELS,
            optional=kind.optional,
            values=values or {},
        )
        for name in kind.optional & {"and_until"}:
            self._allow_none(name)
        if values is None:
            self.fields = {"code": self._code(kind, taken), **self.fields}

    def _allow_none(self, name: str) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        kind = self.kinds[name]
        assert isinstance(kind, Choice)
        field.choices, field.required = [("", "nothing more"), *kind.options.items()], False

    @staticmethod
    def _code(kind: Records, taken: Mapping[str, Any]) -> forms.Field:
        if kind.options is None:
            return forms.SlugField(
                label="Short code", help_text="Small letters, digits and hyphens.", max_length=40
            )
        free = [(code, label) for code, label in kind.options.items() if code not in taken]
        return forms.ChoiceField(label="Which", choices=free)

    def lines(self) -> list[dict[str, Any]]:
        names = (["code"] if "code" in self.fields else []) + list(self.kinds)
        return [
            {"field": self[name], "many": isinstance(self.kinds.get(name), Flag | Choice | Codes)}
            for name in names
        ]

    def record(self) -> dict[str, Any]:
        return {name: value for name, value in self.given().items() if value is not None}


class TextForm(forms.Form):
    """A whole policy as a document, typed or from a file."""

    text = forms.CharField(
        label="The policy as YAML", required=False, strip=False,
        widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false"}),
    )  # fmt: skip
    file = forms.FileField(label="Or a file", required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not values.get("file") and not values.get("text", "").strip():
            raise forms.ValidationError("Paste a policy, or choose a file.")
        return values

    def document(self) -> bytes:
        if file := self.cleaned_data.get("file"):
            # One byte more than may be read, so that too large a file is known as such.
            return bytes(file.read(LARGEST + 1))
        return str(self.cleaned_data["text"]).encode()


class PostForm(forms.Form):
    """When a draft takes effect, and why it changes."""

    reason = forms.CharField(
        label="Why the policy changes", max_length=400,
        help_text="Stands in the comparison that everybody can read.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    effective_on = forms.DateField(
        label="Takes effect on", required=False,
        help_text="At 00:00 UTC. Leave it empty for the earliest moment the notice period allows.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip

    def effective_at(self) -> datetime | None:
        day = self.cleaned_data["effective_on"]
        return datetime.combine(day, time.min, UTC) if day else None


class LegalExportForm(forms.Form):
    """What goes to an authority, and the duty that it goes under."""

    authority = forms.CharField(
        label="To which authority", max_length=120, help_text="The office, not a person's name."
    )
    ground = forms.ChoiceField(label="On what ground", widget=forms.RadioSelect)
    citation = forms.CharField(
        label="What obliges the organisation",
        max_length=120,
        help_text="The law with its paragraph, or the order with its file number: for example"
        " 45 CFR 164.512(d), or 12 K 345/26.",
    )
    since = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(
        label="Until", help_text="This day included.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )  # fmt: skip
    study_uid = forms.RegexField(
        r"[0-9.]{1,64}",
        label="Only of one study",
        required=False,
        help_text="Its UID, as the study's page shows it. Empty: all that was done in these days.",
        error_messages={"invalid": "A UID is made of figures and points."},
    )

    def __init__(self, *args: Any, grounds: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ground = cast("forms.ChoiceField", self.fields["ground"])
        ground.choices = [(one, GROUNDS[one].capitalize()) for one in grounds]

    def clean_citation(self) -> str:
        try:
            return check_citation(self.cleaned_data["citation"])
        except ExportRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None

    @property
    def wanted(self) -> Wanted:
        return Wanted(**self.cleaned_data)
