//! Expressions with PostgreSQL's own answers, out of test suites that others wrote.
//!
//! A case is *right*; *refused* before running, which is a gap in coverage; *stricter*, a reject by one of the written cases in
//! which putting a value into a column differs from a cast; or *wrong*: another value, an error with another SQLSTATE, a
//! value where there should be an error, or the reverse. No case may be wrong but those of [`DIFFERENCES`].
//!
//! Cases over types that the product does not have are *out*: they are no part of the share, and may be refused, but not be
//! wrong. Only the types of a case and PostgreSQL's answers decide that.
//!
//! With `ETALON_CORPORA_DETAILS` set, everything that is not right is listed by its message, the most frequent first.

mod case;
mod run;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;

use etalon_core::diagnostic::Code;
use etalon_core::diagnostic::Diagnostic;
use etalon_core::diagnostic::Severity;
use etalon_core::types::Type;

use case::Answer;
use case::Case;
use case::Work;
use case::result_type;
use case::shortened;
use run::Found;
use run::Outcome;
use run::run;

/// Each file, and the least share of right cases, in thousandths of those whose types the product has. A share that rises
/// is written here, so that it cannot fall again.
const FLOORS: [(&str, usize); 9] = [
    ("pg_scalar", 970),
    ("pg_scalar_extended", 954),
    ("pg_assign", 975),
    ("pg_assign_extended", 1000),
    ("pg_rowmap", 987),
    ("pg_rowmap_extended", 1000),
    ("slt_agreed", 978),
    ("slt_dialect_traps", 976),
    ("pg_found", 962),
];

/// Cases that give something else than PostgreSQL, each with the reason. One that does no more fails the test.
const DIFFERENCES: &[(&str, &str)] = &[("pg-a8d8d0e872a9", CUBE_ROOT), ("found-67067511", CUBE_ROOT)];

const CUBE_ROOT: &str =
    "a cube root is rounded to the nearest number; the C library's, which PostgreSQL asks, is one place off";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Right,
    Refused,
    Stricter,
    Wrong,
}

/// What is said of a case: the verdict, and why it is not right.
struct Judgement {
    verdict: Verdict,
    message: String,
}

impl Judgement {
    fn new(verdict: Verdict, message: impl Into<String>) -> Self {
        Self { verdict, message: message.into() }
    }
}

/// What a file comes to.
#[derive(Default)]
struct Score {
    cases: usize,
    verdicts: BTreeMap<Verdict, usize>,
    /// Cases that are out, by type.
    out: BTreeMap<String, usize>,
    /// What is not right, by its message.
    groups: BTreeMap<(Verdict, bool, String), Vec<String>>,
}

impl Score {
    fn count(&self, verdict: Verdict) -> usize {
        self.verdicts.get(&verdict).copied().unwrap_or(0)
    }

    /// The share of right cases in thousandths.
    fn share(&self) -> usize {
        let counted: usize = self.verdicts.values().sum();
        self.count(Verdict::Right) * 1000 / counted.max(1)
    }

    fn print(&self, file: &str) {
        let out: usize = self.out.values().sum();
        println!(
            "{file:<20} {:>5} {out:>5} {:>5} {:>7} {:>8} {:>5} {:>5}.{}%",
            self.cases,
            self.count(Verdict::Right),
            self.count(Verdict::Refused),
            self.count(Verdict::Stricter),
            self.count(Verdict::Wrong),
            self.share() / 10,
            self.share() % 10,
        );
    }

    /// Everything that is not right, by its message.
    fn print_groups(&self, file: &str) {
        for (ty, count) in &self.out {
            println!("{file} out: {count} of type {ty}");
        }
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|((verdict, is_out, _), cases)| (*is_out, *verdict, std::cmp::Reverse(cases.len())));
        for ((verdict, is_out, message), cases) in groups {
            println!("{file} {verdict:?}{}: {} of {message}", if *is_out { ", out" } else { "" }, cases.len());
            for case in cases {
                println!("    {case}");
            }
        }
    }
}

pub(crate) fn expressions_mean_what_postgresql_means(corpora: &Path) {
    let has_details = std::env::var_os("ETALON_CORPORA_DETAILS").is_some();
    let mut unused: BTreeSet<&str> = DIFFERENCES.iter().map(|(id, _)| *id).collect();
    let mut problems = Vec::new();
    println!(
        "{:<20} {:>5} {:>5} {:>5} {:>7} {:>8} {:>5} {:>8}",
        "file", "cases", "out", "right", "refused", "stricter", "wrong", "share"
    );
    for (file, floor) in FLOORS {
        let mut score = Score::default();
        let text = fs::read(corpora.join("expr").join(file).with_extension("jsonl")).unwrap();
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            score.cases += 1;
            let case = match Case::read(line) {
                Ok(case) => case,
                Err(message) => {
                    problems.push(format!("{file} line {}: {message}", score.cases));
                    continue;
                }
            };
            // A panic is the fault of its case, and does not end the run.
            let judged = catch_unwind(AssertUnwindSafe(|| judge(&case)));
            let judgement = judged.unwrap_or_else(|panic| {
                let message = panic.downcast_ref::<String>().map(String::as_str);
                let message = message.or_else(|| panic.downcast_ref().copied()).unwrap_or_default();
                Judgement::new(Verdict::Wrong, format!("panic: {message}"))
            });
            let out = case.out();
            let told = format!("{} {}", case.id, case.told());
            if judgement.verdict == Verdict::Wrong && !unused.remove(case.id.as_str()) {
                problems.push(format!("{file} {told}: {}", judgement.message));
            }
            if judgement.verdict != Verdict::Right {
                let group = (judgement.verdict, out.is_some(), judgement.message);
                score.groups.entry(group).or_default().push(told);
            }
            match out {
                Some(reason) if judgement.verdict != Verdict::Wrong => *score.out.entry(reason).or_default() += 1,
                _ => *score.verdicts.entry(judgement.verdict).or_default() += 1,
            }
        }
        score.print(file);
        if has_details {
            score.print_groups(file);
        }
        if score.share() < floor {
            problems.push(format!("{file}: the share is {} thousandths, and was {floor}", score.share()));
        }
    }
    problems.extend(unused.iter().map(|id| format!("{id} is no difference any more")));
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// Runs a case and compares what comes of it with PostgreSQL's answers.
fn judge(case: &Case) -> Judgement {
    match run(case) {
        Err(diagnostics) => refused(case, &diagnostics),
        Ok(outcome) => delivered(case, &outcome),
    }
}

/// The judgement of a case that did not compile.
fn refused(case: &Case, diagnostics: &[Diagnostic]) -> Judgement {
    let Some(first) = diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error) else {
        return Judgement::new(Verdict::Wrong, "refused without a reason");
    };
    let states = case.answers.iter().map(|answer| match answer {
        Answer::Error { state, .. } => Some(state.as_str()),
        Answer::Value(_) => None,
    });
    let states: Option<Vec<_>> = states.collect();
    let known = first.fault.and_then(Code::sqlstate);
    if let (Some(states), Some(known)) = (&states, known)
        && states.iter().all(|state| *state == known)
    {
        return Judgement::new(Verdict::Right, "");
    }
    let message = format!("[{}] {}", first.code, first.message);
    match states {
        // What PostgreSQL refuses as well.
        Some(states) if states.iter().all(|state| state.starts_with("42") || state.starts_with("0A")) => {
            Judgement::new(Verdict::Right, message)
        }
        // Every row would have the fault, and PostgreSQL has another or none.
        _ if first.code == Code::ConstantFault && case.out().is_none() => {
            Judgement::new(Verdict::Wrong, format!("{message}, expected {}", listed(&case.answers)))
        }
        _ => Judgement::new(Verdict::Refused, message),
    }
}

/// The judgement of a case that ran.
fn delivered(case: &Case, outcome: &Outcome) -> Judgement {
    let expected_type = case.ty.as_deref().and_then(result_type);
    if outcome.rows.len() != case.answers.len() {
        return Judgement::new(Verdict::Wrong, format!("{} rows, not {}", outcome.rows.len(), case.answers.len()));
    }
    let mut judgement = Judgement::new(Verdict::Right, "");
    for (found, expected) in outcome.rows.iter().zip(&case.answers) {
        let verdict = match (found, expected) {
            (Err(code), Answer::Error { state, .. }) => match code.sqlstate() {
                Some(known) if state == known => Verdict::Right,
                _ => Verdict::Wrong,
            },
            (Err(Code::ExcessScale | Code::ExcessBlanks | Code::ExcessFraction), Answer::Value(_)) => Verdict::Stricter,
            // A field without a format takes ISO 8601 alone.
            (Err(Code::NotADatetime), Answer::Value(_)) if case.is_field_in_another_form() => Verdict::Stricter,
            // The number has no room in the types that the product has.
            (Err(code), Answer::Value(_)) if case.out().is_some() && is_limit(*code) => Verdict::Refused,
            (Ok(found), Answer::Value(expected)) if is_same(found.as_deref(), expected.as_deref(), case) => {
                Verdict::Right
            }
            _ => Verdict::Wrong,
        };
        if verdict > judgement.verdict {
            judgement.verdict = verdict;
            judgement.message = format!("{}, expected {expected}", show_found(found));
        }
    }
    if let (Some(found), Some(expected), Verdict::Right) = (outcome.ty, expected_type, judgement.verdict)
        && kind(found) != kind(expected)
    {
        return Judgement::new(Verdict::Wrong, format!("the type is {found}, not {expected}"));
    }
    judgement
}

fn show_found(found: &Found) -> String {
    match found {
        Ok(Some(text)) => format!("{:?}", shortened(text)),
        Ok(None) => "NULL".to_owned(),
        Err(code) => format!("{code} {}", code.meaning()),
    }
}

fn listed(answers: &[Answer]) -> String {
    answers.iter().map(Answer::to_string).collect::<Vec<_>>().join(", ")
}

/// Types without their lengths and digits.
fn kind(ty: Type) -> Type {
    match ty {
        Type::Decimal { .. } => Type::Numeric,
        Type::Varchar(_) => Type::Text,
        Type::Char(_) => Type::Char(0),
        ty => ty,
    }
}

/// Whether a code says that PostgreSQL has room for what the product has not.
fn is_limit(code: Code) -> bool {
    matches!(code, Code::OutOfRange | Code::DatetimeOutOfRange | Code::BeyondDecimal | Code::Infinite)
}

/// Whether a value is PostgreSQL's: floating-point numbers by their bits, everything else by its text.
fn is_same(found: Option<&str>, expected: Option<&str>, case: &Case) -> bool {
    let (Some(found), Some(expected)) = (found, expected) else { return found == expected };
    match case.ty.as_deref().and_then(result_type) {
        Some(Type::Double | Type::Real) => {
            let finite = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite()).map(f64::to_bits);
            found == expected || (finite(found).is_some() && finite(found) == finite(expected))
        }
        // A `super` keeps the text of a cell as it is; what it means counts.
        Some(Type::Super | Type::Jsonb) if matches!(case.work, Work::Cell { .. }) => {
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            value(found).is_some() && value(found) == value(expected)
        }
        // PostgreSQL prints a char with its padding, which the warehouse adds.
        Some(Type::Char(length)) if length > 0 => format!("{found:<0$}", length as usize) == expected,
        _ => found == expected,
    }
}
