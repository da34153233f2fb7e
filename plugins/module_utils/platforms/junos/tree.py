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
from xml.etree import ElementTree

from ..reading import Answer

_Json = Mapping[str, typing.Any]
#: What stands in an object of JSON beside its children.
_NO_CHILDREN = ("attributes", "data")


class Element:
    """One element: its text, its attributes and its children in order.

    The children of JSON are made when they are asked for by no name: of a large table hardly one is.
    """

    __slots__ = ("_children", "_said", "attributes", "name", "text")

    def __init__(
        self,
        name: str,
        text: str = "",
        attributes: dict[str, str] | None = None,
        children: list[Element] | None = None,
        said: _Json | None = None,
    ) -> None:
        self.name = name
        self.text = text
        self.attributes = attributes or {}
        self._said = said or {}
        self._children = children

    @property
    def children(self) -> list[Element]:
        """The elements below this one, in order."""
        if self._children is None:
            self._children = _below(self._said, _names_below(self._said))
        return self._children

    def all(self, *names: str) -> list[Element]:
        """Return the children that have one of the names."""
        if self._children is None:
            return _below(self._said, _present(self._said, names))
        return [child for child in self._children if child.name in names]

    def texts(self, *names: str) -> list[str]:
        """Return the texts of the children that have one of the names, of all where none is given, in order."""
        if self._children is None:
            said = _present(self._said, names) if names else _names_below(self._said)
            return [_text_of(value) for name in said for value in _values(self._said[name])]
        return [child.text for child in self._children if not names or child.name in names]

    def names(self) -> list[str]:
        """Return the names of the children, as Junos writes flags."""
        return _names_below(self._said) if self._children is None else [child.name for child in self._children]

    def iter(self, *names: str) -> Iterator[Element]:
        """Return the elements of one of the names at any depth, in document order, the outermost of nested ones."""
        found: list[Element] = []
        self._add_deep(found, names)
        return iter(found)

    def _add_deep(self, found: list[Element], names: tuple[str, ...]) -> None:
        if self._children is None:
            if self._said:
                _add_within(found, self._said, names)
            return
        for child in self._children:
            if child.name in names:
                found.append(child)
            else:
                child._add_deep(found, names)

    def get(self, *names: str) -> str | None:
        """Return the text of the first child that has one of the names, None if there is none."""
        if self._children is None:
            return _text_below(self._said, names)
        found = next((child for child in self.children if child.name in names), None)
        return None if found is None else found.text.strip()

    def deep(self, *names: str) -> str | None:
        """Return the text of the first element of one of the names at any depth."""
        found = next(self.iter(*names), None)
        return None if found is None else found.text.strip()

    def has(self, name: str) -> bool:
        """True where there is a child of that name, as Junos writes flags."""
        return name in self._said if self._children is None else any(child.name == name for child in self._children)


def tree(answer: Answer, *roots: str) -> list[Element]:
    """Return the elements of the answer that have one of the names ``roots``.

    Raises:
        ParseError: the answer is cut short, empty, or has none of them: it is of another command.
    """
    top = Element("", children=_from_xml(answer) if _is_xml(answer) else _top(answer.json()))
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


def _top(data: _Json) -> list[Element]:
    found: list[Element] = []
    for name, value in data.items():
        _collect(found, name, value)
    return found


def _present(said: _Json, names: tuple[str, ...]) -> list[str]:
    """Return those of the names that an object has, in its own order."""
    found = [name for name in names if name in said]
    return found if len(found) < 2 else [name for name in said if name in found]


def _names_below(said: _Json) -> list[str]:
    return [name for name in said if name not in _NO_CHILDREN and not name.startswith("@")]


def _below(said: _Json, names: list[str]) -> list[Element]:
    """Return the children of those names, which the object has."""
    found: list[Element] = []
    for name in names:
        _collect(found, name, said[name])
    return found


def _values(value: typing.Any) -> Iterator[typing.Any]:
    """Yield what is in a list, and in lists in it; an empty one is one element without text."""
    if value.__class__ is not list:
        yield value
    elif value:
        for item in value:
            yield from _values(item)
    else:
        yield None


def _text_below(said: _Json, names: tuple[str, ...]) -> str | None:
    """Return the text of the first child of one of the names."""
    name = names[0] if len(names) == 1 else next(iter(_present(said, names)), "")
    if name not in said:
        return None
    value = said[name]
    while value.__class__ is list and value:
        value = value[0]
    return _text_of(value).strip()


def _text_of(value: typing.Any) -> str:
    """Return the text of one value: most are a text in a wrapper."""
    text = value.get("data") if value.__class__ is dict else value
    return text if text.__class__ is str and "&" not in text else _json_text(text)


def _add_within(found: list[Element], said: _Json, names: tuple[str, ...]) -> None:
    """Add the elements of one of the names at any depth below an object; most values are one text in two wrappers."""
    for name, value in said.items():
        if name in names:
            _collect(found, name, value)
        elif value.__class__ is list:
            for item in value:
                if item.__class__ is not dict or len(item) > 1 or "data" not in item:
                    _add_unwrapped(found, name, item, names)
        elif value.__class__ is dict:
            _add_unwrapped(found, name, value, names)


def _add_unwrapped(found: list[Element], name: str, value: typing.Any, names: tuple[str, ...]) -> None:
    if name in _NO_CHILDREN or name.startswith("@"):
        return
    if isinstance(value, list):
        for item in value:
            _add_unwrapped(found, name, item, names)
    elif isinstance(value, dict):
        _add_within(found, value, names)


def _collect(found: list[Element], name: str, value: typing.Any) -> None:
    """Add what a name says: one element or a list of them; attributes stand beside the value."""
    if name == "attributes" or name.startswith("@"):
        return
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, list):
            _collect(found, name, item)
        else:
            found.append(_element(name, item))
    if value == []:
        found.append(Element(name))


def _element(name: str, value: typing.Any) -> Element:
    if not isinstance(value, dict):
        return Element(name, _json_text(value))
    text = _json_text(value.get("data"))
    if len(value) == 1 and "data" in value:
        return Element(name, text)
    said = value.get("attributes")
    attributes = {key.rpartition(":")[2]: str(v) for key, v in said.items()} if said else {}
    return Element(name, text, attributes, said=value)


def _json_text(value: typing.Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    text = "" if value is None else str(value)
    return html.unescape(text) if "&" in text else text
