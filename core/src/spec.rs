//! Spec: the pipeline file as it was written, with the place of everything in it. Nothing here is checked beyond its form;
//! only `Pipeline::compile` takes a `Spec`.

mod check;
mod form;
mod lower;
mod reference;
mod schema;
mod shape;
mod text;
mod yaml;

use crate::diagnostic::{Diagnostic, Span};
use crate::types::Type;

pub use reference::reference;
pub use schema::json_schema;
pub use text::Text;

/// The version of the file format that this Etalon reads.
pub const FORMAT_VERSION: u32 = 1;

/// A thing and its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The thing.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// A pipeline file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The pipeline's name.
    pub pipeline: Spanned<String>,
    /// What it is for, for people.
    pub description: Option<String>,
    /// Where records come from.
    pub source: Source,
    /// Which rows are kept: `where`.
    pub filter: Option<Text>,
    /// What leaves, in order.
    pub columns: Vec<ColumnSpec>,
    /// Rules over a whole row.
    pub checks: Vec<CheckSpec>,
    /// Which rows of a load are dropped for others of it.
    pub dedupe: Option<DedupeSpec>,
    /// How many rejects are too many.
    pub limits: Option<Limits>,
    /// Where rows go.
    pub target: Target,
    /// How staged parts are written.
    pub stage: StageSpec,
    /// When it runs.
    pub schedule: Option<Spanned<Schedule>>,
    /// The names of fields that are wrong and left out; that they are missed elsewhere is no mistake of its own.
    pub wrong_fields: Vec<String>,
    /// The names of columns that are wrong in some part, likewise.
    pub wrong_columns: Vec<String>,
}

/// Where records come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The key `source` itself.
    pub span: Span,
    /// Files or objects.
    pub location: Location,
    /// How they are written.
    pub format: FormatSpec,
    /// How they are compressed; `auto` (by the name's ending) if not said.
    pub compression: Option<Spanned<CompressionSpec>>,
    /// What arrives, in order.
    pub fields: Vec<FieldSpec>,
    /// What happens to fields that are not declared.
    pub contract: ContractSpec,
    /// What happens to a new version of a known object.
    pub on_overwrite: OnOverwrite,
}

/// Files or objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Paths or globs, relative to the pipeline file: `files:`, one text or a list.
    Files(Vec<Text>),
    /// A prefix `s3://bucket/prefix`: `s3:`.
    S3(Text),
}

/// How objects are written: `format: csv`, `format: jsonl`, `format: { csv: { header: true, … } }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatSpec {
    /// Separated values.
    Csv(CsvSpec),
    /// JSON Lines.
    Jsonl,
}

/// How separated values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvSpec {
    /// `header`, true if not said.
    pub header: bool,
    /// `delimiter`, one ASCII character, `,` if not said (`"\t"` for a tab).
    pub delimiter: u8,
    /// `quote`, one ASCII character or `none`, `"` if not said.
    pub quote: Option<u8>,
    /// `comment`, one ASCII character; none if not said.
    pub comment: Option<u8>,
    /// `skip_lines`, 0 if not said.
    pub skip_lines: u64,
    /// `nulls`: unquoted texts that mean NULL; `[""]` if not said.
    pub nulls: Vec<String>,
    /// `fill_record`, false if not said.
    pub fill_record: bool,
    /// `newlines_in_values`, true if not said.
    pub newlines_in_values: bool,
}

/// How objects are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionSpec {
    /// By the name's ending: `.gz` is gzip.
    Auto,
    /// Not at all.
    None,
    /// Gzip.
    Gzip,
}

/// What happens to fields that are not declared: `contract`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContractSpec {
    /// They are left out, and counted.
    Ignore,
    /// Their records are rejected.
    Quarantine,
    /// The object is held.
    Fail,
}

/// What happens to a new version of a known object: `on_overwrite`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnOverwrite {
    /// It is held.
    Fail,
    /// The old version's rows are deleted in the same transaction.
    Replace,
    /// Its rows are added.
    Add,
}

/// A field that arrives: `id: bigint`, `customer:`, `email: { type: text, sensitive: true, name: "E-Mail" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpec {
    /// How expressions call it.
    pub name: Spanned<String>,
    /// How the object calls it: `name`, or the key.
    pub source_name: String,
    /// Its type; text if not said.
    pub ty: Type,
    /// The place of the type, or of the name where no type is said.
    pub type_span: Span,
    /// How its text is written.
    pub format: Option<Spanned<FieldFormat>>,
    /// `timezone`: the zone of texts without an offset; only `UTC` so far.
    pub utc: bool,
    /// Whether it is masked wherever people can see it.
    pub sensitive: bool,
}

/// How a field's text is written, where that is not the type's usual way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldFormat {
    /// By name, or as a pattern describes it: `rfc3339`, `DD.MM.YYYY`.
    Text(String),
    /// `{ decimal: ",", thousands: "." }`, `{ true: [ja], false: [nein] }`.
    Detail {
        /// `decimal`, an ASCII character.
        decimal: Option<u8>,
        /// `thousands`, an ASCII character.
        thousands: Option<u8>,
        /// `true`.
        yes: Vec<String>,
        /// `false`.
        no: Vec<String>,
    },
}

/// A column that leaves. Long form `{ from, type, required, one_of, matches, min, max }`; short form
/// `timestamptz required`: the field of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Its name in the target.
    pub name: Spanned<String>,
    /// `from`: its expression over the fields. `None`: the field of its name.
    pub from: Option<Text>,
    /// `type`; the expression's if not said.
    pub ty: Option<Spanned<Type>>,
    /// `required`.
    pub required: bool,
    /// `one_of`: the values that it may have, as text.
    pub one_of: Option<Spanned<Vec<Text>>>,
    /// `matches`: a regular expression, unanchored.
    pub matches: Option<Text>,
    /// `min`: the least value, as text.
    pub min: Option<Text>,
    /// `max`: the greatest value, as text.
    pub max: Option<Text>,
}

/// A rule over a whole row: `amount_positive: amount >= 0`, or `{ check: …, on_fail: warn }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSpec {
    /// Its name.
    pub name: Spanned<String>,
    /// Its expression over the columns.
    pub check: Text,
    /// What happens to a row for which it is false.
    pub on_fail: OnFail,
}

/// What happens to a row for which a check is false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFail {
    /// The row goes to quarantine.
    Reject,
    /// The row is staged, and counted.
    Warn,
    /// The unit is held.
    Fail,
}

/// Which of the rows that share a key is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DedupeSpec {
    /// The key `dedupe` itself.
    pub span: Span,
    /// `key`: the columns that tell rows apart; one name or a list.
    pub key: Vec<Spanned<String>>,
    /// `order_by`: the columns that order the rows of a key; their places if not said.
    pub order_by: Vec<Spanned<String>>,
    /// `keep: last`, and not `first`; `last` if not said.
    pub last: bool,
}

/// How many rejects are too many: strictly more than the share, and at least so many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `rejects: 1%` (or `0.5%`), in millionths of the records read.
    pub rejects_ppm: u32,
    /// `at_least`, 1 if not said.
    pub at_least: u64,
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The key `target` itself.
    pub span: Span,
    /// `table`: `schema.table` or `table`.
    pub table: Text,
    /// `write`.
    pub write: Spanned<Write>,
    /// `key`: the columns that tell rows apart; one name or a list.
    pub key: Vec<Spanned<String>>,
    /// `order_by`: the columns that order the versions of a row; one name or a list.
    pub order_by: Vec<Spanned<String>>,
    /// `delete_when`: an expression over the columns, true for a row that deletes its key.
    pub delete_when: Option<Text>,
    /// `allow_empty`, where it is said.
    pub allow_empty: Option<Spanned<bool>>,
    /// `sort_key`: one name or a list.
    pub sort_key: Vec<Spanned<String>>,
    /// `dist_key`.
    pub dist_key: Option<Spanned<String>>,
    /// `lineage`, true if not said.
    pub lineage: bool,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Every row is added.
    Append,
    /// A row takes the place of the one with its key, unless that is newer.
    Merge,
    /// The rows of a run take the place of all rows.
    Replace,
    /// A row is a version of its key, valid until the next one.
    Scd2,
}

/// How staged parts are written: `stage: csv`, `stage: { format: csv }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageSpec {
    /// Parquet, if nothing is said.
    Parquet,
    /// Separated values.
    Csv,
}

/// When a pipeline runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// `rate(15 minutes)`, as written.
    Rate(String),
    /// `cron(…)`, as written.
    Cron(String),
    /// `object-created`.
    ObjectCreated,
}

impl Spec {
    /// Reads a pipeline file. All mistakes of form are reported, in the order of the file; what can be read is returned
    /// beside them, so that its expressions can be checked too. `None`: nothing can be made of it.
    pub fn parse(text: &str) -> (Option<Self>, Vec<Diagnostic>) {
        let (root, mut diagnostics) = yaml::parse(text);
        let spec = root.and_then(|root| {
            check::check(&root, &mut diagnostics);
            lower::lower(&root, &diagnostics)
        });
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        (spec, diagnostics)
    }
}
