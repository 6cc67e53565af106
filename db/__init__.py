"""The ground: tables, the life of a job, progress queries, the image store, settings, migrations."""
