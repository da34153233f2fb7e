# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small SVG writer: elements, scales and ticks. Colours come from the page's style sheet by class.

All text and attributes go through ElementTree, which escapes them; characters that XML forbids, and
the ones that turn the direction of text, are made visible by printable().
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass

from ...model.printable import printable


class Svg:
    """One drawing, ``width`` x ``height`` user units, with an accessible name and description."""

    def __init__(self, width: float, height: float, title: str, description: str, name: str) -> None:
        self.width = width
        self.height = height
        self.root = ET.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {_number(width)} {_number(height)}",
                "role": "img",
                "aria-labelledby": f"{name}-title {name}-desc",
                "class": f"drawing {name}",
                # Below this the text cannot be read: a wide drawing scrolls in its frame instead.
                "style": f"min-width: {_number(width * 0.82)}px",
            },
        )
        self._element("title", {"id": f"{name}-title"}, title)
        self._element("desc", {"id": f"{name}-desc"}, description)

    def _element(self, tag: str, attributes: dict[str, str], text: str | None = None) -> ET.Element:
        element = ET.SubElement(self.root, tag, {key: printable(value) for key, value in attributes.items()})
        if text is not None:
            element.text = printable(text)
        return element

    def _shape(self, tag: str, css: str, tip: str | None, **numbers: float | None) -> ET.Element:
        attributes = {key: _number(value) for key, value in numbers.items() if value is not None}
        element = self._element(tag, {"class": css, **attributes})
        if tip:
            ET.SubElement(element, "title").text = printable(tip)
        return element

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        css: str,
        *,
        rx: float | None = None,
        tip: str | None = None,
    ) -> None:
        """Draw a rectangle."""
        self._shape("rect", css, tip, x=x, y=y, width=max(0.0, width), height=max(0.0, height), rx=rx)

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str, *, tip: str | None = None) -> None:
        """Draw a straight line."""
        self._shape("line", css, tip, x1=x1, y1=y1, x2=x2, y2=y2)

    def circle(self, cx: float, cy: float, r: float, css: str, *, tip: str | None = None) -> None:
        """Draw a circle."""
        self._shape("circle", css, tip, cx=cx, cy=cy, r=r)

    def path(self, d: str, css: str, *, tip: str | None = None) -> None:
        """Draw a path; ``d`` is made of own numbers only."""
        element = self._element("path", {"class": css, "d": d})
        if tip:
            ET.SubElement(element, "title").text = printable(tip)

    def text(
        self, x: float, y: float, text: str, css: str = "", *, anchor: str = "start", tip: str | None = None
    ) -> None:
        """Write one line of text with its base line at ``y``."""
        attributes = {"x": _number(x), "y": _number(y), "text-anchor": anchor, "class": css}
        element = self._element("text", {key: value for key, value in attributes.items() if value})
        if tip:
            title = ET.SubElement(element, "title")
            title.text = printable(tip)
            title.tail = printable(text)
        else:
            element.text = printable(text)

    def source(self) -> str:
        """Return the SVG source, ready to stand in an HTML page or in a file of its own."""
        return ET.tostring(self.root, encoding="unicode")


def points(pairs: Iterable[tuple[float, float]], *, close: bool = False) -> str:
    """Return path data of straight lines through the points."""
    body = "L".join(f"{_number(x)} {_number(y)}" for x, y in pairs)
    return f"M{body}{'Z' if close else ''}" if body else ""


def shorten(text: str, characters: int) -> str:
    """Cut the middle out of a long name: the end of a device name tells more than its middle."""
    if len(text) <= characters:
        return text
    head = (characters - 1) // 2
    return f"{text[:head]}…{text[len(text) - (characters - 1 - head) :]}"


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic scale from values (``low`` to ``high``) to user units."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a value; values outside are held at the border."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, count: int) -> list[float]:
        """Return about ``count`` round values within the scale."""
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        step = round_step((self.high - self.low) / max(1, count))
        first = math.ceil(self.low / step - 1e-9)
        return [round(i * step, 10) for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def round_step(raw: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below ``raw``."""
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
