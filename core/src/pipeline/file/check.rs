//! A check: a rule over a whole row.

use crate::spec::{Expression, Mapping, Text};
use crate::transform::{ON_FAIL, OnFail};

/// A rule over a whole row: `amount_positive: amount >= 0`, or `{ check: …, on_fail: warn }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSpec {
    /// Its expression over the columns; `None` where it is wrong.
    pub check: Option<Text>,
    /// What happens to a row for which it is false.
    pub on_fail: OnFail,
}

/// The key that a check in short is the value of.
pub(super) const CONDITION: &str = "check";

pub(super) const CHECK: Mapping<CheckSpec> = Mapping {
    title: "a check",
    doc: "A rule over a whole row. In short: its condition.",
    may_be_empty: false,
    keys: |keys| CheckSpec {
        check: keys.required(
            CONDITION,
            Expression,
            "The condition: SQL over the columns. A row for which it is false fails.",
        ),
        on_fail: keys.or("on_fail", ON_FAIL, "reject", "What happens to a row that fails."),
    },
};
