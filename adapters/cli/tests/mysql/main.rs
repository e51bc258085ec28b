//! MySQL as a source: the command reads a real MariaDB and loads what it gives.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

mod connect;
mod errors;
mod runs;
#[path = "../source/mod.rs"]
mod source;
mod types;

use std::process::ExitCode;

use etalon_golden::mariadb;

fn main() -> ExitCode {
    mariadb::main(&[
        ("what_is_new_is_loaded_and_nothing_twice", runs::what_is_new_is_loaded_and_nothing_twice),
        ("a_snapshot_takes_the_place_of_the_last", runs::a_snapshot_takes_the_place_of_the_last),
        ("settings_of_a_server_hide_no_rows", runs::settings_of_a_server_hide_no_rows),
        ("a_query_and_a_number_that_grows", runs::a_query_and_a_number_that_grows),
        ("days_are_read_when_they_are_over", runs::days_are_read_when_they_are_over),
        ("a_table_has_a_pipeline_to_begin_with", runs::a_table_has_a_pipeline_to_begin_with),
        ("a_database_says_how_it_will_be_read", connect::a_database_says_how_it_will_be_read),
        ("a_replica_is_read_as_far_as_it_is", connect::a_replica_is_read_as_far_as_it_is),
        ("every_type_arrives_or_is_told", types::every_type_arrives_or_is_told),
        ("what_a_user_sees_when_a_source_fails", errors::what_a_user_sees_when_a_source_fails),
        ("a_server_of_another_time_zone_is_told", errors::a_server_of_another_time_zone_is_told),
    ])
}
