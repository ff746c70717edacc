"""What axe-core finds wrong with a page."""

from functools import cache
from pathlib import Path

from playwright.async_api import Page

from tests.e2e.npm import installed

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def script() -> str:
    """The source of axe-core."""
    return (Path(installed("axe", "axe-core@4.10.3")) / "axe-core/axe.min.js").read_text()


async def violations(page: Page) -> list[str]:
    """Each violation with the elements that it is found at."""
    # The pages' Content-Security-Policy lets no foreign script in; evaluating is no script tag.
    await page.evaluate(script())
    found = await page.evaluate(
        "rules => axe.run(document, {runOnly: rules}).then(result => result.violations.map("
        "one => one.id + ': ' + one.nodes.map(node => node.target + ' ' + node.failureSummary)"
        ".join('; ')))",
        RULES,
    )
    return [str(one) for one in found]
