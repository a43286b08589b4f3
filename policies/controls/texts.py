"""What the public notice says, and what no policy may say."""

from __future__ import annotations

import re

from django.conf import settings

from policies.controls.purposes import pack_with
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.document import check_document
from policies.rules.findings import PackInvalid
from policies.rules.inventory import categories_kept
from policies.rules.lint import claims
from policies.rules.notice import notice_of
from policies.rules.terms import defined_by
from policies.selectors import shipped_packs

_USED = re.compile(r"definition=defined\.(\w+)")
CONTACT = ("contact.officer", "contact.email", "contact.phone", "contact.hours", "contact.address")


def notice_text(values: Values) -> str:
    """All that the notice of a policy with these values says, as one text."""
    words: list[str] = []
    for section in notice_of(pack_with(values), kept=categories_kept()):
        words += [section.title, *section.paragraphs, *section.points]
        words += [text for pair in section.terms for text in pair]
        if section.table:
            words += [text for row in section.table.rows for text in row]
    return "\n".join(words)


@control("policies.notice-made", "The notice says what the portal runs on", of_policy=True)
def notice_made(values: Values) -> str:
    text = notice_text(values)
    for path in ("security.introduction", "security.disclaimer"):
        require(values[path] in text, f"The notice leaves out {path}.")
    fewer = {**values, "purposes": dict(list(values["purposes"].items())[1:])}
    require(notice_text(fewer) != text, "The notice does not change with the purposes.")
    return f"The notice was made anew, {len(text.split())} words, and changes with the purposes."


@control("policies.contact-shown", "The notice names whom to ask", of_policy=True)
def contact_shown(values: Values) -> str:
    text = notice_text(values)
    for path in CONTACT:
        require(values[path] in text, f"The notice leaves out {path}.")
    changed = notice_text({**values, "contact.email": "other@control.invalid"})
    require("other@control.invalid" in changed, "The notice does not follow the contact.")
    with must_refuse(PackInvalid, "A policy without a contact"):
        check_document({"title": "A policy"})
    return f"The notice names {values['contact.officer']}, and changes with the policy."


@control(
    "policies.placeholders-refused", "Nothing is published with a blank left in it", of_policy=True
)
def placeholders_refused(values: Values) -> str:
    for path in ("contact.phone", "opening"):
        for blank in ("[Number]", "{{ name }}", "TBD"):
            found = [one.key for one in claims({**values, path: f"Call {blank}"})]
            require(path in found, f"{blank} in {path} may be published.")
    require(values["contact.phone"], "The policy gives no telephone number.")
    return "A number that was never filled in was found and refused, in the telephone and in texts."


@control(
    "policies.signals-said", "The notice says what is done with browsers' signals", of_policy=True
)
def signals_said(values: Values) -> str:
    texts = {
        (gpc, dnt): notice_text({**values, "signals.gpc": gpc, "signals.dnt": dnt})
        for gpc in (True, False)
        for dnt in (True, False)
    }
    require(len(set(texts.values())) == 4, "The notice does not follow the settings of signals.")
    says_so = "Do Not Track is not acted on" in texts[values["signals.gpc"], False]
    require(says_so, "The notice hides that Do Not Track is not acted on.")
    return "The sentence on Do Not Track follows the setting; it was turned over and read."


@control("policies.terms-explained", "A term means the same everywhere, and says what")
def terms_explained() -> str:
    found = {name for text in _pages() for name in _USED.findall(text)}
    require(found, "No page explains any term.")
    for code, values in shipped_packs().items():
        defined, text = defined_by(pack_with(values), ""), notice_text(values)
        for one in defined.values():
            require(one.means in text, f"The notice of {code} leaves out {one.term}.")
        require(found & defined.keys(), f"No page explains a term of {code}.")
    return f"{len(found)} terms are explained in the pages where they stand, in the notice's words."


def _pages() -> list[str]:
    return [path.read_text() for path in (settings.BASE_DIR / "templates").rglob("*.html")]
