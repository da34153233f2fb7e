# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a real browser: nothing on the console, no request, no overflow, contrast that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import browser
import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report import write_report
from report_samples import SAMPLES

PROGRAM = browser.find()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here: the page is not looked at in a browser")

#: Elements with text of their own whose contrast with what is behind them is below WCAG 2.1 AA (4.5).
CONTRAST = """(() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = (node) => { for (; node; node = node.parentElement) {
    const c = rgb(getComputedStyle(node).backgroundColor); if (c.length && c[3] !== 0) return c; }
    return [255, 255, 255]; };
  const bad = new Set();
  for (const node of document.querySelectorAll('body *')) {
    if (node.closest('svg') || !node.checkVisibility()) continue;
    if (![...node.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.add(node.tagName + '.' + node.className + ' ' + ratio.toFixed(2));
  }
  return [...bad];
})()"""

#: Elements that reach over the right edge although no frame of theirs scrolls.
OVERFLOW = """(() => {
  const edge = document.documentElement.clientWidth, found = [];
  for (const node of document.querySelectorAll('body *')) {
    if (node.closest('svg') && node.tagName !== 'svg' || node.closest('.scroll, .wide, pre')) continue;
    if (node.getBoundingClientRect().right > edge + 1) found.push(node.tagName + '.' + node.className);
  }
  return {page: document.documentElement.scrollWidth - edge, found};
})()"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Browser]:
    assert PROGRAM is not None
    started = browser.Browser(PROGRAM, tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture(scope="module", params=SAMPLES.values(), ids=SAMPLES.keys())
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return Path(write_report(request.param(), folder)["report.html"])


SCREENS = [(360, False), (768, False), (1280, False), (360, True), (1280, True)]


def test_page_on_a_screen(chromium: browser.Browser, page: Path) -> None:
    chromium.load(page)
    for fold in ("n.open", "true"):
        chromium.evaluate(f"document.querySelectorAll('details').forEach(n => n.open = {fold})")
        for width, dark in SCREENS:
            chromium.show(width, dark=dark)
            assert chromium.evaluate(OVERFLOW) == {"page": 0, "found": []}, (fold, width)
            assert chromium.evaluate(CONTRAST) == [], (fold, width, dark)
    assert chromium.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 21, 27)"
    assert chromium.complaints() == []


def test_page_on_paper_is_light_and_unfolded(chromium: browser.Browser, page: Path) -> None:
    chromium.load(page)
    chromium.show(720, dark=True, media="print")
    assert chromium.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    unfolded = "details:not(.screen-only) .code, details:not(.screen-only) li"
    folded = f"[...document.querySelectorAll('{unfolded}')].filter(n => !n.offsetHeight).length"
    assert chromium.evaluate(folded) == 0
    assert chromium.evaluate(OVERFLOW) == {"page": 0, "found": []}
    assert chromium.evaluate(CONTRAST) == []


def test_script_in_the_page_would_be_refused(chromium: browser.Browser, page: Path, tmp_path: Path) -> None:
    """The Content-Security-Policy is the second wall behind the escaping."""
    source = page.read_text(encoding="utf-8").replace("<main>", "<main><script>document.title = 'run'</script>")
    tampered = tmp_path / "tampered.html"
    tampered.write_text(source, encoding="utf-8")
    chromium.load(tampered)
    assert chromium.evaluate("document.title") != "run"
    assert any("Content Security Policy" in complaint for complaint in chromium.complaints())
