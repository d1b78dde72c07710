"""Runs workloads as containers on plain hosts, through ansible-runner."""
