"""An exchange survives its storage."""

from __future__ import annotations

import json

from connector.http.exchange import Exchange
from connector.http.session import Call, Http
from tests.kernel.http.wire import ALLOW, http, says, wire


def test_it_comes_back_from_json_as_it_was():
    with wire(says(http(200, b'{"ok": 1}'))) as server, Http(allow=ALLOW) as door:
        exchange = door.call(Call("POST", f"{server.url}/a?x=1", {"Authorization": "Basic eA=="}, body=b"{}")).exchange
    assert Exchange.from_dict(json.loads(json.dumps(exchange.as_dict()))) == exchange
    assert ("Authorization", "***") in exchange.request_headers
    assert (exchange.status, exchange.reply_body, exchange.error) == (200, '{"ok": 1}', "")
    assert exchange.elapsed > 0 and exchange.started_at.tzinfo is not None


def test_it_keeps_no_more_than_the_first_64_kb():
    with wire(says(http(200, b"z" * 200_000))) as server, Http(allow=ALLOW) as door:
        reply = door.call(Call("POST", server.url, body=b"y" * 200_000))
    assert len(reply.content) == 200_000
    assert len(reply.exchange.reply_body) == len(reply.exchange.request_body) == 64 * 1024
