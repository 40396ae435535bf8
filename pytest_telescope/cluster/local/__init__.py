"""A cluster on this machine: a real control plane, simulated nodes, one real node."""
