"""The base class of all sections of the settings."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of the settings: it can't be changed, and knows no other keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
