"""The trainer's commands, one a file; torch is loaded when a command runs, not when it is listed."""
