"""Judgements become what people and programs read."""
