"""Getting the programs that check the chart, where they can't be had."""

import pytest

from tests.charts import tools
from tests.servers.find import MissingError, Server


def test_a_program_that_cant_be_had_makes_the_job_one_that_cant_be_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(server: Server) -> None:
        raise MissingError(f"{server.name} can't be had: no route to the module proxy")

    monkeypatch.setattr(tools, "get", refuse)
    assert tools.main() == tools.CANT_BE_TRIED
    assert "kustomize\tmissing: kustomize can't be had" in capsys.readouterr().out
