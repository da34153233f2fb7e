# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tree for all structured outputs of Junos: ``display json`` in both its shapes, and ``display xml``.

Junos' JSON wraps every value in lists (``[{"data": "x"}]``); its compact form does not; the XML has
name spaces by release. The readers see none of that.
"""

from __future__ import annotations

import html
import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

from ..reading import Answer


@dataclass(slots=True)
class Element:
    """One element: its text, its attributes and its children in order."""

    name: str
    text: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)

    def all(self, *names: str) -> list[Element]:
        """Return the children that have one of the names."""
        return [child for child in self.children if child.name in names]

    def iter(self, *names: str) -> Iterator[Element]:
        """Yield the elements of one of the names at any depth, in document order."""
        for child in self.children:
            if child.name in names:
                yield child
            yield from child.iter(*names)

    def get(self, *names: str) -> str | None:
        """Return the text of the first child that has one of the names, None if there is none."""
        found = next((child for child in self.children if child.name in names), None)
        return None if found is None else found.text.strip()

    def deep(self, *names: str) -> str | None:
        """Return the text of the first element of one of the names at any depth."""
        found = next(self.iter(*names), None)
        return None if found is None else found.text.strip()

    def has(self, name: str) -> bool:
        """True where there is a child of that name, as Junos writes flags."""
        return any(child.name == name for child in self.children)


def tree(answer: Answer, *roots: str) -> list[Element]:
    """Return the elements of the answer that have one of the names ``roots``.

    Raises:
        ParseError: the answer is cut short, empty, or has none of them: it is of another command.
    """
    top = Element("", children=_from_xml(answer) if _is_xml(answer) else _from_json(answer.json()))
    found = list(top.iter(*roots))
    if not found:
        error = next(top.iter("error", "xnm:error", "rpc-error"), None)
        if error is not None:
            raise answer.error(f"is a refusal: {(error.deep('message', 'error-message') or error.text)[:80]}")
        names = ", ".join(child.name for child in top.children[:4])
        raise answer.error(f"is of another command: it has {names or 'nothing'}, not {' or '.join(roots)}")
    return found


def _is_xml(answer: Answer) -> bool:
    return isinstance(answer.output, str) and answer.output.lstrip().startswith("<")


def _from_xml(answer: Answer) -> list[Element]:
    text = answer.xml()
    for candidate in (text, _without_prefixes(text)):
        try:
            return [_xml_element(ElementTree.fromstring(candidate))]  # no document type: see Answer.xml
        except ElementTree.ParseError as exc:
            reason = exc
            if "unbound prefix" not in str(exc):
                break
    raise answer.error(f"is not whole XML ({reason})") from reason


def _without_prefixes(text: str) -> str:
    """``junos:style`` without a declaration of ``junos``: part of an answer that was cut out of its envelope."""
    return re.sub(r"(</?|\s)[\w-]+:(?=[\w-]+[\s=>/])", r"\1", text)


def _xml_element(node: ElementTree.Element) -> Element:
    def local(name: str) -> str:
        return name.rpartition("}")[2]

    return Element(
        local(node.tag),
        node.text or "",
        {local(key): value for key, value in node.attrib.items()},
        [_xml_element(child) for child in node if isinstance(child.tag, str)],
    )


def _from_json(data: Mapping[str, typing.Any]) -> list[Element]:
    found: list[Element] = []
    for name, value in data.items():
        _collect(found, name, value)
    return found


def _collect(found: list[Element], name: str, value: typing.Any) -> None:
    """Add what a name says: one element or a list of them; attributes stand beside the value."""
    if name == "attributes" or name.startswith("@"):
        return
    if isinstance(value, list):
        before = len(found)
        for item in value:
            _collect(found, name, item)
        if len(found) == before:
            found.append(Element(name))
    elif not isinstance(value, dict):
        found.append(Element(name, _json_text(value)))
    else:
        said = value.get("attributes")
        attributes = {key.rpartition(":")[2]: str(v) for key, v in said.items()} if said else {}
        children: list[Element] = []
        for key, item in value.items():
            if key != "data":
                _collect(children, key, item)
        found.append(Element(name, _json_text(value.get("data")), attributes, children))


def _json_text(value: typing.Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    text = "" if value is None else str(value)
    return html.unescape(text) if "&" in text else text
