//! Prefix: the contents of the store, one row for each prefix: which function does what with it, how long it is kept, and why.
//!
//! Every name in the store begins with one of these prefixes; `name` makes the names. The functions' permissions, the rules of
//! the bucket and the reference page of a deployment are generated from the rows.
//!
//! Retention is by age, and age begins when an object is written. So an object that is still needed long after it was written
//! never expires. Staged parts and rejected records expire before the receipts that refer to them, receipts before the rows of
//! the ledger, and a document that decides something stays longer than what it decides about.

use std::fmt::Display;

use crate::protocol::Step;

/// A prefix of names in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// The prefix, with its slash.
    pub text: &'static str,
    /// What is stored there.
    pub holds: &'static str,
    /// How long it is kept.
    pub retention: Retention,
    /// Why it is kept so long.
    pub why: &'static str,
    /// The prefixes whose objects it decides about: it is kept longer than they are.
    pub decides: &'static [&'static str],
    /// What each step does there; a step that does nothing is not in it.
    pub rights: &'static [(Step, &'static [Right])],
    /// Whether the warehouse reads it, with the role of COPY.
    pub is_copied: bool,
}

/// How long an object is kept. The classes are ordered by how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retention {
    /// Some days, as staged parts are.
    Staged,
    /// Some days, as rejected records are: they may hold personal data.
    Quarantine,
    /// Some days, as receipts are: more than the two above.
    Receipts,
    /// As long as it takes: Etalon removes it itself when nothing is left to be done.
    UntilDone,
    /// As long as the table.
    Always,
}

impl Retention {
    /// Its name in the rules of a bucket.
    pub fn name(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Quarantine => "quarantine",
            Self::Receipts => "receipts",
            Self::UntilDone => "until_done",
            Self::Always => "always",
        }
    }
}

/// What may be done with objects.
///
/// A function that reads objects that may be absent also needs the permission to list the whole bucket: without it, S3 answers
/// that an absent object is forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Ask which there are.
    List,
    /// Read one, or find that it is absent.
    Read,
    /// Write one, or find that it is there.
    Write,
    /// Remove one.
    Delete,
}

impl Right {
    /// The name of the permission.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

use Right::{Delete, List, Read, Write};
use Step::{Extract, Load, Transform};

/// The kept pipeline files.
pub const PIPELINES: Prefix = Prefix {
    text: "pipelines/",
    holds: "the pipeline files that inputs were planned with, by fingerprint",
    retention: Retention::Always,
    why: "A file is written once, when it is first deployed, and plans may need it years later.",
    decides: &["plans/", "units/"],
    rights: &[(Extract, &[Read, Write]), (Transform, &[Read]), (Load, &[Read])],
    is_copied: false,
};

/// How far each database or API was read. Only the functions of a pipeline with such a source have these permissions.
pub const CURSORS: Prefix = Prefix {
    text: "cursors/",
    holds: "how far each pipeline has read a database or an API, and the windows of it that are kept",
    retention: Retention::Always,
    why: "Without it the source would be read from its beginning again. Only what it names in `landed/` counts as landed.",
    decides: &["landed/"],
    rights: &[(Extract, &[Read, Write]), (Transform, &[Read])],
    is_copied: false,
};

/// The tokens that a server renews; permissions as in [`CURSORS`], except that an operator of the pipeline may not read them.
pub const TOKENS: Prefix = Prefix {
    text: "tokens/",
    holds: "the tokens of each account whose server gives a new refresh token whenever it takes one",
    retention: Retention::Always,
    why: "The last token is needed to get the next one; without it, access must be granted again. It is as secret as the \
          secret from which it came.",
    decides: &[],
    rights: &[(Extract, &[Read, Write])],
    is_copied: false,
};

/// The calls that were made of APIs; permissions as in [`CURSORS`].
pub const BUDGETS: Prefix = Prefix {
    text: "budgets/",
    holds: "when an API was called, for each account and rate, and how many calls each function may make now",
    retention: Retention::Receipts,
    why: "All functions that read an account keep to its rate together, also those of later runs. It is written with every few \
          calls, so that what is old is of no use.",
    decides: &[],
    rights: &[(Extract, &[Read, Write])],
    is_copied: false,
};

/// What has landed of a database or an API; permissions as in [`CURSORS`].
pub const LANDED: Prefix = Prefix {
    text: "landed/",
    holds: "what was read from a database or an API, in pieces, as it came: rows, or records and the responses that they are of",
    retention: Retention::Quarantine,
    why: "Rejected records are read again from here, not from the source. It contains all the personal data that the source \
          contains.",
    decides: &[],
    rights: &[(Extract, &[List, Read, Write, Delete]), (Transform, &[Read])],
    is_copied: false,
};

/// The records of objects' versions.
pub(crate) const SOURCES: Prefix = Prefix {
    text: "sources/",
    holds: "the versions of each object, in the order in which they were met",
    retention: Retention::Always,
    why: "It says whether a version is the object's first. Without it, a new version would be loaded beside the rows that it \
          replaces.",
    decides: &["plans/"],
    rights: &[(Extract, &[Read, Write]), (Transform, &[Read]), (Load, &[Read])],
    is_copied: false,
};

/// The legs of runs that are loaded as a whole.
pub(crate) const RUNS: Prefix = Prefix {
    text: "runs/",
    holds: "what each run met, for pipelines that load whole runs; one document for each leg of the listing",
    retention: Retention::Receipts,
    why: "It says which receipts the run needs to be complete. When the run is judged, its unit says so too.",
    decides: &["staged/"],
    rights: &[(Extract, &[Read, Write]), (Transform, &[Read])],
    is_copied: false,
};

/// The plans of inputs.
pub const PLANS: Prefix = Prefix {
    text: "plans/",
    holds: "how each input is split into tasks, and with which pipeline file, written once",
    retention: Retention::Receipts,
    why: "Every delivery of a task uses it, and rejected records are found by it. When it has expired, the input is not \
          planned again, since the mark that its tasks were sent stays.",
    decides: &["staged/", "quarantine/"],
    rights: &[(Extract, &[List, Read, Write]), (Transform, &[List, Read])],
    is_copied: false,
};

/// The marks of the current versions of objects.
pub const MET: Prefix = Prefix {
    text: "met/",
    holds: "a mark for the version of each object that was met last and whose tasks have been sent; what the last run met",
    retention: Retention::Always,
    why: "A listing skips objects that have a mark. Without the marks, the record of every object would be read again.",
    decides: &["plans/"],
    rights: &[(Extract, &[List, Read, Write, Delete]), (Transform, &[Read])],
    is_copied: false,
};

/// The marks that an older Etalon has left of inputs whose tasks have been sent.
pub(crate) const SENT: Prefix = Prefix {
    text: "sent/",
    holds: "a mark for each input whose tasks an older Etalon has sent, without content",
    retention: Retention::Always,
    why: "Without it, everything that is still in the source and was loaded then would be transformed again.",
    decides: &["plans/"],
    rights: &[(Extract, &[List])],
    is_copied: false,
};

/// The staged parts.
pub const STAGED: Prefix = Prefix {
    text: "staged/",
    holds: "parts: rows on their way to the table, one folder for each batch",
    retention: Retention::Staged,
    why: "They are needed until they are loaded. Decide about a held unit before its parts expire.",
    decides: &[],
    rights: &[(Transform, &[Write])],
    is_copied: true,
};

/// The rejected records.
pub const QUARANTINE: Prefix = Prefix {
    text: "quarantine/",
    holds: "rejected records with their reasons, one folder for each batch",
    retention: Retention::Quarantine,
    why: "Until then they can be looked at and redriven. They are found by plans and receipts, and expire before these.",
    decides: &[],
    rights: &[(Extract, &[List, Read]), (Transform, &[Write])],
    is_copied: false,
};

/// The receipts of tasks.
pub const RECEIPTS: Prefix = Prefix {
    text: "receipts/",
    holds: "what each task did, in numbers that balance; a part without a receipt does not exist",
    retention: Retention::Receipts,
    why: "It says which parts exist. Its counts stay in the ledger of the table, which is never removed.",
    decides: &["staged/", "quarantine/"],
    rights: &[(Extract, &[Read]), (Transform, &[Read, Write])],
    is_copied: false,
};

/// The decisions about rejected records.
pub const MARKS: Prefix = Prefix {
    text: "marks/",
    holds: "decisions about rejected records: read again, or discarded",
    retention: Retention::Always,
    why: "Without the decision, its records would be open again.",
    decides: &["quarantine/", "receipts/"],
    rights: &[(Extract, &[List, Read, Write]), (Transform, &[Read])],
    is_copied: false,
};

/// The documents of units.
pub const UNITS: Prefix = Prefix {
    text: "units/",
    holds: "what has become of each unit: pending, held, loaded, discarded or replaced",
    retention: Retention::Always,
    why: "Without it, a late message of a discarded unit would cause the unit to be judged and loaded again. At any time the \
          units add up to staged = loaded + pending + held + discarded.",
    decides: &["staged/", "receipts/", "pending/", "held/", "runs/"],
    rights: &[(Extract, &[List, Read, Write]), (Transform, &[List, Read, Write]), (Load, &[List, Read, Write])],
    is_copied: false,
};

/// The marks of units that wait for their load.
pub const PENDING: Prefix = Prefix {
    text: "pending/",
    holds: "a mark for each unit that waits for its load, without content",
    retention: Retention::UntilDone,
    why: "A unit without its mark would never be loaded.",
    decides: &["staged/"],
    rights: &[(Extract, &[Write]), (Transform, &[Write]), (Load, &[List, Write, Delete])],
    is_copied: false,
};

/// The marks of units that wait for a decision.
pub const HELD: Prefix = Prefix {
    text: "held/",
    holds: "a mark for each unit that waits for a decision, without content",
    retention: Retention::UntilDone,
    why: "Nobody would see a unit without its mark.",
    decides: &["staged/"],
    rights: &[(Extract, &[List, Write, Delete]), (Transform, &[Write]), (Load, &[List, Write, Delete])],
    is_copied: false,
};

/// The marks of units that a person has discarded.
pub const DISCARDED: Prefix = Prefix {
    text: "discarded/",
    holds: "a mark for each unit that a person has discarded, without content",
    retention: Retention::Always,
    why: "With it, `undiscard` finds what was discarded.",
    decides: &["staged/"],
    rights: &[(Extract, &[List, Write, Delete])],
    is_copied: false,
};

/// The decisions about held units.
pub(crate) const DECISIONS: Prefix = Prefix {
    text: "decisions/",
    holds: "the decisions about held units, each with its units",
    retention: Retention::Receipts,
    why: "With it, a message that is delivered twice decides once.",
    decides: &[],
    rights: &[(Extract, &[Read, Write])],
    is_copied: false,
};

/// The loads in flight.
pub const LOADS: Prefix = Prefix {
    text: "loads/",
    holds: "the load in flight of each table; when its last load began, and when units were held within the last hour",
    retention: Retention::UntilDone,
    why: "The load in flight prevents a second load of the table; the times limit how often loads begin, and how many units \
          are held.",
    decides: &["manifests/", "staged/"],
    rights: &[(Load, &[Read, Write, Delete])],
    is_copied: false,
};

/// The manifests of loads.
pub const MANIFESTS: Prefix = Prefix {
    text: "manifests/",
    holds: "which staged parts the warehouse reads, one manifest for each load",
    retention: Retention::Staged,
    why: "It is of no use when the parts that it names have expired.",
    decides: &[],
    rights: &[(Load, &[Write])],
    is_copied: true,
};

/// All prefixes, in the order in which an object's way fills them.
pub const PREFIXES: &[Prefix] = &[
    PIPELINES, CURSORS, TOKENS, BUDGETS, LANDED, SOURCES, RUNS, PLANS, MET, SENT, STAGED, QUARANTINE, RECEIPTS, MARKS,
    UNITS, PENDING, HELD, DISCARDED, DECISIONS, LOADS, MANIFESTS,
];

impl Prefix {
    /// The prefix that a name begins with.
    pub fn of(name: &str) -> Option<&'static Self> {
        PREFIXES.iter().find(|prefix| name.starts_with(prefix.text))
    }

    /// A name below it.
    pub fn name(&self, rest: impl Display) -> String {
        format!("{}{rest}", self.text)
    }

    /// What a step may do there.
    pub fn rights(&self, step: Step) -> &'static [Right] {
        self.rights.iter().find(|(who, _)| *who == step).map_or(&[], |(_, rights)| rights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_is_kept_for_longer_than_what_it_decides_about() {
        for prefix in PREFIXES {
            for decided in prefix.decides {
                let about =
                    PREFIXES.iter().find(|other| other.text == *decided).expect("it decides about what is kept");
                let outlives = prefix.retention > about.retention || prefix.retention == Retention::Always;
                assert!(outlives, "{} is kept as long as {decided}", prefix.text);
            }
        }
    }

    #[test]
    fn no_prefix_begins_like_another() {
        for prefix in PREFIXES {
            assert!(prefix.text.ends_with('/'), "{}", prefix.text);
            assert_eq!(Prefix::of(&prefix.name("x")).map(|found| found.text), Some(prefix.text));
        }
    }

    #[test]
    fn what_a_step_or_the_warehouse_reads_somebody_writes() {
        // What an older Etalon has written is only read.
        for prefix in PREFIXES.iter().filter(|prefix| **prefix != SENT) {
            let writes = |(_, rights): &(Step, &[Right])| rights.contains(&Write);
            assert!(prefix.rights.iter().any(writes), "{}", prefix.text);
            assert!(
                prefix.retention != Retention::UntilDone || prefix.rights(Load).contains(&Delete),
                "{}",
                prefix.text
            );
        }
    }
}
