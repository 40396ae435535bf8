"""SLOs: written, resolved, judged over a recording."""
