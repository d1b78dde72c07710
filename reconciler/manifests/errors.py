"""The refusal of an SDL file or manifest."""

from __future__ import annotations


class ManifestError(ValueError):
    """An SDL file or manifest is refused; the text is the reference's, and may quote the tenant's file.

    Where the reference panics, the text is a sentence of its own. Callers bound it before they show it.
    """


class UnmarshalError(ManifestError):
    """Values of other types than expected, by line; gathered over the part of the file that is decoded."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("yaml: unmarshal errors:\n" + "\n".join(f"  {line}" for line in lines))
        self.lines = lines
