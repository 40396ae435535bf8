"""Managed clusters: what AKS, EKS and GKE share, and one small file for what each does its own way."""
