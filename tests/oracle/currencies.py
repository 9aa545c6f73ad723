"""How Chargebee's integers become amounts: hundredths, except for the currencies that it counts in whole units."""

from decimal import Decimal

ZERO_DECIMAL = frozenset({"JPY", "KRW", "XAF", "XOF"})


def places(currency: str) -> int:
    """Decimal places of Chargebee's integers; KWD and its like have two there although ISO 4217 gives them three."""
    if len(currency) != 3 or not (currency.isalpha() and currency.isupper()):
        raise ValueError(f"'{currency}' is not a currency code")
    return 0 if currency in ZERO_DECIMAL else 2


def money(minor: int, currency: str) -> Decimal:
    """The exact amount in major units: money(1999, 'EUR') is 19.99, money(1200, 'JPY') is 1200."""
    if isinstance(minor, bool) or not isinstance(minor, int):
        raise TypeError(f"{minor!r} {currency} is not an integer of minor units")
    digits = tuple(int(digit) for digit in str(abs(minor)))
    return Decimal((int(minor < 0), digits, -places(currency)))
