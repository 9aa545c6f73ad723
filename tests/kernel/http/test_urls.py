"""A base URL is stored clean or refused with everything that is wrong with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http.urls import clean_base_url

ALLOW = ("127.0.0.0/8", "10.1.0.0/16")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://erp.example.com/clouderp", "https://erp.example.com/clouderp"),
        (" HTTPS://ERP.Example.com:443/ClouderP/prod/ ", "https://erp.example.com/ClouderP/prod"),
        ("https://erp.example.com:8443/", "https://erp.example.com:8443"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://93.184.216.34/a", "https://93.184.216.34/a"),
        ("https://[2606:4700::1111]/a", "https://[2606:4700::1111]/a"),
        ("http://127.0.0.1:8770/clouderp/", "http://127.0.0.1:8770/clouderp"),
        ("http://localhost:8770", "http://localhost:8770"),
        ("https://10.1.2.3/qad", "https://10.1.2.3/qad"),
    ],
)
def test_it_stores_a_good_url_clean(text: str, clean: str):
    assert clean_base_url(text, ALLOW) == clean


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("http://erp.example.com/", "url-insecure"),
        ("http://10.2.0.1/", "url-private"),
        ("https://10.2.0.1/", "url-private"),
        ("https://169.254.169.254/latest", "url-private"),
        ("https://[::ffff:10.0.0.1]/", "url-private"),
        ("https://[::1]/", "url-private"),
        ("https://2130706433/", "url-host"),
        ("https://0177.0.0.1/", "url-host"),
        ("https://0x7f000001/", "url-host"),
        ("https://127.1/", "url-host"),
        ("https://jo:pw@erp.example.com/", "url-userinfo"),
        ("https://jo@erp.example.com/", "url-userinfo"),
        ("https://erp.example.com/a?b=1", "url-query"),
        ("https://erp.example.com/a?", "url-query"),
        ("https://erp.example.com/a#b", "url-fragment"),
        ("https://erp.example.com/a/../b", "url-path"),
        ("https://erp.example.com/a b", "url-path"),
        ("https://erp.example.com/a\\b", "url-path"),
        ("ftp://erp.example.com/", "url-scheme"),
        ("erp.example.com/qad", "url-scheme"),
        ("https://", "url-host"),
        ("", "url-scheme"),
        ("https://erp.example.com:99999/", "url-unreadable"),
        ("https://[::1", "url-unreadable"),
        ("https://a..b/", "url-unreadable"),
        ("https://a_b!/", "url-unreadable"),
    ],
)
def test_it_refuses_a_bad_url_and_says_why(text: str, code: str):
    problems = clean_base_url(text, ALLOW)
    assert isinstance(problems, list) and code in [problem.code for problem in problems]
    assert "pw" not in " ".join(map(str, problems))


def test_it_tells_all_that_is_wrong_at_once():
    problems = clean_base_url("http://jo:pw@erp.example.com/a?b#c")
    assert {problem.code for problem in problems} == {"url-insecure", "url-userinfo", "url-query", "url-fragment"}


@given(st.text() | st.from_regex(r"https?://[^/]{0,20}/.*"))
def test_it_never_raises(text: str):
    assert isinstance(clean_base_url(text, ALLOW), (str, list))
