//! The map of `docs/architecture.md`, kept true: which module may import which, and which file may know which crate.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// All that stand before a module on the map.
const ALL_BEFORE: &[&str] = &["*"];

/// Each module and the modules it may import, in the order of the levels: none imports one that stands below it.
const MODULES: &[(&str, &[&str])] = &[
    ("diagnostic", &[]),
    ("error", &[]),
    ("sql", &["error"]),
    ("receipt", &[]),
    ("plan", &[]),
    ("source", &["error", "plan"]),
    ("types", &["diagnostic"]),
    ("column", &["diagnostic"]),
    ("reject", &["diagnostic"]),
    ("records", &["reject"]),
    ("value", &["diagnostic", "types", "column"]),
    ("expr", &["diagnostic", "sql", "types", "column", "value"]),
    ("spec", &["diagnostic", "types"]),
    ("format", &["diagnostic", "error", "receipt", "reject", "records"]),
    ("transform", &["diagnostic", "types", "column", "reject", "records", "value", "expr"]),
    ("stage", &["types", "receipt", "value"]),
    ("warehouse", &["error", "sql", "types"]),
    ("protocol", &["error", "receipt", "plan", "source", "value", "warehouse"]),
    ("pipeline", ALL_BEFORE),
    ("testing", ALL_BEFORE),
];

/// Crates that few files may know, and those files or folders below `src`. `testing` may know what it tests against.
const CRATES: &[(&str, &[&str])] = &[
    ("sqlparser", &[]),
    ("saphyr_parser", &["spec/yaml.rs"]),
    ("parquet", &["stage/parquet"]),
    ("flate2", &["format/compression", "testing"]),
    ("glob", &["source/names.rs"]),
    ("regex", &["expr", "transform.rs", "pipeline"]),
    ("sha2", &["plan.rs", "stage", "expr/functions"]),
    ("md5", &["expr/functions"]),
    (
        "serde",
        &[
            "diagnostic",
            "reject.rs",
            "receipt.rs",
            "plan.rs",
            "spec",
            "warehouse.rs",
            "warehouse/copy.rs",
            "protocol",
            "pipeline",
        ],
    ),
    ("serde_json", &["spec/schema.rs", "warehouse/copy.rs", "protocol", "pipeline", "testing"]),
    ("proptest", &["testing", "warehouse/sqlite.rs"]),
    ("csv", &[]),
    ("rust_decimal", &[]),
    ("tokio", &[]),
    ("rand", &[]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A file's path below `src`, with slashes, and its code without comments and unit tests.
fn code(path: &Path) -> (String, String) {
    let name = path.strip_prefix(source()).unwrap().to_string_lossy().replace('\\', "/");
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    (name, code)
}

/// The module that a file belongs to; none for the crate's root.
fn module_of(name: &str) -> Option<&str> {
    let module = name.split('/').next()?.trim_end_matches(".rs");
    (module != "lib").then_some(module)
}

/// The first name of every path that begins with `crate::`; a grouped import gives an empty one.
fn imports(code: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.split("crate::").skip(1).map(move |path| path.split(|c| !is_name(c)).next().unwrap_or_default())
}

/// Whether a path in the code begins with this crate's name.
fn names_crate(code: &str, name: &str) -> bool {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    code.match_indices(&format!("{name}::")).any(|(at, _)| !code[..at].ends_with(is_path))
}

#[test]
fn modules_import_only_what_the_map_allows() {
    let mut wrong = Vec::new();
    for path in files(&source()) {
        let (name, code) = code(&path);
        let Some(module) = module_of(&name) else { continue };
        let Some(at) = MODULES.iter().position(|(known, _)| *known == module) else {
            wrong.push(format!("{name}: `{module}` is not on the map"));
            continue;
        };
        let allowed = match MODULES[at].1 {
            ALL_BEFORE => MODULES[..at].iter().map(|(below, _)| *below).collect(),
            some => some.to_vec(),
        };
        for import in imports(&code) {
            if import != module && !allowed.contains(&import) {
                wrong.push(format!("{name}: {module} -> `{import}` is not on the map"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_has_no_cycle_and_no_ghost() {
    for (at, (module, allowed)) in MODULES.iter().enumerate() {
        let above: Vec<_> = MODULES[..at].iter().map(|(name, _)| *name).collect();
        for import in allowed.iter().filter(|_| *allowed != ALL_BEFORE) {
            assert!(above.contains(import), "{module} -> {import} goes down the map");
        }
        assert!(source().join(format!("{module}.rs")).is_file(), "{module} does not exist");
    }
}

#[test]
fn crates_are_known_only_where_they_belong() {
    let mut wrong = Vec::new();
    for path in files(&source()) {
        let (name, code) = code(&path);
        for (crate_name, places) in CRATES {
            let belongs = places
                .iter()
                .any(|place| name == *place || name == format!("{place}.rs") || name.starts_with(&format!("{place}/")));
            // Beside `mod parquet` or `use crate::stage::parquet`, `parquet::…` names our own module.
            let is_own =
                [format!("mod {crate_name};"), format!("::{crate_name};")].iter().any(|own| code.contains(own));
            if !belongs && !is_own && names_crate(&code, crate_name) {
                wrong.push(format!("{name} knows `{crate_name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readers_of_code_see_paths() {
    assert_eq!(imports("use crate::value::text;\nuse crate::{a, b};").collect::<Vec<_>>(), ["value", ""]);
    assert!(names_crate("use regex::Regex;", "regex") && names_crate("(regex::bytes::Regex", "regex"));
    assert!(!names_crate("use super::regex::x; my_regex::y", "regex"));
}
