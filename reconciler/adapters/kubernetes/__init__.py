"""Workloads on a Kubernetes cluster."""
