"""The programs that render and check the chart, built from Go modules into the servers' cache."""

import sys
from typing import Final

from tests.servers.find import MissingError, Server
from tests.servers.get import get

HELM: Final = Server("helm", "helm", module="helm.sh/helm/v3/cmd/helm", version="v3.22.0")
KUBECONFORM: Final = Server(
    "kubeconform",
    "kubeconform",
    module="github.com/yannh/kubeconform/cmd/kubeconform",
    version="v0.8.0",
)
KUSTOMIZE: Final = Server(
    "kustomize", "kustomize", module="sigs.k8s.io/kustomize/kustomize/v5", version="v5.8.1"
)
TOOLS: Final = (HELM, KUBECONFORM, KUSTOMIZE)
CANT_BE_TRIED: Final = 75
"""The exit status by which a job of ``.ci`` says so (``EX_TEMPFAIL`` of sysexits.h)."""


def main() -> int:
    """Get all of them; the exit status is 75 where one can't be had: no Go, no network."""
    status = 0
    for tool in TOOLS:
        try:
            print(f"{tool.name}\t{get(tool)}", flush=True)
        except MissingError as missing:
            status = CANT_BE_TRIED
            print(f"{tool.name}\tmissing: {missing}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
