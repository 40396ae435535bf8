"""Two runs, or the two arms of one: what differs, by how much, and how sure that is."""
