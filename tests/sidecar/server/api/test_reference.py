"""The reference page says what the OpenAPI document says, and loads nothing from elsewhere."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from config.reaction_table import load_reaction_table
from reactions.labels import LABELS
from sidecar.server.api.annotate_endpoints import AnnotateEndpoints
from sidecar.server.api.openapi import openapi
from sidecar.server.api.reference import reference_page
from tests.sidecar.supervisor.memory_handle import NothingSeen


class Page(HTMLParser):
    """The links, identifiers and text of a page; fails where a tag is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.links += [values[key] or "" for key in ("href", "src") if key in values]
        self.ids += [values["id"] or ""] if "id" in values else []
        if tag not in {"meta", "link"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    table = load_reaction_table(LABELS, environ={})
    return openapi(AnnotateEndpoints(NothingSeen(), table).endpoints(), "1.2.3")


def test_every_operation_and_object_is_there_and_links_lead_to_them(
    document: dict[str, Any],
) -> None:
    page = Page(reference_page(document))
    assert {"annotate", *document["components"]["schemas"]} == set(page.ids)
    local = {link[1:] for link in page.links if link.startswith("#")}
    assert local
    assert local <= set(page.ids)
    for word in ("POST", "/v1/annotate", "Sidecar-Stream", "image/webp", "thumbs_up", "1.2.3"):
        assert word in page.text


def test_nothing_comes_from_elsewhere(document: dict[str, Any]) -> None:
    html = reference_page(document)
    assert {link for link in Page(html).links if not link.startswith("#")} == {
        "/v1/docs.css",
        "/v1/openapi.json",
    }
    assert re.search(r"<script|style=|https?://", html) is None


def test_what_the_document_says_is_text_and_no_markup(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/annotate"]["post"]
    wild = {**operation, "summary": "<script>alert(1)</script>"}
    html = reference_page({**document, "paths": {"/v1/annotate": {"post": wild}}})
    assert "<script>" not in html
    assert "<script>alert(1)</script>" in Page(html).text
