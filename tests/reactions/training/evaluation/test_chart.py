from pathlib import Path

import pytest
from PIL import Image

from reactions.training.evaluation.chart import draw_chart
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.summary import summarize
from tests.reactions.training.evaluation.judged import verdict


def test_the_chart_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need the extra 'train'")
    judged = [verdict("fist", "fist"), verdict("fist", condition=Condition.DARK)]
    draw_chart(summarize(judged), tmp_path / "chart.webp")
    with Image.open(tmp_path / "chart.webp") as picture:
        assert picture.width > 800
