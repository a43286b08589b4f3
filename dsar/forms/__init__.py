"""The forms of this room."""

from dsar.forms.answering import (
    AnswerForm,
    AssignForm,
    CorrectionAnswerForm,
    DirectiveAnswerForm,
    FindForm,
    HandOverForm,
    NoForm,
    ReaddressForm,
    RecordForm,
    TextForm,
)
from dsar.forms.asking import (
    CodeForm,
    DetailForm,
    DisagreeForm,
    ResidenceForm,
    WordsForm,
    residence_fields,
)
from dsar.forms.directives import (
    LiftForm,
    OwnDirectiveForm,
    ScopeChoices,
    ScopeForm,
)
from dsar.forms.documents import AskDocumentForm, DocumentForm
from dsar.forms.identity import CodeForForm, GivenCodeForm, IdentifyForm

__all__ = [
    "AnswerForm",
    "AskDocumentForm",
    "AssignForm",
    "CodeForForm",
    "CodeForm",
    "CorrectionAnswerForm",
    "DetailForm",
    "DirectiveAnswerForm",
    "DisagreeForm",
    "DocumentForm",
    "FindForm",
    "GivenCodeForm",
    "HandOverForm",
    "IdentifyForm",
    "LiftForm",
    "NoForm",
    "OwnDirectiveForm",
    "ReaddressForm",
    "RecordForm",
    "ResidenceForm",
    "ScopeChoices",
    "ScopeForm",
    "TextForm",
    "WordsForm",
    "residence_fields",
]
