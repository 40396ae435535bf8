"""Figures of the harness as ratios, each measured side by side in one run; `python -m benchmarks [NAME…]`."""
