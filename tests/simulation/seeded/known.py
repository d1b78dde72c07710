"""Known faults of the daemon: an invariant lets exactly these pass, and each run counts them."""

from enum import StrEnum


class Known(StrEnum):
    """What is wrong, until it is fixed."""

    UNBOOKED_TRANSFER = "money that arrives while the journal cannot be written counts as earned"
    STORE_REPORTED_AS_BUG = "an intent that the journal cannot store is reported as a bug of the daemon"
