"""Money is a Decimal with its currency; minor units exist only at the wire and in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext

# Chargebee counts in hundredths whatever ISO 4217 says (KWD 12.50 arrives as 1250), except where its own currency
# page marks a currency as zero-decimal. These four are marked there; https://apidocs.chargebee.com/docs/api/currencies
ZERO_DECIMAL = frozenset({"JPY", "KRW", "XAF", "XOF"})

# ISO 4217 gives these no minor unit, yet Chargebee's page was not seen to mark them: how a site counts them must be
# confirmed by a person (policy `minor_units`) before any of their amounts is believed.
UNCONFIRMED = frozenset({"BIF", "CLP", "DJF", "GNF", "ISK", "KMF", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XPF"})

KNOWN = (
    frozenset(
        """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IQD IRR JMD JOD KES KGS KHR KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
    MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE
    SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW""".split()  # noqa: SIM905 - a table that people read
    )
    | ZERO_DECIMAL
)

LARGEST_MINOR = 2**53 - 1  # Chargebee's own ceiling; above it JSON numbers are no longer exact
_EXACT = Context(prec=40)


class UnknownCurrency(ValueError):
    """A currency whose minor unit nobody has confirmed: its amounts cannot be read."""


def minor_digits(currency: str) -> int:
    """Digits after the point in the database and, unless a tenant confirms otherwise, on Chargebee's wire."""
    if currency in ZERO_DECIMAL:
        return 0
    if currency in KNOWN or currency in UNCONFIRMED:
        return 2
    raise UnknownCurrency(f"'{currency}' is not a currency this connector knows.")


def wire_digits(currency: str, confirmed: dict[str, int] | None = None) -> int:
    """Digits Chargebee counts this currency in; `confirmed` is the tenant's policy `minor_units`.

    Raises UnknownCurrency where only a person can say.
    """
    if confirmed and currency in confirmed:
        return confirmed[currency]
    if currency in UNCONFIRMED:
        raise UnknownCurrency(
            f"Nobody has confirmed whether this Chargebee site counts {currency} in whole units or in hundredths."
        )
    return minor_digits(currency)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount. Adding or comparing two currencies is a programming error and raises ValueError."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise TypeError(f"Money needs a finite Decimal, not {self.amount!r}.")

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(Decimal(0), currency)

    @classmethod
    def of_minor(cls, minor: int, currency: str, digits: int | None = None) -> Money:
        """From an integer of minor units; `digits` overrides the table (see `wire_digits`)."""
        places = minor_digits(currency) if digits is None else digits
        return cls(Decimal(minor).scaleb(-places, context=_EXACT), currency)

    @property
    def minor(self) -> int:
        """Integer of minor units for the database. Raises ValueError if the amount is finer than that."""
        scaled = self.amount.scaleb(minor_digits(self.currency), context=_EXACT)
        whole = scaled.to_integral_value()
        if scaled != whole:
            raise ValueError(f"{self} is finer than {self.currency} can be stored.")
        return int(whole)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} are in different currencies.")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.amount), self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __str__(self) -> str:
        return f"{plain(self)} {self.currency}"


def plain(money: Money) -> str:
    """The amount as digits with the currency's own number of places: '1200' JPY, '12.50' KWD."""
    places = minor_digits(money.currency)
    finer = -int(money.amount.normalize().as_tuple().exponent)
    return f"{money.amount:.{max(places, finer, 0)}f}"


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Sum, zero of `currency` when there is nothing to add."""
    result = Money.zero(currency)
    for amount in amounts:
        result = result + amount
    return result


def rounded(money: Money, places: int) -> Money:
    """Half up to `places`: the only rounding in the product, done at the edge the ERP demands."""
    return Money(money.amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP), money.currency)


def decimal_text(text: str) -> Decimal | None:
    """A finite Decimal from text, None if it is not one."""
    with localcontext() as context:
        context.prec = 40
        try:
            value = Decimal(text)
        except InvalidOperation:
            return None
    return value if value.is_finite() else None
