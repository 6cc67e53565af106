"""Real servers for the tests: PostgreSQL and Valkey, each started once and gone with pytest, however it ends."""
