"""What this room writes into the trail: code, label, verb, DICOM PS3.15 A.5 event name."""

ACTIONS = [
    ("access.refused", "Access refused", "E", "Security Alert"),
    ("grant.given", "Shared under express consent", "C", "Patient Record"),
    ("grant.revoked", "Share revoked", "D", "Patient Record"),
    ("purpose.consented", "Consent to a new purpose", "C", "Patient Record"),
    ("purpose.withdrawn", "Consent to a new purpose withdrawn", "D", "Patient Record"),
    ("purpose.objected", "Objected to a purpose", "C", ""),
    ("objection.withdrawn", "Objection to a purpose taken back", "D", ""),
    ("directive.set", "Use of data barred at the person's word", "C", "Patient Record"),
    ("directive.announced", "Person told that a restriction will be lifted", "E", ""),
    ("directive.lifted", "Bar on the use of data lifted", "D", "Patient Record"),
    ("subject.linked", "Person linked to their record", "C", "Patient Record"),
]
