"""What answers may hold: each bad document stops itself alone; a bad answer stops the pass, never the inbox."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import pytest

from connector.errors import ConnectorError, Transient
from connector.http import session
from connector.sandbox.wire import Response
from syncs.models import Cursor, SourceDocument
from tests.flows.scene import Scene, a_scene
from tests.syncs.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)


def spoil(scene: Scene, source_id: str, **fields: object) -> None:
    row = scene.world.chargebee.core.draft("invoice", source_id)
    scene.world.chargebee.put_raw("invoice", {**row, **fields})


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("total", float("nan"), "NaN"),
        ("total", float("inf"), "Infinity"),
        ("total", -10_000, "-"),
        ("amount_due", float("nan"), "NaN"),
        ("total", 2**53 + 1, str(2**53 + 1)),
        ("total", "10000", "10000"),
        ("total", 10000.5, "10000.5"),
        ("status", "frobnicated", "frobnicated"),
        ("line_items", [[]] * 3, "line_items"),
    ],
)
@pytest.mark.slow
def test_a_document_that_cannot_be_believed_stops_alone_and_the_run_goes_on(field: str, value: object, words: str):
    with a_scene() as scene:
        good, bad = scene.invoice(), scene.invoice()
        spoil(scene, bad, **{field: value})

        story = scene.sync()

        assert story.run.state == "complete"
        assert scene.source(bad).state in ("unreadable", "held")
        assert words in scene.sentences(bad)
        assert scene.posting(good).state == "posted"


@pytest.mark.slow
def test_a_field_that_nobody_knows_changes_nothing():
    with a_scene() as scene:
        odd = scene.invoice()
        spoil(scene, odd, brand_new={"deep": [1, {"er": None}]})

        assert scene.sync().run.state == "complete"
        assert scene.posting(odd).state == "posted"


def answering(stage: Stage, body: bytes, *headers: tuple[str, str]) -> None:
    stage.site.api.respond = lambda request: Response(  # type: ignore[method-assign]
        200, body, (("Content-Type", "application/json"), *headers)
    )


PAGE = json.dumps({"list": [{"invoice": {"id": "A", "x": 1}}]}).encode()


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf" + PAGE, PAGE.decode().encode("utf-16")], ids=["UTF-8", "UTF-16"])
def test_a_byte_order_mark_is_no_hindrance(body: bytes):
    stage = Stage()
    answering(stage, body)

    assert stage.pull() == 1
    assert stage.inbox() == {"A": 1}


@pytest.mark.parametrize(
    "body",
    [
        PAGE[:-9],
        b"",
        b"<html><body>Log in</body></html>",
        b'{"list": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"list": [{"invoice": {"id": "A", "deep": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}}]}",
        b"\xff\xfe\xfa",
    ],
    ids=["truncated", "empty", "a login page", "deep", "deep in a document", "no text"],
)
def test_an_answer_that_is_no_page_voids_the_pass_with_a_sentence(body: bytes):
    stage = Stage()
    stage.edit("Z")
    stage.pull()
    before = stage.cursor().watermark
    answering(stage, body)

    with pytest.raises(Transient, match="Chargebee"):
        stage.pull()

    assert stage.inbox() == {"Z": 1}
    assert Cursor.objects.get(tenant=stage.tenant, kind="invoice").watermark == before


@pytest.mark.parametrize("is_zipped", [True, False], ids=["a bomb of gzip", "200 MB"])
def test_an_answer_that_is_too_large_is_left_before_it_fills_the_memory(is_zipped: bool, monkeypatch):
    monkeypatch.setattr(session, "LARGEST_BODY", 2 * 2**20)
    stage = Stage()
    stage.edit("Z")
    stage.pull()
    body = b" " * (40 * 2**20)
    if is_zipped:
        answering(stage, gzip.compress(body), ("Content-Encoding", "gzip"))
    else:
        answering(stage, body)
    tracemalloc.start()
    try:
        with pytest.raises(ConnectorError, match="larger"):
            stage.pull()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 20 * 2**20
    assert SourceDocument.objects.filter(tenant=stage.tenant).count() == 1
