"""How ``sidecar serve`` is started."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from platformdirs import user_state_path

from config.settings import Settings
from sidecar.supervisor.bundle_rows import NO_ROWS, TaughtRows

APPLICATION: Final = "reaction-sidecar"


@dataclass(frozen=True, slots=True)
class ServePlan:
    """How to serve, beyond the settings."""

    token_file: Path | None = None
    """In place of ``serve.token_file``."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where ``SIDECAR_API_TOKEN`` and ``env:`` secrets come from."""
    say: Callable[[str], None] = print
    """Shows one line to the operator: the address, and a token that was made."""
    terminal: bool = False
    """What ``say`` shows is seen by the operator alone: a token that was made may be shown."""
    room_tokens: bool = True
    """Participants of hosted rooms need a token, unless the API needs none either."""
    home: bool = False
    """``/`` leads to the first hosted room, and there is no operator's page."""
    taught: TaughtRows = NO_ROWS
    """The operator's rows of labels that only some bundles have."""
    bundles: Path | None = None
    """The folder of model bundles; None: in ``serve.data_folder``."""


def data_folder(settings: Settings) -> Path:
    """Where what clients upload is kept."""
    return settings.serve.data_folder or user_state_path(APPLICATION) / "serve"


def bundles_folder(settings: Settings) -> Path:
    """Where model bundles are kept, and which one is used."""
    return data_folder(settings) / "models"


def journal_file(settings: Settings) -> Path:
    """Where the rooms that are wanted are kept."""
    return settings.serve.journal or user_state_path(APPLICATION) / "serve.db"
