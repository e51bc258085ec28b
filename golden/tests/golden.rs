//! Runs every case of `cases/`: what comes out must be what is expected, byte for byte. `UPDATE_GOLDEN=1` takes what
//! comes out as what is expected.

use std::path::Path;

use etalon_driver::cases;

fn case(pipeline: &Path) -> datatest_stable::Result<()> {
    let case = pipeline.parent().ok_or("a pipeline file lies in its case's folder")?;
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        cases::update(case)?;
        return Ok(());
    }
    if !case.join("expected").is_dir() {
        return Err("the case has no folder `expected`; UPDATE_GOLDEN=1 makes it".into());
    }
    let differences = cases::check(case)?;
    let shown = differences.iter().map(|difference| format!("{difference:#?}")).collect::<Vec<_>>().join("\n");
    if differences.is_empty() { Ok(()) } else { Err(shown.into()) }
}

datatest_stable::harness! {
    { test = case, root = "cases", pattern = r"^.*/pipeline\.yaml$" },
}
