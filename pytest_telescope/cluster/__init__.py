"""Where clusters come from, and how they go for certain."""
