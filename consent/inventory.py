from policies.rules.categories import Category
from policies.rules.inventory import Models, classify, hashed, keyed_hash, readable, sealed

MODELS: Models = [
    ("consent.DataSubject", Category.IDENTITY, {
        "id": "Number of the person or animal", "organisation": "Organisation that holds it",
        "kind": "Person or animal", "key_id": "Its key",
        "sealed_record": sealed("Names, numbers, birth date, owner, species"),
        "identifier_token": keyed_hash("Patient number, for search"),
        "created_at": "Since when it is known",
    }),
    ("consent.SubjectAccount", Category.IDENTITY, {
        "id": "Number", "user": "Account", "subject": "Whose record",
        "created_at": "Since when",
    }),
    ("consent.PurposeConsent", Category.CONSENT, {
        "id": "Number", "organisation": "Organisation", "subject_id": "Whose images",
        "purpose": "Purpose", "version_id": "Policy in force", "given_by": "Who said so",
        "given_at": "When", "by_subject": "Said by the person", "factor": "Proved with",
        "document": "Number of the signed document", "withdrawn_at": "Withdrawn",
    }),
    ("consent.Directive", Category.CONSENT, {
        "id": "Number", "organisation": "Organisation", "subject_id": "Whose images",
        "user": "Whose account", "kind": "What was said", "purposes": "Purposes it bars",
        "studies": readable("Studies it is about", Category.MEDICAL),
        "recipients": "Organisations it is about", "source": "How it was said",
        "case_number": "Request it came with", "version_id": "Policy in force",
        "set_by": "Who wrote it down", "set_at": "When", "key_id": "Its key",
        "sealed_reason": sealed("Why, in the person's words"),
        "announced_at": "When its end was announced", "lifted_at": "When it was lifted",
        "lifted_by": "Who lifted it", "lift_case": "Request by which it was lifted",
    }),
    ("consent.Grant", Category.CONSENT, {
        "id": "Number of the share", "organisation": "Who shares", "subject_id": "Whose images",
        "recipient_organisation": "Organisation that receives", "recipient": "Person that receives",
        "purpose": "Purpose", "may_download": "Whether it may be downloaded",
        "granted_at": "When it was agreed", "expires_at": "Until when",
        "granted_by": "Who agreed", "first_factor": "Proved first with",
        "first_proved_at": "When proved first",
        "factor": "Proved with", "stepped_up_at": "When proved",
        "transfer_mechanism": "On what it crosses a border",
        "transfer_agreement": "By which agreement",
        "notice_code": "Policy in force", "notice_version": "Its version",
        "text_digest": hashed("The words agreed to"), "key_id": "Its key",
        "sealed_text": sealed("The words agreed to"), "revoked_at": "When it was revoked",
        "revoked_by": "Who revoked it", "revoke_reason": "Why it was revoked",
    }),
    ("consent.GrantItem", Category.CONSENT, {
        "id": "Number", "grant": "Share", "study_uid": readable("Study", Category.MEDICAL),
        "series_uid": readable("Series", Category.MEDICAL),
        "instance_uid": readable("Object", Category.MEDICAL),
        "instances": "How many objects", "digest": keyed_hash("What they held"),
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
