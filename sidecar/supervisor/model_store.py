"""The bundles of models that a server may use, and which one it uses. Blocks: for a thread.

``FOLDER/NAME`` is a bundle (``reactions.bundle``); ``FOLDER/active.json`` names the one in use and
the one before it.
"""

import re
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from config.errors import JournalError, ModelError, NotFoundError, PictureError, RefusedError
from reactions.bundle import (
    DETECTOR_CARD,
    NAME,
    SHIPPED_BUNDLE,
    SHIPPED_NAME,
    TAUGHT,
    ModelBundle,
)
from reactions.detected_labels import read_detector
from reactions.taught_labels import read_taught
from sidecar.media.new_file import new_file
from sidecar.supervisor.server_values import ActiveModels, BundleView, ModelList

log = structlog.get_logger(__name__)

MAX_BUNDLES: Final = 100
"""That are listed, the first by name; others can be used as well."""


class BundleStore:
    """The bundles in ``folder``, and the shipped one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "active.json"

    @property
    def folder(self) -> Path:
        """Where the bundles are."""
        return self._folder

    def bundles(self) -> ModelList:
        """All bundles, also those that can't be used, and why."""
        views = [_view(SHIPPED_BUNDLE)]
        for path in self._paths():
            try:
                views.append(_view(ModelBundle.read(path)))
            except ModelError as error:
                views.append(BundleView(name=path.name[:64], error=str(error)))
        active = self.names()
        return ModelList(active=active.active, previous=active.previous, bundles=tuple(views))

    def get(self, name: str) -> ModelBundle:
        """The bundle ``name``; raises NotFoundError, and ModelError for one that is wrong."""
        if name == SHIPPED_NAME:
            return SHIPPED_BUNDLE
        path = self._folder / name
        if re.fullmatch(NAME, name) is None or not path.is_dir():
            do = "sidecar model list or GET /v1/models shows all"
            raise NotFoundError("there is no such bundle", where=name[:64], do=do)
        return ModelBundle.read(path)

    def names(self) -> ActiveModels:
        """The name of the bundle in use, and of the one before it."""
        try:
            return ActiveModels.model_validate_json(self._file.read_bytes())
        except (OSError, ValidationError):
            return ActiveModels(active=SHIPPED_NAME, previous=None)

    def at_start(self) -> ModelBundle:
        """The bundle in use; the shipped one, and a line in the log, where it can't be used."""
        try:
            return self.get(self.names().active)
        except (ModelError, NotFoundError) as error:
            log.error("shipped models used", reason=str(error))
            return SHIPPED_BUNDLE

    def taught_names(self) -> frozenset[str]:
        """The names of the labels that any of the bundles was taught, or detects as objects; of
        damaged ones, none."""
        names: set[str] = set()
        for path in self._paths():
            if (path / TAUGHT).is_file():
                with suppress(ModelError):
                    names.update(label.name for label in read_taught(path / TAUGHT))
            if (path / DETECTOR_CARD).is_file():
                with suppress(ModelError):
                    labels = read_detector(path / DETECTOR_CARD).labels
                    names.update(label.name for label in labels)
        return frozenset(names)

    def previous(self) -> ModelBundle:
        """The bundle to go back to; raises RefusedError where there is none."""
        name = self.names().previous
        if name is None:
            raise RefusedError("no bundle was used before", where="models", do="activate one")
        return self.get(name)

    def keep(self, name: str) -> None:
        """Remember the bundle in use; raises JournalError."""
        before = self.names().active
        if before == name:
            return
        names = ActiveModels(active=name, previous=before)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with new_file(self._file) as partial:
                partial.write_text(names.model_dump_json())
        except (OSError, PictureError) as error:
            what = f"the bundle in use can't be remembered: {error}"
            raise JournalError(what, where=str(self._file), do="free disk space") from error

    def _paths(self) -> list[Path]:
        try:
            entries = sorted(self._folder.iterdir())
        except OSError:
            return []
        # A point first: a bundle that is being written, or was when its program was killed.
        names = (one for one in entries if one.name != SHIPPED_NAME and one.name[0] != ".")
        return list(islice((one for one in names if one.is_dir()), MAX_BUNDLES))


def _view(bundle: ModelBundle) -> BundleView:
    return BundleView(
        name=bundle.name,
        created=bundle.created,
        description=bundle.description,
        thresholds=dict(bundle.thresholds),
    )
