//! The pipeline file as it was written: the rows that describe its keys, and the values of the keys. Only the form is checked
//! here; only `compile` takes a [`Spec`].

mod check;
mod column;
mod field;
mod field_format;
mod name;
mod schedule;
mod target;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::format::{self, Compression, CompressionSpec, Contract, Encoding, Format};
use crate::source::{self, Location, SOURCES};
use crate::spec::{
    self, AnyText, Choice, Expression, Form, Hint, InShort, Item, Keys, Mapping, Mismatch, Named, Placed, ShortFor,
    Spanned, Text, TextOrMapping, Whole, Word,
};
use crate::stage;

pub use crate::transform::OnFail;
pub use check::CheckSpec;
pub use column::ColumnSpec;
pub use field::{FieldSpec, ZoneSpec};
pub use field_format::{Detail, FormatSpec, NamedFormat};
pub(super) use name::{is_table, table_parts};
pub use schedule::Schedule;
pub use target::{DedupeSpec, TargetSpec};

/// The version of the file format that this Etalon reads.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// A pipeline file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The pipeline's name.
    pub pipeline: String,
    /// What it is for, for people.
    pub description: Option<String>,
    /// Where records come from.
    pub source: SourceSpec,
    /// Which rows are kept: `where`.
    pub filter: Option<Text>,
    /// What leaves, in order.
    pub columns: Vec<Item<ColumnSpec>>,
    /// Rules over a whole row.
    pub checks: Vec<Item<CheckSpec>>,
    /// Which rows of a load are dropped for others of it.
    pub dedupe: Option<DedupeSpec>,
    /// How many rejects are too many.
    pub limits: Limits,
    /// Where rows go.
    pub target: TargetSpec,
    /// How staged parts are written.
    pub stage: stage::Format,
    /// When it runs.
    pub schedule: Option<Schedule>,
    /// How many minutes are between two loads at least; `None`: what is staged is loaded at once.
    pub load_every: Option<u64>,
}

/// Where records come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// Files, objects, a database, or an API.
    pub location: Location,
    /// How they are written.
    pub format: Format,
    /// How they are compressed.
    pub(crate) compression: CompressionSpec,
    /// How their characters are written; `None`: in UTF-8.
    pub encoding: Option<Encoding>,
    /// What arrives, in order.
    pub fields: Vec<Item<FieldSpec>>,
    /// What happens to fields that are not declared.
    pub contract: Contract,
    /// The place of `contract`, where it is said.
    pub contract_span: Option<Span>,
    /// What happens to a new version of a known object.
    pub on_overwrite: OnOverwrite,
    /// The place of `on_overwrite`, where it is said.
    pub on_overwrite_span: Option<Span>,
}

/// What happens to a new version of a known object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnOverwrite {
    /// It is held.
    Fail,
    /// The old version's rows are deleted in the same transaction.
    Replace,
    /// Its rows are added.
    Add,
}

const FORMAT: &str = "format";
const COMPRESSION: &str = "compression";
const ENCODING: &str = "encoding";
const CONTRACT: &str = "contract";
const ON_OVERWRITE_KEY: &str = "on_overwrite";

const ON_OVERWRITE: Choice<OnOverwrite> = Choice(&[
    ("fail", "it is held", OnOverwrite::Fail),
    ("replace", "the old version's rows are deleted in the same transaction", OnOverwrite::Replace),
    ("add", "its rows are added", OnOverwrite::Add),
]);

/// How many rejects are too many: strictly more than the share, and at least so many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The share of the records read, in millionths.
    pub rejects_ppm: u32,
    /// Fewer rejects than this never hold an object.
    pub at_least: u64,
}

/// More than all records are never rejected.
const NO_LIMITS: Limits = Limits { rejects_ppm: 1_000_000, at_least: u64::MAX };

impl Spec {
    /// Reads a pipeline file. All mistakes of form are reported, in the order of the file; what can be read is returned
    /// beside them, so that its expressions can be checked too. `None`: nothing can be made of it.
    pub fn parse(text: &str) -> (Option<Self>, Vec<Diagnostic>) {
        let (spec, _, diagnostics) = Self::parse_with_words(text);
        (spec, diagnostics)
    }

    /// As [`Spec::parse`], with what the file says beside the defaults.
    pub(super) fn parse_with_words(text: &str) -> (Option<Self>, Vec<Word>, Vec<Diagnostic>) {
        let reading = spec::read(text, &FILE);
        (reading.value.flatten(), reading.words, reading.diagnostics)
    }
}

/// The reference of the pipeline file, in Markdown.
pub fn reference() -> String {
    let introduction = "# The pipeline file\n\n\
        This page lists every key of a pipeline file. It is generated from the rows that read the file; do not edit. \
        [The guide](../guide/words.md) explains `limits`, `contract`, `on_overwrite`, `dedupe`, the write modes and `lineage`.\n\n\
        The file is YAML 1.2. Every text is taken as written, and its place decides how it is read: \
        `NO` is a text and `1.10` keeps its zero.\n\
        Anchors, aliases, merge keys and tags are not part of the format.\n";
    spec::reference(introduction, &FILE.outline())
}

/// The JSON Schema (draft 2020-12) of the pipeline file, for editors.
pub fn json_schema() -> Value {
    spec::json_schema("An Etalon pipeline", &FILE.outline())
}

/// The whole file.
pub(super) const FILE: Mapping<Option<Spec>> = Mapping {
    title: "the file",
    doc: "A pipeline: where records come from, how they are mapped, and where the rows go.",
    may_be_empty: false,
    keys: |keys| {
        keys.required("etalon", Version, "The version of the file format.");
        let pipeline = keys.required("pipeline", name::Pipeline, "The pipeline's name.");
        let description = keys.optional("description", AnyText, "What the pipeline is for, for people.");
        let source = keys.required("source", SOURCE, SOURCE.doc);
        let filter = keys.optional(
            "where",
            Expression,
            "Keeps the rows for which this is true; the others are left out and counted.",
        );
        let columns = keys.required("columns", COLUMNS, "The columns of the target, in order.");
        let checks = keys.optional("checks", CHECKS, "Rules over a whole row: SQL over the columns.");
        let dedupe = keys.optional(
            "dedupe",
            target::DEDUPE,
            "Which row is loaded if several rows of a file have the same key; for `append` and `replace`.",
        );
        let limits = keys.or("limits", LIMITS, "{ rejects: 10%, at_least: 100 }", "How many rejects hold an object.");
        let target = keys.required("target", target::TARGET, target::TARGET.doc);
        let stage =
            keys.or("stage", STAGE, "parquet", "How rows are written on their way to the target, for Redshift's COPY.");
        let schedule = keys.optional("schedule", Placed(schedule::Form), "When the pipeline runs.");
        let load_every = keys.optional(
            "load_every",
            schedule::Pace,
            "The least time between two loads of the functions; what is staged meanwhile is loaded together. If not said, they \
             load at once.",
        );
        if let (Some(schedule), Some(source)) = (&schedule, &source) {
            needs_events(keys, schedule, &source.location);
        }
        // What is wrong in some part of the target would be wrong once more where it is compared with the columns.
        let target = match target {
            Some(target) if keys.is_wrong("target") => target.unknown(),
            target => target.unwrap_or_default(),
        };
        source.filter(|source| !source.fields.is_empty()).map(|source| Spec {
            pipeline: pipeline.unwrap_or_default(),
            description: description.map(|description| description.text),
            source,
            filter,
            columns: columns.unwrap_or_default(),
            checks: checks.unwrap_or_default(),
            dedupe: dedupe.filter(|_| !keys.is_wrong("dedupe")),
            limits,
            target,
            stage,
            schedule: schedule.map(|schedule| schedule.value),
            load_every,
        })
    },
};

const SOURCE: Mapping<SourceSpec> = Mapping {
    title: "source",
    doc: "Where records come from, how they are written, and which fields they have.",
    may_be_empty: false,
    keys: |keys| {
        let location = keys.exactly_one(SOURCES);
        // Where none is named, nobody knows; what is missing then is said once.
        let lands = location.as_ref().is_some_and(Location::lands);
        let is_api = location.as_ref().is_some_and(|location| location.api().is_some());
        let format = keys.required_where(
            !lands,
            FORMAT,
            format::FORMATS,
            "The format of the objects; `files` and `s3` need it.",
        );
        let source = SourceSpec {
            format: match lands {
                true if is_api => format::ANY,
                true => format::landed(),
                false => format.unwrap_or(format::ANY),
            },
            compression: keys.or(
                COMPRESSION,
                format::COMPRESSION,
                "auto",
                "How the objects are compressed. In short: the kind.",
            ),
            encoding: keys.or(ENCODING, format::ENCODINGS, "utf-8", "How the characters of the objects are written."),
            fields: keys
                .required(
                    "fields",
                    FIELDS,
                    "What arrives: each field that the pipeline uses; one without a type is text.",
                )
                .unwrap_or_default(),
            contract: keys.or(CONTRACT, format::CONTRACTS, "ignore", "What happens to fields that are not declared."),
            contract_span: keys.place(CONTRACT),
            on_overwrite: keys.or(
                ON_OVERWRITE_KEY,
                ON_OVERWRITE,
                "fail",
                "What happens to a new version of an object that was loaded.",
            ),
            on_overwrite_span: keys.place(ON_OVERWRITE_KEY),
            location: location.unwrap_or(source::NOWHERE),
        };
        if lands {
            without_objects(keys, source.location.kind());
            return SourceSpec { compression: Some(Compression::None).into(), ..source };
        }
        source
    },
};

const FIELDS: Named<name::Field, InShort<ShortFor<field::FieldType>, FieldSpec>> = Named {
    noun: "field",
    name: name::Field,
    value: InShort { short: ShortFor { key: field::TYPE, form: field::FieldType }, long: field::FIELD },
};

const COLUMNS: Named<name::Column, InShort<column::Short, ColumnSpec>> =
    Named { noun: "column", name: name::Column, value: InShort { short: column::Short, long: column::COLUMN } };

const CHECKS: Named<name::Check, InShort<ShortFor<Expression>, CheckSpec>> = Named {
    noun: "check",
    name: name::Check,
    value: InShort { short: ShortFor { key: check::CONDITION, form: Expression }, long: check::CHECK },
};

/// `none`, the only text among the limits.
struct WithoutLimits;

impl WithoutLimits {
    const CHOICE: Choice<Limits> =
        Choice(&[("none", "no number of rejects holds it, unless all its records are rejected", NO_LIMITS)]);
}

impl Form for WithoutLimits {
    type Value = Limits;

    fn noun(&self) -> &'static str {
        Self::CHOICE.noun()
    }

    fn read(&self, key: &str, text: &Text) -> Result<Limits, Mismatch> {
        let share = Share.read(key, text).map_or("1%", |_| text.text.as_str());
        let help = format!("a share is written `{{ rejects: {share} }}`; the only word is `none`");
        Self::CHOICE.read(key, text).map_err(|wrong| wrong.with_help(help))
    }

    fn hint(&self) -> Hint {
        Self::CHOICE.hint()
    }
}

const LIMITS: TextOrMapping<WithoutLimits, Limits> = TextOrMapping(
    WithoutLimits,
    Mapping {
        title: "limits",
        doc: "How many rejects hold an object: more than the share, by records or by bytes, and at least the number.",
        may_be_empty: false,
        keys: |keys| Limits {
            rejects_ppm: keys
                .required("rejects", Share, "The share of the records read, or of their bytes, that may be rejected.")
                .unwrap_or_default(),
            at_least: keys.or("at_least", Whole, "1", "The least number of rejects that can hold an object."),
        },
    },
);

const STAGE_FORMAT: &str = "format";

const STAGE: InShort<ShortFor<Choice<stage::Format>>, stage::Format> = InShort {
    short: ShortFor { key: STAGE_FORMAT, form: stage::FORMATS },
    long: Mapping {
        title: "stage",
        doc: "How rows are written on their way to the target. In short: the format.",
        may_be_empty: false,
        keys: |keys| keys.or(STAGE_FORMAT, stage::FORMATS, "parquet", "How staged parts are written."),
    },
};

/// A source that lands has no objects of its own about which anything could be said.
fn without_objects(keys: &mut Keys<'_>, kind: &str) {
    for name in [FORMAT, COMPRESSION, ENCODING, CONTRACT, ON_OVERWRITE_KEY] {
        if let Some(span) = keys.place(name) {
            let message = format!("`{name}` is about objects that are there, and `{kind}` is asked for rows");
            keys.report(Diagnostic::error(Code::Conflict, span, message).with_help("leave it out"));
        }
    }
}

/// Only objects in S3 tell somebody that they were made.
fn needs_events(keys: &mut Keys<'_>, schedule: &Spanned<Schedule>, location: &Location) {
    if schedule.value == Schedule::ObjectCreated && !location.tells_of_objects() {
        keys.report(
            Diagnostic::error(Code::Conflict, schedule.span, "`object-created` needs a source in `s3`")
                .with_help("files on a disk send no events; write `rate(…)` or `cron(…)`"),
        );
    }
}

/// The version of the file format.
struct Version;

impl Form for Version {
    type Value = ();

    fn noun(&self) -> &'static str {
        "a version"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<(), Mismatch> {
        if text.text == FORMAT_VERSION.to_string() {
            return Ok(());
        }
        let message = format!("`{}` is not a version of the file format that this Etalon reads", text.text);
        let help = format!("this Etalon reads version {FORMAT_VERSION}");
        Err(Mismatch::new(Code::FormatVersion, message).with_help(help))
    }

    fn hint(&self) -> Hint {
        Hint::Number(FORMAT_VERSION)
    }
}

/// A percentage, in millionths: `digits [ "." digits ] "%"`, with 3 digits before the point and 4 after it at most, from 0%
/// to 100%.
struct Share;

impl Form for Share {
    type Value = u32;

    fn noun(&self) -> &'static str {
        "a percentage such as `1%`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<u32, Mismatch> {
        let text = text.text.as_str();
        let wrong = || {
            Mismatch::new(Code::WrongValue, format!("`{key}` is a percentage from 0% to 100%, not `{text}`"))
                .with_help("write `1%` or `0.5%`; four digits after the point at most")
        };
        let number = text.strip_suffix('%').ok_or_else(wrong)?.trim_end();
        let (units, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_digits = |text: &str, most: usize| {
            !text.is_empty() && text.len() <= most && text.chars().all(|c| c.is_ascii_digit())
        };
        if !is_digits(units, 3) || !is_digits(fraction, 4) {
            return Err(wrong());
        }
        let ppm = format!("{units}{fraction:0<4}").parse::<u32>().map_err(|_| wrong())?;
        if ppm <= 1_000_000 { Ok(ppm) } else { Err(wrong()) }
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^[0-9]{1,3}(\\.[0-9]{1,4})?\\s*%$")
    }
}
