"""De-identification as DICOM PS3.15 Annex E has it: the table as data, the rules as functions."""
