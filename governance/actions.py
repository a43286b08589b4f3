"""What this room writes into the trail: code, label, DICOM PS3.15 A.5 event name."""

ACTIONS = [
    ("trail.disclosed", "Part of the trail handed out under law", "Export"),
    ("trail.disclosure_refused", "Handing out part of the trail refused", "Export"),
]
