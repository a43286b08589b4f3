"""What an incident is, whom its duties are owed to and by when. Pure."""
