"""Reads of the simulated cluster: one object, a list in pages, and a watch's next events."""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from reconciler.devnet.cluster.kinds import Object, ObjectKind, Target
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.selectors import Match, selector
from reconciler.devnet.cluster.store import ObjectChange, ObjectKey, ObjectStore
from reconciler.devnet.cluster.tables import bare, table

PAGES_KEPT = 100


@dataclass(frozen=True, slots=True)
class ReadForm:
    """The requested form of objects: whole, as a Table, or metadata only."""

    name: str = ""
    whole: bool = False

    def one(self, kind: ObjectKind, found: Object, now: float) -> Object:
        """A single object in this form."""
        if self.name == "Table":
            listed = {"resourceVersion": found["metadata"]["resourceVersion"]}
            return table(kind, [found], now, whole=self.whole) | {"metadata": listed}
        if self.name.startswith("PartialObjectMetadata"):
            return bare(found)
        return found

    def many(self, kind: ObjectKind, objects: list[Object], listed: Object, now: float) -> Object:
        """A list in this form."""
        if self.name == "Table":
            return table(kind, objects, now, whole=self.whole) | {"metadata": listed}
        if self.name.startswith("PartialObjectMetadata"):
            head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            return head | {"metadata": listed, "items": [bare(found) for found in objects]}
        head = {"kind": f"{kind.name}List", "apiVersion": kind.group_version}
        return head | {"metadata": listed, "items": objects}


def wanted_form(request: web.Request) -> ReadForm:
    """The form in an Accept header such as `application/json;as=Table;v=v1;g=meta.k8s.io`."""
    for offer in request.headers.get("Accept", "").split(","):
        parts = dict(part.strip().partition("=")[::2] for part in offer.split(";")[1:])
        if offer.strip().startswith("application/json") and parts.get("g", "meta.k8s.io") == "meta.k8s.io":
            return ReadForm(parts.get("as", ""), request.query.get("includeObject") == "Object")
    return ReadForm()


class ClusterReads:
    """Lists and watches of the store."""

    def __init__(self, store: ObjectStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._given = 0
        self._pages: OrderedDict[str, tuple[int, list[Object]]] = OrderedDict()

    def select(self, target: Target, query: Mapping[str, str]) -> Match:
        """The filter of a list's or watch's query."""
        match = selector(query.get("labelSelector", ""), query.get("fieldSelector", ""))
        if not target.namespace:
            return match
        return lambda found: found["metadata"].get("namespace") == target.namespace and match(found)

    def page(self, target: Target, query: Mapping[str, str], form: ReadForm) -> Object:
        """One page of a list; all its pages are of one version."""
        limit = int(query.get("limit") or 0)
        if token := query.get("continue"):
            with self._store.lock:
                if token not in self._pages:
                    raise RefusalError(
                        410, "The provided continue parameter is too old to display a consistent list result."
                    )
                version, objects = self._pages[token]
        else:
            match = self.select(target, query)
            with self._store.lock:
                version = self._store.version
                everything = self._store.all(target.kind.plural, target.namespace)
            objects = [found for found in everything if match(found)]
        listed: Object = {"resourceVersion": str(version)}
        if limit and len(objects) > limit:
            listed["continue"] = self._keep(version, objects[limit:])
            listed["remainingItemCount"] = len(objects) - limit
            objects = objects[:limit]
        return form.many(target.kind, objects, listed, self._clock())

    def forget_pages(self) -> None:
        """Expire all continue tokens."""
        with self._store.lock:
            self._pages.clear()

    def _keep(self, version: int, rest: list[Object]) -> str:
        self._given += 1
        token = base64.urlsafe_b64encode(f"{version}/{self._given}".encode()).decode()
        with self._store.lock:
            self._pages[token] = (version, rest)
            while len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        return token

    def events(
        self, kind: ObjectKind, match: Match, changes: list[ObjectChange]
    ) -> Iterator[tuple[str, Object]]:
        """The watch events of these changes for a selection."""
        for change in changes:
            if change.key.plural != kind.plural:
                continue
            was = change.before is not None and match(change.before)
            now = change.after is not None and match(change.after)
            if now:
                yield "MODIFIED" if was else "ADDED", change.latest
            elif was:
                last = change.before or {}
                version = {"resourceVersion": str(change.version)}
                yield "DELETED", last | {"metadata": last["metadata"] | version}

    def one(self, target: Target) -> Object | None:
        """The object, or None."""
        return self._store.get(ObjectKey(target.kind.plural, target.namespace, target.name))
