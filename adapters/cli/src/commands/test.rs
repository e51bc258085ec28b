//! `etalon test`: golden cases, offline.

use std::path::PathBuf;

use clap::Args;
use etalon_driver::cases;

use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A case's folder, or a folder of cases
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Take what comes out as what is expected from now on
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let cases = cases::find(&arguments.path)?;
    if cases.is_empty() {
        let message =
            format!("{}: there is no case (a folder with a {})", arguments.path.display(), cases::PIPELINE_FILE);
        return Err(Failure::World(message));
    }
    let mut failed = 0;
    for case in &cases {
        let name = case.display();
        if arguments.update {
            cases::update(case)?;
            output.data(&format!("updated {name}\n"))?;
            continue;
        }
        let differences = cases::check(case)?;
        if differences.is_empty() {
            output.data(&format!("passed  {name}\n"))?;
            continue;
        }
        failed += 1;
        output.data(&format!("FAILED  {name}\n"))?;
        for difference in &differences {
            output.data(&format!("  expected/{}, line {}\n", difference.file, difference.line))?;
            let shown = |line: &Option<String>| line.clone().unwrap_or_else(|| "(nothing)".to_owned());
            output.data(&format!("    expected: {}\n", shown(&difference.expected)))?;
            output.data(&format!("    found:    {}\n", shown(&difference.found)))?;
        }
    }
    if !arguments.update {
        output.data(&format!("{} passed, {failed} failed\n", cases.len() - failed))?;
    }
    if failed == 0 { Ok(()) } else { Err(Failure::Unwanted) }
}
