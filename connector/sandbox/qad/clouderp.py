"""Dialect A's front door: login, workspace, platform calls, browses and business components under `/clouderp`."""

from __future__ import annotations

from collections.abc import Callable

from connector.sandbox.faults import Faults
from connector.sandbox.qad.adaptive import FORBIDDEN_PATHS, WRITABLE
from connector.sandbox.qad.browse import Browse, refusal
from connector.sandbox.qad.company import Company
from connector.sandbox.qad.entities import Entities, refused_step
from connector.sandbox.qad.forms import ADAPTIVE, Form
from connector.sandbox.qad.login import CLIENT_ID, Login
from connector.sandbox.qad.masters import WORKSPACE
from connector.sandbox.wire import Request, Response, reply_html, reply_json

ROOT = "/clouderp"
_LENGTHS = {"reference": 40, "description": 40, "code": 8, "search_name": 28}
_NOT_FOUND = "<html><body><h1>HTTP Status 404</h1></body></html>"
_EMPTY_PAGE = {"data": [], "auxillaryData": {"HasMoreParams": "false"}}


class Clouderp:
    def __init__(self, company: Company, faults: Faults) -> None:
        self.company, self.faults = company, faults
        self.login = Login(company)
        self.browse = Browse(company)
        self.entities = Entities(company)
        self._platform: dict[str, Callable[[Request], Response]] = {
            "/api/qracore/browses": self._browse,
            "/api/qracore/browses/totalCount": self.browse.total,
            "/api/qracore/permissionState": self._permission,
            "/api/qracore/entitymetadatas": self._metadata,
        }

    def answer(self, request: Request) -> Response:
        path = request.path.removeprefix(ROOT).rstrip("/")
        if path == "/oauth/token":
            return self.login.grant(request) if request.method == "POST" else refusal(500, "Use POST")
        if path == "/api/qracore/securityControl":
            return self._security_control(request)
        if not path.startswith("/api/"):
            return reply_html(404, _NOT_FOUND)
        if self.faults.take("unauthorized", request):
            self.login.revoke_access()
        if not self.login.admits(request):
            return refusal(401, "Full authentication is required to access this resource")
        if path in FORBIDDEN_PATHS or self.faults.take("forbidden", request):
            return refusal(403, "Access is denied")
        if request.headers.get("x-qad-workspace-id") != WORKSPACE:
            return self._elsewhere(path, request)
        return self._home(path, request)

    def apply(self, request: Request) -> None:
        """A write that was let in before its caller gave up."""
        self.entities.answer(request.path.removeprefix(ROOT).rstrip("/"), request)

    def _home(self, path: str, request: Request) -> Response:
        platform = self._platform.get(path)
        if platform:
            return platform(request) if request.method == "GET" else refusal(500, f"Method {request.method}")
        failing = path == "/api/erp/mfgCustomers" and request.method == "POST"
        if failing and self.faults.take("customer_domain_fails", request):
            return refused_step(path, "Customer created but domain settings failed.")
        return self.entities.answer(path, request) or refusal(404, "Resource not found", path)

    def _elsewhere(self, path: str, request: Request) -> Response:
        """Another domain, or none named: refused, or answered from that domain's empty tables."""
        if self.company.modes.workspace == "refuse" or request.method != "GET":
            return refusal(403, "Access is denied")
        if path in WRITABLE:
            return reply_json(200, {"data": {WRITABLE[path].collection: []}})
        return reply_json(200, _EMPTY_PAGE)

    def _browse(self, request: Request) -> Response:
        if self.faults.take("browse_empty", request):
            return reply_json(200, _EMPTY_PAGE)
        return self.browse.page(request)

    def _security_control(self, request: Request) -> Response:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if not (scheme.lower() == "basic" and self.login.knows(value)) and not self.login.admits(request):
            return refusal(401, "Full authentication is required to access this resource")
        modes = self.company.modes
        control = {
            "clientId": CLIENT_ID,
            "sessionLength": modes.session_minutes,
            "timeoutMinutes": modes.idle_minutes,
        }
        return reply_json(200, {"data": {"securityControls": [control]}})

    def _permission(self, request: Request) -> Response:
        name = request.first("uri").rpartition(".")[2]
        may = f"/api/erp/{name}" in WRITABLE and request.first("action") in ("READ", "WRITE", "CREATE")
        return reply_json(200, {"data": {"hasPermission": may}})

    def _metadata(self, request: Request) -> Response:
        shape = next((shape for shape in WRITABLE.values() if shape.view_uri == request.first("entityURI")), None)
        if shape is None:
            return refusal(404, "Entity not found", request.first("entityURI"))
        form = Form(shape, ADAPTIVE)
        fields = [
            {
                "entityFieldCode": wire[:1].upper() + wire[1:],
                "isRequired": name in ("code", "customer", "description", "currency", "posting_date", "document_date"),
                "maxLength": _LENGTHS.get(name, 0),
                "dataType": form.type_name(name),
                "primaryKey": wire in shape.keys,
            }
            for name, wire in shape.fields.items()
        ]
        return reply_json(200, {"data": {"entityMetadatas": [{"apiUrl": shape.path, "entityFields": fields}]}})
