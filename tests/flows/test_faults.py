"""Every fault that the posting protocol is built for, and the tests that show what becomes of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

# fault -> (what is expected, the tests that show it, as file::test)
FAULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "the name of QAD's host does not exist": (
        "ready again after a pause, no attempt counts as sent",
        (
            "flows/test_refused.py::test_it_waits_and_counts_nothing_when_qad_cannot_be_reached",
            "kernel/http/test_session.py::test_it_tells_a_name_that_does_not_exist_from_a_name_server_that_is_silent",
        ),
    ),
    "the connection is refused or takes too long": (
        "ready again after a pause, however often",
        (
            "flows/test_refused.py::test_it_waits_and_counts_nothing_when_qad_cannot_be_reached",
            "flows/test_refused.py::test_it_backs_off_further_each_time_and_never_gives_up_what_was_not_sent",
            "kernel/http/test_session.py::test_it_is_transient_when_connecting_takes_too_long",
        ),
    ),
    "the certificate is wrong": (
        "the connection stops until a test succeeds, nothing is sent",
        (
            "kernel/http/test_tls.py::test_it_is_a_configuration_error_when_the_certificate_is_wrong",
            "flows/test_stopped_connection.py::test_a_refusal_waits_for_a_test_that_succeeds",
        ),
    ),
    "a reset before any byte of the body": (
        "ready, or in doubt where bytes may have left",
        (
            "kernel/http/test_session.py::test_it_opens_a_new_connection_when_the_old_one_was_closed_in_order",
            "kernel/http/test_session.py::test_it_is_uncertain_whatever_breaks_once_bytes_have_left",
        ),
    ),
    "a reset in the middle of the body": (
        "uncertain",
        ("kernel/http/test_session.py::test_it_is_uncertain_whatever_breaks_once_bytes_have_left",),
    ),
    "posted, and the answer is lost": (
        "looked up and adopted, one document",
        ("flows/test_lost_replies.py::test_it_adopts_what_qad_posted_when_the_reply_was_spoilt_by",),
    ),
    "not posted, and the answer is lost": (
        "sent once more after two looks",
        ("flows/test_lost_replies.py::test_it_sends_once_more_when_two_looks_after_the_window_find_nothing",),
    ),
    "posted late": (
        "no second document",
        (
            "flows/test_lost_replies.py::test_it_waits_long_enough_for_what_qad_posts_late",
            "flows/test_posting_machine.py::test_whatever_happens_each_document_is_posted_once",
        ),
    ),
    "an answer that drips": (
        "the deadline over the whole call ends it: uncertain",
        (
            "kernel/http/test_session.py::test_it_names_the_deadline_that_passed",
            "kernel/http/test_session.py::test_it_counts_the_deadline_over_the_sending_too",
        ),
    ),
    "a stale connection": (
        "never repeated by the line",
        ("kernel/http/test_session.py::test_it_never_repeats_a_call_that_died_on_a_stale_connection",),
    ),
    "a proxy that repeats our request": (
        "found by the daily reading, with what to do",
        (
            "flows/test_twice_in_qad.py::test_a_proxy_that_repeats_our_request_is_found_and_the_document_says_what_to_do",
        ),
    ),
    "429 with, without, or with a nonsense Retry-After": (
        "a bounded wait; other tenants go on",
        (
            "flows/test_stopped_connection.py::test_it_waits_as_long_as_qad_asks_within_reason",
            "flows/test_stopped_connection.py::test_one_tenants_stopped_connection_stops_no_other",
            "kernel/http/test_retry.py::test_it_reads_both_forms_of_retry_after_and_bounds_them",
        ),
    ),
    "500, posted or not": (
        "uncertain, both",
        (
            "flows/test_lost_replies.py::test_it_adopts_what_qad_posted_when_the_reply_was_spoilt_by",
            "flows/test_lost_replies.py::test_it_sends_once_more_when_two_looks_after_the_window_find_nothing",
        ),
    ),
    "502, 503, 504, one after the other": (
        "the connection is left alone after a few and tried with one document",
        (
            "flows/test_stopped_connection.py"
            "::test_an_instance_that_breaks_off_is_left_alone_after_a_few_and_tried_with_one",
        ),
    ),
    "401 or 403 in the middle": (
        "stopped once, told once, goes on after a test, nothing lost",
        (
            "flows/test_refused.py::test_it_stops_at_once_when_qad_no_longer_knows_us_and_loses_nothing",
            "flows/test_stopped_connection.py::test_a_refusal_waits_for_a_test_that_succeeds",
        ),
    ),
    "a refusal for a business reason": (
        "rejected in QAD's words, with a next step",
        ("flows/test_refused.py::test_it_shows_qads_own_reason_and_the_next_step_when_qad_says_no",),
    ),
    "409, or 'the reference exists already'": (
        "never a refusal: looked up",
        (
            "kernel/qad/test_client.py::test_it_is_in_doubt_where_the_instance_refuses_a_duplicate",
            "flows/test_lost_replies.py::test_a_resend_looks_first_whether_qad_has_it",
        ),
    ),
    "200 with an error in the body, without a number, or about another document": (
        "believed only as far as it proves something",
        (
            "kernel/qad/test_replies.py::test_it_believes_a_reply_only_as_far_as_it_proves",
            "flows/test_lost_replies.py::test_it_adopts_what_qad_posted_when_the_reply_was_spoilt_by",
        ),
    ),
    "a redirect": (
        "not followed, no credentials forwarded",
        ("kernel/http/test_session.py::test_it_does_not_follow_a_redirect_and_reports_it",),
    ),
    "413, or a path that has moved": (
        "rejected, or stopped with the key of the profile to correct",
        (
            "kernel/qad/test_replies.py::test_it_believes_a_reply_only_as_far_as_it_proves",
            "kernel/qad/test_replies.py::test_it_says_where_a_wrong_path_is_changed",
        ),
    ),
    "two workers, two schedulers": (
        "one conditional update, one document",
        (
            "flows/test_sending.py::test_two_claims_share_nothing",
            "flows/test_sending.py::test_a_claim_takes_only_what_is_still_ready",
            "flows/test_sending.py::test_two_workers_that_drain_at_once_send_each_document_once",
            "flows/test_killed.py::test_two_processes_that_sync_and_drain_at_once_post_each_document_once",
        ),
    ),
    "a worker that pauses beyond its lease": (
        "the fence keeps it from writing, one document",
        (
            "flows/test_sending.py::test_a_worker_that_comes_back_too_late_writes_nothing_over_what_others_found",
            "flows/test_kill_points.py::test_a_paused_worker_and_another_that_takes_over",
        ),
    ),
    "kill -9 at any point": (
        "the table of ARCHITECTURE.md, one document",
        (
            "flows/test_kill_points.py::test_before_the_claim_is_committed",
            "flows/test_kill_points.py::test_after_the_claim_and_before_the_send",
            "flows/test_kill_points.py::test_in_the_middle_of_the_send",
            "flows/test_kill_points.py::test_qad_has_posted_it_and_the_answer_is_lost",
            "flows/test_kill_points.py::test_the_answer_is_read_and_not_written_down",
            "flows/test_kill_points.py::test_in_the_middle_of_writing_the_audit_line",
            "flows/test_kill_points.py::test_posted_and_not_yet_read_back",
        ),
    ),
    "a deployment stops a worker while it sends": (
        "as after a kill: looked up, one document",
        ("flows/test_kill_points.py::test_in_the_middle_of_the_send",),
    ),
    "the database is lost while a result is written": (
        "nothing of it is written, found again by its reference",
        ("flows/test_sending.py::test_an_answer_that_cannot_be_written_down_is_found_again",),
    ),
    "another writer holds the database": (
        "waited for, the whole transaction at once",
        ("flows/test_killed.py::test_two_processes_that_sync_and_drain_at_once_post_each_document_once",),
    ),
    "yesterday's backup is restored": (
        "restore mode, one document each",
        (
            "flows/test_copied_database.py::test_yesterdays_copy_sends_nothing_and_says_why",
            "flows/test_copied_database.py::test_a_person_ends_it_and_everything_stands_once",
            "flows/test_kill_points.py::test_the_database_lost_its_last_commits",
        ),
    ),
    "an index or a trigger is missing": (
        "nothing is sent, and the sentence names it",
        (
            "flows/test_refused.py"
            "::test_it_sends_nothing_while_the_index_is_gone_that_keeps_a_customers_documents_apart",
            "flows/test_refused.py::test_it_sends_nothing_after_a_column_was_altered_which_drops_the_triggers_silently",
        ),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_becomes_of_each_fault_is_shown_by_tests_that_exist(fault):
    expected, tests = FAULTS[fault]

    assert expected
    assert [test for test in tests if not _exists(test)] == []


def _exists(test: str) -> bool:
    path, name = test.split("::")
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)
