from pathlib import Path

import pytest

from tests.reactions.landmarks.registries import Registries, install


@pytest.fixture
def registries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registries:
    """Stand-ins for pip and npm that serve nothing yet."""
    return install(tmp_path / "registries", monkeypatch)
