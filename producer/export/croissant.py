"""Metadata of an export as Croissant 1.0 (schema.org's Dataset with record sets), which data set search engines and loaders read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from producer.export.record import COLUMNS, IMAGES, ColumnKind

if TYPE_CHECKING:
    from db.results.export_manifest import ExportManifest
    from producer.export.formats.protocol import TableFiles
    from producer.export.options import ExportOptions
    from producer.export.setup import ExportSetup

#: Its name in the export's folder.
CROISSANT = "croissant.json"

#: The context of the specification (mlcommons.org/croissant/1.0), cut to the terms that are used.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "includes": "cr:includes",
    "jsonPath": "cr:jsonPath",
    "recordSet": "cr:recordSet",
    "repeated": "cr:repeated",
    "sc": "https://schema.org/",
    "source": "cr:source",
}
_TYPES = {ColumnKind.INTEGER: "sc:Integer"}
_FOLDER, _TABLES, _PAIRS = "export", "tables", "pairs"


def write_croissant(setup: ExportSetup, manifest: ExportManifest) -> str:
    """The JSON-LD; equal for equal rows and options."""
    options, table = setup.options, setup.format.table
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": manifest.source.campaign,
        "description": f"{manifest.rows} pairs of an artwork and a repaint of it, with captions, prompts, seeds and models.",
        "distribution": [_folder(options), _tables(table)],
        "recordSet": [{"@type": "cr:RecordSet", "@id": _PAIRS, "name": _PAIRS, "field": _fields(table)}],
    }
    if options.license:
        document["license"] = options.license
    if options.push_to:
        document["url"] = f"https://huggingface.co/datasets/{options.push_to}"
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _folder(options: ExportOptions) -> dict[str, Any]:
    where = f"https://huggingface.co/datasets/{options.push_to}" if options.push_to else "./"
    return {
        "@type": "cr:FileObject",
        "@id": _FOLDER,
        "name": _FOLDER,
        "description": "The folder of the export.",
        "contentUrl": where,
        "encodingFormat": "git+https" if options.push_to else "inode/directory",
        # A folder has no hash of its own; the specification asks for the property (mlcommons/croissant issue 80).
        "sha256": "https://github.com/mlcommons/croissant/issues/80",
    }


def _tables(table: TableFiles) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": _TABLES,
        "name": _TABLES,
        "description": "The files that hold the rows.",
        "containedIn": {"@id": _FOLDER},
        "encodingFormat": table.media_type,
        "includes": table.includes,
    }


def _fields(table: TableFiles) -> list[dict[str, Any]]:
    images = [_field(table, name, meaning, "sc:ImageObject") for name, meaning in IMAGES.items()] if table.holds_images else []
    columns = [_field(table, column.name, column.meaning, _TYPES.get(column.kind, "sc:Text")) for column in COLUMNS]
    for field, column in zip(columns, COLUMNS, strict=True):
        if column.kind is ColumnKind.TEXTS:
            field["repeated"] = True
    return images + columns


def _field(table: TableFiles, name: str, meaning: str, kind: str) -> dict[str, Any]:
    path = f"$.{name}" if table.extract == "jsonPath" else name
    return {
        "@type": "cr:Field",
        "@id": f"{_PAIRS}/{name}",
        "name": name,
        "description": meaning,
        "dataType": kind,
        "source": {"fileSet": {"@id": _TABLES}, "extract": {table.extract: path}},
    }
