"""`evcs up`: the whole platform on one machine, each service a child process that is started, watched, stopped here."""
