//! Databases as sources: the command reads a real PostgreSQL and loads what it gives.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

mod connect;
mod errors;
mod runs;
#[path = "../source/mod.rs"]
mod source;
mod types;

use std::process::ExitCode;

use etalon_golden::postgres;

fn main() -> ExitCode {
    postgres::main(&[
        ("what_is_new_is_loaded_and_nothing_twice", runs::what_is_new_is_loaded_and_nothing_twice),
        ("a_snapshot_takes_the_place_of_the_last", runs::a_snapshot_takes_the_place_of_the_last),
        ("a_query_and_a_number_that_grows", runs::a_query_and_a_number_that_grows),
        ("an_append_adds_nothing_twice_unsaid", runs::an_append_adds_nothing_twice_unsaid),
        ("what_landed_is_read_by_its_columns", runs::what_landed_is_read_by_its_columns),
        ("numbers_that_begin_anew_are_told", runs::numbers_that_begin_anew_are_told),
        ("a_clock_behind_utc_is_refused", runs::a_clock_behind_utc_is_refused),
        ("another_database_is_refused", runs::another_database_is_refused),
        ("numbers_that_repeat_lose_nothing", runs::numbers_that_repeat_lose_nothing),
        ("an_older_snapshot_is_not_released", runs::an_older_snapshot_is_not_released),
        (
            "what_has_landed_is_loaded_though_the_source_is_gone",
            runs::what_has_landed_is_loaded_though_the_source_is_gone,
        ),
        ("a_table_has_a_pipeline_to_begin_with", runs::a_table_has_a_pipeline_to_begin_with),
        ("rejects_are_redriven_from_what_has_landed", runs::rejects_are_redriven_from_what_has_landed),
        ("a_database_says_how_it_will_be_read", connect::a_database_says_how_it_will_be_read),
        ("a_replica_is_read_as_far_as_it_has_replayed", connect::a_replica_is_read_as_far_as_it_has_replayed),
        ("every_type_arrives_or_is_told", types::every_type_arrives_or_is_told),
        ("what_a_user_sees_when_a_source_fails", errors::what_a_user_sees_when_a_source_fails),
    ])
}
