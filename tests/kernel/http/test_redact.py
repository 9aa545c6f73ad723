"""What must never be seen is masked wherever it hides, and what is business stays readable."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http import redact

SECRET = "p@ss/w0rd+Ünïcode"


@pytest.mark.parametrize(
    "name",
    ["Authorization", "proxy-authorization", "Cookie", "SET-COOKIE", "X-Api-Key", "apikey", "X-Auth-Token",
     "QAD-Password", "X-Client-Secret", "Private-Token"],
)  # fmt: skip
def test_it_masks_the_value_of_a_secret_header(name: str):
    assert redact.headers([(name, "value")]) == ((name, "***"),)


def test_it_leaves_other_headers_alone():
    pairs = (("Content-Type", "application/json"), ("Retry-After", "30"), ("chargebee-event-webhook", "all-disabled"))
    assert redact.headers(pairs) == pairs


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"password": "a\\"b", "x": 1}', '{"password": "***", "x": 1}'),
        ('{"access_token":"abc","expires_in":300}', '{"access_token":"***","expires_in":300}'),
        ('{"refreshToken" : "abc"}', '{"refreshToken" : "***"}'),
        ('{"api_key": 123456, "a": [1]}', '{"api_key": ***, "a": [1]}'),
        ('{"client_secret": null}', '{"client_secret": ***}'),
        ('{"password": "cut off in the mid', '{"password": "***"'),
        (r'{"note": "{\"password\": \"abc\"}"}', r'{"note": "{\"password\": \"***\"}"}'),
        ("grant_type=password&username=jo&password=a%2Bb&x=1", "grant_type=password&username=jo&password=***&x=1"),
        ("https://h/p?api_key=abc&limit=1", "https://h/p?api_key=***&limit=1"),
        ("https://jo:secret@h/p", "https://***@h/p"),
        ("sent Bearer abcdefghijklmnop.qrst", "sent Bearer ***"),
    ],
)
def test_it_masks_the_values_of_secret_keys(before: str, after: str):
    assert redact.text(before) == after


@pytest.mark.parametrize(
    "text",
    ['{"description": "Basic membership", "next_offset": "[\\"1\\",\\"2\\"]"}', "Basic subscription of 2026",
     '{"tokens_used": 5, "secretary": "Jo"}', "https://acme.chargebee.com/api/v2/customers?limit=1", "a@b.example"],
)  # fmt: skip
def test_it_leaves_business_readable(text: str):
    assert redact.text(text, (SECRET,)) == text


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        "p%40ss%2Fw0rd%2B%C3%9Cn%C3%AFcode",
        "p@ss/w0rd+Ünïcode&lt;".removesuffix("&lt;"),
        base64.b64encode(f"{SECRET}:".encode()).decode(),
        base64.b64encode(f":{SECRET}".encode()).decode(),
        base64.b64encode(f"jo:{SECRET}".encode()).decode(),
        base64.b64encode(f"joe:{SECRET}".encode()).decode(),
        base64.b64encode(f"joey:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f"jo:{SECRET}".encode()).decode(),
    ],
)
def test_it_masks_a_literal_secret_in_each_of_its_forms(form: str):
    masked = redact.text(f"<< {form} >>", (SECRET,))
    assert form not in masked and "***" in masked and masked.startswith("<< ") and masked.endswith(" >>")
    assert len(masked.replace("***", "")) <= 6 + 8 + 2  # what may stay is the user name and its colon, not the secret


def test_it_cuts_a_body_without_cutting_a_secret_in_half():
    for shift in range(-40, 40, 7):
        body = b"x" * (redact.LONGEST_BODY + shift) + b"canary-in-the-edge" + b"y" * 10_000
        masked = redact.body(body, ("canary-in-the-edge",))
        assert len(masked) <= redact.LONGEST_BODY and "canary" not in masked


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"\x00" * 10, "text"])
def test_it_takes_any_body(content: bytes | str | None):
    assert isinstance(redact.body(content), str)


def test_it_says_so_when_it_cannot_redact():
    assert redact.text(None) == redact.UNREADABLE  # type: ignore[arg-type]
    assert redact.headers([("only a name",)]) == (("redaction", redact.UNREADABLE),)  # type: ignore[list-item]
    assert redact.body(object()) == redact.UNREADABLE  # type: ignore[arg-type]


@given(st.text(), st.lists(st.text(), max_size=3))
def test_it_never_raises_and_never_keeps_a_secret(value: str, secrets: list[str]):
    masked = redact.text(value, tuple(secrets))
    assert all(len(secret) < 4 or secret in "***" or secret not in masked or "***" in secret for secret in secrets)
    assert isinstance(redact.headers([(value, value)], tuple(secrets)), tuple)
