"""What this room writes into the trail: code, label, DICOM PS3.15 A.5 event name."""

ACTIONS = [
    ("incident.opened", "Incident opened", "Security Alert"),
    ("incident.reported", "Use of an account by somebody else reported, and the account locked",
     "Security Alert"),
    ("incident.viewed", "Incident opened by an officer", ""),
    ("incident.noted", "Note written on an incident", ""),
    ("incident.led", "Lead of an incident taken over", ""),
    ("incident.counted", "Counted whom an incident touches", ""),
    ("incident.residence", "Noted where people live whom an incident touches", ""),
    ("incident.assessed", "Incident assessed", ""),
    ("incident.delayed", "Telling of an incident delayed for the police", ""),
    ("incident.step_done", "Step of the plan for incidents done", ""),
    ("incident.duty_done", "Told of an incident, as a law or the policy asks", ""),
    ("incident.drafted", "Letter about an incident written", ""),
    ("incident.letter_sent", "Letter about an incident sent to somebody it touches", ""),
    ("incident.letter_posted", "Letter about an incident posted on paper", ""),
    ("incident.escalated", "Incident told to be late to officers and administrators",
     "Security Alert"),
    ("incident.closed", "Incident closed", ""),
    ("incident.exported", "Register of incidents exported", ""),
]  # fmt: skip
