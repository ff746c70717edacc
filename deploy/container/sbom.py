"""Adds what is no Python package to the image's list of contents (SBOM, CycloneDX).

`cyclonedx-py environment` lists the packages of the environment; this adds Debian's packages, whose
records `assemble` left in the root, and the models with their SHA-256.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL


def debian_components(records: Path) -> Iterator[Component]:
    """A component for each record of a Debian package in the folder ``records``."""
    for record in sorted(records.iterdir()):
        fields = HeaderParser().parsestr(record.read_text())
        name, version = fields["Package"], fields["Version"]
        place = {"arch": fields["Architecture"]}
        yield Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            purl=PackageURL("deb", "debian", name, version, qualifiers=place),
            bom_ref=f"deb-{name}",
        )


def model_components(folder: Path) -> Iterator[Component]:
    """A component for each model in ``folder``."""
    for file in sorted(folder.glob("*.tflite")):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        yield Component(
            name=file.name,
            type=ComponentType.MACHINE_LEARNING_MODEL,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
            licenses=[LicenseExpression("Apache-2.0")],
            bom_ref=f"model-{file.stem}",
        )


def make_reproducible(bom: Bom, seed: bytes, epoch: int) -> None:
    """Give ``bom`` a serial number by what it lists (``seed``), and a time in seconds."""
    bom.serial_number = uuid5(NAMESPACE_OID, hashlib.sha256(seed).hexdigest())
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)


def main() -> None:
    parser = argparse.ArgumentParser(prog="sbom", description=__doc__)
    parser.add_argument("environment", type=Path, help="what cyclonedx-py wrote, as JSON")
    parser.add_argument("root", type=Path, help="the image's root, where the list is written")
    parser.add_argument("--models", type=Path, required=True, help="the folder with the models")
    parser.add_argument("--epoch", type=int, default=0, help="the time of the list, in seconds")
    options = parser.parse_args()
    seed = options.environment.read_bytes()
    bom = Bom.from_json(json.loads(seed))
    records = options.root / "var/lib/dpkg/status.d"
    added = [*debian_components(records), *model_components(options.models)]
    bom.components.update(added)
    listed = [(one.name, one.version, [digest.content for digest in one.hashes]) for one in added]
    make_reproducible(bom, seed + repr(listed).encode(), options.epoch)
    target = options.root / "usr/share/sbom/reaction-sidecar.cdx.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(JsonV1Dot6(bom).output_as_string(indent=1) + "\n")


if __name__ == "__main__":
    main()
