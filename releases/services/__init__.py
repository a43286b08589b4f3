"""Acts of this room: begin, collect, approve, make, look, release, hand out, end."""
