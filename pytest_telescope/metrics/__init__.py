"""Asking Prometheus, recording a window, and serving the recording again."""
