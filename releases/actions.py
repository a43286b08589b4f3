"""What this room writes into the trail: code, label, verb, DICOM PS3.15 A.5 event name."""

_EXPORT, _ACCESSED = "Export", "DICOM Instances Accessed"

ACTIONS = [
    ("release.drafted", "Release project begun", "C", ""),
    ("release.study_added", "Study put into a release project", "U", ""),
    ("release.study_removed", "Study taken out of a release project", "U", ""),
    ("release.discarded", "What was made of a person's images erased", "D", ""),
    ("release.approval_asked", "Approval of a release project asked for", "U", ""),
    ("release.approved", "Release project approved", "U", ""),
    ("release.reopened", "Release project opened again", "U", ""),
    ("release.rebuilt", "Release project made anew", "U", ""),
    ("release.built", "Images of a release project de-identified", "C", ""),
    ("release.image_seen", "De-identified image compared with its original", "R", _ACCESSED),
    ("release.judged", "De-identified image judged by a person", "U", _ACCESSED),
    ("release.released", "De-identified images released", "U", _EXPORT),
    ("release.refused", "Release of de-identified images refused", "E", "Security Alert"),
    ("release.downloaded", "De-identified images downloaded", "R", _EXPORT),
    ("release.exported", "De-identified images written to a folder", "R", _EXPORT),
    ("release.link_opened", "Person behind a pseudonym looked up", "R", "Patient Record"),
    ("release.counted", "People of a release project counted", "C", ""),
    ("release.counts_seen", "Counts of people looked at", "R", ""),
    ("release.counts_refused", "Counts of people refused", "E", "Security Alert"),
    ("release.ended", "Release project ended", "D", ""),
]
