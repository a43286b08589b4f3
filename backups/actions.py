"""What this room writes into the trail: code, label, verb, DICOM PS3.15 A.5 event name."""

ACTIONS = [
    ("backup.made", "Backup made", "C", ""),
    ("backup.failed", "Backup not made", "E", "Security Alert"),
    ("backup.artefact_destroyed", "Part of a backup destroyed at the end of its time", "D", ""),
    ("backup.restored", "Portal restored from a backup", "E", "Security Alert"),
    ("plan.written", "Plan for disasters written", "C", ""),
    ("device.entered", "Device entered into the register", "C", ""),
    ("device.retired", "Device taken out of service", "U", ""),
    ("device.certified", "Destruction of a device certified", "D", ""),
    ("backup.drilled", "Restore practised", "E", ""),
]
