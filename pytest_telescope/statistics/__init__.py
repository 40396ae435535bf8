"""Numbers about numbers: pure functions, no files, no clock; numpy and scipy are imported where they are used."""
