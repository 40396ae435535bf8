"""`telescope slo test`: SLOs judged on series written by hand, by the real Prometheus, against what they should say."""
