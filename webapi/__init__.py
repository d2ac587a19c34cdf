"""The business side: HTTP API, orders and money; only this room touches the relational database."""
