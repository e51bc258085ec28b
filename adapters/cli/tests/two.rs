//! Two processes at once: two pipelines fill one table, and two runs of one pipeline meet. Each ends well, and every row is there
//! once.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const ROUNDS: usize = 8;
const ROWS: usize = 400;

fn etalon(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etalon"));
    command.current_dir(folder).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A folder with a pipeline and some files, each of so many rows.
fn pipeline(folder: &Path, name: &str, files: usize) {
    fs::create_dir_all(folder).unwrap();
    let text = format!(
        "etalon: 1\npipeline: {name}\nsource: {{ files: '*.csv', format: csv, fields: {{ id: integer }} }}\n\
         columns: {{ id: integer required }}\ntarget: {{ table: things, write: append }}\n"
    );
    fs::write(folder.join("p.yaml"), text).unwrap();
    for file in 0..files {
        let rows: String = (0..ROWS).map(|row| format!("{}\n", file * ROWS + row)).collect();
        fs::write(folder.join(format!("{name}-{file}.csv")), format!("id\n{rows}")).unwrap();
    }
}

fn ended(child: Child) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

fn count(folder: &Path, warehouse: &str) -> String {
    let sql = "select count(*) as n, count(distinct _etalon_batch) as files from things";
    let output = etalon(folder, &["query", warehouse, sql, "--output", "csv"]).wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn two_pipelines_fill_one_table_at_once() {
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        pipeline(&one, "one", 2);
        pipeline(&other, "other", 3);
        let run = |folder: &Path| etalon(folder, &["run", "p.yaml", "--to", "../w.db"]);
        let both = [run(&one), run(&other)];
        both.into_iter().for_each(ended);
        assert_eq!(count(&one, "../w.db"), format!("n,files\n{},5\n", 5 * ROWS));
    }
}

#[test]
fn two_runs_of_one_pipeline_load_everything_once() {
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        pipeline(folder.path(), "one", 3);
        let run = || etalon(folder.path(), &["run", "p.yaml"]);
        let both = [run(), run()];
        both.into_iter().for_each(ended);
        assert_eq!(count(folder.path(), "p.yaml"), format!("n,files\n{},3\n", 3 * ROWS));
    }
}
