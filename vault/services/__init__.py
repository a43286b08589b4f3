"""Acts of the vault: make, open, rotate and destroy keys; seal, open and sweep blobs."""
