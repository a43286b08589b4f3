"""Every route of the portal, with the status that each kind of person gets there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from studies.rules.demo_uids import uid_of

# What a person gets who asks with GET. In: the way is to the sign-in page.
IN = 302
NOBODY = UUID(int=0)
EVERYBODY = "anonymous patient clinician officer administrator auditor stranger".split()


@dataclass(frozen=True)
class Row:
    """One route: the status that each of EVERYBODY gets, and what its address needs."""

    statuses: tuple[int, int, int, int, int, int, int]
    arguments: dict[str, object]


def row(statuses: str, **arguments: object) -> Row:
    """Read seven statuses; `in` stands for: sent to the sign-in page."""
    found = tuple(IN if one == "in" else int(one) for one in statuses.split())
    assert len(found) == len(EVERYBODY)
    return Row(found, arguments)  # type: ignore[arg-type]


STUDY, SERIES = uid_of("test", "one"), uid_of("one", "one")
INSTANCE = uid_of("test", "one", "one", "1")
IN_SERIES = {"study": STUDY, "series": SERIES}
IN_INSTANCE = {**IN_SERIES, "instance": INSTANCE}

OF_RELEASE = {"pk": NOBODY, "output": 1, "frame": 1}

#                                       anonymous
#                                           patient
#                                               clinician
#                                                   officer
#                                                       administrator
#                                                           auditor
#                                                               stranger
TABLE: dict[str, Row] = {
    "healthz":                         row("200 200 200 200 200 200 200"),
    "readyz":                          row("200 200 200 200 200 200 200"),
    "schema":                          row("200 200 200 200 200 200 200"),
    # Signing in is for everybody; who is signed in has no business there.
    "accounts:sign_in":                row("200 302 302 302 302 302 302"),
    "accounts:second_factor":          row("302 302 302 302 302 302 302"),
    "accounts:passkey_begin":          row("405 405 405 405 405 405 405"),
    "accounts:passkey_complete":       row("405 405 405 405 405 405 405"),
    "accounts:demo":                   row("403 403 403 403 403 403 403", token="forged"),
    "accounts:sign_out":               row("405 405 405 405 405 405 405"),
    "accounts:password_forgot":        row("200 200 200 200 200 200 200"),
    "accounts:password_reset":         row("410 410 410 410 410 410 410", uid="MQ", token="forged"),
    "accounts:join_age":               row("405 405 405 405 405 405 405", secret="forged"),
    "accounts:join":                   row("410 410 410 410 410 410 410", secret="forged"),
    "accounts:outbox":                 row("200 200 200 200 200 200 200"),
    # One's own account.
    "accounts:step_up":                row("in  200 200 200 200 200 200"),
    "accounts:demo_step_up":           row("in  405 405 405 405 405 405"),
    "accounts:enrol":                  row("403 200 200 200 200 200 200"),
    "accounts:enrol_totp":             row("403 200 200 200 200 200 200"),
    "accounts:enrol_passkey_begin":    row("405 405 405 405 405 405 405"),
    "accounts:enrol_passkey_complete": row("405 405 405 405 405 405 405"),
    # Where the policy has no recovery codes, none are made.
    "accounts:recovery_codes":         row("in  200 200 200 200 200 403"),
    "accounts:account":                row("in  200 200 200 200 200 200"),
    "accounts:email_change":           row("in  200 200 200 200 200 200"),
    "accounts:email_withdraw":         row("in  405 405 405 405 405 405"),
    "accounts:email_confirm":          row("410 410 410 410 410 410 410", token="forged"),
    "accounts:session_end":            row("in  405 405 405 405 405 405", pk=NOBODY),
    "accounts:organisation_choose":    row("in  405 405 405 405 405 405"),
    "accounts:token_issue":            row("in  404 200 200 200 200 200"),
    "accounts:token_revoke":           row("in  405 405 405 405 405 405", pk=NOBODY),
    # Messages are their reader's; out of advertising anybody gets by the link of a mail.
    "accounts:notifications":          row("in  200 200 200 200 200 200"),
    "accounts:notifications_read":     row("in  405 405 405 405 405 405"),
    "accounts:notification_open":      row("in  405 405 405 405 405 405", pk=NOBODY),
    "accounts:notification_read":      row("in  405 405 405 405 405 405", pk=NOBODY),
    "accounts:notification_acknowledge": row("in 405 405 405 405 405 405", pk=NOBODY),
    "accounts:preferences":            row("in  200 200 200 200 200 200"),
    "accounts:unsubscribe":            row("404 404 404 404 404 404 404", token="forged"),
    "accounts:campaigns":              row("in  403 403 403 200 403 403"),
    # The policy is public; accepting it is for whoever has an account.
    "accounts:notices":                row("200 200 200 200 200 200 200"),
    "accounts:notice":                 row("200 200 200 200 200 200 200", slug="hospital"),
    "accounts:notice_versions":        row("200 200 200 200 200 200 200", slug="hospital"),
    "accounts:notice_version":         row("200 200 200 200 200 200 200", slug="hospital", revision=1),
    "accounts:notice_changes":         row("404 404 404 404 404 404 404", slug="hospital", revision=1),
    "accounts:policy_accept":          row("in  302 200 200 200 200 200"),
    "accounts:policy_news":            row("in  302 302 302 302 302 302"),
    "accounts:policy_declined":        row("in  200 200 200 200 200 200"),
    # Trends speak of groups; a member's own records are joined under a ticket alone.
    "accounts:trends":                 row("in  403 403 403 200 403 403"),
    "accounts:trends_csv":             row("in  403 403 403 200 403 403"),
    "accounts:support":                row("in  403 403 200 200 403 403"),
    "accounts:support_open":           row("in  403 403 200 200 403 403"),
    "accounts:support_window":         row("in  403 403 404 404 403 403", pk=NOBODY),
    "accounts:support_close":          row("in  403 403 405 405 403 403", pk=NOBODY),
    "consent:my_purposes":             row("in  200 200 200 200 200 200"),
    "consent:my_purpose_object":       row("in  405 405 405 405 405 405", purpose="analytics"),
    "consent:my_settings_switch":      row("in  405 405 405 405 405 405"),
    # Refused by the policy of the hospital and of the stranger: neither lists personal settings.
    "consent:my_settings_colours":     row("in  405 403 403 403 403 403"),
    "studies:worklist_remember":       row("in  403 403 403 403 403 403"),
    "accounts:own_data":               row("in  200 200 200 200 200 200"),
    "consent:subject_purposes":        row("in  404 404 404 404 404 404", pk=NOBODY),
    "consent:subject_consent":         row("in  405 405 405 405 405 405", pk=NOBODY, purpose="treatment"),
    "consent:account_close":           row("in  200 200 200 200 200 200"),
    # Anybody may read what is left in a browser; a link out needs a registered code.
    "accounts:cookies":                row("200 200 200 200 200 200 200"),
    "accounts:leaving":                row("404 404 404 404 404 404 404"),
    # The policy is an administrator's to change; what is kept, also an officer's to look at.
    "governance:policy":               row("in  403 403 403 200 403 403"),
    "governance:policy_begin":         row("in  403 403 403 405 403 403"),
    "governance:policy_discard":       row("in  403 403 403 405 403 403"),
    "governance:policy_review":        row("in  403 403 403 302 403 403"),
    "governance:policy_text":          row("in  403 403 403 200 403 403"),
    "governance:policy_withdraw":      row("in  403 403 403 405 403 403", revision=1),
    "governance:policy_part":          row("in  403 403 403 200 403 403", slug="contact"),
    "governance:policy_record_add":    row("in  403 403 403 200 403 403", path="purposes"),
    "governance:policy_record":        row("in  403 403 403 200 403 403", path="purposes", code="treatment"),
    "governance:policy_record_remove": row("in  403 403 403 405 403 403", path="purposes", code="treatment"),
    "studies:my_acts":                 row("in  200 200 200 200 200 200"),
    "studies:integrity":               row("in  403 403 200 200 200 403"),
    "governance:promises":             row("in  403 403 200 200 200 403"),
    "governance:legal_exports":        row("in  403 403 200 403 200 403"),
    "governance:legal_export_new":      row("in  403 403 200 403 403 403"),
    "governance:inventory":            row("in  403 403 200 200 200 403"),
    # Release projects; nobody here has one, so that whoever may come finds none.
    "releases:projects":               row("in  403 200 200 403 403 200"),
    "releases:new":                    row("in  403 200 403 403 403 200"),
    "releases:add":                    row("in  403 200 403 403 403 404", uid=STUDY),
    "releases:project":                row("in  403 404 404 403 403 404", pk=NOBODY),
    "releases:collect":                row("in  403 404 403 403 403 404", pk=NOBODY),
    "releases:remove":                 row("in  403 405 403 403 403 405", pk=NOBODY, row=1),
    "releases:review":                 row("in  403 404 403 403 403 404", pk=NOBODY),
    "releases:judge":                  row("in  403 405 403 403 403 405", pk=NOBODY),
    "releases:compare":                row("in  403 404 403 403 403 404", pk=NOBODY, output=1),
    "releases:before":                 row("in  403 404 403 403 403 404", **OF_RELEASE),
    "releases:after":                  row("in  403 404 403 403 403 404", **OF_RELEASE),
    # The hospital's policy lists neither research nor training: what comes of them is refused.
    "releases:report":                 row("in  403 403 403 403 403 404", pk=NOBODY),
    "releases:report_json":            row("in  403 403 403 403 403 404", pk=NOBODY),
    "releases:report_note":            row("in  403 403 403 403 403 404", pk=NOBODY),
    "releases:download":               row("in  403 403 403 403 403 404", pk=NOBODY),
    "releases:links":                  row("in  403 403 404 403 403 403", pk=NOBODY),
    "releases:counts":                 row("in  403 404 404 403 403 404", pk=NOBODY),
    "releases:counts_csv":             row("in  403 404 404 403 403 404", pk=NOBODY),
    "releases:count":                  row("in  403 403 405 403 403 403", pk=NOBODY),
    "releases:act":                    row("in  403 404 404 403 403 404", pk=NOBODY, name="end"),
    # Anybody may ask; the queue is the officers'; a case of one's own is nobody else's.
    "dsar:new":                        row("200 200 200 200 200 200 200"),
    "dsar:new_for":                    row("200 200 200 200 200 200 200", slug="hospital"),
    "dsar:sent":                       row("200 200 200 200 200 200 200", slug="hospital"),
    "dsar:confirm":                    row("410 410 410 410 410 410 410", token="forged"),
    "dsar:read":                       row("410 410 410 410 410 410 410", token="forged"),
    "dsar:read_detail":                row("405 405 405 405 405 405 405", token="forged"),
    # Disclosures under law: that there is a case is nobody's business but the officers'.
    "disclosures:cases":              row("in  404 404 200 404 404 404"),
    "disclosures:mine":               row("in  200 200 200 200 200 200"),
    "disclosures:own_paper":          row("in  404 404 404 404 404 404", pk=NOBODY),
    "disclosures:new":                row("in  404 404 200 404 404 404"),
    "disclosures:case":               row("in  404 404 404 404 404 404", number=1),
    "disclosures:papers":             row("in  404 404 404 404 404 404", number=1),
    "disclosures:sign":               row("in  404 404 404 404 404 404", number=1),
    "disclosures:narrow":             row("in  404 404 404 404 404 404", number=1),
    "disclosures:withhold":           row("in  404 404 404 404 404 404", number=1),
    "disclosures:close":              row("in  404 404 404 404 404 404", number=1),
    "disclosures:scope":              row("in  404 404 404 404 404 404", number=1),
    "disclosures:notices":            row("in  404 404 404 404 404 404", number=1),
    "disclosures:letter":             row("in  404 404 404 404 404 404", number=1, key="a1"),
    "disclosures:paper":              row("in  404 404 404 404 404 404", number=1, pk=NOBODY),
    "disclosures:clause":             row("in  404 404 405 404 404 404", number=1),
    "disclosures:study_item":         row("in  404 404 404 404 404 404", number=1, uid=STUDY),
    "disclosures:account_item":       row("in  404 404 404 404 404 404", number=1),
    "disclosures:explain":            row("in  404 404 404 404 404 404", number=1, item=1),
    "disclosures:notice":             row("in  404 404 404 404 404 404", number=1, key="a1"),
    "disclosures:ask":                 row("in  404 404 405 404 404 404", number=1),
    "disclosures:approve":            row("in  404 404 404 404 404 404", number=1),
    "disclosures:release":            row("in  404 404 405 404 404 404", number=1),
    "disclosures:package":            row("in  404 404 405 404 404 404", number=1),
    "disclosures:review":             row("in  404 404 404 404 404 404", number=1),
    "dsar:mine":                       row("in  200 200 200 200 200 200"),
    "dsar:delete_account":             row("in  200 200 200 200 200 200"),
    "dsar:own_case":                   row("in  404 404 404 404 404 404", number="ZZZZ-ZZZZ"),
    "dsar:own_detail":                 row("in  405 405 405 405 405 405", number="ZZZZ-ZZZZ"),
    "dsar:read_disagree":              row("405 405 405 405 405 405 405", token="forged"),
    "dsar:own_disagree":               row("in  405 405 405 405 405 405", number="ZZZZ-ZZZZ"),
    "dsar:directives":                 row("in  404 404 404 404 404 404", pk=NOBODY),
    "dsar:directive_lift":             row("in  404 404 404 404 404 404", pk=NOBODY),
    "dsar:directive_announce":         row("in  403 403 405 403 403 403", pk=NOBODY),
    "dsar:queue":                      row("in  403 403 200 403 403 403"),
    "dsar:record":                     row("in  403 403 200 403 403 403"),
    "dsar:child":                      row("in  403 403 200 403 403 403"),
    "dsar:transfers":                  row("in  403 403 200 403 403 403"),
    "dsar:transfer_fetch":             row("in  403 403 404 403 403 403", pk=NOBODY),
    "dsar:own_transfer":               row("in  404 404 404 404 404 404", number="ZZZZ-ZZZZ"),
    "dsar:figures":                    row("in  403 403 200 403 403 403"),
    "dsar:figures_file":               row("in  403 403 200 403 403 403", year=2026, form="csv"),
    "dsar:case":                       row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:held":                       row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:erasure_confirmed":         row("in  403 403 405 403 403 403", number="ZZZZ-ZZZZ", pk=NOBODY),
    "dsar:erasure":                    row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:link":                       row("in  403 403 405 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:prepare":                    row("in  403 403 405 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:own_copy":                   row("in  404 404 404 404 404 404", number="ZZZZ-ZZZZ"),
    "dsar:read_copy":                  row("410 410 410 410 410 410 410", token="forged"),
    "dsar:authority":                  row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:person":                     row("410 410 410 410 410 410 410", token="forged"),
    "dsar:person_copy":                row("410 410 410 410 410 410 410", token="forged"),
    "dsar:identify":                   row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:identify_code":              row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:opt_out":                     row("404 404 404 404 404 404 404"),
    "dsar:my_data":                     row("in  200 200 200 200 200 200"),
    "dsar:my_data_file":                row("in  200 200 200 200 200 200"),
    "dsar:portable_schema":             row("200 200 200 200 200 200 200"),
    "dsar:choose":                      row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:laws":                        row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:own_fee":                    row("in  405 405 405 405 405 405", number="ZZZZ-ZZZZ"),
    "dsar:read_fee":                   row("405 405 405 405 405 405 405", token="forged"),
    "dsar:own_code":                   row("in  405 405 405 405 405 405", number="ZZZZ-ZZZZ"),
    "dsar:read_code":                  row("405 405 405 405 405 405 405", token="forged"),
    "dsar:documents":                  row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:document":                   row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ", pk=NOBODY),
    "dsar:own_document":               row("in  405 405 405 405 405 405", number="ZZZZ-ZZZZ"),
    "dsar:read_document":              row("405 405 405 405 405 405 405", token="forged"),
    "dsar:close_account":              row("in  403 403 404 403 403 403", number="0000-0000"),
    "dsar:release":                    row("in  403 403 404 403 403 403", number="0000-0000"),
    "dsar:release_check":              row("in  403 403 404 403 403 403", number="0000-0000"),
    "dsar:release_approve":            row("in  403 403 404 404 403 403", number="0000-0000"),
    "dsar:release_prepare":            row("in  403 403 405 403 403 403", number="0000-0000"),
    "dsar:letter":                     row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ"),
    "dsar:act":                        row("in  403 403 404 403 403 403", number="ZZZZ-ZZZZ", name="answer"),
    # Holds are placed by officers; disposal is approved by officers and administrators. An auditor
    # sees what was destroyed, and decides nothing.
    "retention:overview":              row("in  403 403 200 200 200 403"),
    "retention:archive":               row("in  403 403 200 200 403 403"),
    "retention:closing":               row("in  403 403 200 200 403 403"),
    "retention:schedule":              row("in  403 403 200 200 200 403"),
    "retention:simulation":            row("in  403 403 200 200 403 403"),
    "retention:records":               row("in  403 403 200 200 200 403"),
    "retention:study":                 row("in  403 200 200 403 403 404", uid=STUDY),
    "retention:study_milestone":       row("in  403 405 405 403 403 405", uid=STUDY),
    "retention:holds":                 row("in  403 403 200 200 403 403"),
    "retention:hold_place":            row("in  403 403 200 403 403 403"),
    "retention:hold":                  row("in  403 403 404 404 403 403", number=1),
    "retention:hold_act":              row("in  403 403 404 404 403 403", number=1, name="renew"),
    "retention:run":                   row("in  403 403 404 404 404 403", number=1),
    "retention:run_act":               row("in  403 403 404 404 403 403", number=1, name="approve"),
    "retention:clock":                 row("in  403 403 200 200 403 403"),
    "retention:certificate":           row("in  403 403 404 404 404 403", number=1),
    "retention:certificate_note":      row("in  403 403 404 404 404 403", number=1),
    "retention:certificate_addendum":  row("in  403 403 404 404 404 403", number=1),
    "backups:backups":                 row("in  403 403 200 200 200 403"),
    "backups:plan":                    row("in  403 403 200 200 200 403"),
    "backups:plan_document":           row("in  403 403 404 404 404 403"),
    "backups:devices":                 row("in  403 403 200 200 200 403"),
    "backups:device":                  row("in  403 403 404 404 404 403", number=1),
    "backups:device_retire":           row("in  403 403 403 405 403 403", number=1),
    "backups:drill":                   row("in  403 403 404 404 404 403", pk=NOBODY),
    # The members of an organisation are its administrator's.
    "accounts:agreements":             row("in  403 403 200 200 200 403"),
    "accounts:agreement_record":       row("in  403 403 403 200 403 403"),
    "accounts:agreement_end":          row("in  403 403 403 404 403 403", pk=NOBODY),
    "accounts:invoices":               row("in  403 403 403 200 403 403"),
    "accounts:invoice_issue":          row("in  403 403 403 200 403 403"),
    "accounts:invoice":                row("in  403 403 403 404 403 403", pk=NOBODY),
    "accounts:invoice_cancel":         row("in  403 403 403 405 403 403", pk=NOBODY),
    "accounts:members":                row("in  403 403 403 200 403 403"),
    "accounts:member_invite":          row("in  403 403 403 200 403 403"),
    "accounts:contacts_invite":         row("in  403 403 403 200 403 403"),
    "accounts:member_edit":            row("in  403 403 403 404 403 403", pk=NOBODY),
    "accounts:member_end":             row("in  403 403 403 405 403 403", pk=NOBODY),
    # Studies: images are for clinicians of the hospital that holds them.
    "studies:worklist":                row("in  302 200 200 302 302 200"),
    "studies:study":                   row("in  404 200 200 403 403 404", uid=STUDY),
    "studies:share":                   row("in  403 200 403 403 403 404", uid=STUDY),
    # Whoever sent a study, and administrators, reject and restore it.
    "studies:rejected":                row("in  403 200 403 200 403 200"),
    "studies:reject":                  row("in  403 200 403 200 403 404", uid=STUDY),
    "studies:restore":                 row("in  403 405 403 405 403 405", uid=STUDY),
    "studies:guardian":                row("in  403 200 403 403 403 404", uid=STUDY),
    "studies:held_release":            row("in  405 405 405 405 405 405", uid=STUDY),
    "studies:doubts_settle":           row("in  405 405 405 405 405 405", uid=STUDY),
    "studies:trail":                   row("in  403 403 200 403 200 403"),
    "studies:my_record":               row("in  200 200 200 200 200 200"),
    "studies:frames":                  row("in  404 200 403 403 403 404", uid=STUDY, series_uid=SERIES),
    "studies:download":                row("in  404 200 403 403 403 404", uid=STUDY),
    "studies:upload":                  row("in  403 200 403 403 403 200"),
    "studies:upload_plain":            row("405 405 405 405 405 405 405"),
    "studies:upload_state":            row("in  403 404 403 403 403 404", pk=NOBODY),
    "studies:viewer":                  row("in  404 404 404 404 404 404", path="no-such-route"),
    "studies:viewer_home":             row("in  302 302 302 302 302 302"),
    "studies:viewer_refused":          row("in  404 200 403 403 403 404", uid=STUDY),
    # Shares.
    "consent:shares":                  row("in  200 200 200 200 200 200"),
    "consent:share":                   row("in  404 404 404 404 404 404", pk=NOBODY),
    "consent:share_revoke":            row("in  404 404 404 404 404 404", pk=NOBODY),
    "jobs:show":                       row("404 404 404 404 404 404 404", job_id=NOBODY),
    # DICOMweb: a search gives what may be seen; the rest does not exist for others.
    "dicomweb:studies":                row("401 200 200 200 200 200 200"),
    "dicomweb:study":                  row("401 404 200 403 403 403 404", study=STUDY),
    "dicomweb:study_metadata":         row("401 404 200 403 403 403 404", study=STUDY),
    "dicomweb:series_of_study":        row("401 200 200 200 200 200 200", study=STUDY),
    "dicomweb:instances_of_study":     row("401 200 200 200 200 200 200", study=STUDY),
    "dicomweb:series":                 row("401 404 200 403 403 403 404", **IN_SERIES),
    "dicomweb:series_metadata":        row("401 404 200 403 403 403 404", **IN_SERIES),
    "dicomweb:instances_of_series":    row("401 200 200 200 200 200 200", **IN_SERIES),
    "dicomweb:instance":               row("401 404 200 403 403 403 404", **IN_INSTANCE),
    "dicomweb:instance_metadata":      row("401 404 200 403 403 403 404", **IN_INSTANCE),
    "dicomweb:frames":                 row("401 404 200 403 403 403 404", **IN_INSTANCE, frames="1"),
    "dicomweb:study_thumbnail":        row("401 404 200 403 403 403 404", study=STUDY),
    "dicomweb:series_thumbnail":       row("401 404 200 403 403 403 404", **IN_SERIES),
    "dicomweb:instance_thumbnail":     row("401 404 200 403 403 403 404", **IN_INSTANCE),
    "dicomweb:frame_thumbnail":        row("401 404 200 403 403 403 404", **IN_INSTANCE, frames="1"),
    "dicomweb:instance_rendered":      row("401 404 200 403 403 403 404", **IN_INSTANCE),
    "dicomweb:frame_rendered":         row("401 404 200 403 403 403 404", **IN_INSTANCE, frames="1"),
    # Incidents: for whoever does not handle them there are none.
    "incidents:incidents":             row("in  404 404 200 200 404 404"),
    "incidents:incident_new":          row("in  404 404 200 200 404 404"),
    "incidents:incidents_file":        row("in  404 404 200 200 404 404"),
    "incidents:account_used":          row("in  405 405 405 405 405 405"),
    "incidents:account_locked":        row("200 200 200 200 200 200 200"),
    "incidents:my_letter":             row("in  404 404 404 404 404 404", pk=NOBODY),
    "incidents:incident":              row("in  404 404 404 404 404 404", pk=NOBODY),
    "incidents:note":                  row("in  404 404 404 404 404 404", pk=NOBODY),
    "incidents:lead":                  row("in  404 404 405 405 404 404", pk=NOBODY),
    "incidents:assess":                row("in  404 404 404 404 404 404", pk=NOBODY),
    "incidents:delay":                 row("in  404 404 404 404 404 404", pk=NOBODY),
    "incidents:close":                 row("in  404 404 404 404 404 404", pk=NOBODY),
    "incidents:step":                  row("in  404 404 404 404 404 404", pk=NOBODY, step="contain"),
    "incidents:duty":                  row("in  404 404 404 404 404 404", pk=NOBODY, code="own.people"),
    "incidents:affected":              row("in  404 404 404 404 404 404", pk=NOBODY),
    "incidents:count_account":         row("in  404 404 405 405 404 404", pk=NOBODY),
    "incidents:count_uids":            row("in  404 404 405 405 404 404", pk=NOBODY),
    "incidents:letter":                row("in  404 404 404 404 404 404", pk=NOBODY),
    "incidents:letter_send":           row("in  404 404 405 405 404 404", pk=NOBODY),
    "incidents:letter_print":          row("in  404 404 404 404 404 404", pk=NOBODY),
    # Sending in pieces: an upload is its sender's alone.
    "uploads:uploads":                 row("401 405 405 405 405 405 405"),
    "uploads:upload":                  row("401 404 404 404 404 404 404", pk=NOBODY),
    "uploads:objects":                 row("401 405 405 405 405 405 405", pk=NOBODY),
    "uploads:close":                   row("401 405 405 405 405 405 405", pk=NOBODY),
    "dicomweb:bulk":                   row("401 404 200 403 403 403 404", **IN_INSTANCE, path="7FE00010"),
}  # fmt: skip

# Searches are never refused: they find what may be seen.
SEARCHES = {
    "dicomweb:studies",
    "dicomweb:series_of_study",
    "dicomweb:instances_of_study",
    "dicomweb:instances_of_series",
}
