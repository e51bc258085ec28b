//! A dirty table of real beers and its clean truth: the mapping of `corpora/beers.yaml` must give every cell.
//!
//! The table is not part of the project: it is looked for in the folder `$ETALON_CORPORA`, or `../shared/corpora` beside
//! the checkout. Where it is missing the test says `absent` and is not counted as passed; if the variable names it, the
//! test fails.

#![allow(clippy::panic, clippy::print_stdout, clippy::unwrap_used, reason = "a test may fail, and tells its score")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::name;
use etalon_core::stage::parquet;
use etalon_core::value::show::show;
use etalon_driver::local::LocalDisk;
use etalon_driver::memory::Memory;
use etalon_driver::ports::{Objects, Quiet};
use etalon_driver::transform;
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let named = std::env::var_os("ETALON_CORPORA").map(PathBuf::from);
    let is_required = named.is_some();
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"));
    let name = "every_cell_of_the_dirty_beers_becomes_clean";
    let trial = if folder.is_dir() || is_required {
        Trial::test(name, move || {
            every_cell_of_the_dirty_beers_becomes_clean(&folder);
            Ok(())
        })
    } else {
        Trial::test(name, || Err("absent".into())).with_kind("absent: the corpora").with_ignored_flag(true)
    };
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

fn every_cell_of_the_dirty_beers_becomes_clean(corpora: &Path) {
    let text = include_str!("../corpora/beers.yaml");
    let (pipeline, _) = Pipeline::compile(text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let folder = corpora.join("beers");
    let source = LocalDisk::new(&folder);
    let store = Memory::default();
    let object = source.find(&folder, &["dirty.csv".to_owned()], &Quiet).unwrap().remove(0);
    let task = pipeline.plan(&object, 0).tasks().remove(0);
    let receipt = pollster::block_on(transform::run(&pipeline, &task, &source, &store, &Quiet)).unwrap();
    assert_eq!(receipt.counts.quarantined, 0, "{:?}", receipt.reasons);

    let mut cells = Vec::new();
    for part in &receipt.parts {
        let bytes = pollster::block_on(store.get(&name::part(&task.batch, &part.name))).unwrap();
        for batch in parquet::read(bytes).unwrap() {
            let batch = batch.unwrap();
            for row in 0..batch.num_rows() {
                let columns = 0..pipeline.columns().len();
                cells.extend(columns.map(|column| show(batch.column(column), row).unwrap_or_default()));
            }
        }
    }
    let clean = fs::read(corpora.join("beers/clean.csv")).unwrap();
    let expected: Vec<String> = csv::Reader::from_reader(clean.as_slice())
        .records()
        .flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let right = cells.iter().zip(&expected).filter(|(found, expected)| found == expected).count();
    println!("beers: {right} of {} cells", expected.len());
    assert_eq!(cells, expected);
}
