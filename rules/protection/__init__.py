"""Early warnings: small declared rules on what guns and meters say, each with its action (feature F074)."""
