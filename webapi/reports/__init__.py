"""What leaves the platform as a file for people: Excel sheets and PDF pages, in the reader's language."""
