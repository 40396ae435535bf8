"""Pure specs: what a scenario.yaml asks for, read with file:line for every value."""
