//! Golden cases: folders with a pipeline file, its input, and the exact expected output.
//!
//! ```text
//! <case>/pipeline.yaml            the pipeline; its `files` lie in the case's folder
//! <case>/expected/rows.csv        the rows that are staged, as text; NULL is nothing, an empty text is ""
//! <case>/expected/rejects.jsonl   the quarantine
//! <case>/expected/summary.json    counts, coverage, reasons, and why the unit is held, if it is
//! <case>/expected/diagnostics.txt what `check` says, if it says anything
//! ```
//!
//! Files of `expected` that would be empty are not there. `batch_time()` is 2026-01-01 00:00:00 UTC.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Verdict};
use etalon_core::protocol::name;
use etalon_core::receipt::Receipt;
use etalon_core::source::Location;
use etalon_core::value::show::show;

use crate::local::LocalDisk;
use crate::memory::Memory;
use crate::ports::{Objects, Quiet};
use crate::store::{json, names};
use crate::transform;

/// The name of a case's pipeline file.
pub const PIPELINE_FILE: &str = "pipeline.yaml";

/// 2026-01-01 00:00:00 UTC, the batch time of every case.
const BATCH_TIME: i64 = 1_767_225_600_000_000;

/// A difference between what must come out of a case and what does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file of `expected`.
    pub file: String,
    /// The first line that differs, from 1.
    pub line: usize,
    /// The line that must come out, if there is one.
    pub expected: Option<String>,
    /// The line that comes out, if there is one.
    pub found: Option<String>,
}

/// The case folders at and below a path, by name.
pub fn find(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut cases = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.join(PIPELINE_FILE).is_file() {
            cases.push(folder);
            continue;
        }
        let entries = fs::read_dir(&folder).map_err(|error| failed(&folder, &error))?;
        for entry in entries {
            let below = entry.map_err(|error| failed(&folder, &error))?.path();
            if below.is_dir() {
                folders.push(below);
            }
        }
    }
    cases.sort();
    Ok(cases)
}

/// Runs a case and says where it differs from what is expected.
pub fn check(case: &Path) -> Result<Vec<Difference>, Error> {
    let found = outcome(case)?;
    let expected = expected(case)?;
    let names: std::collections::BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    Ok(names
        .into_iter()
        .filter_map(|name| {
            let lines = |files: &BTreeMap<String, String>| -> Vec<String> {
                files.get(name).map(|text| text.split_inclusive('\n').map(str::to_owned).collect()).unwrap_or_default()
            };
            let (expected, found) = (lines(&expected), lines(&found));
            let line = (0..expected.len().max(found.len())).find(|&line| expected.get(line) != found.get(line))?;
            Some(Difference {
                file: name.clone(),
                line: line + 1,
                expected: expected.get(line).map(|line| line.trim_end().to_owned()),
                found: found.get(line).map(|line| line.trim_end().to_owned()),
            })
        })
        .collect())
}

/// Runs a case and takes what comes out as what is expected from now on.
pub fn update(case: &Path) -> Result<(), Error> {
    let found = outcome(case)?;
    let folder = case.join("expected");
    let written = || -> std::io::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        found.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
    };
    written().map_err(|error| failed(&folder, &error))
}

fn expected(case: &Path) -> Result<BTreeMap<String, String>, Error> {
    let folder = case.join("expected");
    let mut files = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in fs::read_dir(&folder).map_err(|error| failed(&folder, &error))? {
        let path = entry.map_err(|error| failed(&folder, &error))?.path();
        let text = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
        files.insert(path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text);
    }
    Ok(files)
}

/// What comes out of a case, a text for each file of `expected`.
fn outcome(case: &Path) -> Result<BTreeMap<String, String>, Error> {
    let path = case.join(PIPELINE_FILE);
    let text = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
    let compiled = Pipeline::compile(&text);
    let diagnostics = match &compiled {
        Ok((_, warnings)) => warnings,
        Err(errors) => errors,
    };
    let shown: Vec<String> = diagnostics.iter().map(|diagnostic| diagnostic.render(PIPELINE_FILE, &text)).collect();
    let mut files = BTreeMap::from([("diagnostics.txt".to_owned(), shown.join("\n"))]);
    if let Ok((pipeline, _)) = compiled {
        run(case, &pipeline, &mut files)?;
    }
    files.retain(|_, text| !text.is_empty());
    Ok(files)
}

fn run(case: &Path, pipeline: &Pipeline, files: &mut BTreeMap<String, String>) -> Result<(), Error> {
    let Location::Files(patterns) = pipeline.location() else {
        return Err(Error::new(ErrorKind::Refused, "a case reads `files`, which lie in its folder"));
    };
    let source = LocalDisk::new(case);
    let patterns: Vec<String> = patterns.iter().map(|pattern| pattern.text.clone()).collect();
    let store = Memory::default();
    let columns = pipeline.columns();
    let header: Vec<Option<String>> = columns.iter().map(|(name, _, _)| Some(name.clone())).collect();
    let mut rows = csv_line(&header);
    let mut rejects = String::new();
    let mut receipts: Vec<Receipt> = Vec::new();
    for object in source.find(case, &patterns, &Quiet)? {
        for task in pipeline.plan(&object, BATCH_TIME).tasks() {
            let receipt = pollster::block_on(transform::run(pipeline, &task, &source, &store, &Quiet))?;
            for part in &receipt.parts {
                let bytes = pollster::block_on(store.get(&name::part(&task.batch, &part.name)))?;
                let refused = |why: String| Error::new(ErrorKind::Refused, format!("{}: {why}", part.name));
                for batch in pipeline.read_part(bytes).map_err(refused)? {
                    let batch = batch.map_err(refused)?;
                    for row in 0..batch.num_rows() {
                        let cells: Vec<Option<String>> =
                            (0..columns.len()).map(|column| show(batch.column(column), row)).collect();
                        rows.push_str(&csv_line(&cells));
                    }
                }
            }
            for name in pollster::block_on(names(&store, &name::quarantine(&task.batch, "")))? {
                rejects.push_str(&String::from_utf8_lossy(&pollster::block_on(store.get(&name))?));
            }
            receipts.push(receipt);
        }
    }
    files.insert("rows.csv".to_owned(), rows);
    files.insert("rejects.jsonl".to_owned(), rejects);
    files.insert("summary.json".to_owned(), summary(pipeline, &receipts)?);
    Ok(())
}

fn summary(pipeline: &Pipeline, receipts: &[Receipt]) -> Result<String, Error> {
    #[derive(serde::Serialize)]
    struct Summary<'a> {
        source: &'a str,
        counts: etalon_core::receipt::Counts,
        coverage: etalon_core::receipt::Coverage,
        reasons: &'a BTreeMap<String, u64>,
        warnings: &'a BTreeMap<String, u64>,
        failed_checks: &'a BTreeMap<String, u64>,
        undeclared_records: u64,
    }
    #[derive(serde::Serialize)]
    struct Unit<'a> {
        held: Vec<String>,
        tasks: Vec<Summary<'a>>,
    }
    let unit = Unit {
        held: match pipeline.judge(receipts) {
            Verdict::Load => Vec::new(),
            Verdict::Held(reasons) => reasons,
        },
        tasks: receipts
            .iter()
            .map(|receipt| Summary {
                source: &receipt.source,
                counts: receipt.counts,
                coverage: receipt.coverage,
                reasons: &receipt.reasons,
                warnings: &receipt.warnings,
                failed_checks: &receipt.failed_checks,
                undeclared_records: receipt.undeclared_records,
            })
            .collect(),
    };
    Ok(String::from_utf8_lossy(&json(&unit)?).into_owned())
}

/// A line of CSV (RFC 4180): NULL is nothing, an empty text is quoted.
pub fn csv_line(cells: &[Option<String>]) -> String {
    let cell = |cell: &Option<String>| match cell {
        None => String::new(),
        Some(text) if text.is_empty() || text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Some(text) => text.clone(),
    };
    let mut line = cells.iter().map(cell).collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    let kind = if error.kind() == std::io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Refused };
    Error::new(kind, format!("{}: {error}", path.display()))
}
