"""The command line: argv to one call; printing and exit codes live here."""
