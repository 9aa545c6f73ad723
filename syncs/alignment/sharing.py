"""QAD customers that belong in Chargebee: linked where that is certain, shown to a person where it is not, else made.

The new customer's id in Chargebee is ours and is stored first, so a lost answer can only meet itself.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from connector.chargebee import customer_form
from connector.chargebee.customer_writes import AlreadyThere
from connector.errors import Rejected, Transient, Uncertain
from connector.ledger import sharing
from connector.ledger.sharing import Sharing
from mappings.models import CustomerMapping, QadCustomer
from syncs.alignment import journal
from syncs.alignment.asking import ask
from syncs.alignment.desk import Desk
from syncs.alignment.people import chargebee_index, qad_identity
from syncs.alignment.sides import There, told_by_chargebee
from syncs.customers import link as map_customers
from syncs.models import AlignedCustomer, ConflictKind, LinkState
from tenants import audit
from tenants.models import Tenant

BATCH = 200
PAUSE = dt.timedelta(seconds=30)
AGAIN = dt.timedelta(hours=6)


def rule_of(desk: Desk) -> Sharing:
    return sharing.sharing(desk.setting.policies["shared_customers"])


def share(desk: Desk, *, until: float) -> Counter[str]:
    """Find what is new in QAD and belongs in Chargebee, then create what may be created."""
    counts: Counter[str] = Counter()
    if not desk.setting.writes_chargebee:
        return counts
    counts.update(_match(desk, rule_of(desk)))
    for link in _open(desk):
        if time.monotonic() >= until:
            break
        counts[_create(desk, link)] += 1
    return counts


def unlinked(tenant: Tenant) -> Iterator[QadCustomer]:
    """QAD customers that nothing is linked to."""
    mapped = CustomerMapping.objects.filter(tenant=tenant, qad_code=OuterRef("code"))
    known = AlignedCustomer.objects.filter(tenant=tenant, qad_code=OuterRef("code"))
    rows = QadCustomer.objects.filter(~Exists(mapped), ~Exists(known), tenant=tenant, is_gone=False)
    return rows.order_by("pk").iterator(chunk_size=BATCH)


def takes(rule: Sharing, row: QadCustomer) -> bool:
    return (
        row.is_active
        and row.is_complete
        and rule.takes(
            customer_type=row.customer_type, group=row.customer_group, flag=row.shared_flag, added_on=row.added_on
        )
    )


def _match(desk: Desk, rule: Sharing) -> Counter[str]:
    counts: Counter[str] = Counter()
    tenant = desk.setting.tenant
    chosen = [row for row in unlinked(tenant) if takes(rule, row)] if rule else []
    if not chosen:
        return counts
    index = chargebee_index(desk.setting)
    certain, fresh = [], []
    for row in chosen:
        match = index.find(qad_identity(row))
        if match.code:
            certain.append((match.code, row.code, match.how))
        elif match.candidates:
            ask(tenant, ((key, row.code, why) for key, why in match.candidates), found_from="qad", now=desk.clock())
            counts["ambiguous"] += 1
        else:
            fresh.append(row)
    counts["linked"] += _link(desk, certain)
    counts["to create"] += _plan(desk, fresh)
    return counts


def _link(desk: Desk, certain: Iterable[tuple[str, str, str]]) -> int:
    done = 0
    for key, code, how in certain:
        with transaction.atomic():
            note = f"Linked by {how}"
            refused = map_customers(desk.setting.tenant, [(key, code)], note=note, now=desk.clock(), actor=desk.actor)
        if refused:
            ask(desk.setting.tenant, [(key, code, how)], found_from="qad", now=desk.clock())
        done += not refused
    return done


def key_of(desk: Desk, code: str) -> str:
    """The id of a customer of ours in Chargebee: the prefix keeps two QADs on one site apart."""
    return f"{desk.setting.tenant.qad.reference_prefix}-{code}"


def _plan(desk: Desk, rows: Iterable[QadCustomer]) -> int:
    """The row before the network."""
    now, tenant = desk.clock(), desk.setting.tenant
    fresh = [
        AlignedCustomer(
            tenant=tenant,
            chargebee_id=key_of(desk, row.code),
            qad_code=row.code,
            state=LinkState.CREATING,
            created_at=now,
            changed_at=now,
        )
        for row in rows
    ]
    with transaction.atomic():
        made = AlignedCustomer.objects.bulk_create(fresh, ignore_conflicts=True)
        lines = [
            audit.Line("creating-customer", f"customer:{row.chargebee_id}", after={"qad": row.qad_code}) for row in made
        ]
        audit.record(tenant.pk, lines, actor=desk.actor, now=now)
    return len(made)


def _open(desk: Desk) -> list[AlignedCustomer]:
    rows = AlignedCustomer.objects.filter(tenant=desk.setting.tenant, state=LinkState.CREATING)
    return list(rows.filter(Q(not_before=None) | Q(not_before__lte=desk.clock())).order_by("pk")[:BATCH])


def _create(desk: Desk, link: AlignedCustomer) -> str:
    row = QadCustomer.objects.get(tenant=desk.setting.tenant, code=link.qad_code)
    projection = desk.setting.projection
    names = {rule.name for rule in desk.setting.rules} | {"name"}
    values = {name: projection.to_chargebee(name, value) for name, value in row.content.items() if name in names}
    values.pop("is_active", None)
    pairs = customer_form.creation(link.chargebee_id, link.qad_code, values, currency=row.currency)
    try:
        record = _found_or_made(desk, link, pairs)
    except Uncertain as error:
        return _later(link, error.message, desk.clock() + desk.settle)
    except Transient as error:
        return _later(link, error.message, desk.clock() + PAUSE)
    except Rejected as error:
        return _refuse(desk, link, error.message)
    if record is None:
        text = f"Chargebee has another customer under '{link.chargebee_id}'. Link QAD customer {link.qad_code} by hand."
        return _refuse(desk, link, text)
    return _made(desk, link)


def _found_or_made(desk: Desk, link: AlignedCustomer, pairs: customer_form.Pairs) -> There | None:
    """The new customer, or the one that an earlier try made; None if the id is somebody else's."""
    try:
        record = desk.chargebee.create(pairs)
    except AlreadyThere:
        record = desk.chargebee.read(link.chargebee_id) or {}
    there = told_by_chargebee(desk.setting, record) if record else None
    is_ours = there is not None and there.customer is not None and there.customer.qad_reference == link.qad_code
    return there if is_ours else None


def _made(desk: Desk, link: AlignedCustomer) -> str:
    """Mapping and state learn of it together; then it is compared like every other pair."""
    now = desk.clock()
    with transaction.atomic():
        note = "Created in Chargebee by the connector"
        pair = [(link.chargebee_id, link.qad_code)]
        refused = map_customers(desk.setting.tenant, pair, note=note, now=now, actor=desk.actor)
        if not refused:
            AlignedCustomer.objects.filter(pk=link.pk, state=LinkState.CREATING).update(
                state=LinkState.ALIGNED, reason="", not_before=None, changed_at=now
            )
            journal.close(link, (ConflictKind.BLOCKED,), now)
            line = audit.Line("created-in-chargebee", f"customer:{link.chargebee_id}", after={"qad": link.qad_code})
            audit.record(link.tenant_id, [line], actor=desk.actor, now=now)
    if refused:
        return _refuse(desk, link, " ".join(str(problem) for problem in refused[link.chargebee_id]))
    return "created"


def _later(link: AlignedCustomer, why: str, at: dt.datetime) -> str:
    AlignedCustomer.objects.filter(pk=link.pk).update(reason=why, not_before=at)
    return "put off"


def _refuse(desk: Desk, link: AlignedCustomer, why: str) -> str:
    """It is tried again by itself once in a while, and at once when a person presses Replay."""
    now = desk.clock()
    with transaction.atomic():
        AlignedCustomer.objects.filter(pk=link.pk).update(reason=why, not_before=now + AGAIN, changed_at=now)
        journal.open_line(link, ConflictKind.BLOCKED, why, now=now)
    return "blocked"
