"""Bundles that go from one machine to another: exported as a folder or a zip, and taken again."""

import lzma
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from config.errors import ModelError
from reactions.bundle import (
    CARD,
    DETECTOR,
    DETECTOR_CARD,
    MAX_FILE,
    MODEL_CARD,
    NAME,
    SHIPPED_BUNDLE,
    SHIPPED_NAME,
    TRAINED,
    WEIGHTS,
    ModelBundle,
)
from reactions.bundle_label import BUNDLE_FILE
from reactions.datasets.store import refuse_existing, whole_file
from reactions.gestures.hand_classifier import SHIPPED, HeadCard
from reactions.trained_heads import read_heads
from reactions.training.bundle_maker import (
    add_detector,
    add_head,
    bundle_of_classifier,
    copy_bundle,
    free_name,
)
from reactions.training.classifier_card import describe_classifier, read_thresholds
from reactions.training.detector_card import describe_detector

_MOST_FILES: Final = 64
"""Of one bundle."""
_MOST_BYTES: Final = 2 * MAX_FILE
"""Of all files of one bundle, unpacked."""
_NO_ZIP: Final = (
    *(OSError, ValueError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What reading a damaged, encrypted or unknown zip raises."""


def export_bundle(
    source: ModelBundle | Path, target: Path, base: ModelBundle = SHIPPED_BUNDLE
) -> str:
    """Write ``source`` as one bundle to ``target``, a new folder or ``.zip``; returns its name.

    A path is the folder of a training; one of a face, a body or objects is added to ``base``. The
    name is that of ``target`` without its suffix. Raises SidecarError, and leaves nothing then.
    """
    refuse_existing(target)
    name = target.name.removesuffix(".zip")
    if target.suffix != ".zip":
        return _write_bundle(source, target, base).name
    with TemporaryDirectory(prefix="sidecar-model-") as folder:
        bundle = _write_bundle(source, Path(folder) / name, base)
        assert bundle.folder is not None
        with whole_file(target) as partial, zipfile.ZipFile(partial, "w", _METHOD) as packed:
            for path in sorted(bundle.folder.iterdir()):
                packed.write(path, f"{name}/{path.name}")
    return name


_METHOD: Final = zipfile.ZIP_DEFLATED


def _write_bundle(source: ModelBundle | Path, folder: Path, base: ModelBundle) -> ModelBundle:
    if isinstance(source, ModelBundle):
        return copy_bundle(source, folder)
    if (source / CARD).is_file():
        return copy_bundle(ModelBundle.read(source), folder)
    today = date.today().isoformat()  # noqa: DTZ011 (the user's own day)
    if (source / TRAINED).is_file():
        heads = read_heads(source / TRAINED)
        if len(heads) != 1:
            what = f"{TRAINED} holds {len(heads)} networks, and a training makes one"
            raise ModelError(what, where=str(source), do="run sidecar model train again")
        card = (source / MODEL_CARD).read_text(encoding="utf-8", errors="replace")
        return add_head(base, heads[0], folder, created=today, card=card)
    if (source / DETECTOR).is_file():
        card = describe_detector(source / DETECTOR_CARD)
        return add_detector(base, source, folder, created=today, card=card)
    weights = source / WEIGHTS
    if not weights.is_file():
        what = "is neither a bundle nor the folder of a training that ended"
        raise ModelError(what, where=str(source), do="run sidecar model train again")
    return bundle_of_classifier(
        weights,
        folder,
        created=today,
        thresholds=read_thresholds(weights.with_suffix(".json")),
        card=describe_classifier(weights.with_suffix(".json")),
    )


def import_bundle(source: Path, folder: Path) -> ModelBundle:
    """Copy the bundle in ``source``, a folder or a ``.zip``, into ``folder``; the same one that is
    there already is left as it is. Raises ModelError for what is no whole bundle."""
    with _opened_bundle(source) as found:
        bundle = ModelBundle.read(found)
        if bundle.name == SHIPPED_NAME:
            what = f"{SHIPPED_NAME!r} is the program's own"
            raise ModelError(what, where=str(source), do="export it under another name")
        target = folder / bundle.name
        if not target.exists():
            return copy_bundle(bundle, target)
        if (target / CARD).read_bytes() == (found / CARD).read_bytes():
            return ModelBundle.read(target)
        other = free_name(folder, bundle.name[:56])
        return copy_bundle(bundle, folder / other)


@contextmanager
def _opened_bundle(source: Path) -> Iterator[Path]:
    """The folder of the bundle in ``source``."""
    if source.is_dir():
        yield source.resolve()
        return
    with TemporaryDirectory(prefix="sidecar-model-") as folder:
        yield _unpack(source, Path(folder))


def _unpack(source: Path, folder: Path) -> Path:
    """The plain files of one folder in a zip, within limits; nothing else is written."""
    do = "export it again"
    if not source.is_file():
        raise ModelError("is no file", where=str(source), do="name an exported folder or .zip")
    try:
        with zipfile.ZipFile(source) as packed:
            entries = [entry for entry in packed.infolist() if not entry.is_dir()]
            names = {entry.filename.partition("/")[0] for entry in entries}
            size = sum(entry.file_size for entry in entries)
            if len(names) != 1 or len(entries) > _MOST_FILES or size > _MOST_BYTES:
                raise ModelError("holds no bundle", where=str(source), do=do)
            (name,) = names
            if re.fullmatch(NAME, name) is None:
                raise ModelError("holds no bundle", where=str(source), do=do)
            (folder / name).mkdir()
            for entry in entries:
                file = entry.filename.partition("/")[2]
                if re.fullmatch(BUNDLE_FILE, file) is None or entry.file_size > MAX_FILE:
                    raise ModelError("holds what no bundle has", where=str(source), do=do)
                with packed.open(entry) as inner, (folder / name / file).open("xb") as outer:
                    shutil.copyfileobj(inner, outer)
            return folder / name
    except _NO_ZIP as error:
        raise ModelError("can't be read as a bundle", where=str(source), do=do) from error


def model_card(bundle: ModelBundle) -> str:
    """The card of ``bundle`` in Markdown."""
    if bundle.folder is None:
        return describe_classifier(SHIPPED.with_suffix(".json"))
    if bundle.model_card is not None:
        return bundle.model_card.read_text(encoding="utf-8", errors="replace")
    HeadCard.read(bundle.weights.with_suffix(".json"))
    return describe_classifier(bundle.weights.with_suffix(".json"))
