//! The Redshift Data API of the sandbox, over a private PostgreSQL.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

mod api;
mod wire;

use std::process::ExitCode;
use std::sync::Arc;

use etalon_sandbox::postgres::Server;
use libtest_mimic::{Arguments, Trial};

/// A test that needs a server, and its name.
type Test = (&'static str, fn(&Server));

fn main() -> ExitCode {
    // Wrong arguments end the program, and must not leave a server behind.
    let arguments = Arguments::from_args();
    let is_required = std::env::var_os("ETALON_REQUIRE_COUNTERPARTS").is_some();
    let server = Server::start().unwrap().map(Arc::new);
    let trial = |&(name, test): &Test| match server.clone() {
        Some(server) => Trial::test(name, move || {
            test(&server);
            Ok(())
        }),
        None if is_required => Trial::test(name, || Err("absent: PostgreSQL".into())),
        None => Trial::test(name, || Ok(())).with_kind("absent: PostgreSQL").with_ignored_flag(true),
    };
    let tests = [wire::TESTS].concat();
    libtest_mimic::run(&arguments, tests.iter().map(trial).collect()).exit_code()
}
