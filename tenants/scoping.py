"""Cuts querysets, choices and filters down to one tenant. Closed: what has no tenant gives nothing."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.filters import RelatedFieldListFilter
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.db.models import Field, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.functional import cached_property

from tenants import access
from tenants.models import Tenant

COUNT_CAP = 10_000
FILTER_CHOICES = 200


def is_owned(model: type[Model]) -> bool:
    """Whether rows of the model belong to a tenant."""
    try:
        return model._meta.get_field("tenant").related_model is Tenant
    except FieldDoesNotExist:
        return False


def scoped(queryset: QuerySet[Any], tenant: Tenant | None) -> QuerySet[Any]:
    """The part of a queryset that one tenant may see; nothing without a tenant."""
    if tenant is None:
        return queryset.none()
    if queryset.model is Tenant:
        return queryset.filter(pk=tenant.pk)
    return queryset.filter(tenant=tenant) if is_owned(queryset.model) else queryset.none()


class OwnRelatedFilter(RelatedFieldListFilter):
    """A sidebar filter by a related row that lists the current tenant's rows only."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        ordering = self.field_admin_ordering(field, request, model_admin)
        rows = scoped(field.remote_field.model._default_manager.all(), access.of(request).tenant)
        return [(row.pk, str(row)) for row in rows.order_by(*ordering)[:FILTER_CHOICES]]


class CappedPaginator(Paginator):
    """Counts no further than COUNT_CAP rows, so that a list of millions opens at once."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return len(rows.order_by().values_list("pk", flat=True)[:COUNT_CAP])


class OwnedForm(ModelForm):
    """Mixed into every form of the admin: a new row belongs to the current tenant before it is validated.

    So constraints that hold the tenant are checked by the form and answered with a sentence.
    """

    owner: Tenant | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.owner is not None and is_owned(type(self.instance)) and self.instance.tenant_id is None:
            self.instance.tenant = self.owner

    def _get_validation_exclusions(self) -> set[str]:
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return exclusions - {"tenant"}


def owned_form(form: type[Any], tenant: Tenant | None) -> type[Any]:
    """The same form class, whose new rows belong to the tenant."""
    bases = (form,) if issubclass(form, OwnedForm) else (OwnedForm, form)
    return type(form.__name__, bases, {"owner": tenant})


def is_relation(model: type[Model], path: str) -> bool:
    """Whether the last step of a filter path is a relation. Paths through other tables to plain fields are refused."""
    *through, last = path.split("__")
    for step in through:
        related = model._meta.get_field(step).related_model
        if not isinstance(related, type):
            raise ValueError(f"The filter path '{path}' does not lead anywhere.")
        model = related
    field = model._meta.get_field(last)
    if through and not field.is_relation and isinstance(field, Field) and not field.choices:
        raise ValueError(f"A filter by '{path}' would list values of every tenant. Use OwnRelatedFilter.")
    return bool(field.is_relation)
