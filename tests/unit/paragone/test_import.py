from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import paragone
from db.errors import ParagoneError

HEAVY = ("torch", "transformers", "celery", "kombu", "sqlalchemy", "pydantic", "PIL", "numpy", "rich", "click", "matplotlib")


def _runs(code: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_paragone_loads_nothing_heavy_and_reads_no_settings() -> None:
    code = f"import sys, paragone\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    assert _runs(code, PARAGONE_LEASE_SECONDS="soon") == "[]\n"


def test_a_project_is_open_before_torch_and_celery_are_loaded() -> None:
    code = "import sys, paragone\nwith paragone.open('nowhere'):\n    print({'torch', 'celery'} & sys.modules.keys())"
    assert _runs(code) == "set()\n"


def test_every_public_name_loads_and_is_typed() -> None:
    public = set(paragone.__all__)
    assert {name for name in public if getattr(paragone, name) is None} == set()
    assert public <= set(dir(paragone))
    # What a type checker sees is what there is.
    tree = ast.parse(Path(paragone.__file__).read_text())
    checked = next(node for node in tree.body if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING")
    typed = {alias.asname or alias.name for node in checked.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == public - {"ShadowedPackage", "__version__"}


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Unknown'"):
        _ = paragone.Unknown


def test_what_is_raised_on_purpose_is_a_paragone_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paragone.ParagoneError is ParagoneError
    assert issubclass(paragone.WorkFailed, ParagoneError)
    monkeypatch.setenv("PARAGONE_LEASE_SECONDS", "soon")
    with pytest.raises(paragone.ParagoneError, match="PARAGONE_LEASE_SECONDS"):
        paragone.open("nowhere")


@pytest.mark.parametrize("package", ["paragone", "db", "workers", "producer", "trainer"])
def test_each_package_says_that_it_is_typed(package: str) -> None:
    assert files(package).joinpath("py.typed").is_file()


def test_without_the_train_extra_load_model_says_in_one_line_what_to_install(tmp_path: Path) -> None:
    absent = "import sys; sys.modules['torch'] = None; import paragone"
    code = f"{absent}\ntry:\n    paragone.load_model('m')\nexcept paragone.MissingExtra as error:\n    print(error)"
    assert _runs(code) == "load_model needs torch: pip install 'paragone[train]'\n"
