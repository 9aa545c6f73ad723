from __future__ import annotations

import json

from connector.sandbox.wire import Request
from tests.sandbox.qad_desk import BASIC, PASSWORD, Desk


def test_it_grants_a_token_for_the_password_in_the_form():
    status, value = Desk().log_in()
    assert status == 200
    assert value["token_type"] == "bearer"
    assert value["access_token"] != value["refresh_token"]


def test_it_grants_a_token_for_the_password_in_the_query():
    reply = Desk().qad.handle(Request("POST", "/clouderp/oauth/token", tuple(PASSWORD.items())))
    assert reply.status == 200


def test_it_refuses_a_wrong_password_with_invalid_grant():
    status, value = Desk().log_in(password="wrong")
    assert (status, value["error"]) == (400, "invalid_grant")


def test_it_refuses_an_unknown_client_and_an_unknown_grant():
    assert Desk().log_in(client_id="other")[0] == 401
    assert Desk().log_in(grant_type="client_credentials")[1]["error"] == "unsupported_grant_type"


def test_it_refreshes_once_with_each_refresh_token():
    desk = Desk()
    _, first = desk.log_in()
    renewal = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert desk.log_in(**renewal)[0] == 200
    assert desk.browse("customerV2s")[0] != []
    assert desk.log_in(**renewal)[1]["error"] == "invalid_grant"


def test_it_ends_an_idle_session_and_keeps_a_used_one():
    desk = Desk()
    desk.log_in()
    for _ in range(3):
        desk.clock.advance(29 * 60)
        assert desk.get("customerV2s", sharedSetCode="SS1", customerCode="C1")[0] == 200
    desk.clock.advance(31 * 60)
    assert desk.get("customerV2s", sharedSetCode="SS1", customerCode="C1")[0] == 401


def test_it_ends_a_session_at_its_absolute_life_although_it_was_used_and_refreshed():
    desk = Desk()
    _, value = desk.log_in()
    for _ in range(8):
        desk.clock.advance(20 * 60)
        desk.browse("customerV2s")
    _, value = desk.log_in(grant_type="refresh_token", refresh_token=value["refresh_token"])
    desk.clock.advance(480 * 60)
    assert desk.get("customerV2s", sharedSetCode="SS1", customerCode="C1")[0] == 401
    refused = desk.log_in(grant_type="refresh_token", refresh_token=value["refresh_token"])
    assert refused[1]["error"] == "invalid_grant"


def test_it_takes_basic_only_where_the_instance_allows_it():
    desk = Desk()
    headers = {"authorization": BASIC, "x-qad-workspace-id": "10USA_10USACO"}
    assert desk.send("GET", "/api/qracore/browses", headers=headers).status == 401
    desk.qad.modes.basic_auth = True
    assert desk.send("GET", "/api/qracore/permissionState", headers=headers).status == 200


def test_it_refuses_a_request_without_or_with_another_workspace():
    desk = Desk()
    token = desk.headers()["authorization"]
    for headers in ({"authorization": token}, {"authorization": token, "x-qad-workspace-id": "20EUR_20FR"}):
        reply = desk.send("GET", "/api/qracore/permissionState", headers=headers)
        assert reply.status == 403
        assert json.loads(reply.body)["errors"][0]["message"] == "Access is denied"


def test_it_can_answer_another_workspace_with_its_empty_tables():
    desk = Desk()
    desk.qad.modes.workspace = "empty"
    headers = {**desk.headers(), "x-qad-workspace-id": "20EUR_20FR"}
    reply = desk.send("GET", "/api/qracore/browses", headers=headers)
    assert json.loads(reply.body)["data"] == []
    assert desk.send("POST", "/api/erp/customerV2s", headers=headers).status == 403


def test_it_tells_client_and_lives_in_security_control_to_basic_callers():
    reply = Desk().send("GET", "/api/qracore/securityControl", headers={"authorization": BASIC})
    control = json.loads(reply.body)["data"]["securityControls"][0]
    assert control == {"clientId": "sandbox-client", "sessionLength": 480, "timeoutMinutes": 30}


def test_it_tells_permissions_and_fields():
    desk = Desk()
    query = (("uri", "urn:view:hybridbrowse:com.qad.erp.base.customerV2s"), ("action", "CREATE"))
    reply = desk.send("GET", "/api/qracore/permissionState", query)
    assert json.loads(reply.body) == {"data": {"hasPermission": True}}
    query = (("entityURI", "urn:be:com.qad.base.customer.ICustomerV2"),)
    fields = json.loads(desk.send("GET", "/api/qracore/entitymetadatas", query).body)
    found = {row["entityFieldCode"]: row for row in fields["data"]["entityMetadatas"][0]["entityFields"]}
    assert found["CustomerCode"]["maxLength"] == 8
    assert found["CustomerCode"]["primaryKey"] is True


def test_it_answers_an_unknown_path_with_404():
    desk = Desk()
    assert desk.send("GET", "/api/erp/customerInvoicez").status == 404
    outside = desk.send("GET", "/wrong/api/erp/customerV2s")
    assert (outside.status, outside.headers[0]) == (404, ("Content-Type", "text/html"))
    assert desk.qad.handle(Request("GET", "/qad-central/oauth/token")).status == 404


def test_it_forbids_suppliers_and_purchases_and_counts_every_request():
    desk = Desk()
    for name in ("supplierV2s", "supplierInvoices", "purchaseOrderHeaders"):
        assert desk.send("POST", f"/api/erp/{name}").status == 403
    assert desk.rest("POST", "/v1/ap-documents")[0] == 403
    assert desk.qad.requests["POST /clouderp/api/erp/supplierInvoices"] == 1
    assert desk.qad.requests["POST /finrest/v1/ap-documents"] == 1
