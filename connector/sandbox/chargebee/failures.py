"""The API's error answers: one envelope, with the older keys that real answers still carry."""

from __future__ import annotations

from typing import Any

from connector.sandbox.wire import Response, reply_json

_TYPES = {
    "param_wrong_value": (400, "invalid_request"),
    "duplicate_entry": (400, "invalid_request"),
    "invalid_request": (400, "invalid_request"),
    "configuration_incompatible": (400, "invalid_request"),
    "api_authentication_failed": (401, "untyped"),
    "api_authorization_failed": (403, "untyped"),
    "request_blocked": (403, "operation_failed"),
    "resource_not_found": (404, "invalid_request"),
    "site_not_found": (404, "untyped"),
    "http_method_not_supported": (405, "invalid_request"),
    "invalid_state_for_request": (409, "invalid_request"),
    "unable_to_process_request": (422, "invalid_request"),
    "api_request_limit_exceeded": (429, "operation_failed"),
    "lock_timeout": (429, "operation_failed"),
    "internal_error": (500, "operation_failed"),
    "db_connection_failure": (503, "operation_failed"),
    "site_read_only_mode": (503, "operation_failed"),
    "site_not_ready": (503, "operation_failed"),
    "internal_temporary_error": (503, "operation_failed"),
}

# Error codes that a test can switch on as faults of their own name.
NAMED = tuple(code for code in _TYPES if code not in ("resource_not_found", "http_method_not_supported"))


class Refused(Exception):
    """Ends a request with an error answer."""

    def __init__(self, code: str, message: str, *, param: str = "", retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param, self.retry_after = code, message, param, retry_after

    def response(self) -> Response:
        status, kind = _TYPES[self.code]
        value: dict[str, Any] = {"message": self.message, "type": kind, "api_error_code": self.code}
        if self.param:
            value |= {"param": self.param, "error_param": self.param}
        value |= {"error_code": self.code, "error_msg": self.message, "http_status_code": status}
        headers = () if self.retry_after is None else (("Retry-After", str(self.retry_after)),)
        return reply_json(status, value, *headers)


def not_found(kind: str, key: str) -> Refused:
    return Refused("resource_not_found", f"{kind.replace('_', ' ').title()} '{key}' not found")


def wrong_value(param: str, text: str) -> Refused:
    return Refused("param_wrong_value", f"{param} : {text}", param=param)
