"""Base models of all files: strict validation, `apiVersion` and `kind`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FIRST_VERSION = "provider.virtengine.dev/v1alpha1"
"""The first version, and the default of a file without apiVersion."""
API_VERSION = "provider.virtengine.dev/v1beta1"
"""The newest version, which `provider-daemon migrate` writes."""


class StrictModel(BaseModel):
    """Rejects unknown keys, type conversion and mutation; docstrings become the schema's descriptions."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True, validate_by_name=False
    )


class FileModel(StrictModel):
    """The root of a file; each subclass adds `kind`."""

    api_version: Literal["provider.virtengine.dev/v1beta1", "provider.virtengine.dev/v1alpha1"] = Field(
        default="provider.virtengine.dev/v1alpha1", alias="apiVersion"
    )
    """Version of the file's format; default: v1alpha1."""
