"""`modules.json`: how sentence-transformers finds the module that loads a model folder. No import of that library."""

from __future__ import annotations

import json

MODULES = "modules.json"

#: The class that loads the folder; it is part of this package, so nothing in a folder is ever run.
MODULE_CLASS = "trainer.publishing.sentence_module.SiameseImageModule"


def modules_json() -> str:
    """The file's text: one module, which lies in the folder itself."""
    return json.dumps([{"idx": 0, "name": "0", "path": "", "type": MODULE_CLASS}], indent=2)
