//! Runs every case of `cases/`: what comes out must be what is expected, byte for byte. `UPDATE_GOLDEN=1` takes what
//! comes out as what is expected.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::process::ExitCode;

use etalon_driver::cases;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let trials = cases::find(&folder).unwrap().into_iter().map(|case| {
        let name = case.strip_prefix(&folder).unwrap().display().to_string();
        Trial::test(name, move || check(&case))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn check(case: &Path) -> Result<(), Failed> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return Ok(cases::update(case)?);
    }
    if !case.join("expected").is_dir() {
        return Err("the case has no folder `expected`; UPDATE_GOLDEN=1 makes it".into());
    }
    let differences = cases::check(case)?;
    let shown = differences.iter().map(|difference| format!("{difference:#?}")).collect::<Vec<_>>().join("\n");
    if differences.is_empty() { Ok(()) } else { Err(shown.into()) }
}
