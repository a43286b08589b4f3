"""How the controls of closed accounts and of the legal archive are broken, one after the other."""

from __future__ import annotations

from dataclasses import replace

from dsar.models import ArchiveRelease
from dsar.rules.documents import DOCUMENT_KINDS, DocumentKind
from dsar.rules.kinds import KINDS, Kind
from dsar.rules.states import Door
from studies.models import Study
from tests.governance.tools import Breaking, accepts_anything, gives, item, pack, patched

RULES = "dsar.controls.archive"
SHUT = "retention.controls"


def takes_any(name: str) -> Breaking:
    """A rule that refuses nothing."""
    return gives(f"{RULES}.{name}", "")


ARCHIVE: list[tuple[str, Breaking]] = [
    ("dsar.closing-logged", pack("contact.email", "")),
    ("dsar.closing-logged", patched(f"{RULES}.RECORDED_BY_OFFICER", (Door.POST,))),
    ("dsar.closing-logged", gives(f"{RULES}.gate_of", "public")),
    (
        "dsar.closing-logged",
        item(
            KINDS,
            Kind.ACCOUNT_CLOSURE,
            replace(KINDS[Kind.ACCOUNT_CLOSURE], needs_identity=False),
        ),
    ),
    ("dsar.closing-logged", takes_any("refusal_to_close")),
    ("dsar.closing-logged", gives(f"{RULES}.refusal_to_close", "Never.")),
    ("dsar.closing-logged", takes_any("refusal_to_call_closed")),
    ("dsar.archive-authorized", takes_any("refusal_to_check")),
    ("dsar.archive-authorized", takes_any("fault_of")),
    ("dsar.archive-authorized", gives(f"{RULES}.fault_of", "Never.")),
    ("dsar.archive-authorized", gives("dsar.rules.releasing.fault_of_term", "")),
    ("dsar.archive-authorized", takes_any("refusal_to_approve")),
    ("dsar.archive-authorized", takes_any("refusal_to_make")),
    ("dsar.archive-authorized", takes_any("refusal_to_answer")),
    ("dsar.archive-authorized", accepts_anything(ArchiveRelease)),
    ("dsar.archive-authorized", gives(f"{RULES}.gate_of", "signed-in")),
    (
        "dsar.archive-authorized",
        item(
            DOCUMENT_KINDS,
            DocumentKind.RELEASE,
            replace(DOCUMENT_KINDS[DocumentKind.RELEASE], at_decision=True),
        ),
    ),
    ("retention.archive-hidden", pack("account.post_inactivation", "purge-after")),
    (
        "retention.archive-hidden",
        patched(f"{SHUT}.studies_listed_for", lambda *_, **__: Study.objects.all()),
    ),
    ("retention.archive-hidden", gives(f"{SHUT}.study_named", Study(uid="1.2.3"))),
    ("retention.archive-hidden", gives(f"{SHUT}.own_study", Study(uid="1.2.3"))),
    ("retention.archive-hidden", gives(f"{SHUT}.follows_closing", False)),
    ("retention.archive-ends", gives(f"{SHUT}.duties_over", ())),
    ("retention.archive-ends", patched("retention.rules.keeping.Keeping.is_due", lambda *_: True)),
    ("retention.archive-ends", patched("retention.rules.keeping.Keeping.is_due", lambda *_: False)),
    ("retention.archive-ends", gives(f"{SHUT}.schedules", ())),
    ("retention.archive-ends", gives(f"{SHUT}.latest_keys_outside", 1)),
    ("retention.archive-shut", gives("vault.services.data_keys.may_be_opened", True)),
    ("retention.archive-shut", gives(f"{SHUT}.move_into_archive", 0)),
    ("retention.archive-shut", gives(f"{SHUT}.gate_of", "see_trail")),
    ("consent.closing-withdraws", gives("consent.services.closing.close_account", None)),
]
