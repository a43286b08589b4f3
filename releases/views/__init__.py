"""Pages of release projects."""
