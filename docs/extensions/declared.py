# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Directives that list what the code declares, so that the reference cannot drift from it.

``{settings-reference}``, ``{metrics-reference}``, ``{fields-reference}``,
``{annotations-reference}`` and ``{rules-reference}`` take no arguments.
"""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from processor.ruleset import PRODUCT_RULES, Choices, default_rules
from processor.walker import WalkerSource
from socorro.fields import describe as describe_fields
from socorro.fields import describe_annotations
from socorro.metrics import DECLARED
from socorro.settings import describe as describe_settings
from socorro.settings import load
from socorro.signing import load_signer


class Reference(SphinxDirective):
    """A list of entries, each with a name that can be linked to."""

    prefix = ""

    def entries(self) -> Iterable[nodes.Node]:
        """Return the definitions."""
        raise RuntimeError(f"{type(self).__name__} lists nothing")

    def run(self) -> list[nodes.Node]:
        """Return the list."""
        listed = nodes.definition_list()
        listed += self.entries()
        return [listed]

    def entry(self, name: str, facts: Iterable[nodes.Node], text: str) -> nodes.Node:
        """Return one definition: name, facts after it, text below, ``code`` in it as such."""
        term = nodes.term("", "", nodes.literal(text=name), ids=[nodes.make_id(self.prefix + name)])
        for fact in facts:
            term += [nodes.Text(" · "), fact]
        parts = [
            nodes.literal(text=part) if number % 2 else nodes.Text(part)
            for number, part in enumerate(text.split("``"))
        ]
        body = nodes.definition("", nodes.paragraph("", "", *parts))
        return nodes.definition_list_item("", term, body)


class SettingsReference(Reference):
    """Every setting with its default."""

    prefix = "setting-"

    def entries(self) -> Iterable[nodes.Node]:
        """One entry for each setting, in the order of the declarations."""
        for setting in describe_settings():
            yield self.entry(setting.name, [_default(setting.default)], setting.doc)


class MetricsReference(Reference):
    """Every metric with its type and tags."""

    prefix = "metric-"

    def entries(self) -> Iterable[nodes.Node]:
        """One entry for each metric, by name."""
        for metric in sorted(DECLARED, key=lambda metric: metric.name):
            facts: list[nodes.Node] = [nodes.Text(metric.kind)]
            if metric.tags:
                facts.append(nodes.Text("tags: " + ", ".join(metric.tags)))
            yield self.entry(f"socorro.{metric.name}", facts, metric.doc)


class FieldsReference(Reference):
    """Every field of a processed crash."""

    prefix = "field-"

    def entries(self) -> Iterable[nodes.Node]:
        """One entry for each field, by name."""
        for field in describe_fields():
            facts = [nodes.Text(field["type"]), nodes.Text(field["permission"])]
            if field["annotation"]:
                facts.append(_named("annotation", field["annotation"]))
            facts += [_named("search", search["name"]) for search in field["search"]]
            if field["telemetry"]:
                facts.append(_named("export", field["telemetry"]["name"]))
            yield self.entry(field["name"], [*facts, *_provenance(field)], field["description"])


class AnnotationsReference(Reference):
    """Every known annotation of a raw crash."""

    prefix = "annotation-"

    def entries(self) -> Iterable[nodes.Node]:
        """One entry for each annotation, by name."""
        for annotation in describe_annotations():
            facts = [nodes.Text(annotation["type"]), nodes.Text(annotation["permission"])]
            if annotation["field"]:
                facts.append(_named("field", annotation["field"]))
            facts += _provenance(annotation)
            yield self.entry(annotation["name"], facts, annotation["description"])


class RulesReference(Reference):
    """Every rule of the default ruleset."""

    prefix = "rule-"

    def entries(self) -> Iterable[nodes.Node]:
        """One entry for each rule, in the order in which they run."""
        settings = load()
        for rule in default_rules(WalkerSource(settings), load_signer(settings), Choices()):
            chosen = isinstance(rule, PRODUCT_RULES)
            facts = [nodes.Text("for products that choose it")] if chosen else []
            summary = inspect.getdoc(type(rule)) or ""
            yield self.entry(type(rule).__name__, facts, summary.replace("\n\n", " "))


def _provenance(entry: Mapping[str, Any]) -> Iterable[nodes.Node]:
    if entry["deprecated"]:
        yield nodes.Text("deprecated")
    if entry["products"]:
        yield nodes.Text("sent by " + ", ".join(entry["products"]))
    for url in entry["data_reviews"]:
        yield nodes.reference("", "data review", refuri=url)


def _default(value: str) -> nodes.Node:
    return _named("default", value) if value else nodes.Text("no default")


def _named(what: str, value: str) -> nodes.Node:
    return nodes.inline("", "", nodes.Text(f"{what} "), nodes.literal(text=value))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("settings-reference", SettingsReference)
    app.add_directive("metrics-reference", MetricsReference)
    app.add_directive("fields-reference", FieldsReference)
    app.add_directive("annotations-reference", AnnotationsReference)
    app.add_directive("rules-reference", RulesReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
