"""Export formats, one a file. Others may offer theirs under the entry point group `paragone.export_formats`."""
