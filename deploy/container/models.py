"""Copies the models that can run into the image's root: `python -m deploy.container.models`.

Those that are only the originals of edited ones stay out. An empty folder leaves the image without
models; one that lacks some, or has a damaged one, is an error.
"""

import argparse
import shutil
from pathlib import Path

from reactions.landmarks.model_manifest import FILES
from reactions.landmarks.model_store import ModelStore


def copy_models(source: Path, target: Path) -> None:
    """Copy each model that runs from ``source`` to ``target``, checked by its SHA-256.

    Raises ModelError where one is missing or damaged.
    """
    target.mkdir(parents=True, exist_ok=True)
    if not any(source.glob("*.tflite")):
        return
    store = ModelStore(source)
    for model in FILES.values():
        if model.runs:
            shutil.copyfile(store.path(model.name), target / model.file)


def main() -> None:
    parser = argparse.ArgumentParser(prog="models", description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    copy_models(options.source, options.target)


if __name__ == "__main__":
    main()
