"""What tests of trainings need."""

from importlib.util import find_spec
from typing import Final

import pytest

NEEDS_TRAINING: Final = pytest.mark.skipif(
    find_spec("tensorflow") is None, reason="training needs the extra 'train'"
)
"""Looks for TensorFlow without importing it: that takes seconds and 300 MB, and every worker
collects all tests."""
