"""A bill rebuilt from its evidence alone, compared with the books line by line, and said in words."""
