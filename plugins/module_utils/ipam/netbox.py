# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetBox by pynetbox: page by page, with typed errors, and with filters that are proven to be known.

NetBox ignores an unknown filter without a word and answers everything. So the filters of a user are compared with the
server's own schema before they are used, and the two that this adapter uses itself (``id__gt`` and the name of a
device) are held against each answer.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..model.codec import decode
from ..model.errors import DependencyError, InputError, IpamError, IpamPermissionError
from ..model.ipam import AddressPlan, Refused, release
from ..model.printable import printable_line
from .records import DEVICES, INTERFACES, KINDS, Kind, Raw

PYNETBOX = "pynetbox>=7.6"
#: The first release whose API has the names used here (the app ``vpn``, ``object_types``, the parameter ``fields``).
OLDEST = (4, 0)
#: NetBox's own upper limit of a page, MAX_PAGE_SIZE.
PAGE_SIZE = 1000
#: Device names in one request: the address must stay below the 8 KiB that servers take.
_NAMES_AT_ONCE = 50
_VERBS = {"get": "view", "post": "add", "patch": "change"}
#: Filters that are the server's paging and shaping, not a choice of objects.
_RESERVED = frozenset(
    {"limit", "offset", "start", "ordering", "fields", "omit", "brief", "format", "export", "exclude"}
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class Access:
    """How a NetBox is reached. The token is of version 1 (40 hexadecimal digits) or 2 (``nbt_KEY.SECRET``)."""

    url: str
    token: str = field(repr=False)
    ca_file: str | None = None
    timeout_s: float = 60.0
    tries: int = 5
    page_size: int = PAGE_SIZE
    allow_http: bool = False

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise InputError("netbox_url", "an address such as https://netbox.example.org is needed")
        if parts.username or parts.password:
            raise InputError("netbox_url", "holds a user name or password; give a token instead")
        if parts.scheme == "http" and not (self.allow_http or _is_loopback(parts.hostname)):
            remedy = "use https, or netbox_allow_http if the way to it is private"
            raise InputError("netbox_url", "the token would cross the network in the clear", remedy=remedy)
        if not re.fullmatch(r"[\x21-\x7e]{8,256}", self.token):
            raise InputError("netbox_token", "is empty or holds characters that no token has")
        for name, low, high in (("timeout_s", 1, 3600), ("tries", 1, 20), ("page_size", 1, PAGE_SIZE)):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"netbox_{name}", f"is not in {low}..{high}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class NetBox:
    """One NetBox. Nothing is asked before a method is called."""

    def __init__(self, access: Access) -> None:
        """DependencyError: pynetbox is missing."""
        self._query, self._requests = _library()
        from .http import BoundedSession, Redirected, TooLarge

        self.access = access
        self._base = f"{access.url.rstrip('/')}/api"
        verify: bool | str = access.ca_file or True
        self._http = BoundedSession(verify=verify, timeout_s=access.timeout_s, tries=access.tries)
        self._redirected, self._too_large = Redirected, TooLarge
        self._parameters: dict[str, frozenset[str]] = {}

    # -- reading -----------------------------------------------------------------------------------

    def version(self) -> str:
        """Return the release of the server, such as ``4.7.3``."""
        version = self._document("status").get("netbox-version")
        if not isinstance(version, str):
            raise IpamError(f"{self._base} is no NetBox: its status names no version", remedy="check netbox_url")
        return _printable(version)

    def objects(
        self, endpoint: str, filters: Mapping[str, Any] | None = None, fields: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the objects of an endpoint such as ``ipam/prefixes``, in order of their id, one page in memory.

        Paging goes by ``id__gt``: what others add or remove meanwhile cannot make an object be missed or come twice.
        ``filters`` must have been checked (check_filters). IpamError: the server does not keep to its own paging.
        """
        params = {**(filters or {}), "ordering": "id"}
        if fields:
            params["fields"] = fields
        last = 0
        while True:
            page, count = self._page(endpoint, {**params, "id__gt": last})
            for raw in page:
                key = raw.get("id")
                if isinstance(key, bool) or not isinstance(key, int) or key <= last:
                    raise IpamError(f"{endpoint}: the server does not honour id__gt, so nothing can be read whole")
                last = key
                yield raw
            if len(page) >= count:
                return
            if not page:
                raise IpamError(f"{endpoint}: an empty page where {count} objects are left")

    def _page(self, endpoint: str, params: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
        """Return the objects of one page, and how many there are from its begin on."""
        request = self._request(endpoint, params, limit=self.access.page_size, offset=0)
        results = self._send("get", endpoint, lambda: list(request.get()))
        if not isinstance(request.count, int) or not all(isinstance(raw, dict) for raw in results):
            raise IpamError(f"{endpoint}: the answer is no page of objects", remedy="check netbox_url")
        return results, request.count

    def check_filters(self, endpoint: str, filters: Collection[str]) -> None:
        """Compare filters with the schema of the server, and those of custom fields with the custom fields.

        Raises:
            InputError: the server would ignore a filter and answer everything.
        """
        own = [name for name in filters if not name.startswith("cf_")]
        known = self._known_parameters(endpoint) if own else frozenset()
        unknown = [name for name in own if name not in known or name in _RESERVED]
        if len(own) < len(filters):
            fields = {raw.get("name") for raw in self.objects("extras/custom-fields", fields="id,name")}
            unknown += [f for f in filters if f.startswith("cf_") and f[3:].split("__")[0] not in fields]
        if unknown:
            names = ", ".join(repr(name) for name in sorted(unknown))
            remedy = f"the filters of this server are in {self._base}/schema/swagger-ui/"
            raise InputError(
                "filters", f"NetBox knows no filter {names} of {endpoint} and would ignore it", remedy=remedy
            )

    def _known_parameters(self, endpoint: str) -> frozenset[str]:
        if not self._parameters:
            paths = self._document("schema", {"format": "json"}).get("paths")
            if not isinstance(paths, dict):
                raise IpamError("the server gave no schema, so its filters are not known")
            try:
                self._parameters = {path.split("/api/")[-1].strip("/"): _filters(paths[path]) for path in paths}
            except (KeyError, TypeError, AttributeError):
                raise IpamError("the server's schema has another shape than OpenAPI's") from None
        if endpoint not in self._parameters:
            raise IpamError(f"the schema of the server has no {endpoint}")
        return self._parameters[endpoint]

    def plan(self, devices: Collection[str] = (), only: Collection[str] | None = None) -> AddressPlan:
        """Read the whole address plan (or ``only`` some parts of it), and the interfaces of the devices named.

        An object that holds a value which cannot be used is in ``refused``; it is not passed over in silence.
        IpamError: the release is too old, or something could not be read whole.
        """
        version = self.version()
        found = release(version)
        if found is not None and found < OLDEST:
            remedy = "update NetBox; nothing was read or written"
            raise IpamError(f"NetBox {version} is older than {OLDEST[0]}.{OLDEST[1]}", remedy=remedy)
        refused: list[Refused] = []
        parts: dict[str, tuple[Any, ...]] = {
            kind.part: self._typed(kind, self.objects(kind.endpoint, fields=kind.fields), refused)
            for kind in KINDS
            if only is None or kind.part in only
        }
        parts["devices"] = self._typed(DEVICES, self._of_devices(DEVICES, "name", devices, "name"), refused)
        ids = {device.id: device.name for device in parts["devices"]}  # an unknown name in `device` would be a 400
        interfaces = self._of_devices(INTERFACES, "device_id", ids, "device", ids.values())
        parts["interfaces"] = self._typed(INTERFACES, interfaces, refused)
        return AddressPlan(version, **parts, refused=tuple(refused), devices_read=tuple(devices))

    @staticmethod
    def _typed(kind: Kind, raws: Iterator[Raw], refused: list[Refused]) -> tuple[Any, ...]:
        found: list[Any] = []
        for raw in raws:
            place = f"{kind.endpoint}/{raw['id']}"
            try:
                found.append(decode(kind.cls, kind.plain(raw), place))
            except InputError as exc:
                refused.append(Refused(exc.path, exc.message))
        return tuple(found)

    def _of_devices(
        self, kind: Kind, name: str, values: Iterable[Any], owner: str, owners: Iterable[str] | None = None
    ) -> Iterator[Raw]:
        """Yield what belongs to the devices; an answer for another one is a filter that was not honoured."""
        wanted = list(values)
        known = set(wanted if owners is None else owners)
        for start in range(0, len(wanted), _NAMES_AT_ONCE):
            for raw in self.objects(kind.endpoint, {name: wanted[start : start + _NAMES_AT_ONCE]}, kind.fields):
                said = kind.plain(raw)[owner]
                if not isinstance(said, str) or said not in known:
                    raise IpamError(f"{kind.endpoint}: the server does not honour the filter {name!r}")
                yield raw

    # -- writing -----------------------------------------------------------------------------------

    def find(self, endpoint: str, **match: Any) -> dict[str, Any] | None:
        """Return the one object whose fields are exactly these, None if there is none."""
        for raw in self.objects(endpoint, match):
            if all(raw.get(key) == value for key, value in match.items()):
                return raw
        return None

    def create(self, endpoint: str, data: Mapping[str, Any]) -> int:
        """Make an object; return its id."""
        request = self._request(endpoint)
        return self._id(endpoint, self._send("post", endpoint, lambda: request.post(dict(data))))

    def update(self, endpoint: str, object_id: int, data: Mapping[str, Any]) -> int:
        """Change an object; return its id."""
        request = self._request(endpoint, key=object_id)
        return self._id(endpoint, self._send("patch", endpoint, lambda: request.patch(dict(data))))

    @staticmethod
    def _id(endpoint: str, answer: Any) -> int:
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), int):
            raise IpamError(f"{endpoint}: the answer to a write holds no object", remedy="run again: it is idempotent")
        return int(answer["id"])

    # -- one request -------------------------------------------------------------------------------

    def _document(self, endpoint: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return a document that is no list, such as the status."""
        request = self._request(endpoint, params)
        answer = self._send("get", endpoint, lambda: next(iter(request.get()), None))
        return answer if isinstance(answer, dict) else {}

    def _request(self, endpoint: str, params: Mapping[str, Any] | None = None, **shape: Any) -> Any:
        base = f"{self._base}/{endpoint}"
        token = self.access.token
        return self._query.Request(base=base, http_session=self._http, token=token, filters=dict(params or {}), **shape)

    def _send(self, verb: str, endpoint: str, send: Callable[[], Any]) -> Any:
        place = f"{verb.upper()} {endpoint}"
        try:
            return send()
        except self._query.RequestError as exc:
            raise _refusal(exc.req.status_code, exc.error, verb, endpoint) from None
        except self._query.AllocationError as exc:
            raise IpamError(f"NetBox has no room: {_printable(str(exc))}", command=place) from None
        except (self._query.ContentError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            message = f"{self._base} answered something that is no JSON of NetBox"
            raise IpamError(message, command=place, remedy="check netbox_url: is it NetBox?") from None
        except self._redirected:
            message, remedy = (
                "NetBox sends to another address, where the token is not sent",
                "give the final netbox_url",
            )
            raise IpamError(message, command=place, remedy=remedy) from None
        except self._too_large as exc:
            raise IpamError(f"{exc}, which no page of NetBox is", command=place, remedy="check netbox_url") from None
        except self._requests.exceptions.SSLError as exc:
            remedy = "name the CA's file in netbox_ca_file, or mend the certificate; it is never left unchecked"
            raise IpamError(f"the certificate is not valid: {_short(exc)}", command=place, remedy=remedy) from None
        except (self._requests.RequestException, OSError) as exc:
            message = f"no answer after {self.access.tries} tries of {self.access.timeout_s:g} s: {_short(exc)}"
            raise IpamError(message, command=place, remedy="check the address, the way and the server") from None


def _filters(methods: Mapping[str, Any]) -> frozenset[str]:
    """Return the parameters of the query of a path of the schema."""
    parameters = (methods.get("get") or {}).get("parameters") or []
    return frozenset(p["name"] for p in parameters if p.get("in") == "query")


def _library() -> tuple[Any, Any]:
    """Return pynetbox's query module and requests; DependencyError where one is missing."""
    try:
        import requests
        from pynetbox.core import query
    except ImportError as exc:
        raise DependencyError(f"{PYNETBOX} is needed for NetBox", remedy=f"pip install '{PYNETBOX}'") from exc
    return query, requests


def _refusal(status: int, body: str, verb: str, endpoint: str) -> IpamError:
    """Return the error of an HTTP answer, with the permission that is missing where that is what it says."""
    said, place = _printable(body), f"{verb.upper()} {endpoint}"
    if status in (401, 403):
        # A release before 4.5 takes a token of version 2 for none: "Authentication credentials were not provided."
        if status == 401 or any(word in said.lower() for word in ("token", "credentials")):
            remedy = "check netbox_token, its version, its end date and the addresses that may use it"
            return IpamPermissionError(f"NetBox refused the token: {said}", command=place, remedy=remedy)
        needed = permission(verb, endpoint)
        remedy = f"give the token's user the permission {needed}"
        remedy += "" if verb == "get" else " and enable writing for the token"
        return IpamPermissionError(f"the permission {needed} is missing ({said})", command=place, remedy=remedy)
    remedy = "correct the value" if status == 400 else "try again later, or look into the server's log"
    return IpamError(f"NetBox answered {status}: {said}", command=place, remedy=remedy)


def permission(verb: str, endpoint: str) -> str:
    """Return the permission that a request needs.

    >>> permission("post", "ipam/ip-addresses")
    'ipam.add_ipaddress'
    >>> permission("get", "ipam/prefixes")
    'ipam.view_prefix'
    """
    app, _slash, name = endpoint.partition("/")
    irregular = {"prefixes": "prefix", "ip-addresses": "ipaddress", "journal-entries": "journalentry"}
    model = irregular.get(name, name.removesuffix("s").replace("-", ""))
    return f"{app}.{_VERBS[verb]}_{model}"


def _short(exc: BaseException) -> str:
    return _printable(str(exc).rsplit("Caused by ", 1)[-1])


def _printable(text: str) -> str:
    """Return what a server said, in one line of at most 300 characters without control characters."""
    line = printable_line(_CONTROL.sub(" ", text))
    return line if len(line) <= 300 else f"{line[:297]}..."
