"""Authentication of tenants at the gateway by client certificates and tokens, and the permissions of both."""
