"""Real servers for the tests: PostgreSQL and Valkey, each started once and stopped with pytest, however it ends."""
