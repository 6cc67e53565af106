"""`paragone export-head`: a trained head as an ONNX file."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("export-head", short_help="Write a trained head as ONNX.")
@click.argument("model_directory", metavar="MODEL_DIR", type=click.Path(file_okay=False, path_type=Path))
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def export_head(*, model_directory: Path, file: Path, as_json: bool) -> None:
    """Write the head of a trained model as ONNX.

    The file takes unit vectors of the model's CLIP, in batches of any size, and is kept only if onnxruntime computes what torch computes.
    """
    from trainer.model_folder import load_model
    from trainer.publishing import onnx_head

    exported = onnx_head.export_head(load_model(model_directory), file.expanduser())
    if as_json:
        click.echo(json.dumps(exported.as_json()))
        return
    click.echo(
        f"{exported.file}: {exported.dimension} -> {exported.out}, opset {exported.opset}; "
        f"differs from torch by at most {exported.difference:.1e}"
    )
