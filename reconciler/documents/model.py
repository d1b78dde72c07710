"""What all our documents share: strict models and the first two lines of every file."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FIRST_FORM = "provider.virtengine.dev/v1alpha1"
"""The first version of our files' form; a file that names none is of this one."""
API_VERSION = "provider.virtengine.dev/v1beta1"
"""The newest version, which `provider-daemon migrate` writes."""


class StrictModel(BaseModel):
    """Unknown keys, converted types and later changes are refused; docstrings become the schema's words."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True, validate_by_name=False
    )


class FileModel(StrictModel):
    """The top of a file; `kind` is added by each."""

    api_version: Literal["provider.virtengine.dev/v1beta1", "provider.virtengine.dev/v1alpha1"] = Field(
        default="provider.virtengine.dev/v1alpha1", alias="apiVersion"
    )
    """The version of this file's form; without it the first, v1alpha1, is meant."""
