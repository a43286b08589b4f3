"""What a release project may be, whom it leaves out, and how its report reads. Pure."""
