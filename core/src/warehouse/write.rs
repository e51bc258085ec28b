//! Write: the write modes, as the pipeline file names them, and what each needs of the target.

use super::table::{IS_CURRENT_COLUMN, VALID_FROM_COLUMN, VALID_TO_COLUMN, WriteMode};
use crate::spec::Choice;

/// A write mode, before its columns are known.
#[derive(Debug)]
pub struct Write {
    /// Its word in the pipeline file.
    pub word: &'static str,
    /// Whether rows are identified by their key, so that `key`, `order_by` and `delete_when` are allowed.
    pub has_key: bool,
    /// What it needs in `order_by`.
    pub order: Order,
    /// Whether it may leave a table empty, so that `allow_empty` is allowed.
    pub may_empty: bool,
    /// The columns that it adds to the table.
    pub own_columns: &'static [&'static str],
    mode: fn(Positions) -> WriteMode,
}

/// What a write mode needs in `order_by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Nothing.
    Unused,
    /// Columns; without any the load that comes last wins.
    Wanted,
    /// One column.
    One,
}

/// The keys of the target, as positions in the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// `key`.
    pub key: Vec<usize>,
    /// `order_by`.
    pub order_by: Vec<usize>,
    /// `allow_empty`.
    pub allow_empty: bool,
}

impl Write {
    /// The write mode for these columns.
    pub fn mode(&self, positions: Positions) -> WriteMode {
        (self.mode)(positions)
    }
}

impl PartialEq for Write {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for Write {}

/// The write modes.
pub(crate) const WRITES: Choice<&Write> = Choice(&[
    (APPEND.word, "every row is added", &APPEND),
    (MERGE.word, "a row takes the place of the one with its key, unless that is newer", &MERGE),
    (REPLACE.word, "the rows of a run take the place of all rows", &REPLACE),
    (SCD2.word, "a row is a version of its key, valid from its `order_by` until the next version's", &SCD2),
]);

const APPEND: Write = Write {
    word: "append",
    has_key: false,
    order: Order::Unused,
    may_empty: false,
    own_columns: &[],
    mode: |_| WriteMode::Append,
};

const MERGE: Write = Write {
    word: "merge",
    has_key: true,
    order: Order::Wanted,
    may_empty: false,
    own_columns: &[],
    mode: |Positions { key, order_by, .. }| WriteMode::Merge { key, order_by },
};

const REPLACE: Write = Write {
    word: "replace",
    has_key: false,
    order: Order::Unused,
    may_empty: true,
    own_columns: &[],
    mode: |Positions { allow_empty, .. }| WriteMode::Replace { allow_empty },
};

const SCD2: Write = Write {
    word: "scd2",
    has_key: true,
    order: Order::One,
    may_empty: false,
    own_columns: &[VALID_FROM_COLUMN, VALID_TO_COLUMN, IS_CURRENT_COLUMN],
    mode: |Positions { key, order_by, .. }| WriteMode::Scd2 {
        key,
        order_by: order_by.first().copied().unwrap_or_default(),
    },
};
