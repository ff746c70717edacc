"""The API's reference as one HTML page, made from the OpenAPI document; without scripts."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

STYLE: Final = """\
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif;
  color: #17202e; background: #fff }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #c9d1dc; text-transform: capitalize }
h3 { margin-top: 2rem }
code, pre { font: 14px/1.5 ui-monospace, monospace }
pre { overflow-x: auto; padding: .75rem; background: #f2f4f8 }
table { border-collapse: collapse; width: 100% }
td, th { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top }
.method { display: inline-block; min-width: 4rem; font-weight: 700 }
@media (prefers-color-scheme: dark) {
  body { color: #e6eaf0; background: #0d121b } pre { background: #1b2330 } a { color: #9cc4ff }
  h2 { border-color: #3a475a }
}
"""


def reference_page(document: Mapping[str, Any]) -> str:
    """The page of ``document``, as ``sidecar.server.api.openapi`` makes it."""
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}: API")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{title}</title><link rel="stylesheet" href="/v1/docs.css"></head>'
        f"<body><main><h1>{title}</h1><p>{escape(info['description'])} "
        '<a href="/v1/openapi.json">OpenAPI document</a></p>'
        f"{''.join(_groups(document))}<h2>objects</h2>{''.join(_objects(document))}"
        "</main></body></html>"
    )


def _groups(document: Mapping[str, Any]) -> Iterator[str]:
    """The operations, under a heading for each tag."""
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            section = "".join(_operation(path, method, operation))
            groups.setdefault(operation["tags"][0], []).append(section)
    for tag, sections in groups.items():
        yield f"<h2>{escape(tag)}</h2>{''.join(sections)}"


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    name = escape(operation["operationId"], quote=True)
    yield f'<section><h3 id="{name}"><span class="method">{method.upper()}</span> '
    yield f"<code>{escape(path)}</code></h3><p>{escape(operation['summary'])}. "
    yield f"{_marked(operation.get('description', 'Open to all.'))}</p>"
    if parameters := operation["parameters"]:
        rows = (_parameter(one) for one in parameters)
        yield f"<table><tr><th>parameter</th><th>in</th><th></th></tr>{''.join(rows)}</table>"
    if (body := operation.get("requestBody")) is not None:
        yield f"<p>Body: {_contents(body['content'])}</p>"
    rows = (_response(*one) for one in operation["responses"].items())
    yield f"<table><tr><th>status</th><th></th><th>answer</th></tr>{''.join(rows)}</table>"
    yield "</section>"


def _parameter(one: Mapping[str, Any]) -> str:
    text = escape(one.get("description", ""))
    schema = one["schema"]
    allowed = schema.get("enum") or schema.get("items", {}).get("enum") or ()
    values = ", ".join(f"<code>{escape(str(value))}</code>" for value in allowed)
    return (
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{one['in']}</td>"
        f"<td>{text} {values}</td></tr>"
    )


def _response(status: str, response: Mapping[str, Any]) -> str:
    contents = _contents(response.get("content", {}))
    return (
        f"<tr><td>{status}</td><td>{escape(response['description'])}</td><td>{contents}</td></tr>"
    )


def _contents(content: Mapping[str, Any]) -> str:
    """Content types with the objects that they hold."""
    return ", ".join(
        f"<code>{escape(kind)}</code> {_type(value.get('schema', {}))}"
        for kind, value in content.items()
    )


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, with links to the objects that it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2], quote=True)
        return f'<a href="#{name}">{name}</a>'
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_type(one) for one in schema[key])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("type", "")))


def _objects(document: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f'<section><h3 id="{escape(name, quote=True)}">{escape(name)}</h3>'
        yield f"<pre>{escape(json.dumps(schema, indent=2))}</pre></section>"


def _marked(text: str) -> str:
    """``text`` with words in backquotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{one}</code>" if n % 2 else one for n, one in enumerate(parts))
