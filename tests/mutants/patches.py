"""What is taken away, where, and which tests must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands exactly once in `path` and becomes `new`; `tests` are pytest's own arguments."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


def flow(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/flows/test_{file}.py::{name}" for name in names)


def reading(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/syncs/test_reading.py::{name}" for name in names)


MERGING = (
    "tests/kernel/ledger/test_merging.py::test_any_edits_and_crashes_end_the_same_on_both_sides_with_no_edit_lost",
)
CUSTOMERS = (
    Mutant(
        "customers: a base of values alone, without the version of an unfinished write",
        "connector/ledger/merging.py",
        "        elif base is not None:",
        "        elif base is None and base:",
        MERGING,
    ),
    Mutant(
        "customers: the last writer wins, whoever owns the field",
        "connector/ledger/merging.py",
        'if rule.owner in (editor, "shared"):',
        "if editor:",
        MERGING,
    ),
    Mutant(
        "customers: nothing is said of the edit that lost",
        "connector/ledger/merging.py",
        "rule.owner, chargebee, qad, projection, Lost.BOTH_CHANGED",
        "rule.owner, chargebee, qad, projection, Lost.NOTHING",
        MERGING,
    ),
    Mutant(
        "customers: a write without a line for what it takes away",
        "syncs/alignment/writing.py",
        "        lines = journal.log_lost(link, pair, pending, now, told=told)\n",
        "        lines: list[AlignedCustomer] = []\n",
        flow("customers_converge", "test_a_killed_write_loses_no_line_of_the_log"),
    ),
    Mutant(
        "customers: a record that goes back whole as it was read before the other side was written",
        "syncs/alignment/writing.py",
        "    if both.latest != side:  # time",
        "    if both.latest is None:  # time",
        flow(
            "half_written_customers",
            "test_an_address_that_is_edited_while_qad_is_written_is_not_replaced_by_an_older_one",
        ),
    ),
    Mutant(
        "customers: what cannot be read back counts as never written",
        "syncs/alignment/steps.py",
        '        raise Uncertain(f"QAD took a change of customer {code} and cannot be read: {error}") from error\n',
        "        raise error\n",
        flow("half_written_customers", "test_what_a_write_took_away_keeps_its_line_when_it_cannot_be_read_back"),
    ),
    Mutant(
        "customers: a write without a promise",
        "syncs/alignment/writing.py",
        '        _save(link, "pending", "base")\n',
        '        _save(link, "base")\n',
        flow("customers_converge", "test_an_edit_after_a_killed_write_is_seen_even_if_it_reads_as_before"),
    ),
)

MUTANTS = (
    *CUSTOMERS,
    Mutant(
        "the fence: a worker settles what is no longer its own",
        "syncs/settling.py",
        '"id" = %s AND "state" = %s AND "attempt_key" = %s',
        '"id" = %s AND %s <> %s',
        flow(
            "sending",
            "test_a_worker_that_comes_back_too_late_writes_nothing_over_what_others_found",
            "test_a_worker_of_an_older_attempt_writes_nothing",
        ),
    ),
    Mutant(
        "the look-up before a release",
        "syncs/sweeping.py",
        "found = client.look_up(entity_of(posting), posting.reference)",
        "found = ()",
        flow("lost_replies", "test_it_adopts_what_qad_posted_when_the_reply_was_spoilt_by"),
    ),
    Mutant(
        "the constraint: one posting of a customer in flight",
        "syncs/migrations/0001_initial.py",
        "condition=models.Q(('state__in', ('sending', 'uncertain'))), fields=('tenant', 'order_key')",
        "condition=models.Q(('state', 'nothing')), fields=('tenant', 'order_key')",
        flow("sending", "test_the_database_allows_one_posting_of_a_customer_in_flight"),
    ),
    Mutant(
        "the switch that stops a drain under way",
        "syncs/posting.py",
        "    while may_claim(tenant):",
        "    while tenant:",
        flow("sending", "test_switched_off_while_it_posts_it_stops_after_the_batch_that_is_under_way"),
    ),
    Mutant(
        "the look whether that constraint is there",
        "syncs/permission.py",
        "absent = indexes.missing(connection)",
        "absent: list[str] = []",
        flow("refused", "test_it_sends_nothing_while_the_index_is_gone_that_keeps_a_customers_documents_apart"),
    ),
    Mutant(
        "the settle window of an answer that never came",
        "syncs/settling.py",
        '"settle_at": claim.deadline + pace.settle',
        '"settle_at": now',
        flow("lost_replies", "test_it_sends_once_more_when_two_looks_after_the_window_find_nothing"),
    ),
    Mutant(
        "the settle window when a person asks early",
        "syncs/sweeping.py",
        "if posting.settle_at is not None and now < posting.settle_at:",
        "if posting.settle_at is None:",
        flow("refused", "test_pressing_replay_on_an_absent_document_shortens_no_window"),
    ),
    Mutant(
        "the attempt that is committed before a byte leaves",
        "syncs/posting.py",
        "attempts = Attempt.objects.bulk_create(_attempt(posting, key, deadline, revised, now)",
        "attempts = list(_attempt(posting, key, deadline, revised, now)",
        flow("sending", "test_it_commits_the_attempt_before_a_byte_leaves"),
    ),
    Mutant(
        "doubt: an unknown outcome is sent again",
        "syncs/sending.py",
        "Uncertain: lambda key, error: Result(key, Outcome.UNCERTAIN, error.message, exchange=_exchange(error))",
        "Uncertain: _not_sent",
        flow("lost_replies", "test_it_adopts_what_qad_posted_when_the_reply_was_spoilt_by"),
    ),
    Mutant(
        "the lease: a dead worker's posting is ready again",
        "syncs/sweeping.py",
        "state=PostingState.UNCERTAIN, settle_at=deadline + pace.settle, absences=0, changed_at=now",
        "state=PostingState.READY, absences=0, changed_at=now",
        flow("sending", "test_a_dead_worker_leaves_its_postings_uncertain_and_never_ready"),
    ),
    Mutant(
        "the second look",
        "syncs/sweeping.py",
        "ABSENCES_NEEDED = 2",
        "ABSENCES_NEEDED = 1",
        flow("lost_replies", "test_it_finds_between_its_two_looks_what_the_list_showed_late"),
    ),
    Mutant(
        "the proof that the look-up works",
        "syncs/sweeping.py",
        "is_trusted = bool(found) or _canary_is_found(tenant, client, posting, now)",
        "is_trusted = True",
        flow("lost_replies", "test_it_never_sends_again_while_nothing_proves_that_the_look_up_works"),
    ),
    Mutant(
        "the claim that takes only what is ready",
        "syncs/posting.py",
        "Posting.objects.filter(pk__in=candidates, state=PostingState.READY).update(",
        "Posting.objects.filter(pk__in=candidates).update(",
        flow("sending", "test_a_claim_takes_only_what_is_still_ready"),
    ),
    Mutant(
        "the mappings: a claim that does not compare again",
        "syncs/posting.py",
        "if not (is_followed(tenant.pk) and belonging.is_followed(tenant)):",
        "if not belonging.is_followed(tenant):",
        flow(
            "followed_before_sent",
            "test_a_mapping_that_is_saved_between_the_choice_and_the_claim_keeps_the_claim_empty",
        ),
    ),
    Mutant(
        "the mappings: a pass that codes nothing anew",
        "syncs/following.py",
        "    return _code_anew(desk, rows, now, actor)\n",
        "    return 0\n",
        flow("followed_before_sent", "test_a_drain_codes_anew_what_a_dead_process_left_behind"),
    ),
    Mutant(
        "the mappings: what comes back unsent goes out as it was",
        "syncs/settling.py",
        "        recode_returned(tenant, finished, now=now, actor=actor)\n",
        "",
        flow("followed_before_sent", "test_what_comes_back_unsent_is_coded_by_what_was_saved_on_its_way"),
    ),
    Mutant(
        "the mappings: what is proved absent goes out as it was",
        "syncs/sweeping.py",
        "        recode_returned(tenant, posting.tries.filter(number=posting.attempts), now=now, actor=actor)\n",
        "",
        flow("followed_before_sent", "test_what_is_proved_absent_is_coded_by_what_was_saved_on_its_way"),
    ),
    Mutant(
        "the mappings: a desk that was opened before a save decides",
        "syncs/preparing.py",
        "    desk = up_to_date(desk)\n    batch = Batch(desk, now, actor)",
        "    batch = Batch(desk, now, actor)",
        flow("followed_before_sent", "test_a_desk_that_was_opened_before_a_save_codes_nothing_by_the_old_mapping"),
    ),
    Mutant(
        "the mappings: what waited for its period goes out as it was",
        "syncs/redating.py",
        "    recode(desk.tenant, freed, now=now, actor=actor)",
        "    recode(desk.tenant, [], now=now, actor=actor)",
        flow("followed_before_sent", "test_what_waited_for_its_period_is_coded_by_what_was_saved_meanwhile"),
    ),
    Mutant(
        "the document that is frozen once it was prepared",
        "syncs/posting.py",
        "if content_hash(posting.document) != posting.document_hash:",
        "if False:",
        flow("refused", "test_it_does_not_send_a_document_that_was_altered_in_the_database"),
    ),
    Mutant(
        "the triggers that are looked for before anything is sent",
        "syncs/permission.py",
        "    missing = guards.missing(connection)\n    if missing:\n        return _unguarded(missing)",
        "    missing: list[str] = []",
        flow("refused", "test_it_prepares_but_sends_nothing_while"),
    ),
    Mutant(
        "restore mode: what QAD has and nobody here knows",
        "syncs/restoring.py",
        "    if strangers:\n        names",
        "    if False:\n        names",
        flow("copied_database", "test_another_installation_that_posts_under_the_same_prefix_stops_it"),
    ),
    Mutant(
        "restore mode: what QAD has and was never sent from here",
        "syncs/restoring.py",
        "    if unsent:\n        return",
        "    if False:\n        return",
        flow("copied_database", "test_a_document_that_qad_has_and_was_never_sent_from_here_stops_it"),
    ),
    Mutant(
        "restore mode: nothing is sent while it is on",
        "syncs/permission.py",
        "installation.why_not_here() or restoring.why_restoring(tenant)",
        "installation.why_not_here()",
        flow("copied_database", "test_yesterdays_copy_sends_nothing_and_says_why"),
    ),
    Mutant(
        "the installation that the database belongs to",
        "syncs/permission.py",
        "installation.why_not_here() or restoring.why_restoring(tenant)",
        "restoring.why_restoring(tenant)",
        flow("copied_database", "test_the_database_of_another_installation_posts_nothing_until_it_is_taken_over"),
    ),
    Mutant(
        "the connection that is left alone after doubtful answers",
        "syncs/sending.py",
        "return self._is_refused or self._doubts >= DOUBTS_IN_A_ROW",
        "return self._is_refused",
        flow("stopped_connection", "test_an_instance_that_breaks_off_is_left_alone_after_a_few_and_tried_with_one"),
    ),
    Mutant(
        "live posting without a certification",
        "syncs/certified.py",
        "    if tenant.mode != Mode.LIVE:\n        return",
        "    if tenant:\n        return",
        flow("certify", "test_live_posting_is_off_until_the_profile_in_use_is_certified"),
    ),
    Mutant(
        "the look before a resend",
        "syncs/sending.py",
        "if sending.look_up and (found :=",
        "if False and (found :=",
        flow("lost_replies", "test_a_resend_looks_first_whether_qad_has_it"),
    ),
    Mutant(
        "the comparison of what was found",
        "syncs/matching.py",
        "if found.total is not None and abs(found.total) != abs(posting.total.amount):",
        "if False:",
        flow("lost_replies", "test_it_shows_a_conflict_when_qad_has_another_amount_under_its_reference"),
    ),
    Mutant(
        "the end of a batch's time",
        "syncs/sending.py",
        "if time.monotonic() >= send_until:",
        "if False:",
        flow("sending", "test_it_sends_nothing_after_the_time_of_its_batch"),
    ),
    Mutant(
        "no network inside a transaction",
        "syncs/sending.py",
        "if connection.in_atomic_block:",
        "if False:",
        flow("sending", "test_it_refuses_to_look_up_inside_a_transaction"),
    ),
    Mutant(
        "the completeness equation",
        "syncs/completeness.py",
        '        _name(balance, "missing", source_id, listed)\n        return',
        "        balance.listed -= 1\n        return",
        flow("accounted_for", "test_a_run_that_lost_a_row_is_red_and_names_it"),
    ),
    Mutant(
        "the watermark that waits for the end of a pass",
        "syncs/intake.py",
        "    cursor, _ = Cursor.objects.get_or_create(tenant=tenant, kind=kind)\n",
        "    cursor, _ = Cursor.objects.get_or_create(tenant=tenant, kind=kind)\n"
        "    _advance(tenant, cursor, Reached(clock(), clock()), clock(), is_whole=False)\n",
        flow("accounted_for", "test_a_run_that_chargebee_broke_off_is_stopped_and_its_watermark_stays"),
    ),
    Mutant(
        "newest first: a pass goes oldest first",
        "connector/chargebee/resources.py",
        'params["sort_by[desc]"] = resource.sort_by',
        'params["sort_by[asc]"] = resource.sort_by',
        reading("test_a_row_that_nobody_edits_is_read_though_others_move_between_the_pages"),
    ),
    Mutant(
        "the overlap of two passes",
        "connector/chargebee/cursor.py",
        "int((watermark - overlap).timestamp()) - 1",
        "int(watermark.timestamp()) - 1",
        reading("test_a_change_that_shows_minutes_after_its_stamp_is_read"),
    ),
    Mutant(
        "the second at the edge of the overlap",
        "connector/chargebee/cursor.py",
        "int((watermark - overlap).timestamp()) - 1",
        "int((watermark - overlap).timestamp())",
        reading("test_a_change_at_the_very_edge_of_the_overlap_is_read"),
    ),
    Mutant(
        "the first pass that is not filtered",
        "connector/chargebee/cursor.py",
        "return None if watermark is None else",
        "return 0 if watermark is None else",
        reading("test_the_first_pass_takes_rows_that_have_no_updated_at"),
    ),
    Mutant(
        "Chargebee's clock: the watermark is ours",
        "syncs/intake.py",
        "    return Reached(theirs, ours)",
        "    return Reached(ours, ours)",
        reading("test_the_watermark_is_chargebees_time_whatever_our_clock_says"),
    ),
    Mutant(
        "the watermark that no document's stamp moves",
        "syncs/intake.py",
        "        yield len(page.rows)",
        "        stamps = [row.updated_at for row in map(row_of, page.rows) if row.updated_at]\n"
        "        reached = Reached(max([reached.watermark, *stamps]), reached.ours) if reached else None\n"
        "        yield len(page.rows)",
        reading("test_a_stamp_in_the_future_moves_no_watermark"),
    ),
    Mutant(
        "the look whether Chargebee's clock went back",
        "connector/chargebee/cursor.py",
        "return (ours - before.ours) - (theirs - before.watermark) > LARGEST_SKEW",
        "return False",
        reading("test_a_clock_that_went_back_and_caught_up_unseen_hides_nothing"),
    ),
    Mutant(
        "the later of two states",
        "connector/chargebee/versions.py",
        "    if mine < other:\n",
        "    if False:\n",
        reading("test_an_old_page_does_not_bring_a_deleted_document_back"),
    ),
)
