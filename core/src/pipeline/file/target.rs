//! The target: where rows go, and which of several rows with the same key stays in the table.

use crate::diagnostic::Span;
use crate::spec::{Boolean, Choice, Expression, Mapping, OneOrMany, Placed, Spanned, Text};
use crate::warehouse::{WRITES, Write};

use super::name;

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSpec {
    /// The key `target` itself.
    pub span: Span,
    /// `table`: `schema.table` or `table`.
    pub table: Text,
    /// `write`; `None` where it, or another part of the target, is wrong.
    pub write: Option<Spanned<&'static Write>>,
    /// `key`: the columns that tell rows apart.
    pub key: Vec<Spanned<String>>,
    /// `order_by`: the columns that order the versions of a row.
    pub order_by: Vec<Spanned<String>>,
    /// `delete_when`: an expression over the columns, true for a row that deletes its key.
    pub delete_when: Option<Text>,
    /// `allow_empty`.
    pub allow_empty: bool,
    /// The place of `allow_empty`, where it is said.
    pub allow_empty_span: Option<Span>,
    /// `sort_key`.
    pub sort_key: Vec<Spanned<String>>,
    /// `dist_key`.
    pub dist_key: Option<Spanned<String>>,
    /// `lineage`.
    pub lineage: bool,
}

impl TargetSpec {
    /// The target with its table only.
    pub(super) fn unknown(self) -> Self {
        Self { table: self.table, ..Self::default() }
    }
}

impl Default for TargetSpec {
    fn default() -> Self {
        Self {
            span: Span::default(),
            table: Text::empty(Span::default()),
            write: None,
            key: Vec::new(),
            order_by: Vec::new(),
            delete_when: None,
            allow_empty: false,
            allow_empty_span: None,
            sort_key: Vec::new(),
            dist_key: None,
            lineage: true,
        }
    }
}

const ALLOW_EMPTY: &str = "allow_empty";

pub(super) const TARGET: Mapping<TargetSpec> = Mapping {
    title: "target",
    doc: "Where rows go, and how they are written there.",
    may_be_empty: false,
    keys: |keys| {
        TargetSpec {
        span: keys.owner(),
        table: keys
            .required("table", name::Table, "The table: `schema.table`, or `table`.")
            .unwrap_or_else(|| Text::empty(keys.owner())),
        write: keys.required("write", Placed(WRITES), "How rows are written."),
        key: keys
            .optional("key", NAMES, "The columns that tell rows apart; `merge` and `scd2` need them.")
            .unwrap_or_default(),
        order_by: keys
            .optional(
                "order_by",
                NAMES,
                "The columns that order the versions of a row: an older version never replaces a newer one. `scd2` needs one.",
            )
            .unwrap_or_default(),
        delete_when: keys.optional(
            "delete_when",
            Expression,
            "SQL over the columns: a row for which it is true deletes its key, in the order of versions; for `merge` and \
             `scd2`.",
        ),
        allow_empty: keys.or(
            ALLOW_EMPTY,
            Boolean,
            "false",
            "Whether a run without rows may leave the table empty, for `replace`; with `on_overwrite: replace`, whether the \
             rows of a file are removed when it has no records any more.",
        ),
        allow_empty_span: keys.place(ALLOW_EMPTY),
        sort_key: keys
            .optional("sort_key", NAMES, "The columns by which the table is sorted.")
            .unwrap_or_default(),
        dist_key: keys.optional(
            "dist_key",
            Placed(name::Column),
            "The column by which the table is distributed.",
        ),
        lineage: keys.or(
            "lineage",
            Boolean,
            "true",
            "Whether the table has the columns `_etalon_batch`, `_etalon_offset` and `_etalon_time`.",
        ),
    }
    },
};

const NAMES: OneOrMany<Placed<name::Column>> = OneOrMany(Placed(name::Column));

/// Which of the rows of a load that share a key is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DedupeSpec {
    /// The key `dedupe` itself.
    pub span: Span,
    /// `key`: the columns that tell rows apart.
    pub key: Vec<Spanned<String>>,
    /// `order_by`: the columns that order the rows of a key; their places if not said.
    pub order_by: Vec<Spanned<String>>,
    /// `keep: last`, and not `first`.
    pub last: bool,
}

const KEPT: Choice<bool> =
    Choice(&[("last", "the greatest row is loaded", true), ("first", "the least row is loaded", false)]);

pub(super) const DEDUPE: Mapping<DedupeSpec> = Mapping {
    title: "dedupe",
    doc: "Which row is loaded if several rows of a file, or of a run that replaces all rows, have the same key; the others are counted. This comes after the \
          checks.",
    may_be_empty: false,
    keys: |keys| DedupeSpec {
        span: keys.owner(),
        key: keys.required("key", NAMES, "The columns that tell rows apart.").unwrap_or_default(),
        order_by: keys
            .optional(
                "order_by",
                NAMES,
                "The columns that order the rows of a key. If not said, their places in the source.",
            )
            .unwrap_or_default(),
        last: keys.or("keep", KEPT, "last", "Which row of a key is loaded."),
    },
};
