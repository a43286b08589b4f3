"""Pages of backups and of hardware."""
