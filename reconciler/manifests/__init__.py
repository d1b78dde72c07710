"""Tenants' SDL files and manifests as the reference reads them, and the specifications made of them; pure."""
