# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro fields`: what the registry of fields says, and whether a crash fits it."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--annotations", is_flag=True, help="Those of a raw crash instead.")
@click.option(
    "--schema",
    type=click.Choice(["raw", "processed", "telemetry", "search"]),
    help="Print a JSON Schema, or the mapping of the search index, instead.",
)
@click.pass_context
def fields(context: click.Context, as_json: bool, annotations: bool, schema: str | None) -> None:
    """List the fields of a processed crash, or check crashes against them."""
    if context.invoked_subcommand is not None:
        return
    from socorro.fields import describe, describe_annotations
    from socorro.fields.schemas import schema_text

    if schema is not None:
        click.echo(schema_text(schema), nl=False)
        return
    described = describe_annotations() if annotations else describe()
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    for entry in described:
        click.echo(f"{entry['name']} ({_facts(entry)}): {entry['description']}")


def _facts(entry: Mapping[str, Any]) -> str:
    facts = [entry["type"], entry["permission"]]
    if entry.get("annotation"):
        facts.append(f"from {entry['annotation']}")
    if entry["deprecated"]:
        facts.append("deprecated")
    return ", ".join(facts)


@fields.command()
@click.argument("files", nargs=-1, required=True, type=click.File("rb"))
@click.option("--processed", is_flag=True, help="They are processed crashes.")
def check(files: tuple[BinaryIO, ...], processed: bool) -> None:
    """Check raw crashes (JSON files, - for standard input) against the registry.

    Exits with 1 if a value does not fit. Names that the registry does not have are no mistake:
    they are told, since they are protected and cannot be searched.
    """
    fit = [_check(file, processed=processed) for file in files]
    sys.exit(0 if all(fit) else 1)


def _check(file: BinaryIO, *, processed: bool) -> bool:
    """Say what is wrong with a crash, and return whether it fits."""
    from socorro.fields.checking import check_processed_crash, check_raw_crash

    name = getattr(file, "name", "<stdin>")
    try:
        crash = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        click.echo(f"{name}: is no JSON: {error}")
        return False
    if not isinstance(crash, dict):
        click.echo(f"{name}: is no JSON object")
        return False
    findings = check_processed_crash(crash) if processed else check_raw_crash(crash)
    for problem in findings.problems:
        click.echo(f"{name}: {problem}")
    for unknown in findings.unknown:
        click.echo(f"{name}: {unknown!r} is not registered: protected, not indexed")
    if not findings.problems:
        click.echo(f"{name}: fits")
    return not findings.problems


@fields.command("write-schemas")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
def write_schema_files(folder: Path | None) -> None:
    """Write all schemas into FOLDER, else where this program keeps them.

    After a change of the registry; a test compares the files with it.
    """
    from socorro.fields.schemas import FOLDER, write_schemas

    try:
        written = write_schemas(folder or FOLDER)
    except OSError as error:
        raise click.ClickException(f"cannot write the schemas: {error}") from None
    for path in written:
        click.echo(path)
