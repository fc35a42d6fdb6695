"""The views: tables folded from the log, each with its queries. Floor 2: imports the events only."""
