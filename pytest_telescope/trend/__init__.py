"""`telescope trend`: how each number went over runs, and where its level changed."""
