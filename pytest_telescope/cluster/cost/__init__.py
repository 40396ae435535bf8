"""What a cluster costs, from list prices and without network, and what a budget allows.

`spec.of_spec` and `tfplan.of_plan` make a `model.Estimate`; `budget` compares it with what a scenario may cost.
"""
