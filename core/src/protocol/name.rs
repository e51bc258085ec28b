//! Names: the names in the store of everything that is kept between calls; each begins with a prefix of the table of prefixes.

use crate::plan::identity;
use crate::protocol::prefix::{
    BUDGETS, CURSORS, DECISIONS, DISCARDED, HELD, LANDED, LOADS, MANIFESTS, MARKS, MET, PENDING, PIPELINES, PLANS,
    QUARANTINE, RECEIPTS, RUNS, SENT, SOURCES, STAGED, TOKENS, UNITS,
};
use crate::warehouse::Table;

/// The plan of an input in a generation.
pub fn plan(input: &str, generation: u32) -> String {
    match generation {
        0 => PLANS.name(format_args!("{input}.json")),
        _ => PLANS.name(format_args!("{input}-{generation}.json")),
    }
}

/// The prefix of the names of all plans of an input.
pub fn plans(input: &str) -> String {
    PLANS.name(input)
}

/// The pipeline file of a fingerprint.
pub fn pipeline(fingerprint: &str) -> String {
    PIPELINES.name(format_args!("{fingerprint}.yaml"))
}

/// How far a pipeline has read a database or an API.
pub fn cursor(pipeline: &str) -> String {
    CURSORS.name(format_args!("{pipeline}.json"))
}

/// The tokens of an account, by the name that the walk gives them.
pub fn token(account: &str) -> String {
    TOKENS.name(format_args!("{account}.json"))
}

/// The calls of an account, by the name that the walk gives them.
pub fn budget(account: &str) -> String {
    BUDGETS.name(format_args!("{account}.json"))
}

/// A piece of what a pipeline has landed as its window of that number; all of the pipeline's, without one. The name ends in
/// the digest of the piece, so that two who land one window at once write no piece of each other's, and in what it is.
pub fn landed(pipeline: &str, piece: Option<(u64, usize, &str, LandedAs)>) -> String {
    match piece {
        None => LANDED.name(format_args!("{pipeline}/")),
        Some((window, piece, sha256, landed_as)) => {
            let digest = sha256.get(..32).unwrap_or(sha256);
            let ending = match landed_as {
                LandedAs::Rows => "csv",
                LandedAs::Records => "jsonl",
                LandedAs::Pages => "pages.jsonl",
                LandedAs::Bodies => "bodies.jsonl.gz",
            };
            LANDED.name(format_args!("{pipeline}/{window:08}-{piece:05}-{digest}.{ending}"))
        }
    }
}

/// What a landed piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LandedAs {
    /// Rows of a database.
    Rows,
    /// Records of an API.
    Records,
    /// A line about each page that the records were on.
    Pages,
    /// The responses that the pages came as, compressed.
    Bodies,
}

/// The number of the window that a landed piece belongs to.
pub fn landed_window(piece: &str) -> Option<u64> {
    let (rest, _digest) = piece.rsplit_once('-')?;
    let (rest, _piece) = rest.rsplit_once('-')?;
    let (_, window) = rest.rsplit_once(|c: char| !c.is_ascii_digit())?;
    window.parse().ok()
}

/// The receipt of a batch.
pub fn receipt(batch: &str) -> String {
    RECEIPTS.name(format_args!("{batch}.json"))
}

/// A staged part of a batch.
pub fn part(batch: &str, part: &str) -> String {
    STAGED.name(format_args!("{batch}/{part}"))
}

/// A piece of a batch's quarantine.
pub fn quarantine(batch: &str, piece: &str) -> String {
    QUARANTINE.name(format_args!("{batch}/{piece}"))
}

/// A decision about rejects of an input; all of the input's, without a number.
pub fn marks(input: &str, number: Option<u32>) -> String {
    match number {
        None => MARKS.name(format_args!("{input}/")),
        // Numbers of one length, so that a listing has them in order.
        Some(number) => MARKS.name(format_args!("{input}/{number:08}.json")),
    }
}

/// The record of an object's versions.
pub fn source(pipeline: &str, source: &str) -> String {
    SOURCES.name(format_args!("{}.json", source_id(pipeline, source)))
}

/// The bucket in which the objects of a pipeline were first.
pub fn place(pipeline: &str) -> String {
    SOURCES.name(format_args!("{}.json", identity("place", &[pipeline])))
}

/// Which table of a pipeline the store is of.
pub fn home(pipeline: &str) -> String {
    SOURCES.name(format_args!("{}.json", identity("home", &[pipeline])))
}

fn source_id(pipeline: &str, source: &str) -> String {
    identity("source", &[pipeline, source])
}

/// The prefix of the name of the mark of an object's current version. The marks of a pipeline are together, so that one listing
/// returns them all.
pub fn met(pipeline: &str, source: Option<&str>) -> String {
    match source {
        None => MET.name(format_args!("{pipeline}/")),
        Some(source) => MET.name(format_args!("{pipeline}/{}-", source_id(pipeline, source))),
    }
}

/// The mark of a version of an object whose tasks have all been sent: its place among the object's versions, and the input
/// that it is at its first meeting. Of several, the one with the last place tells which version is current.
pub fn met_version(pipeline: &str, source: &str, position: usize, first_input: &str) -> String {
    format!("{}{position:08}-{first_input}", met(pipeline, Some(source)))
}

/// The mark of a version that is about to be met, whichever it is: it is of none, and comes before that of the version, so
/// that until then no earlier mark counts.
pub fn met_begun(pipeline: &str, source: &str, position: usize) -> String {
    met_version(pipeline, source, position, "")
}

/// The content of such a mark: the prefix of the names of all marks of its object, its place, and the input.
pub fn read_met(mark: &str) -> Option<(String, usize, String)> {
    let (rest, first_input) = mark.rsplit_once('-')?;
    let (object, position) = rest.rsplit_once('-')?;
    Some((format!("{object}-"), position.parse().ok()?, first_input.to_owned()))
}

/// What the last run has met, if whole runs are loaded.
pub fn last_run(pipeline: &str) -> String {
    MET.name(format_args!("{pipeline}.json"))
}

/// The mark that an older Etalon has left of an input whose tasks have all been sent.
pub fn sent(pipeline: &str, input: &str) -> String {
    SENT.name(format_args!("{pipeline}/{input}"))
}

/// A leg of a run, where whole runs are loaded; all of the run's, without a number.
pub fn leg(pipeline: &str, run: &str, hop: Option<u32>) -> String {
    let run = run_unit(pipeline, run);
    match hop {
        None => RUNS.name(format_args!("{run}/")),
        Some(hop) => RUNS.name(format_args!("{run}/{hop:08}.json")),
    }
}

/// The unit of a run.
pub fn run_unit(pipeline: &str, run: &str) -> String {
    identity("run", &[pipeline, run])
}

/// The unit of an input in a generation.
pub fn unit(input: &str, generation: u32) -> String {
    format!("{input}-{generation}")
}

/// The prefix of the names of the documents of all units of a table, or of an input.
pub fn units(table: &str, input: Option<&str>) -> String {
    match input {
        None => UNITS.name(format_args!("{table}/")),
        Some(input) => UNITS.name(format_args!("{table}/{input}-")),
    }
}

/// The document of a unit, which stays.
pub fn unit_document(table: &str, unit: &str) -> String {
    UNITS.name(format_args!("{table}/{unit}.json"))
}

/// The mark of a unit that waits for its load; all of a table's, with an empty name.
pub fn pending(table: &str, unit: &str) -> String {
    PENDING.name(format_args!("{table}/{unit}"))
}

/// The mark of a unit that waits for a decision; all of a table's, with an empty name.
pub fn held(table: &str, unit: &str) -> String {
    HELD.name(format_args!("{table}/{unit}"))
}

/// The mark of a unit that a person has discarded; all of a table's, with an empty name.
pub fn discarded(table: &str, unit: &str) -> String {
    DISCARDED.name(format_args!("{table}/{unit}"))
}

/// The document of a person's decision about held units.
pub fn decision(table: &str, run: &str) -> String {
    DECISIONS.name(format_args!("{table}/{}.json", identity("decision", &[run])))
}

/// The load in flight of a table.
pub fn current(table: &str) -> String {
    LOADS.name(format_args!("{table}/current"))
}

/// When units of a table were held recently because the warehouse had refused their rows.
pub fn holds(table: &str) -> String {
    LOADS.name(format_args!("{table}/holds"))
}

/// When the last load of a pipeline into a table began.
pub fn begun(table: &str, pipeline: &str) -> String {
    LOADS.name(format_args!("{table}/begun/{}.json", identity("pipeline", &[pipeline])))
}

/// The manifest of a load: which staged files the warehouse takes.
pub fn manifest(load: &str) -> String {
    MANIFESTS.name(format_args!("{load}.json"))
}

/// A table as a part of a name: `schema.table`, with every other character than letters, digits, `_` and `-` in hexadecimal.
pub fn table(table: &Table) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for (position, name) in table.schema.iter().chain([&table.name]).enumerate() {
        if position > 0 {
            text.push('.');
        }
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
                text.push(byte as char);
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// The group of a table's load messages.
pub fn group(table: &str) -> String {
    identity("table", &[table])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::protocol::prefix::{PREFIXES, Prefix};

    #[test]
    fn every_name_begins_with_a_prefix_and_every_prefix_has_a_name() {
        let names = [
            plan("i", 0),
            plan("i", 1),
            pipeline("f"),
            cursor("p"),
            token("a"),
            budget("a"),
            landed("p", None),
            landed("p", Some((1, 0, "00", LandedAs::Rows))),
            receipt("b"),
            part("b", "p"),
            quarantine("b", "p"),
            marks("i", None),
            marks("i", Some(1)),
            source("p", "s"),
            met("p", None),
            met("p", Some("s")),
            met_version("p", "s", 1, "i"),
            met_begun("p", "s", 1),
            last_run("p"),
            sent("p", "i"),
            leg("p", "r", None),
            leg("p", "r", Some(0)),
            unit_document("t", "u"),
            pending("t", "u"),
            held("t", "u"),
            discarded("t", "u"),
            decision("t", "r"),
            current("t"),
            begun("t", "p"),
            manifest("l"),
        ];
        let begun: BTreeSet<_> = names.iter().map(|name| Prefix::of(name).expect(name).text).collect();
        assert_eq!(begun, PREFIXES.iter().map(|prefix| prefix.text).collect());
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "no two are the same");
    }

    #[test]
    fn a_mark_says_what_it_was_made_of() {
        let mark = met_version("or-ders", "in/a-b.csv", 7, "00ff");
        assert_eq!(read_met(&mark), Some((met("or-ders", Some("in/a-b.csv")), 7, "00ff".to_owned())));
        assert!(met_version("p", "a", 10, "x") > met_version("p", "a", 9, "y"), "in the order of their places");
        assert!(met_begun("p", "a", 10) > met_version("p", "a", 9, "y"), "after every earlier version");
        assert!(met_begun("p", "a", 10) < met_version("p", "a", 10, "0"), "before its own");
        assert_eq!(read_met(&met_begun("p", "a", 3)), Some((met("p", Some("a")), 3, String::new())));
    }

    #[test]
    fn a_piece_says_which_window_it_is_of() {
        for window in [1, 12_345_678, 1_234_567_890] {
            assert_eq!(landed_window(&landed("or-ders-7", Some((window, 3, "00ff", LandedAs::Pages)))), Some(window));
        }
        assert_eq!(landed_window(&landed("p", None)), None);
    }

    #[test]
    fn no_name_is_made_without_the_table() {
        let (code, _) = include_str!("name.rs").split_once("#[cfg(test)]").expect("the tests follow");
        // What has a slash is a name in the store; the others are parts of one.
        let made = code.lines().filter(|line| !line.trim_start().starts_with("//") && line.contains('/'));
        assert_eq!(made.filter(|line| !line.contains(".name(")).collect::<Vec<_>>(), [""; 0]);
    }
}
