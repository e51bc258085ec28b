//! Examples: for each code about a pipeline file, a part of a file that gets the code, and what to do about it.
//!
//! A test runs each example.

use super::Code;

/// A part of a pipeline file that is wrong in one way.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// What it gets.
    pub code: Code,
    /// One or more keys of the file with their values; they take the place of those of the rest of the file.
    pub part: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// The file around the examples; nothing is wrong with it.
const REST: [(&str, &str); 5] = [
    ("etalon", "etalon: 1\n"),
    ("pipeline", "pipeline: orders\n"),
    (
        "source",
        "source:\n  files: orders.csv\n  format: csv\n  fields:\n    id: bigint\n    customer:\n    amount: decimal(12,2)\n    \
         ordered_at: timestamptz\n",
    ),
    (
        "columns",
        "columns:\n  order_id: { from: id, required: true }\n  customer: varchar(64)\n  amount:\n  ordered_at:\n",
    ),
    ("target", "target: { table: orders, write: append }\n"),
];

impl Example {
    /// A whole pipeline file with the part in it.
    pub fn file(&self) -> String {
        around(self.part)
    }
}

/// A whole pipeline file with a part in it.
pub(super) fn around(part: &str) -> String {
    let is_said = |key: &str| part.lines().any(|line| line.starts_with(key));
    let mut file: String = REST.iter().filter(|&&(key, _)| !is_said(key)).map(|&(_, text)| text).collect();
    file.push_str(part);
    file
}

macro_rules! examples {
    ($($code:ident: $part:literal => $remedy:literal;)+) => {
        /// An example for each code of a pipeline file, in the order of the registry.
        pub const EXAMPLES: &[Example] = &[$(Example { code: Code::$code, part: $part, remedy: $remedy },)+];
    };
}

examples! {
    Yaml: "where: amount > 0 or customer = 'note: none'\n"
        => "Without quotes, YAML reads `: ` as the end of a key. Quote the text, or write it under `>` on lines of its own.";
    DuplicateKey: "limits: { rejects: 1% }\nlimits: { rejects: 2% }\n"
        => "Remove one of the two.";
    YamlFeature: "description: &text Orders\n"
        => "Write the value out where it is needed; quote a text that begins with `&`, `*` or `!`.";
    CutParenthesis: "columns:\n  amount: { type: decimal(12,2), required: true }\n"
        => "Between braces YAML cuts a text without quotes at each comma. Quote it, or write the keys on lines of their own.";
    UnknownKey: "target: { table: orders, write: append, sortkey: ordered_at }\n"
        => "Write the key as the reference of the pipeline file has it.";
    MissingKey: "target: { table: orders }\n"
        => "Add the key.";
    WrongKind: "columns: [order_id, customer]\n"
        => "Write the value as the reference of the pipeline file has it; here, each column is a key: `order_id:`.";
    WrongValue: "target: { table: orders, write: upsert }\n"
        => "Write one of the values that the message names; `merge` is what others call upsert.";
    UnknownType: "columns: { amount: { type: number } }\n"
        => "Write one of Redshift's types.";
    Conflict: "schedule: object-created\n"
        => "Leave one of the two out, or add what is needed; here, read from `s3`.";
    FormatVersion: "etalon: 2\n"
        => "Write the version that this Etalon reads, or install an Etalon that reads the file's version.";
    Placeholder: "where: customer <> '${TEST_CUSTOMER}'\n"
        => "What an expression means may not depend on where it runs. Write the value out.";
    Name: "columns: { Order-Id: { from: id } }\n"
        => "Choose a name that the warehouse takes without quotes.";
    Regex: "columns: { customer: { type: varchar(64), matches: '^[a-z' } }\n"
        => "Write the regular expression in the syntax of Rust's `regex` crate.";
    Syntax: "where: amount >\n"
        => "Write an expression of SQL.";
    UnknownName: "columns: { customer: { from: upper(custmer), type: varchar(64) } }\n"
        => "`from` and `where` use the fields of the source; checks use the columns.";
    UnknownFunction: "columns: { customer: { from: uper(customer), type: varchar(64) } }\n"
        => "Use a function of the reference.";
    Arguments: "columns: { customer: { from: \"upper(customer, 2)\", type: varchar(64) } }\n"
        => "Give the function the arguments that its page in the reference has.";
    Types: "where: amount > ordered_at\n"
        => "Cast one side to the type of the other.";
    NotScalar: "columns: { amount: { from: sum(amount), type: 'decimal(12,2)' } }\n"
        => "A mapping sees one row. Aggregate in the warehouse, after the load.";
    Unsupported: "columns: { customer: { from: 'array[customer]', type: varchar(64) } }\n"
        => "Write it with the functions of the reference, or do it in the warehouse.";
    ColumnType: "columns: { amount: { from: ordered_at, type: 'decimal(12,2)' } }\n"
        => "Give the column the type of its value, or cast the value.";
    ConstantFault: "where: ordered_at >= '2024-02-30'\n"
        => "Correct the constant: no row could be delivered.";
    NeverTrueRule: "columns: { amount: { min: 5, max: 1 } }\n"
        => "Correct the rule: every row would be rejected, or no row would ever have the value.";
    CutByComment: "where: customer <> 'room #1'\n"
        => "A blank and `#` begin a comment in YAML. Quote the whole text.";
    RuleOverNull: "checks: { positive: amount > 0 }\n"
        => "A check fails on FALSE only. If a row without the value must fail too, mark the column `required`.";
    MergeWithoutOrder: "columns: { order_id: { from: id, required: true } }\ntarget: { table: orders, write: merge, key: order_id }\n"
        => "Name the column that tells which version of a row is newer: `order_by`.";
    UtcDay: "columns: { ordered_on: { from: 'ordered_at::date' } }\n"
        => "If the day of another zone is meant, write `(ordered_at at time zone 'Europe/Berlin')::date`.";
    DeleteOverNull: "columns:\n  order_id: { from: id, required: true }\n  customer: varchar(64)\n  ordered_at: required\n\
        target: { table: orders, write: merge, key: order_id, order_by: ordered_at, delete_when: customer = '' }\n"
        => "A row deletes its key where the expression is true. If a row without the value must delete too, write `coalesce(…, true)`; \
            else `coalesce(…, false)`.";
    NeverTrue: "where: id > 0 or customer = null\n"
        => "Write `is null` or `is not null`.";
    GuessedDay: "columns: { born_on: { from: 'customer::date' } }\n"
        => "A cast reads `05.03.2026` month first, as PostgreSQL does, and takes many other ways of writing a day. Say the one that is \
            meant: `type: date` and `format: DD.MM.YYYY` of the field, or `to_date(…, 'DD.MM.YYYY')`.";
}
