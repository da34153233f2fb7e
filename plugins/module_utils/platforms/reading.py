# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the readers of command outputs share: one strict answer type, strict tables, and the merge of facts.

A reader takes an :class:`Answer` and returns facts. What is truncated, empty, paged, mixed with log
messages or of another command is a ParseError that names device and command, never a wrong fact.
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import json
import operator
import re
import socket
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..model.codec import normalise_mac
from ..model.errors import WRONG_SHAPE, ParseError
from ..model.printable import all_printable, printable_line
from ..model.state import DeviceState, Fact, IPAddress, Vni, VniKind
from ..model.typed import check_field

#: How many addresses are kept as they were read last: every leaf of a fabric tells of the same hosts and tunnel ends,
#: so that most need no second look, and all devices' states share the one object.
_REMEMBERED = 1 << 16

_LAST_VLAN = 4095

#: What one reader found: the value of each fact that its command tells.
Facts = Mapping[Fact, typing.Any]
ReaderFunction = Callable[["Answer"], Facts]

#: The shapes that log messages have when a terminal monitor writes into the output.
_LOG_MESSAGE = re.compile(
    r"%[A-Z][A-Z0-9_]+-(?:[A-Z0-9_]+-)?[0-7]-[A-Z][A-Z0-9_]+"  # %FACILITY-SEVERITY-MNEMONIC (EOS, IOS, NX-OS)
    r"|^Message from syslogd@|^Broadcast Message from"
    r"|^(?:<\d+>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? +\S+ +[\w/.-]+(?:\[\d+\])?: ",  # RFC 3164
    re.MULTILINE,
)
#: How a log message without a facility begins. It is sought first: one literal character is soon found in a table.
_LOG_LINE = re.compile(
    r"\n(?:Message from syslogd@|Broadcast Message from|(?:<\d+>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)"
)
_REFUSED = re.compile(
    r"^\s*(?:% ?(?:Invalid|Incomplete|Ambiguous|Unavailable|Error|Command|Unrecognized|Interface does not)[^\n]*"
    r"|(?:syntax error|unknown command|error: |missing argument)[^\n]*)",
    re.MULTILINE | re.IGNORECASE,
)
#: Further down than this a refusal is part of what was asked for.
_REFUSED_WITHIN = 400
_TO_LINE_END = re.compile(r"\s*[^\n]*")
_PAGER = re.compile(r"--\s*\(?[Mm]ore\)?\s*-*(?:\d+%)?|---\(more")
_PROMPT = re.compile(
    r"^[\w.@:/~-]{1,80}(?:\([\w.-]+\))?[#>]\s*$|^\{(?:master|backup|primary|linecard|secondary)(?::\w+)?\}\s*$"
)
_PROMPT_ENDS = ("#", ">", "}")
#: A prompt with what was typed behind it, as a log of a session has it; `$` is a shell's.
_ECHO = re.compile(
    r"^[\w.@:/~()\[\]-]{1,80}[#>$%] ?(?:sh|show|do|run|sudo|ip|bridge|cat|net|nv|vtysh|terminal|ethtool)\b.*$"
)
_SHELL_PROMPT = re.compile(r"^\S+@[\w.-]+:\S*[$#]\s*$")
_TYPED = re.compile(r"^\s*(?:run )?sh(?:ow)? [a-z].*")
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: What all lines of a text that was pasted into a report or a program are moved in by, at least.
_PASTED_INDENT = 4


@dataclass(frozen=True)
class Answer:
    """What one device answered to one command: text as it came, or JSON already decoded."""

    device: str
    command: str
    output: object

    def error(self, reason: str, remedy: str | None = None) -> ParseError:
        """Return the ParseError for this answer; the caller raises it."""
        return ParseError(
            f"the output {printable_line(reason)}",
            device=self.device,
            command=self.command,
            remedy=remedy or "run the command by hand and compare; read the device again",
        )

    @property
    def is_text(self) -> bool:
        """True where the answer is neither JSON nor XML."""
        return isinstance(self.output, str) and not self._body.startswith(("{", "[", "<"))

    def value(self) -> typing.Any:
        """Return the JSON value of the answer as it is."""
        if not isinstance(self.output, str):
            return self.output
        self._require_whole(self.output)
        text = self._body
        try:
            return json.loads(text)
        except ValueError as exc:
            reason = exc
        try:  # Junos before 18.2 writes a comma behind the attributes of an empty answer
            return json.loads(re.sub(r"\},(\s*\})", r"}\1", text))
        except ValueError:
            raise self.error(f"is not whole JSON ({reason})") from reason

    def json(self) -> Mapping[str, typing.Any]:
        """Return the JSON object of the answer, out of the envelope of an API where there is one."""
        data = _unwrap(self.value())
        if not isinstance(data, Mapping) or not data:
            raise self.error("holds no JSON object" if not isinstance(data, Mapping) else "is an empty JSON object")
        if "errors" in data:
            raise self.error(f"is an error: {data['errors']}")
        return data

    def json_root(self, *keys: str) -> Mapping[str, typing.Any]:
        """Return the JSON object if it has one of ``keys`` at its root; another command's has not."""
        data = self.json()
        if not any(key in data for key in keys):
            found = ", ".join(sorted(data)[:6])
            raise self.error(f"is of another command: it has {found}, not {' or '.join(keys)}")
        return data

    def text(self) -> str:
        """Return the text, without echo, prompt and carriage returns; refuse what is no plain answer."""
        return "\n".join(self._kept)

    def xml(self) -> str:
        """Return the XML text; a document type (entities) has no place in an answer and is refused."""
        self._require_whole(str(self.output))
        text = self._body
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise self.error("holds a document type")
        return text

    def lines(self) -> list[str]:
        """Return the lines of the text that are not blank."""
        return [line for line in self._kept if line]

    @functools.cached_property
    def _kept(self) -> list[str]:
        """The lines of the text, without prompts."""
        if not isinstance(self.output, str):
            raise self.error("is JSON where text was asked for")
        self._require_whole(self.output)
        lines = map(str.rstrip, self._body.split("\n"))  # splitlines() would take U+2028 in a description for a new row
        kept = [line for line in lines if not (line.endswith(_PROMPT_ENDS) and _PROMPT.match(line))]
        if not any(kept):
            raise self.error("is empty")
        return kept

    @functools.cached_property
    def _body(self) -> str:
        """The text without what stands around an answer: prompts, the echo of the command, a common indent."""
        text = str(self.output).replace("\r", "")
        lines = list(map(str.rstrip, (_COLOUR.sub("", text) if "\x1b" in text else text).split("\n")))
        while lines and (self._is_frame(lines[0]) or _TYPED.match(lines[0])):
            del lines[0]
        while lines and self._is_frame(lines[-1]):
            del lines[-1]
        if any(line and not line[0].isspace() for line in lines):
            return "\n".join(lines)
        indent = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
        return "\n".join(line[indent if indent >= _PASTED_INDENT else 0 :] for line in lines)

    def _is_frame(self, line: str) -> bool:
        line = line.strip()
        echoed = bool(self.command) and line.endswith(self.command)
        return not line or echoed or bool(_PROMPT.match(line) or _SHELL_PROMPT.match(line) or _ECHO.match(line))

    def _require_whole(self, text: str) -> None:
        """Raise ParseError for what is empty, a refusal, cut by a pager or mixed with a log message."""
        if not text or text.isspace():
            raise self.error("is empty")
        for sought, reason in (
            (_refusal, "is a refusal"),
            (_PAGER.search, "was cut by a pager"),
            (_log_message, "is mixed with a log message"),
        ):
            found = sought(text)
            if found:
                raise self.error(f"{reason}: {found.group().strip()[:80]}")


def _refusal(text: str) -> re.Match[str] | None:
    rest = _TO_LINE_END.match(text, _REFUSED_WITHIN + 1)
    found = _REFUSED.search(text, 0, rest.end() if rest else len(text))
    return found if found and found.start() <= _REFUSED_WITHIN else None


def _log_message(text: str) -> re.Match[str] | None:
    return _LOG_MESSAGE.search(text) if "%" in text or _LOG_LINE.search(f"\n{text}") else None


def _unwrap(data: object) -> object:
    """Take the answer out of the envelope of JSON-RPC (eAPI) and out of a list of one."""
    while True:
        if isinstance(data, list) and len(data) == 1:
            data = data[0]
        elif isinstance(data, Mapping) and "result" in data and {"jsonrpc", "command"} & set(data):
            data = data["result"]
        else:
            return data


def _out_of_envelope(answer: Answer) -> Answer:
    """Return the answer as text where an API has packed the text in JSON (eAPI's ``{"output": …}``)."""
    data = answer.output
    if isinstance(data, str) and re.match(r'\s*\{\s*"output"\s*:\s*"', data):
        data = answer.json()
    data = _unwrap(data)
    if isinstance(data, Mapping) and set(data) == {"output"} and isinstance(data["output"], str):
        return Answer(answer.device, answer.command, data["output"])
    return answer


def table(answer: Answer, row: str, skip: str, header: str) -> Iterator[re.Match[str]]:
    """Yield the match of ``row`` for every line that is not one to ``skip``.

    Every other line, and a text without ``header``, is a ParseError: a table is read whole or not at all.
    """
    lines = answer.lines()
    if not any(re.search(header, line) for line in lines):
        raise answer.error(f"is of another command: it has no line like {header!r}")
    wanted, ignored = re.compile(row), re.compile(skip)
    for line in lines:
        if ignored.match(line):
            continue
        match = wanted.match(line)
        if not match:
            raise answer.error(f"has a line that is no row of the table: {line.strip()[:80]!r}")
        yield match


def blocks(answer: Answer, start: str) -> list[str]:
    """Split the text into blocks that begin at a line matching ``start``; none is a ParseError."""
    text = answer.text()
    begins = [m.start() for m in re.finditer(start, text, re.MULTILINE)]
    if not begins:
        raise answer.error(f"is of another command: it has no line like {start!r}")
    return [text[a:b] for a, b in zip(begins, [*begins[1:], len(text)], strict=True)]


def first(pattern: str, text: str, flags: int = re.MULTILINE) -> str | None:
    """Return the first group of the first match, stripped; None if there is none."""
    match = re.search(pattern, text, flags)
    return match.group(1).strip() if match and match.group(1) is not None else None


def number(value: object) -> int | None:
    """Return a whole number; None for nothing, for N/A and for a dash."""
    if value.__class__ is int:
        return value
    text = "" if value is None or isinstance(value, bool) else str(value).strip().replace(",", "")
    if text.isdigit():
        return int(text)
    if text in ("", "-", "N/A", "n/a", "None", "unknown"):
        return None
    return int(float(text)) if re.fullmatch(r"-?\d+\.\d+", text) else int(text)


def real(value: object) -> float | None:
    """Return a number; None for nothing, N/A, a dash and minus infinity (no light at all is no figure)."""
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    if text.lower() in ("", "-", "n/a", "none", "- inf", "-inf", "nan", "off"):
        return None
    return float(text)


def address(value: object) -> IPAddress | None:
    """Return an IP address; None for nothing and for the unspecified address."""
    return None if value is None else _address(str(value))


@functools.lru_cache(maxsize=_REMEMBERED)
def _address(text: str) -> IPAddress | None:
    text = text.strip().split("%", maxsplit=1)[0]
    return None if text in ("", "0.0.0.0", "::", "-") else ip_address(text)


@functools.lru_cache(maxsize=_REMEMBERED)
def ip_address(text: str) -> IPAddress:
    """Return an IP address; ValueError if it is none. The C library's strict parser takes a third of Python's time."""
    try:
        return ipaddress.IPv4Address(socket.inet_pton(socket.AF_INET, text))
    except OSError:
        return ipaddress.ip_address(text)


def mac(value: object) -> str | None:
    """Return a MAC address in the colon form; None for nothing."""
    return mac_address(str(value)) if value else None


@functools.lru_cache(maxsize=_REMEMBERED)
def mac_address(text: str) -> str:
    """Return a MAC address in the colon form; InputError if it is none."""
    return normalise_mac(text)


def chassis(value: object) -> str | None:
    """Return an LLDP chassis id: a MAC address in the colon form, another id as it is; None for nothing."""
    text = "" if value is None else str(value).strip()
    dotted = re.fullmatch(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2}", text)
    return normalise_mac(text) if dotted else text or None


def vlan_ids(text: str) -> tuple[int, ...]:
    """Expand a VLAN list such as ``1,10-12``; ``ALL`` is 1-4094, ``NONE`` is empty."""
    compact = text.replace(" ", "").upper()
    if compact in ("", "NONE"):
        return ()
    if compact == "ALL":
        compact = "1-4094"
    found: list[int] = []
    for part in compact.split(","):
        low, _unused, high = part.partition("-")
        found.extend(vlan_range(int(low), int(high or low)))
    return tuple(sorted(set(found)))


def vlan_range(low: int, high: int) -> range:
    """Return the VLANs (or their VNIs) from low to high, both included; ValueError: more than there can be."""
    if high - low > _LAST_VLAN:
        raise ValueError(f"a range of {high - low + 1} VLANs")
    return range(low, high + 1)


def duration_s(text: str | None) -> float | None:
    """Return the seconds of ``1w2d``, ``27d04h``, ``00:04:09``, ``9w2d 5:23:37`` or ``3d 4:05``; None for never."""
    if not text or text.lower() == "never":
        return None
    units = {"y": 31536000, "w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
    total = float(sum(int(n) * units[u] for n, u in re.findall(r"(\d+)\s*([ywdhms])", text)))
    clock = re.search(r"(?<![\d:])(\d+):(\d+)(?::(\d+))?", text)
    if clock:
        parts = [int(p) for p in clock.groups() if p is not None]
        # Three parts are h:m:s; two are h:m beside days (Junos), else m:s.
        scale = (3600, 60, 1) if len(parts) == 3 else (3600, 60) if total else (60, 1)
        total += sum(p * s for p, s in zip(parts, scale, strict=True))
    return total if total or clock else None


@dataclass(frozen=True)
class Reader:
    """One command and how it is read; ``pattern`` matches the command without its output modifiers."""

    pattern: str
    facts: tuple[Fact, ...]
    function: ReaderFunction

    def matches(self, command: str) -> bool:
        """True where ``command`` is this reader's."""
        return re.fullmatch(self.pattern, command) is not None


#: What operators type for the words of the commands that are read here.
_SHORT = {
    "sh": "show", "sho": "show", "int": "interface", "inter": "interface", "intf": "interface", "ver": "version",
    "vers": "version", "run": "running-config", "runn": "running-config", "nei": "neighbors", "neigh": "neighbors",
    "det": "detail", "sum": "summary", "summ": "summary", "span": "spanning-tree", "spann": "spanning-tree",
    "trans": "transceiver", "transc": "transceiver", "stat": "status", "desc": "description",
    "port-chan": "port-channel",
}  # fmt: skip
_HYPHENS = (
    ("address table", "address-table"),
    ("running config", "running-config"),
    ("spanning tree", "spanning-tree"),
)


def plain_command(command: str) -> str:
    """Return the command without output modifiers, lower case, single blanks, words in full: what readers match."""
    words = command.split("|")[0].lower().split()
    if words[:1] in (["do"], ["run"]):
        del words[0]
    plain = " ".join(_SHORT.get(word, word) for word in words)
    for typed, full in _HYPHENS:
        plain = plain.replace(typed, full)
    return plain


def read_answer(readers: Sequence[Reader], answer: Answer, also_known: Mapping[str, str] | None = None) -> Facts:
    """Read one answer by the first reader that knows its command; ``also_known`` has other names of commands."""
    plain = plain_command((also_known or {}).get(answer.command, answer.command))
    reader = next((r for r in readers if r.matches(plain)), None)
    if reader is None:
        raise answer.error(
            "cannot be read: no reader knows this command", "see the platform's COMMANDS for those it reads"
        )
    try:
        return checked(reader.function(_out_of_envelope(answer)))
    except WRONG_SHAPE as exc:
        raise answer.error(f"is not of the expected shape ({type(exc).__name__}: {exc})") from exc


def checked(facts: Facts) -> Facts:
    """Return facts if their types are the model's, with texts that show what they hold.

    InputError: a value is none of its field, whatever the reader made of it.
    """
    hidden = [check_field(DeviceState, fact.value, value) for fact, value in facts.items()]
    return all_printable(facts) if any(hidden) else facts


def read_outputs(
    readers: Sequence[Reader],
    device: str,
    platform: str,
    outputs: Mapping[str, object],
    also_known: Mapping[str, str] | None = None,
) -> DeviceState:
    """Read all outputs of one device, by command, into one state; what no command told is None."""
    merged: dict[Fact, typing.Any] = {}
    for command, output in outputs.items():
        for fact, value in read_answer(readers, Answer(device, command, output), also_known).items():
            merged[fact] = merge(merged.get(fact), value, append=fact is Fact.EVPN_ROUTES)
    return DeviceState(device=device, platform=platform, **{fact.value: value for fact, value in merged.items()})


def flooding(vnis: tuple[Vni, ...]) -> tuple[Vni, ...]:
    """Return the VNIs of a device whose whole table of flood lists was read: one that is not in it floods to nobody.

    Of a layer-3 VNI, of one that floods by multicast, and of one whose kind is not known nothing is said.
    """
    return tuple(
        dataclasses.replace(vni, flood_vteps=())
        if vni.kind is VniKind.L2 and vni.flood_vteps is None and vni.multicast_group is None
        else vni
        for vni in vnis
    )


def merge(known: typing.Any, new: typing.Any, append: bool = False) -> typing.Any:
    """Join what two commands told: the first one's value stands, what it left out is filled in.

    Tuples of facts are joined by their key fields, within what was known before only: a command that
    tells two entries of one key means two.
    """
    if known is None or new is None:
        return new if known is None else known
    if _field_names(known.__class__) and type(known) is type(new):
        return _merge_fields(known, new)
    if isinstance(known, dict):
        return {**new, **known}
    if isinstance(known, tuple) and isinstance(new, tuple):
        return known + new if append else _merge_entries(known, new)
    return new if known == "" else known


def _merge_fields(known: typing.Any, new: typing.Any) -> typing.Any:
    fields = _fields_of(known.__class__)
    ours = fields(known)
    values = [a if b is None or a is b else merge(a, b) for a, b in zip(ours, fields(new), strict=True)]
    unchanged = all(a is b for a, b in zip(ours, values, strict=True))
    return known if unchanged else type(known)(*values)


@functools.cache
def _field_names(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass in order; nothing for other types."""
    return tuple(f.name for f in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


@functools.cache
def _fields_of(kind: type) -> Callable[[typing.Any], tuple[typing.Any, ...]]:
    """Return what reads all fields of one kind of fact; each kind has more than one."""
    return operator.attrgetter(*_field_names(kind))


@functools.cache
def _key_of(kind: type) -> Callable[[typing.Any], typing.Any]:
    """Return what reads the key fields of one kind of fact."""
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    names = [f.name for f in fields if f.metadata.get("key")]
    return operator.attrgetter(*names) if names else lambda entry: ()


def _merge_entries(known: tuple[typing.Any, ...], new: tuple[typing.Any, ...]) -> tuple[typing.Any, ...]:
    if not known or not new:
        return known or new
    kinds = {entry.__class__ for entry in (*known, *new)}
    if len(kinds) != 1 or not _field_names(next(iter(kinds))):
        return known + tuple(item for item in new if item not in known)
    key = _key_of(kinds.pop())
    joined, added = list(known), []
    places: dict[tuple[typing.Any, ...], list[int]] = {}
    for i, entry in enumerate(known):
        places.setdefault(key(entry), []).append(i)
    for entry in new:
        found = places.get(key(entry))
        if found is None:
            added.append(entry)
        for i in found or ():
            joined[i] = merge(joined[i], entry)
    return tuple(joined + added)


def unless_hidden(answer: Answer, found: Sequence[typing.Any], sign: str) -> tuple[typing.Any, ...]:
    """Return what was found; nothing found in an output that has ``sign`` in it is a shape that is not known."""
    if not found and re.search(sign, answer.output if isinstance(answer.output, str) else json.dumps(answer.output)):
        raise answer.error("has entries in a shape that is not known", "report the output and the release")
    return tuple(found)


def either(structured: ReaderFunction, plain: ReaderFunction) -> ReaderFunction:
    """Return a reader that takes structured output or, where it came so, text."""
    return lambda answer: plain(answer) if answer.is_text else structured(answer)


def entries(items: Iterable[typing.Any]) -> tuple[typing.Any, ...]:
    """Return the items without None, in order."""
    return tuple(item for item in items if item is not None)
