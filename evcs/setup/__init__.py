"""How a fresh clone gets its Python packages and how a test run gets its servers."""
