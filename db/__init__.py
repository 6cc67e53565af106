"""What is kept: the database with its tables, queries and writes by aggregate, the image store, settings, migrations."""
