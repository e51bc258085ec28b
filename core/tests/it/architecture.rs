//! The map of `docs/architecture.md`, kept true for every crate: which crate may be made of which, which module may import
//! which, which file may know which foreign crate, and no circle among the modules of any folder.
//!
//! A new module is a row in its crate's map, below everything that it imports.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::slice;

use imports::Crate;

/// Everything that stands above a row.
const ALL_ABOVE: &[&str] = &["*"];

/// A list of names, and what each may use; no row uses one that stands below it.
type Map = &'static [(&'static str, &'static [&'static str])];

/// The crates by folder, and those of ours that each may be made of. Tests may be made of more.
const CRATES: Map = &[
    ("core", &[]),
    ("adapters/driver", &["core"]),
    ("adapters/sqlite", &["core", "adapters/driver"]),
    ("adapters/wire", &["core"]),
    ("adapters/postgres", &["core", "adapters/driver", "adapters/wire"]),
    ("adapters/mysql", &["core", "adapters/driver", "adapters/wire"]),
    ("adapters/http", &["core", "adapters/driver"]),
    ("adapters/aws", &["core", "adapters/driver"]),
    (
        "adapters/extract",
        &[
            "core",
            "adapters/driver",
            "adapters/wire",
            "adapters/postgres",
            "adapters/mysql",
            "adapters/http",
            "adapters/aws",
        ],
    ),
    ("adapters/transform", &["core", "adapters/driver", "adapters/aws"]),
    ("adapters/load", &["core", "adapters/driver", "adapters/aws"]),
    ("adapters/sandbox", &["core", "adapters/driver", "adapters/postgres"]),
    (
        "adapters/cli",
        &["core", "adapters/driver", "adapters/sqlite", "adapters/postgres", "adapters/mysql", "adapters/http"],
    ),
    ("golden", &[]),
    ("fuzz", ALL_ABOVE),
];

/// What the names of the AWS SDK's crates and of Lambda's begin with.
const SDK: &[&str] = &["aws-", "aws_", "lambda_"];

/// Who may be made of the SDK, and why. Nobody else is, and the command is not without a feature.
const KNOWS_SDK: &[(&str, &str)] = &[
    ("adapters/aws", "the ports over it: Etalon's side"),
    ("adapters/sandbox", "the account's side: it creates buckets and queues, and polls queues as Lambda does"),
];

/// The modules of each crate, and those that each may import.
const MODULES: &[(&str, Map)] = &[
    (
        "core",
        &[
            ("diagnostic", &[]),
            ("error", &[]),
            ("sql", &["error"]),
            ("receipt", &[]),
            ("plan", &[]),
            ("types", &["diagnostic"]),
            ("column", &["diagnostic"]),
            ("reject", &["diagnostic"]),
            ("records", &["reject"]),
            ("value", &["diagnostic", "types", "column"]),
            ("expr", &["diagnostic", "sql", "types", "column", "value"]),
            ("spec", &["diagnostic"]),
            ("source", &["diagnostic", "error", "sql", "plan", "value", "spec"]),
            ("format", &["diagnostic", "error", "receipt", "reject", "records", "spec"]),
            ("transform", &["diagnostic", "types", "column", "reject", "records", "value", "spec", "expr"]),
            ("stage", &["types", "receipt", "value", "spec"]),
            ("warehouse", &["error", "sql", "types", "spec"]),
            ("protocol", &["error", "receipt", "plan", "source", "value", "warehouse"]),
            ("pipeline", ALL_ABOVE),
            ("deploy", &["plan", "source", "protocol", "pipeline"]),
            ("testing", ALL_ABOVE),
        ],
    ),
    (
        "adapters/driver",
        &[
            ("ports", &[]),
            ("line", &["ports"]),
            ("connection", &["ports"]),
            ("memory", &["ports"]),
            ("store", &["ports"]),
            ("report", &["ports", "store"]),
            ("letters", &["ports", "store"]),
            ("deployed", &["ports", "store"]),
            ("land", &["ports", "store"]),
            ("links", &["ports", "store"]),
            ("judge", &["ports", "store", "deployed"]),
            ("transform", &["ports", "store", "deployed", "judge"]),
            ("held", &["ports", "store", "judge"]),
            ("rejects", &["ports", "store", "transform"]),
            ("extract", &["ports", "store", "deployed", "land", "judge", "transform", "held", "rejects"]),
            ("local", &["ports", "extract"]),
            ("home", &["ports", "store", "held", "local"]),
            ("by_hand", &["held"]),
            ("rival", &["ports", "store"]),
            ("alike", &["ports", "store"]),
            ("load", &["ports", "store", "deployed", "judge", "held", "by_hand"]),
            ("reconcile", &["ports", "store", "judge", "held", "by_hand"]),
            ("gone", &["ports", "store", "judge", "held", "report"]),
            ("embedded", &["ports", "deployed"]),
            (
                "run",
                &[
                    "ports",
                    "store",
                    "deployed",
                    "line",
                    "links",
                    "extract",
                    "transform",
                    "load",
                    "held",
                    "by_hand",
                    "rival",
                    "alike",
                    "reconcile",
                    "gone",
                    "rejects",
                    "embedded",
                    "report",
                ],
            ),
            ("status", &["ports", "store", "held", "gone", "rejects", "report", "run"]),
            ("begun", &["ports", "store", "held", "report", "run"]),
            ("cases", &["ports", "local", "memory", "store", "transform"]),
            ("testing", ALL_ABOVE),
        ],
    ),
    ("adapters/sqlite", &[("failure", &[]), ("bind", &[]), ("exact", &[]), ("bring", &["bind", "failure"])]),
    (
        "adapters/postgres",
        &[
            ("client", &[]),
            ("encode", &[]),
            ("show", &[]),
            ("failure", &["client"]),
            ("bring", &["client", "encode", "failure"]),
            ("source", &["client", "failure"]),
        ],
    ),
    ("adapters/wire", &[("trouble", &[]), ("address", &[]), ("socket", &["trouble"]), ("tls", &["socket", "trouble"])]),
    (
        "adapters/mysql",
        &[
            ("client", &[]),
            ("types", &["client"]),
            ("record", &[]),
            ("failure", &["client"]),
            ("source", &["client", "types", "record", "failure"]),
        ],
    ),
    ("adapters/http", &[("resolve", &[]), ("sign", &[]), ("client", &["resolve", "sign"])]),
    (
        "adapters/aws",
        &[
            ("failure", &[]),
            ("client", &[]),
            ("telemetry", &[]),
            ("panic", &[]),
            ("events", &["failure"]),
            ("objects", &["client", "failure"]),
            ("queue", &["failure"]),
            ("secrets", &["failure"]),
            ("settings", &["client", "secrets", "objects"]),
            ("redshift", &["failure", "objects", "settings"]),
            ("operator", &["client", "failure", "objects", "queue", "redshift", "settings"]),
            ("function", &["client", "panic", "settings", "telemetry"]),
        ],
    ),
    ("adapters/extract", &[("origin", &[])]),
    ("adapters/transform", &[]),
    ("adapters/load", &[]),
    (
        "adapters/sandbox",
        &[
            ("aws", &[]),
            ("http", &[]),
            ("counterpart", &[]),
            ("postgres", &[]),
            ("moto", &[]),
            ("redshift", &["aws", "http", "postgres"]),
            ("lambda", &["http"]),
            ("iam", &["aws", "lambda"]),
            ("gateway", &["http", "iam"]),
            ("poller", &["aws", "lambda"]),
            ("scheduler", &["aws", "lambda"]),
            ("cloud", ALL_ABOVE),
            ("report", &[]),
        ],
    ),
    (
        "adapters/cli",
        &[
            ("form", &[]),
            ("bug", &[]),
            ("failure", &["form"]),
            ("output", &["failure", "form"]),
            ("view", &["failure", "form"]),
            ("lines", &["view"]),
            ("progress", &["failure", "output", "view"]),
            ("arguments", &["form"]),
            ("warehouse", &[]),
            ("loaded", &["arguments", "failure", "output", "progress", "warehouse"]),
            ("input", &["arguments", "failure", "loaded", "output"]),
            ("remote", &["arguments", "failure", "loaded", "output"]),
            ("verbs", ALL_ABOVE),
        ],
    ),
    ("golden", &[("mariadb", &[]), ("postgres", &[])]),
];

/// Modules of one folder that import each other in a circle, and why that is better than what would dissolve it.
const CIRCLES: &[(&str, &[&str], &str)] = &[
    (
        "core",
        &["expr::check::convert", "expr::check::fold"],
        "a constant that is converted is folded, which gives a constant",
    ),
    (
        "core",
        &["expr::checked", "expr::evaluate", "expr::functions", "expr::path"],
        "a call evaluates its function, which evaluates; a path of JSON computes as expressions do",
    ),
    (
        "core",
        &["source::connector::authenticate", "source::connector::request"],
        "a request is authenticated, and a login is a request",
    ),
    (
        "core",
        &["source::connector::partition", "source::connector::property", "source::connector::stream"],
        "a stream is divided by the records of its parents, and asks for the properties that another names: streams, too",
    ),
    (
        "core",
        &[
            "source::connector::template::evaluate",
            "source::connector::template::functions",
            "source::connector::template::parse",
        ],
        "what a template calls is known when it is parsed, and compares and counts as expressions do",
    ),
    ("core", &["expr::functions::regexp", "expr::functions::substring"], "`substring` takes a pattern"),
];

/// Crates that few files of core may know, and those files or folders below `src`. `testing` may know what it tests against.
const FOREIGN: Map = &[
    ("sqlparser", &[]),
    ("saphyr_parser", &["spec/yaml.rs", "source/connector/yaml.rs"]),
    ("quick_xml", &["source/connector/xml.rs"]),
    ("minijinja", &["source/connector/template/parse.rs"]),
    ("parquet", &["stage/parquet"]),
    ("flate2", &["format/compression", "source/connector/decode.rs", "source/connector/zip.rs", "testing"]),
    ("encoding_rs", &["expr/functions/bytes.rs", "format/encoding.rs", "source/connector/decode.rs"]),
    ("glob", &["source/names.rs"]),
    ("regex", &["expr", "transform.rs", "pipeline", "source/connector"]),
    ("sha2", &["plan.rs", "stage", "expr/functions", "source/connector/template/functions"]),
    ("md5", &["expr/functions", "source/connector/template/functions"]),
    (
        "serde",
        &[
            "diagnostic",
            "reject.rs",
            "receipt.rs",
            "plan.rs",
            "spec",
            "source/connector",
            "warehouse/batch.rs",
            "warehouse/manifest.rs",
            "warehouse/presence.rs",
            "protocol",
            "pipeline",
            "deploy/directory.rs",
        ],
    ),
    (
        "serde_json",
        &[
            "spec/schema.rs",
            "source/api.rs",
            "source/http.rs",
            "source/sketch.rs",
            "source/connector",
            "warehouse/manifest.rs",
            "protocol",
            "pipeline",
            "deploy",
            "testing",
        ],
    ),
    ("proptest", &["testing"]),
    ("csv", &["source/connector/decode.rs"]),
    ("rust_decimal", &[]),
    ("tokio", &[]),
    ("rand", &[]),
];

/// The project's own folder.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(folder: &str) -> Crate {
    Crate::read(&project().join(folder).join("src"))
}

/// What a row may use.
fn allowed(map: Map, row: usize) -> BTreeSet<&'static str> {
    match map[row].1 {
        ALL_ABOVE => map[..row].iter().map(|(name, _)| *name).collect(),
        some => some.iter().copied().collect(),
    }
}

/// What is wrong with a map by itself.
fn goes_down(map: Map) -> Vec<String> {
    let mut wrong = Vec::new();
    for (row, (name, uses)) in map.iter().enumerate().filter(|(_, (_, uses))| *uses != ALL_ABOVE) {
        let above: BTreeSet<_> = map[..row].iter().map(|(name, _)| *name).collect();
        wrong.extend(uses.iter().filter(|used| !above.contains(*used)).map(|used| format!("{name} -> {used}")));
    }
    wrong
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_map_has_a_circle() {
    assert_none(&[goes_down(CRATES), MODULES.iter().flat_map(|(_, map)| goes_down(map)).collect()].concat());
}

#[test]
fn every_crate_and_every_module_is_on_its_map() {
    let mut wrong = Vec::new();
    let listed: BTreeSet<_> = CRATES.iter().map(|(folder, _)| *folder).collect();
    for entry in fs::read_dir(project().join("adapters")).unwrap() {
        let folder = format!("adapters/{}", entry.unwrap().file_name().to_string_lossy());
        if !listed.contains(folder.as_str()) {
            wrong.push(format!("the crate {folder} is not on the map"));
        }
    }
    for (folder, map) in MODULES {
        let there: BTreeSet<String> =
            read(folder).modules.into_iter().filter(|module| module.len() == 1).flatten().collect();
        let on_map: BTreeSet<String> = map.iter().map(|(name, _)| (*name).to_owned()).collect();
        wrong.extend(there.difference(&on_map).map(|module| format!("{folder}: `{module}` is not on the map")));
        wrong.extend(on_map.difference(&there).map(|module| format!("{folder}: `{module}` does not exist")));
    }
    assert_none(&wrong);
}

#[test]
fn modules_import_only_what_the_map_allows() {
    let mut wrong = Vec::new();
    for (folder, map) in MODULES {
        for ((module, import), file) in read(folder).siblings().remove(&Vec::new()).unwrap_or_default() {
            let row = map.iter().position(|(name, _)| *name == module);
            if !row.is_some_and(|row| allowed(map, row).contains(import.as_str())) {
                wrong.push(format!("{folder}/src/{file}: {module} -> `{import}` is not on the map"));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn modules_of_a_folder_do_not_import_each_other_in_a_circle() {
    let mut found = BTreeMap::new();
    for (folder, _) in MODULES {
        for (parent, siblings) in read(folder).siblings() {
            for circle in imports::circles(&siblings) {
                let within = |module: &String| [parent.as_slice(), slice::from_ref(module)].concat().join("::");
                let steps = siblings.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
                let steps: Vec<_> = steps.map(|((from, to), file)| format!("  {from} -> {to} in {file}")).collect();
                found.insert((*folder, circle.iter().map(within).collect::<Vec<_>>()), steps.join("\n"));
            }
        }
    }
    // A circle may become smaller.
    let has = |modules: &[&str], circle: &[String]| circle.iter().all(|module| modules.contains(&module.as_str()));
    let known =
        |folder: &str, circle: &[String]| CIRCLES.iter().any(|(of, modules, _)| *of == folder && has(modules, circle));
    let mut wrong: Vec<String> = Vec::new();
    for ((folder, circle), steps) in &found {
        if !known(folder, circle) {
            wrong.push(format!("{folder}: {} import each other in a circle:\n{steps}", circle.join(", ")));
        }
    }
    for (folder, circle, _) in CIRCLES {
        if !found.keys().any(|(of, modules)| of == folder && has(circle, modules)) {
            wrong.push(format!("{folder}: {} is a circle no more; take its row away", circle.join(", ")));
        }
    }
    assert_none(&wrong);
}

/// What a crate's manifest says that it is made of when nothing is asked for: names as the manifest has them.
fn made_of(folder: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(project().join(folder).join("Cargo.toml")).unwrap();
    let section = |name: &str| {
        let lines = text.lines().skip_while(|line| *line != format!("[{name}]")).skip(1);
        lines.take_while(|line| !line.starts_with('[')).collect::<Vec<_>>()
    };
    let by_default = section("features").into_iter().find(|line| line.starts_with("default ")).unwrap_or_default();
    let name = |line: &str| line.split([' ', '.', '=']).next().unwrap_or_default().to_owned();
    let is_there =
        |line: &&str| !line.contains("optional = true") || by_default.contains(&format!("\"dep:{}\"", name(line)));
    let lines = section("dependencies");
    lines.into_iter().filter(|line| !line.is_empty() && !line.starts_with('#')).filter(is_there).map(name).collect()
}

/// The name of the package in a folder.
fn package(folder: &str) -> String {
    match folder {
        "adapters/cli" => "etalon".to_owned(),
        _ => format!("etalon-{}", folder.trim_start_matches("adapters/")),
    }
}

#[test]
fn crates_are_made_only_of_what_the_map_allows() {
    let mut wrong = Vec::new();
    let ours: BTreeMap<String, &str> = CRATES.iter().map(|(folder, _)| (package(folder), *folder)).collect();
    for (row, (folder, _)) in CRATES.iter().enumerate() {
        let allowed = allowed(CRATES, row);
        for dependency in made_of(folder) {
            let is_sdk = SDK.iter().any(|beginning| dependency.starts_with(beginning));
            let is_allowed = match ours.get(&dependency) {
                Some(other) => allowed.contains(other),
                None => !is_sdk || KNOWS_SDK.iter().any(|(knows, _)| knows == folder),
            };
            if !is_allowed {
                wrong.push(format!("{folder} is made of {dependency}"));
            }
        }
    }
    assert_none(&wrong);
}

/// A file's path below `src`, with slashes, and its code without comments and unit tests.
fn code(path: &Path, src: &Path) -> (String, String) {
    let name = path.strip_prefix(src).unwrap().to_string_lossy().replace('\\', "/");
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    (name, code)
}

/// Whether a path in the code begins with this crate's name.
fn names_crate(code: &str, name: &str) -> bool {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    code.match_indices(&format!("{name}::")).any(|(at, _)| !code[..at].ends_with(is_path))
}

#[test]
fn foreign_crates_are_known_only_where_they_belong() {
    let mut wrong = Vec::new();
    let src = project().join("core/src");
    for path in imports::files(&src) {
        let (name, code) = code(&path, &src);
        for (crate_name, places) in FOREIGN {
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
    assert_none(&wrong);
}

/// The kinds of what there are several of, and the files and folders that may name one: the kind's own, the list of its kinds,
/// and where a kind needs hands. Everybody else asks the kind.
const KINDS: &[(&[&str], &[&str])] = &[
    (&["CsvFormat", "JsonlFormat"], &["core/src/format"]),
    (
        &["Location::Files", "Location::S3", "Location::Postgres", "Location::Mysql"],
        &[
            "core/src/source",
            "adapters/driver/src/cases.rs",
            "adapters/aws/src/settings.rs",
            "adapters/extract/src/origin.rs",
            "adapters/sandbox/src/main.rs",
            "adapters/sandbox/src/cloud/settings.rs",
            "adapters/cli/src/input.rs",
            "adapters/cli/src/loaded.rs",
        ],
    ),
    (&["dialect::sqlite"], &["core/src/warehouse/dialect", "adapters/sqlite/src"]),
    (&["dialect::postgres"], &["core/src/warehouse/dialect", "adapters/postgres/src"]),
    (
        &["dialect::redshift"],
        &["core/src/warehouse/dialect", "adapters/aws/src/redshift.rs", "adapters/sandbox/src/redshift"],
    ),
    (
        &["etalon_sqlite", "etalon_postgres", "etalon_mysql"],
        &[
            "adapters/cli/src/warehouse.rs",
            "adapters/cli/src/input.rs",
            "adapters/extract/src/origin.rs",
            "adapters/sandbox/src",
        ],
    ),
];

#[test]
fn a_kind_is_named_in_its_folder_and_in_the_list_of_its_kinds() {
    let mut wrong = Vec::new();
    for (folder, _) in CRATES.iter().filter(|(folder, _)| !matches!(*folder, "golden" | "fuzz")) {
        let src = project().join(folder).join("src");
        for path in imports::files(&src) {
            let (name, code) = code(&path, &src);
            let name = format!("{folder}/src/{name}");
            if name.contains("/testing") {
                continue;
            }
            for (words, places) in KINDS {
                let belongs = places.iter().any(|place| {
                    name == *place || name == format!("{place}.rs") || name.starts_with(&format!("{place}/"))
                });
                let named = words.iter().filter(|word| !belongs && code.contains(**word));
                wrong.extend(named.map(|word| format!("{name} names `{word}`")));
            }
        }
    }
    assert_none(&wrong);
}

/// The command is built on every system: what one of them has alone stands behind a condition.
#[test]
fn the_command_needs_no_system_of_its_own() {
    let mut wrong = Vec::new();
    for folder in [
        "core",
        "adapters/driver",
        "adapters/sqlite",
        "adapters/wire",
        "adapters/postgres",
        "adapters/mysql",
        "adapters/cli",
    ] {
        let src = project().join(folder).join("src");
        for path in imports::files(&src) {
            let (name, code) = code(&path, &src);
            let lines: Vec<&str> = code.lines().collect();
            for at in (0..lines.len()).filter(|&at| lines[at].contains("std::os::")) {
                let is_conditional = lines[at.saturating_sub(3)..at].iter().any(|line| line.trim() == "#[cfg(unix)]");
                if !is_conditional {
                    wrong.push(format!("{folder}/src/{name}: {}", lines[at].trim()));
                }
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn the_reader_of_code_sees_crates() {
    assert!(names_crate("use regex::Regex;", "regex") && names_crate("(regex::bytes::Regex", "regex"));
    assert!(!names_crate("use super::regex::x; my_regex::y", "regex"));
}
