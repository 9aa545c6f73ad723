"""The pages and buttons by which people decide about one document: the role is checked, and what came of it is said."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils import timezone

from connector.errors import ConnectorError
from syncs import forcing, ignoring, keyed, noting, resolving
from syncs.admin import decision_forms as ours
from syncs.admin import document_page, links, replaying, words
from syncs.admin.options import concerned
from syncs.models import ForceRequest, Posting, SourceDocument, Surplus
from syncs.permission import why_not_posting
from tenants import access, connections
from tenants.access import Action
from tenants.changes import actor_of
from tenants.models import Tenant

View = Callable[..., HttpResponse]


class DecisionViews:
    """Mixed into the screen of documents; `own`, `page` and `message_user` are that screen's."""

    def decisions(self) -> dict[str, View]:
        """URL name -> view."""
        return {
            "ignore": self.ignore_view,
            "take-back": self.take_back_view,
            "mark-posted": self.mark_posted_view,
            "settle": self.settle_view,
            "force": self.force_view,
            "answer-force": self.answer_force_view,
            "surplus": self.surplus_view,
            "note": self.note_view,
            "assign": self.assign_view,
        }

    def answers(self, request: HttpRequest, row: SourceDocument) -> dict[str, Any]:
        """What the document's page lets this visitor do beside its options."""
        found = access.of(request)
        return {
            "may_answer_force": found.may(Action.APPROVE_FORCE),
            "may_settle": found.may(Action.SETTLE_CONFLICT),
            "user_id": request.user.pk,
            "note_form": ours.NoteForm() if found.may(Action.REMARK) else None,
            "assign_form": ours.AssignForm(row.tenant) if found.may(Action.REMARK) else None,
        }

    def back(self, row: SourceDocument) -> HttpResponse:
        return HttpResponseRedirect(links.document_url(row.pk))

    def _allowed(self, request: HttpRequest, object_id: str, action: Action) -> SourceDocument | None:
        """The document for somebody whose role allows the action; None if it is not theirs. Raises PermissionDenied."""
        row: SourceDocument | None = self.own(request, object_id)  # type: ignore[attr-defined]
        if not access.of(request).may(action):
            raise PermissionDenied
        return row

    def _told(self, request: HttpRequest, row: SourceDocument, wrong: str, done: str) -> HttpResponse:
        """Back to the document with a sentence: `wrong` if there is one, else what was done."""
        level = messages.ERROR if wrong else messages.SUCCESS
        self.message_user(request, wrong or done, level)  # type: ignore[attr-defined]
        return self.back(row)

    def _form(self, request: HttpRequest, row: SourceDocument, template: str, **context: Any) -> HttpResponse:
        return self.page(request, template, row=row, **context)  # type: ignore[attr-defined]

    def _gone(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.not_there(request, object_id)  # type: ignore[attr-defined]

    # Ignore

    def ignore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._allowed(request, object_id, Action.IGNORE)
        if row is None:
            return self._gone(request, object_id)
        now, actor = timezone.now(), actor_of(request)
        form = ours.IgnoreForm(row.tenant, actor, now, request.POST or None)
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            wrong = ignoring.ignore(
                row.tenant,
                row,
                reason=said["reason"],
                owner=said["owner"],
                until=said["until"],
                now=now,
                actor=actor,
            )
            if not wrong:
                return self._told(request, row, "", f"{row} is ignored until {said['until']}.")
            form.add_error(None, wrong)
        says = (
            "While it is ignored nothing of it is posted, also when Chargebee changes it. "
            "It counts as ignored, with its money, in every run and at month end."
        )
        return self._form(
            request, row, "decide.html", title=f"Ignore {_name(row)}", form=form, says=says, label="Ignore it"
        )

    def take_back_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self._allowed(request, object_id, Action.IGNORE)
        if row is None:
            return self._gone(request, object_id)
        wrong = ignoring.take_back(row.tenant, row, now=timezone.now(), actor=actor_of(request))
        return self._told(request, row, wrong, f"{row} is no longer ignored. It is held until somebody presses Replay.")

    # Posted by hand

    def mark_posted_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._allowed(request, object_id, Action.MARK_POSTED)
        if row is None:
            return self._gone(request, object_id)
        chain = document_page.chain_of(row)
        posting = concerned(chain)
        if not keyed.why_not(row, chain):
            form: forms.Form = ours.KeyedForm(request.POST or None)
            says = (
                "QAD is asked for the document of this number. It becomes this one only if its total, customer and "
                f"posting date are the same: {words.money(row.total_minor, row.currency)}, dated "
                f"{words.minute(row.dated_at, row.tenant.time_zone)}. It is neither corrected nor reversed from here "
                "later."
            )
            mark = partial(keyed.mark_posted, row=row)
        elif posting is not None and posting.state in resolving.BY_HAND:
            form = ours.MarkPostedForm(request.POST or None)
            says = (
                f"QAD is asked for the document of this number. It becomes {posting.reference} only if its total, "
                f"customer and posting date are the same: {words.money(posting.total_minor, posting.currency)}, "
                f"{posting.customer_code}, {posting.posting_date}."
            )
            mark = partial(resolving.mark_posted, posting=posting)
        else:
            return self._told(request, row, f"{row} has nothing that could be marked as posted.", "")
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            asked = partial(mark, **said, now=timezone.now(), actor=actor_of(request))
            wrong = _asked(row.tenant, lambda qad: asked(row.tenant, qad))
            if not wrong:
                replaying.go_on(row.tenant)
                return self._told(request, row, "", f"{row} is posted as {said['number']}, as it was entered in QAD.")
            form.add_error("number", wrong)
        title = f"Mark {_name(row)} as posted by hand"
        return self._form(request, row, "decide.html", title=title, form=form, says=says, label="Compare and mark")

    # Conflict and duplicate

    def settle_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._allowed(request, object_id, Action.SETTLE_CONFLICT)
        if row is None:
            return self._gone(request, object_id)
        posting = concerned(document_page.chain_of(row))
        if posting is None or posting.state not in resolving.TO_DECIDE:
            return self._told(request, row, f"{row} has nothing to settle any more.", "")
        form = ours.SettleForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            answer = self._settle(request, row, posting, form)
            if answer is not None:
                return answer
        sides: list[resolving.Side] = []
        try:
            with connections.qad_client(row.tenant) as qad:
                sides = resolving.look(qad, posting)
            unasked = ""
        except ConnectorError as error:
            unasked = f"QAD could not be asked: {error.message}"
        title = f"Settle {_name(row)}"
        return self._form(
            request, row, "settle.html", title=title, form=form, sides=sides, posting=posting, unasked=unasked
        )

    def _settle(
        self, request: HttpRequest, row: SourceDocument, posting: Posting, form: forms.Form
    ) -> HttpResponse | None:
        """The button that was pressed; None shows the page again with what is wrong."""
        tenant, now, actor = row.tenant, timezone.now(), actor_of(request)
        number, reason = form.cleaned_data["number"], form.cleaned_data["reason"]
        button = request.POST.get("button", "")
        if button == "look":
            said = _asked(tenant, lambda qad: resolving.look_again(tenant, qad, posting, now=now, actor=actor))
            replaying.go_on(tenant)
            return self._told(request, row, "", said)
        if button == "wrong":
            wrong = resolving.mark_wrong(tenant, posting, reason=reason, now=now, actor=actor)
            done = "It is noted. The alarm stays until QAD has it right and you look again."
        else:
            wrong = _asked(
                tenant,
                lambda qad: resolving.adopt(tenant, qad, posting, number, reason=reason, now=now, actor=actor),
            )
            done = f"{row} is {number} in QAD from now on."
        if wrong:
            form.add_error(None, wrong)
            return None
        replaying.go_on(tenant)
        return self._told(request, row, "", done)

    def surplus_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Somebody says that a surplus document is reversed in QAD."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self._allowed(request, object_id, Action.SETTLE_CONFLICT)
        mine = Surplus.objects.filter(posting__source=row, pk=_key(request, "surplus")) if row is not None else None
        surplus = mine.select_related("posting").first() if mine is not None else None
        if row is None or surplus is None:
            return self._gone(request, object_id)
        wrong = resolving.surplus_reversed(row.tenant, surplus, now=timezone.now(), actor=actor_of(request))
        return self._told(request, row, wrong, f"{surplus.qad_number} counts as reversed in QAD.")

    # Sending again by two people

    def force_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._allowed(request, object_id, Action.REQUEST_FORCE)
        if row is None:
            return self._gone(request, object_id)
        posting = concerned(document_page.chain_of(row))
        wrong = forcing.why_not(posting) if posting is not None else f"Nothing was made of {row} yet."
        if posting is None or wrong:
            return self._told(request, row, wrong, "")
        form = ours.ForceForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            wrong = forcing.ask(
                row.tenant, posting, request.user, reason=form.cleaned_data["reason"], now=timezone.now()
            )
            if not wrong:
                return self._told(request, row, "", "It is asked for. Somebody else has to approve it.")
            form.add_error("reason", wrong)
        says = (
            "Another accountant or an integration admin has to approve this within three days. Then QAD is asked, and "
            "only if two look-ups prove that it is not there is it sent again, under the same reference."
        )
        title = f"Ask to send {_name(row)} again"
        return self._form(request, row, "decide.html", title=title, form=form, says=says, label="Ask for it")

    def answer_force_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Approve, refuse or withdraw a request; the service knows who may what."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row: SourceDocument | None = self.own(request, object_id)  # type: ignore[attr-defined]
        asked = (
            ForceRequest.objects.filter(posting__source=row, pk=_key(request, "request")) if row is not None else None
        )
        found = asked.select_related("posting").first() if asked is not None else None
        if row is None or found is None:
            return self._gone(request, object_id)
        if not (access.of(request).may(Action.APPROVE_FORCE) or found.requested_by_id == request.user.pk):
            raise PermissionDenied
        now = timezone.now()
        if request.POST.get("button") == "approve":
            wrong = forcing.approve(row.tenant, found, request.user, now=now)
            replaying.go_on(row.tenant)
            stays = why_not_posting(row.tenant)
            done = "Approved. It is looked up in QAD first, and sent again only if it is proved absent."
            return self._told(request, row, wrong, f"{done} Nothing goes out now: {stays}" if stays else done)
        return self._told(
            request, row, forcing.refuse(row.tenant, found, request.user, now=now), "It is not sent again."
        )

    # Notes

    def note_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._noted(request, object_id, "text", noting.remark)

    def assign_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._noted(request, object_id, "who", noting.assign)

    def _noted(self, request: HttpRequest, object_id: str, field: str, save: Callable[..., str]) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self._allowed(request, object_id, Action.REMARK)
        if row is None:
            return self._gone(request, object_id)
        wrong = save(row.tenant, row, request.POST.get(field, ""), now=timezone.now(), actor=actor_of(request))
        return self._told(request, row, wrong, "It is noted.")


def _name(row: SourceDocument) -> str:
    return f"{row.get_kind_display().lower()} {row.source_id}"


def _key(request: HttpRequest, name: str) -> int:
    """A primary key from a form, 0 for anything else."""
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _asked(tenant: Tenant, ask: Callable[[Any], str]) -> str:
    """What came of asking QAD, or the sentence why it could not be asked."""
    try:
        with connections.qad_client(tenant) as qad:
            return ask(qad)
    except ConnectorError as error:
        return f"QAD could not be asked: {error.message}"
