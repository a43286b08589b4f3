"""The forms of this room."""

from dsar.forms.agents import ActingFields, AuthorityForm, TellPersonForm
from dsar.forms.answering import (
    AnswerForm,
    AssignForm,
    CorrectionAnswerForm,
    DirectiveAnswerForm,
    FindForm,
    HandOverForm,
    ReaddressForm,
    RecordForm,
)
from dsar.forms.asking import (
    CodeForm,
    DetailForm,
    DisagreeForm,
    ResidenceForm,
    WordsForm,
    residence_fields,
)
from dsar.forms.charging import JoinForm, QuoteForm, ReceiverForm
from dsar.forms.copies import ChooseForm
from dsar.forms.directives import (
    LiftForm,
    OwnDirectiveForm,
    ScopeChoices,
    ScopeForm,
)
from dsar.forms.documents import AskDocumentForm, DocumentForm
from dsar.forms.identity import CodeForForm, GivenCodeForm, IdentifyForm
from dsar.forms.laws import LawsForm
from dsar.forms.plain import NoForm, TextForm

__all__ = [
    "ActingFields",
    "AnswerForm",
    "AskDocumentForm",
    "AssignForm",
    "AuthorityForm",
    "ChooseForm",
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
    "JoinForm",
    "LawsForm",
    "LiftForm",
    "NoForm",
    "OwnDirectiveForm",
    "QuoteForm",
    "ReaddressForm",
    "ReceiverForm",
    "RecordForm",
    "ResidenceForm",
    "ScopeChoices",
    "ScopeForm",
    "TellPersonForm",
    "TextForm",
    "WordsForm",
    "residence_fields",
]
