"""Draw the form of one label, for the operator's page of the documents.

``python -m tests.e2e.draw_reaction_form docs/images/reaction-form.webp``
"""

import asyncio
import io
import sys
from pathlib import Path
from typing import Final

from PIL import Image

from tests.e2e.browser import launched, visit
from tests.e2e.operator_server import serving

TITLE: Final = "Victory"
WIDTH: Final = 1000
"""Pixels of the window; the form has 40 fewer."""


async def draw() -> Image.Image:
    """The form as it is opened, with the sticker and the effect that play."""
    async with serving(labels=["victory"]) as (_, url), launched() as browser:
        page = await browser.new_page(
            viewport={"width": WIDTH, "height": 1200}, color_scheme="light"
        )
        await visit(page, f"{url}#reactions")
        row = page.locator("li", has=page.locator(".row-button").get_by_text(TITLE, exact=True))
        await row.locator(".row-button").click()
        await row.locator(".row-form").wait_for()
        # The tile plays both again and again; the effect has filled it by then.
        await page.wait_for_timeout(1500)
        return Image.open(io.BytesIO(await row.screenshot())).convert("RGB")


def main() -> int:
    """Write the picture to the file that is named."""
    (target,) = map(Path, sys.argv[1:])
    asyncio.run(draw()).save(target, quality=86, method=6)
    print(f"{target}: {target.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
