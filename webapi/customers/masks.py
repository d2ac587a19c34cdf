"""Phone numbers for those who do not need them."""


def masked_phone(phone: str | None) -> str | None:
    """138****0001: enough to recognise, too little to call."""
    if phone is None or len(phone) < 8:
        return None if phone is None else "*" * len(phone)
    return f"{phone[:3]}{'*' * (len(phone) - 7)}{phone[-4:]}"
