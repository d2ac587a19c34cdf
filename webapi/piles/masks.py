"""Numbers of cards and cars for those who do not need them."""


def masked_number(number: str) -> str:
    """Only the last four characters of a card's number or a VIN; padding zeros of a chip number say nothing."""
    return "*" * max(0, len(number) - 4) + number[-4:] if number else ""
