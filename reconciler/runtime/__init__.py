"""What runs beside the loop and is no HTTP: clock, secret files, history, readiness."""
