"""The forms of this room."""

from dsar.forms.answering import (
    AnswerForm,
    AssignForm,
    CorrectionAnswerForm,
    DirectiveAnswerForm,
    FindForm,
    HandOverForm,
    IdentifyForm,
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

__all__ = [
    "AnswerForm",
    "AskDocumentForm",
    "AssignForm",
    "CodeForm",
    "CorrectionAnswerForm",
    "DetailForm",
    "DirectiveAnswerForm",
    "DisagreeForm",
    "DocumentForm",
    "FindForm",
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
