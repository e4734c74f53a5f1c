"""Tests that CI leaves out, since others there show nearly the same: a run of CI has its limit.

`make test` and `./install.sh test` run them. A name is a file and the beginning of a test's name.
"""

LONG = (
    "tests/cli/test_doctor.py::test_a_server_at_work_is_left_alone",
    "tests/doctor/test_probes_mechanics_scripted.py::TestReuse::test_where_nothing_is_counted",
    "tests/e2e/test_bench.py::test_two_budgets_are_compared",
    "tests/e2e/test_doctor.py::test_sampling_that_was_seen_ignored",
    "tests/e2e/test_driven.py::test_a_reader_that_comes_late_gets_everything",
    "tests/e2e/test_gguf.py::test_an_engine_that_cannot_be_kept_up",
    "tests/live/test_client_live.py::test_three_turns_of_six_calls",  # test_laws_live.py
    "tests/live/test_client_live.py::test_under_plain_the_same_run",
    "tests/live/test_compaction_live.py::test_the_question_for_a_summary_reads_nothing_again[3.5]",
    "tests/live/test_figures_live.py::test_a_thinking_budget_holds_on_llamacpp_with_its_parameter_and_"
    "without[refused]",
    "tests/live/test_laws_live.py::test_three_turns_of_six_calls_read_at_most_64_tokens_again_each[3.5]",
    "tests/live/test_proxy.py::",  # that the bench's proxy measures well
    "tests/serve/test_pulse.py::test_an_engine_that_was_stopped_is_started_again",  # e2e, too
    "tests/serve/test_shared.py::test_crashes_before_it_ran_well",
    "tests/server/test_heldout.py::test_a_cut_of_the_bytes_changes_nothing",  # bench repair, too
    "tests/server/test_textcalls.py::test_no_cut_of_the_bytes_changes_what_is_read",  # the same
)
