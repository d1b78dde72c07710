"""Which orders to bid on, and at what price."""
