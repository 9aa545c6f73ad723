"""Single cells."""

import datetime as dt

import pytest

from mappings import cells
from mappings.cells import CellError, Formula, neutralised, without_apostrophe

level = cells.choice({"item_price": "Item price", "fallback": "Everything else"})


@pytest.mark.parametrize(
    ("parse", "cell", "expected"),
    [
        (cells.text, None, ""),
        (cells.text, "  pro-EUR ", "pro-EUR"),
        (cells.text, 4000, "4000"),
        (cells.text, 4000.0, "4000"),
        (cells.text, "0012", "0012"),
        (cells.text, "'=danger", "=danger"),
        (cells.text, "'s-Hertogenbosch", "'s-Hertogenbosch"),
        (cells.text, "TVA 20\u00a0%", "TVA 20\u00a0%"),
        (cells.code, 4000, "4000"),
        (cells.date, dt.datetime(2026, 1, 1), dt.date(2026, 1, 1)),  # noqa: DTZ001
        (cells.date, dt.date(2026, 1, 1), dt.date(2026, 1, 1)),
        (cells.date, "2026-01-01", dt.date(2026, 1, 1)),
        (cells.date, "2026-01-01 00:00:00", dt.date(2026, 1, 1)),
        (cells.rate, "19.0 %", "19"),
        (cells.rate, 8.875, "8.875"),
        (cells.rate, "", ""),
        (cells.rate, 0, "0"),
        (level, "Item price", "item_price"),
        (level, "item-price", "item_price"),
        (level, "EVERYTHING ELSE", "fallback"),
    ],
)
def test_it_reads(parse, cell, expected):
    assert parse(cell) == expected


@pytest.mark.parametrize(
    ("parse", "cell", "words"),
    [
        (cells.text, Formula("=A1"), "It is a formula. Write the value itself."),
        (cells.text, "=1+1", "It is a formula. Write the value itself."),
        (cells.text, True, "'True' is a truth value. Write a text."),
        (cells.text, dt.date(2026, 1, 1), "'2026-01-01' is a date. Format the cell as text."),
        (cells.text, "a\nb", "It holds a line break or a control character. Write it on one line."),
        (cells.text, "a\u202eb", "It holds a line break or a control character. Write it on one line."),
        (cells.code, "40 00", "'40 00' has a blank in it. Codes have none."),
        (cells.date, "", "The date is missing. Write it as 2026-12-31."),
        (cells.date, "01/02/2026", "'01/02/2026' is not a date. Write it as 2026-12-31."),
        (cells.date, 46023, "'46023' is not a date. Write it as 2026-12-31."),
        (cells.rate, "19,0", "'19,0' is not a tax rate. Write percent with a point, such as 8.875."),
        (cells.rate, "-1", "'-1' is not a tax rate. Write percent with a point, such as 8.875."),
        (cells.rate, "NaN", "'NaN' is not a tax rate. Write percent with a point, such as 8.875."),
        (level, "supplier", "'supplier' is not known. Write one of: item_price, fallback."),
    ],
)
def test_it_says_what_is_wrong_and_what_to_write(parse, cell, words):
    with pytest.raises(CellError) as caught:
        parse(cell)
    assert str(caught.value) == words


@pytest.mark.parametrize("risky", ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\ufeff=1"])
def test_text_that_a_program_would_run_is_defused_and_comes_back_whole(risky):
    assert neutralised(risky)[0] == "'"
    if risky[0] in "=+-@\t\r":
        assert without_apostrophe(neutralised(risky)) == risky


@pytest.mark.parametrize("plain", ["", "4000", "pro-EUR", "a=b", "'s-Hertogenbosch"])
def test_other_text_stays_as_it_is(plain):
    assert neutralised(plain) == plain
