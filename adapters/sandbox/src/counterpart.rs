//! Counterpart: runs tests that need another program, which may be missing: a database, or a stand-in for a cloud.
//!
//! If the program is missing, a test reports `absent` and is not counted as passed; if `$ETALON_REQUIRE_COUNTERPARTS` is set,
//! it fails.

use std::io::{self, ErrorKind};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

/// A test that needs a counterpart, and its name.
pub type Test<C> = (&'static str, fn(&C));

/// Runs tests that share a counterpart; the `main` of a test without a harness. What is missing, `start` tells by
/// `NotFound` and its name.
pub fn main<C: Send + Sync + 'static>(start: impl FnOnce() -> io::Result<C>, tests: &[Test<C>]) -> ExitCode {
    // Wrong arguments end the program, and must not leave a process behind.
    let arguments = Arguments::from_args();
    let is_required = std::env::var_os("ETALON_REQUIRE_COUNTERPARTS").is_some();
    let started = start().map(Arc::new);
    let trial = |&(name, test): &Test<C>| match &started {
        Ok(counterpart) => {
            let counterpart = counterpart.clone();
            Trial::test(name, move || {
                test(&counterpart);
                Ok(())
            })
        }
        Err(error) if error.kind() == ErrorKind::NotFound && !is_required => {
            Trial::test(name, || Ok(())).with_kind(format!("absent: {error}")).with_ignored_flag(true)
        }
        Err(error) => {
            let words = format!("absent: {error}");
            Trial::test(name, || Err(words.into()))
        }
    };
    libtest_mimic::run(&arguments, tests.iter().map(trial).collect()).exit_code()
}

/// The `main` where something is missing that nobody needs to have: the tests are told, and not run.
pub fn absent<C: 'static>(what: &str, tests: &[Test<C>]) -> ExitCode {
    let trial = |&(name, _): &Test<C>| {
        Trial::test(name, || Ok(())).with_kind(format!("absent: {what}")).with_ignored_flag(true)
    };
    libtest_mimic::run(&Arguments::from_args(), tests.iter().map(trial).collect()).exit_code()
}
