"""Acts: make, rotate, restore and drill backups; keep the ledgers that a restore replays."""
