//! The documents run: what README and guide tell a reader to type is typed here, in a folder that the page starts with
//! empty, and what they show is what comes out. Numbers that pages name are the code's constants.
//!
//! ````text
//! ```console            commands after `$ `, each followed by what it prints; `…` alone on a line stands for any lines
//! ```console exit=1     the same, where the last command ends with this code
//! ```sh                 commands whose output the page does not show
//! ```yaml orders.yaml   a file that the reader is to write; a YAML file is a valid pipeline
//! ```sh elsewhere       commands that cannot run here; [`ELSEWHERE`] says why, and what runs them
//! 8,192<!-- NAME -->    a number that is the constant NAME of the code
//! ````
//!
//! `UPDATE_GOLDEN=1` writes into the pages what their commands print.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod page;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use page::{Step, blocks, fits, normal, steps};
use similar::TextDiff;

/// The blocks that cannot run here: the page, the first command, why not.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("README.md", "cargo test", "it runs this test; `.ci/run tests` runs the line"),
    (
        "docs/guide/deployment.md",
        "pip install",
        "it takes a release build; adapters/sandbox/tests/terraform tries what it refuses",
    ),
    ("docs/guide/deployment.md", "terraform init", "adapters/sandbox/tests/terraform follows the page against moto"),
    ("docs/guide/deployment.md", "aws redshift-serverless", "moto has no Redshift Serverless"),
    ("docs/guide/deployment.md", "aws lambda invoke", "adapters/sandbox/tests/terraform sends this payload"),
    ("docs/guide/deployment.md", "aws s3api", "it is about a bucket of the reader's"),
    ("docs/guide/deployment.md", "terraform destroy", "adapters/sandbox/tests/terraform runs it against moto"),
    ("docs/guide/connectors.md", "etalon connector read", "tests/cli.rs reads from a server of its own"),
    ("docs/guide/first-pipeline.md", "export PGPASSWORD=", "tests/postgres.rs runs the same with a server of its own"),
    ("docs/guide/performance.md", "tpchgen-cli", "it takes a release build and a gigabyte of lines"),
    ("docs/guide/performance.md", "cargo run -- sample target/million", "it takes pandas and a million rows"),
    ("docs/guide/performance.md", "cargo build --release", "it takes a release build, PostgreSQL and moto"),
    ("docs/guide/sandbox.md", "cargo build", "adapters/sandbox/tests/path runs the same with PostgreSQL and moto"),
    ("docs/guide/troubleshooting.md", "aws sqs receive-message", "there is no queue here"),
    ("docs/guide/troubleshooting.md", "aws s3 ls", "there is no bucket here"),
    ("docs/guide/troubleshooting.md", "aws s3 cp --recursive", "there is no bucket here"),
    ("docs/guide/troubleshooting.md", "aws sqs start-message-move-task", "moto does not know it"),
    ("docs/guide/upgrading.md", "git pull", "adapters/sandbox/tests/terraform plans and applies"),
];

/// The pages that a test of their own plays: the page, which test.
const PLAYED_ELSEWHERE: &[(&str, &str)] = &[("docs/guide/drill.md", "tests/drill.rs, against moto and PostgreSQL")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// README and the guide, by name.
fn pages() -> Vec<(String, String)> {
    let mut names = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root().join("docs/guide")).unwrap() {
        names.push(format!("docs/guide/{}", entry.unwrap().file_name().to_str().unwrap()));
    }
    names.retain(|name| !PLAYED_ELSEWHERE.iter().any(|(page, _)| page == name));
    names.sort();
    names.into_iter().map(|name| (name.clone(), fs::read_to_string(root().join(name)).unwrap())).collect()
}

/// What a command prints on both streams, and its code. `cargo run --` is the command that this test was built with.
fn run(folder: &Path, command: &str) -> (String, i32) {
    let binary = Path::new(env!("CARGO_BIN_EXE_etalon")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let typed = format!("{{ {}\n}} 2>&1", command.replace("cargo run -- ", "etalon "));
    let ended = Command::new("sh").arg("-c").arg(typed).current_dir(folder).env("PATH", path).output().unwrap();
    (String::from_utf8(ended.stdout).unwrap(), ended.status.code().unwrap())
}

/// What is not as a page says.
fn play(name: &str, page: &str) -> Vec<String> {
    play_again(name, page).0
}

/// Runs a page; gives what is not as it says, and the page as it should be.
fn play_again(name: &str, page: &str) -> (Vec<String>, String) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut wrong = Vec::new();
    let mut true_page = String::new();
    let (mut lines, mut true_lines) = (page.lines(), 0);
    for block in blocks(page) {
        let at = format!("{name}, line {}", block.line);
        let (kind, rest) = block.info.split_once(' ').unwrap_or((&block.info, ""));
        match (kind, rest) {
            ("sh" | "console", "elsewhere") => continue,
            ("sh", "") | ("console", _) => {}
            ("yaml" | "csv", file) if !file.is_empty() => {
                let path = folder.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, &block.text).unwrap();
                if kind == "yaml" {
                    let (said, code) = run(folder, &format!("etalon check {file}"));
                    wrong.extend((code != 0).then(|| format!("{at}: {file} is not valid:\n{said}")));
                }
                continue;
            }
            _ => {
                let is_command =
                    |line: &str| ["$ ", "etalon ", "cargo ", "export "].iter().any(|w| line.starts_with(w));
                if block.text.lines().any(is_command) {
                    wrong.push(format!("{at}: commands in a block that does not run; call it sh or console"));
                }
                continue;
            }
        }
        let mut true_text = String::new();
        for Step { command, shown, exit_code } in steps(&block) {
            if elsewhere(name, &command) {
                continue;
            }
            let (found, code) = run(folder, &command);
            if code != exit_code {
                wrong.push(format!("{at}: `{command}` ends with {code}, not {exit_code}:\n{found}"));
            }
            let Some(shown) = shown else { continue };
            let (wanted, is) = (normal(&shown), normal(&found));
            let is_true = fits(&wanted.lines().collect::<Vec<_>>(), &is.lines().collect::<Vec<_>>());
            true_text += &format!("$ {command}\n{}", if is_true { &shown } else { &found });
            if !is_true {
                let difference = TextDiff::from_lines(&wanted, &is);
                let mut told = format!("{at}: `{command}` prints something else:\n");
                write!(told, "{}", difference.unified_diff().header("the page", "the command")).unwrap();
                wrong.push(told);
            }
        }
        if kind == "console" {
            // Everything before the block, and its fence; then the block's lines are passed over.
            let before = block.line - true_lines;
            lines.by_ref().take(before).for_each(|line| true_page += &format!("{line}\n"));
            let length = block.text.lines().count();
            lines.by_ref().take(length).for_each(drop);
            true_lines = block.line + length;
            true_page += &true_text;
        }
    }
    lines.for_each(|line| true_page += &format!("{line}\n"));
    (wrong, true_page)
}

fn elsewhere(page: &str, command: &str) -> bool {
    ELSEWHERE.iter().any(|(of, begin, _)| *of == page && command.starts_with(begin))
}

#[test]
fn what_the_pages_tell_to_type_prints_what_they_show() {
    let mut all = Vec::new();
    for (name, page) in pages() {
        let (wrong, true_page) = play_again(&name, &page);
        all.extend(wrong);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(root().join(name), true_page).unwrap();
        }
    }
    assert!(all.is_empty(), "{}\nUPDATE_GOLDEN=1 writes what the commands print", all.join("\n"));
}

/// The commands of the page are run; the table beside them says the same.
#[test]
fn the_table_of_costs_is_what_the_commands_print() {
    let page = fs::read_to_string(root().join("docs/guide/cost.md")).unwrap();
    let mut printed = Vec::new();
    for step in blocks(&page).iter().filter(|block| block.info.starts_with("console")).flat_map(steps) {
        let Some((_, mib)) = step.command.split_once("--mib-per-day ") else { continue };
        if !step.command.ends_with("--rpu 0") {
            continue;
        }
        let gb = mib.split(' ').next().unwrap().parse::<u64>().unwrap() / 1024;
        let shown = step.shown.unwrap();
        let [transform, pandas, glue] = ["- transform: ", "- a function with pandas: ", "- Glue: "].map(|begin| {
            let line = shown.lines().find_map(|line| line.strip_prefix(begin)).unwrap();
            line.split(' ').next().unwrap().to_owned()
        });
        printed.push(format!("| {gb} GB | {transform} USD a month | {pandas} | {glue} |"));
    }
    let (_, table) = page.split_once("| A day | Transform of Etalon | A function with pandas | Glue |\n").unwrap();
    let rows: Vec<&str> = table.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows, printed);
    assert_eq!(rows.len(), 3);
}

#[test]
fn what_does_not_run_here_is_marked_and_argued() {
    let mut argued: Vec<_> = ELSEWHERE.iter().map(|(page, command, _)| (*page, *command)).collect();
    for (name, page) in pages() {
        for block in blocks(&page) {
            let is_marked = block.info.ends_with(" elsewhere");
            let has = |command: &str| block.text.lines().any(|line| line.trim_start_matches("$ ").starts_with(command));
            let known = argued.iter().position(|(page, command)| *page == name && has(command));
            assert!(!is_marked || known.is_some(), "{name}, line {}: say in ELSEWHERE why it does not run", block.line);
            known.map(|at| argued.remove(at));
        }
    }
    assert_eq!(argued, [], "these stand in no page any more");
}

#[test]
fn a_page_that_is_wrong_is_found() {
    let right = "```console\n$ echo one; echo two; echo three\none\n…\nthree\n```\n";
    assert_eq!(play("page", right), [""; 0]);
    let wrong = play("page", &right.replace("\nthree\n", "\nfour\n"));
    assert!(wrong[0].starts_with("page, line 1: `echo one; echo two; echo three` prints something else"), "{wrong:?}");
    assert!(wrong[0].contains("-four\n"), "{wrong:?}");
    assert_eq!(play("page", "```console exit=3\n$ etalon check nothing.yaml\n…\n```\n"), [""; 0]);
    assert_eq!(play("page", "```console\n$ etalon check nothing.yaml\n…\n```\n").len(), 1, "its code is not 0");
    assert_eq!(play("page", "```text\netalon run orders.yaml\n```\n").len(), 1, "it does not run");
    assert_eq!(play("page", "```yaml p.yaml\netalon: 1\n```\n").len(), 1, "it is not valid");
}

/// The value of a constant of the code: a product of numbers.
fn constant(name: &str) -> u64 {
    let mut folders = ["core/src", "adapters"].map(|folder| root().join(folder)).to_vec();
    let mut values = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let code = fs::read_to_string(&path).unwrap();
                let found = code.lines().filter_map(|line| line.split_once(&format!("const {name}: ")));
                values.extend(
                    found.filter_map(|(_, rest)| Some(rest.split_once(" = ")?.1.trim_end_matches(';').to_owned())),
                );
            }
        }
    }
    let [value] = values.as_slice() else { panic!("{name} is the name of {} constants", values.len()) };
    value.split(" * ").map(|factor| factor.replace('_', "").parse::<u64>().unwrap()).product()
}

/// The numbers of a page that are constants: each with the constant's name.
fn bounds(page: &str) -> Vec<(u64, String)> {
    let marked = page.match_indices("<!-- ").filter_map(|(at, _)| {
        let (name, _) = page[at + 5..].split_once(" -->")?;
        let mut words = page[..at].split_whitespace().rev();
        let (last, before) = (words.next()?, words.next()?);
        let (number, unit) = match last {
            "KiB" => (before, 1 << 10),
            "MiB" => (before, 1 << 20),
            number => (number, 1),
        };
        let digits = number.trim_start_matches('(').replace(',', "");
        Some((digits.parse::<u64>().unwrap() * unit, name.to_owned()))
    });
    marked.collect()
}

#[test]
fn the_bounds_that_pages_name_are_those_of_the_code() {
    let architecture = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut count = 0;
    for (name, page) in pages().into_iter().chain([("docs/architecture.md".to_owned(), architecture)]) {
        for (number, constant_name) in bounds(&page) {
            assert_eq!(number, constant(&constant_name), "{name}: {constant_name}");
            count += 1;
        }
    }
    assert!(count >= 5, "{count}");
    assert_eq!(
        bounds("at most 8,192<!-- ROWS --> rows, (16 MiB<!-- BYTES -->)"),
        [(8192, "ROWS".to_owned()), (16 << 20, "BYTES".to_owned())]
    );
}

/// The pages that a page links to.
fn links(page: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(page).unwrap();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter_map(|target| target.split('#').next()).filter(|target| target.ends_with(".md"));
    let local = files.filter(|target| !target.contains("://"));
    local.map(|target| page.parent().unwrap().join(target).canonicalize().unwrap_or_else(|_| target.into())).collect()
}

#[test]
fn every_page_is_reached_from_the_readme() {
    let root = root().canonicalize().unwrap();
    let mut reached = vec![root.join("README.md")];
    let mut next = 0;
    while let Some(page) = reached.get(next) {
        for link in links(page) {
            assert!(link.is_file(), "{} links to {}, which is not there", reached[next].display(), link.display());
            if !reached.contains(&link) {
                reached.push(link);
            }
        }
        next += 1;
    }
    for folder in ["docs", "docs/guide", "docs/reference"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let is_page = path.extension().is_some_and(|ending| ending == "md");
            assert!(!is_page || reached.contains(&path), "no link leads to {}", path.display());
        }
    }
}

#[test]
fn pages_ask_for_the_compiler_of_the_manifest() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    let naming = pages().into_iter().filter(|(_, page)| page.contains("Rust 1."));
    let wrong: Vec<String> =
        naming.filter(|(_, page)| !page.contains(&format!("Rust {version} "))).map(|(name, _)| name).collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_readme_names_the_verbs_of_the_help() {
    let (help, _) = run(&root(), "etalon --help");
    let (_, verbs) = help.split_once("Commands:\n").unwrap();
    let verbs: Vec<&str> = verbs.lines().map_while(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    let verbs: Vec<&str> = verbs.into_iter().filter(|verb| *verb != "help").collect();
    assert!(verbs.len() > 10, "{verbs:?}");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let named = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(named.contains(&format!("the `etalon` command with `{}`", verbs.join(" "))), "{verbs:?}");
}

#[test]
fn the_page_of_exit_codes_is_that_of_the_help() {
    let page = fs::read_to_string(root().join("docs/guide/first-pipeline.md")).unwrap();
    let (help, _) = run(&root(), "etalon --help");
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    for line in codes.lines() {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        assert!(page.contains(&format!("| {code} | {} |", meaning.trim())), "{line}");
    }
}
