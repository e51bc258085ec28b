//! `etalon test`: runs golden cases, offline.

use std::path::PathBuf;

use clap::Args;
use etalon_driver::cases::{self, Difference};
use serde::Serialize;

use super::Verb;
use crate::arguments::Written;
use crate::failure::Failure;
use crate::output::Output;
use crate::view::{Column, Kind, Table, View};

/// Run golden cases: folders with a pipeline, its input and the expected output
#[derive(Debug, Args)]
pub(super) struct Test {
    /// A case's folder, or a folder of cases
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Save the present output as the expected output
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    written: Written,
}

/// The cases, and how each ended.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Tested(Vec<Case>);

#[derive(Debug, Serialize)]
struct Case {
    case: String,
    result: CaseResult,
    /// The first line of each file that differs.
    differences: Vec<Differs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum CaseResult {
    Passed,
    Failed,
    Updated,
}

#[derive(Debug, Serialize)]
struct Differs {
    file: String,
    line: usize,
    expected: Option<String>,
    found: Option<String>,
}

impl From<Difference> for Differs {
    fn from(Difference { file, line, expected, found }: Difference) -> Self {
        Self { file: format!("expected/{file}"), line, expected, found }
    }
}

impl Verb for Test {
    const NAME: &'static str = "test";
    type Found = Tested;

    fn carry_out(&self, _: Output) -> Result<Tested, Failure> {
        let cases = cases::find(&self.path)?;
        if cases.is_empty() {
            let message =
                format!("{}: there is no case (a folder with a {})", self.path.display(), cases::PIPELINE_FILE);
            return Err(Failure::environment(message));
        }
        let tested = cases.iter().map(|folder| {
            let case = folder.display().to_string();
            if self.update {
                cases::update(folder)?;
                return Ok(Case { case, result: CaseResult::Updated, differences: Vec::new() });
            }
            let differences: Vec<Differs> = cases::check(folder)?.into_iter().map(Differs::from).collect();
            let result = if differences.is_empty() { CaseResult::Passed } else { CaseResult::Failed };
            Ok(Case { case, result, differences })
        });
        Ok(Tested(tested.collect::<Result<_, Failure>>()?))
    }
}

impl Tested {
    fn count(&self, result: CaseResult) -> usize {
        self.0.iter().filter(|case| case.result == result).count()
    }
}

impl View for Tested {
    fn table(&self) -> Table {
        let kinds = [("case", Kind::Text), ("result", Kind::Text), ("file", Kind::Text), ("line", Kind::Number)];
        let mut table = Table::new(kinds.map(|(name, kind)| Column::new(name, kind)).to_vec());
        for Case { case, result, differences } in &self.0 {
            let mut push = |file: Option<String>, line: Option<String>| {
                table.push(vec![Some(case.clone()), Some(result.word().to_owned()), file, line]);
            };
            for Differs { file, line, .. } in differences {
                push(Some(file.clone()), Some(line.to_string()));
            }
            if differences.is_empty() {
                push(None, None);
            }
        }
        table
    }

    fn page(&self) -> String {
        let mut page = String::new();
        for Case { case, result, differences } in &self.0 {
            page.push_str(&match result {
                CaseResult::Passed => format!("passed  {case}\n"),
                CaseResult::Failed => format!("FAILED  {case}\n"),
                CaseResult::Updated => format!("updated {case}\n"),
            });
            for Differs { file, line, expected, found } in differences {
                let shown = |line: &Option<String>| line.clone().unwrap_or_else(|| "(nothing)".to_owned());
                page.push_str(&format!(
                    "  {file}, line {line}\n    expected: {}\n    found:    {}\n",
                    shown(expected),
                    shown(found)
                ));
            }
        }
        if self.count(CaseResult::Updated) == 0 {
            let (passed, failed) = (self.count(CaseResult::Passed), self.count(CaseResult::Failed));
            page.push_str(&format!("{passed} passed, {failed} failed\n"));
        }
        page
    }

    fn end(&self) -> Result<(), Failure> {
        match self.count(CaseResult::Failed) {
            0 => Ok(()),
            failed => Err(Failure::differs(format!("{failed} of {} cases differ", self.0.len()))),
        }
    }
}

impl CaseResult {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Updated => "updated",
        }
    }
}
