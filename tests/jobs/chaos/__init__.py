"""An app of the chaos test alone: a kind of job whose every effect leaves a row."""

STEPS = 4
