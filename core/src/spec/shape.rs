//! Shape: what may stand where in a pipeline file, as one table. The reader, the JSON Schema and the reference page all
//! follow it, so that they cannot disagree.

use super::form::Form;

/// What a value may be.
#[derive(Debug)]
pub(super) enum Shape {
    /// One text of a form.
    One(Form),
    /// A list of texts, which may be empty.
    List(Form),
    /// A text, or a list of one text or more, none twice.
    OneOrMany(Form),
    /// A mapping with known keys.
    Mapping(&'static Mapping),
    /// A text that says the usual thing in short, or a mapping.
    Either(Form, &'static Mapping),
    /// A mapping with names that its author chooses.
    Named(&'static Named),
}

/// A mapping with known keys.
#[derive(Debug)]
pub(super) struct Mapping {
    /// Its title in the reference.
    pub(super) title: &'static str,
    /// One sentence: what it says.
    pub(super) doc: &'static str,
    /// Its keys, in the order of the reference.
    pub(super) keys: &'static [Key],
    /// Keys of which exactly one must be there.
    pub(super) one_of: &'static [&'static str],
}

/// A key of a mapping.
#[derive(Debug)]
pub(super) struct Key {
    /// The key.
    pub(super) name: &'static str,
    /// One sentence: what it says.
    pub(super) doc: &'static str,
    /// Whether it must be there, and what holds if not.
    pub(super) need: Need,
    /// What its value may be.
    pub(super) shape: Shape,
    /// Whether it may stand without a value.
    pub(super) may_be_empty: bool,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It must.
    Required,
    /// It may be left out; there is no value then.
    Optional,
    /// It may be left out; this holds then.
    Default(&'static str),
}

/// A mapping with names that its author chooses.
#[derive(Debug)]
pub(super) struct Named {
    /// What a name stands for: `field`.
    pub(super) noun: &'static str,
    /// What a name may be.
    pub(super) name: Form,
    /// What stands under a name.
    pub(super) value: Shape,
    /// Whether a name may stand without a value.
    pub(super) may_be_empty: bool,
}

const fn key(name: &'static str, need: Need, shape: Shape, doc: &'static str) -> Key {
    Key { name, doc, need, shape, may_be_empty: false }
}

use Need::{Default, Optional, Required};

/// The whole file.
pub(super) static FILE: Mapping = Mapping {
    title: "the file",
    doc: "A pipeline: where records come from, what becomes of them, and where they go.",
    keys: &[
        key("etalon", Required, Shape::One(Form::Version), "The version of the file format."),
        key("pipeline", Required, Shape::One(Form::PipelineName), "The pipeline's name."),
        key("description", Optional, Shape::One(Form::Text), "What the pipeline is for, for people."),
        key(
            "source",
            Required,
            Shape::Mapping(&SOURCE),
            "Where records come from, how they are written, and what they hold.",
        ),
        key(
            "where",
            Optional,
            Shape::One(Form::Expression),
            "Keeps the rows for which this is true; the others are counted.",
        ),
        key("columns", Required, Shape::Named(&COLUMNS), "What leaves: each column of the target, in order."),
        key("checks", Optional, Shape::Named(&CHECKS), "Rules over a whole row: SQL over the columns."),
        key(
            "dedupe",
            Optional,
            Shape::Mapping(&DEDUPE),
            "Which of the rows of a load that share a key is loaded, for `append` and `replace`.",
        ),
        key(
            "limits",
            Optional,
            Shape::Mapping(&LIMITS),
            "How many rejects are too many: more, and the object is held.",
        ),
        key("target", Required, Shape::Mapping(&TARGET), "Where rows go, and how they are written there."),
        key(
            "stage",
            Default("parquet"),
            Shape::Either(STAGES, &STAGE),
            "How rows are written on their way to the target, for Redshift's COPY.",
        ),
        key("schedule", Optional, Shape::One(Form::Schedule), "When the pipeline runs."),
    ],
    one_of: &[],
};

static SOURCE: Mapping = Mapping {
    title: "source",
    doc: "Where records come from, how they are written, and what they hold.",
    keys: &[
        key("files", Optional, Shape::OneOrMany(Form::Path), "Paths or globs, relative to the pipeline file."),
        key("s3", Optional, Shape::One(Form::S3), "The prefix of the objects: `s3://bucket/prefix`."),
        key("format", Required, Shape::Either(FORMATS, &FORMAT), "How the objects are written."),
        key(
            "compression",
            Default("auto"),
            Shape::One(Form::Choice(&[
                ("auto", "by the name's ending: `.gz` is gzip"),
                ("none", "not at all"),
                ("gzip", "gzip, whatever the name"),
            ])),
            "How the objects are compressed.",
        ),
        key(
            "fields",
            Required,
            Shape::Named(&FIELDS),
            "What arrives: each field that the pipeline uses; one without a type is text.",
        ),
        key(
            "contract",
            Default("ignore"),
            Shape::One(Form::Choice(&[
                ("ignore", "they are left out, and counted"),
                ("quarantine", "their records are rejected"),
                ("fail", "the object is held"),
            ])),
            "What happens to fields that are not declared.",
        ),
        key(
            "on_overwrite",
            Default("fail"),
            Shape::One(Form::Choice(&[
                ("fail", "it is held"),
                ("replace", "the old version's rows are deleted in the same transaction"),
                ("add", "its rows are added"),
            ])),
            "What happens to a new version of an object that was loaded.",
        ),
    ],
    one_of: &["files", "s3"],
};

const FORMATS: Form =
    Form::Choice(&[("csv", "separated values, as usual"), ("jsonl", "JSON Lines: an object on each line")]);

static FORMAT: Mapping = Mapping {
    title: "format",
    doc: "How the objects are written, in detail.",
    keys: &[
        Key { may_be_empty: true, ..key("csv", Optional, Shape::Mapping(&CSV), "Separated values.") },
        Key {
            may_be_empty: true,
            ..key("jsonl", Optional, Shape::Mapping(&JSONL), "JSON Lines: an object on each line.")
        },
    ],
    one_of: &["csv", "jsonl"],
};

static CSV: Mapping = Mapping {
    title: "csv",
    doc: "How separated values are written.",
    keys: &[
        key(
            "header",
            Default("true"),
            Shape::One(Form::Boolean),
            "Whether the first record names the fields; without it they are bound by position.",
        ),
        key(
            "delimiter",
            Default("\",\""),
            Shape::One(Form::Character),
            "What stands between values: one ASCII character.",
        ),
        key(
            "quote",
            Default("'\"'"),
            Shape::One(Form::CharacterOrNone),
            "What stands around values that hold a delimiter: one ASCII character, or `none`.",
        ),
        key("comment", Optional, Shape::One(Form::Character), "What a comment line begins with: one ASCII character."),
        key("skip_lines", Default("0"), Shape::One(Form::Whole), "How many lines before the header are skipped."),
        key("nulls", Default("[\"\"]"), Shape::List(Form::Text), "The unquoted texts that mean NULL."),
        key(
            "fill_record",
            Default("false"),
            Shape::One(Form::Boolean),
            "Whether a record may lack its last fields, which are then NULL.",
        ),
        key(
            "newlines_in_values",
            Default("true"),
            Shape::One(Form::Boolean),
            "Whether a quoted value may hold line ends; without them an object can be cut.",
        ),
    ],
    one_of: &[],
};

static JSONL: Mapping =
    Mapping { title: "jsonl", doc: "How JSON Lines are written: nothing can be said.", keys: &[], one_of: &[] };

static FIELDS: Named =
    Named { noun: "field", name: Form::FieldName, value: Shape::Either(Form::Type, &FIELD), may_be_empty: true };

static FIELD: Mapping = Mapping {
    title: "a field",
    doc: "A field that arrives. In short: its type, or nothing for a text.",
    keys: &[
        key("type", Default("text"), Shape::One(Form::Type), "Its type."),
        key("name", Optional, Shape::One(Form::FieldName), "How the object calls it, where that is not the key."),
        key(
            "format",
            Optional,
            Shape::Either(Form::Text, &FIELD_FORMAT),
            "How its text is written, where that is not the type's usual way: `rfc3339`, `epoch_seconds`, `epoch_millis`, \
             or a pattern such as `DD.MM.YYYY HH24:MI:SS` (YYYY YY MM MON DD HH24 HH12 AM MI SS MS US FF; FM takes a \
             number without leading zeros).",
        ),
        key(
            "timezone",
            Optional,
            Shape::One(Form::Choice(&[("UTC", "the texts are in UTC")])),
            "The zone of texts without an offset, for a `timestamptz`.",
        ),
        key(
            "sensitive",
            Default("false"),
            Shape::One(Form::Boolean),
            "Whether it is masked wherever people can see it.",
        ),
    ],
    one_of: &[],
};

static FIELD_FORMAT: Mapping = Mapping {
    title: "a field's format",
    doc: "How a number or a boolean is written, where that is not the usual way.",
    keys: &[
        key("decimal", Default("\".\""), Shape::One(Form::Character), "What stands before a number's fraction."),
        key(
            "thousands",
            Optional,
            Shape::One(Form::Character),
            "What may stand between a number's groups of three digits.",
        ),
        key("true", Optional, Shape::OneOrMany(Form::Text), "The words for true; `false` must be there too."),
        key("false", Optional, Shape::OneOrMany(Form::Text), "The words for false; `true` must be there too."),
    ],
    one_of: &[],
};

static COLUMNS: Named = Named {
    noun: "column",
    name: Form::ColumnName,
    value: Shape::Either(Form::ColumnShort, &COLUMN),
    may_be_empty: true,
};

static COLUMN: Mapping = Mapping {
    title: "a column",
    doc: "A column that leaves. In short: its type, `required`, both, or nothing; it is the field of its name then.",
    keys: &[
        key(
            "from",
            Optional,
            Shape::One(Form::Expression),
            "Its value: SQL over the fields; the field of its name if not said.",
        ),
        key("type", Optional, Shape::One(Form::ColumnType), "Its type; that of its value if not said."),
        key("required", Default("false"), Shape::One(Form::Boolean), "Whether a row without a value is rejected."),
        key("one_of", Optional, Shape::OneOrMany(Form::Text), "The values that it may have."),
        key("matches", Optional, Shape::One(Form::Regex), "A regular expression that its value must match somewhere."),
        key("min", Optional, Shape::One(Form::Text), "The least value that it may have."),
        key("max", Optional, Shape::One(Form::Text), "The greatest value that it may have."),
    ],
    one_of: &[],
};

static CHECKS: Named =
    Named { noun: "check", name: Form::CheckName, value: Shape::Either(Form::Expression, &CHECK), may_be_empty: false };

static CHECK: Mapping = Mapping {
    title: "a check",
    doc: "A rule over a whole row. In short: its condition.",
    keys: &[
        key(
            "check",
            Required,
            Shape::One(Form::Expression),
            "The condition: SQL over the columns. A row for which it is false fails.",
        ),
        key(
            "on_fail",
            Default("reject"),
            Shape::One(Form::Choice(&[
                ("reject", "the row goes to quarantine"),
                ("warn", "the row is staged, and counted"),
                ("fail", "the object is held"),
            ])),
            "What happens to a row that fails.",
        ),
    ],
    one_of: &[],
};

static DEDUPE: Mapping = Mapping {
    title: "dedupe",
    doc: "Which of the rows of a load that share a key is loaded; the others are counted. It comes after the checks.",
    keys: &[
        key("key", Required, Shape::OneOrMany(Form::ColumnName), "The columns that tell rows apart."),
        key(
            "order_by",
            Optional,
            Shape::OneOrMany(Form::ColumnName),
            "The columns that order the rows of a key; their places in the source if not said.",
        ),
        key(
            "keep",
            Default("last"),
            Shape::One(Form::Choice(&[("last", "the greatest row is loaded"), ("first", "the least row is loaded")])),
            "Which row of a key is loaded.",
        ),
    ],
    one_of: &[],
};

static LIMITS: Mapping = Mapping {
    title: "limits",
    doc: "How many rejects are too many: strictly more than the share, and at least so many.",
    keys: &[
        key("rejects", Required, Shape::One(Form::Share), "The share of the records read that may be rejected."),
        key("at_least", Default("1"), Shape::One(Form::Whole), "Fewer rejects than this are never too many."),
    ],
    one_of: &[],
};

static TARGET: Mapping = Mapping {
    title: "target",
    doc: "Where rows go, and how they are written there.",
    keys: &[
        key("table", Required, Shape::One(Form::Table), "The table: `schema.table`, or `table`."),
        key(
            "write",
            Required,
            Shape::One(Form::Choice(&[
                ("append", "every row is added"),
                ("merge", "a row takes the place of the one with its key, unless that is newer"),
                ("replace", "the rows of a run take the place of all rows"),
                ("scd2", "a row is a version of its key, valid from its `order_by` until the next version's"),
            ])),
            "How rows are written.",
        ),
        key(
            "key",
            Optional,
            Shape::OneOrMany(Form::ColumnName),
            "The columns that tell rows apart; `merge` and `scd2` need them.",
        ),
        key(
            "order_by",
            Optional,
            Shape::OneOrMany(Form::ColumnName),
            "The columns that order the versions of a row: an older one never takes the place of a newer. `scd2` needs one.",
        ),
        key(
            "delete_when",
            Optional,
            Shape::One(Form::Expression),
            "SQL over the columns: a row for which it is true deletes its key, in the order of versions; for `merge` and \
             `scd2`.",
        ),
        key(
            "allow_empty",
            Default("false"),
            Shape::One(Form::Boolean),
            "Whether a run without rows may leave the table empty, for `replace`.",
        ),
        key("sort_key", Optional, Shape::OneOrMany(Form::ColumnName), "The columns by which the table is sorted."),
        key("dist_key", Optional, Shape::One(Form::ColumnName), "The column by which the table is distributed."),
        key(
            "lineage",
            Default("true"),
            Shape::One(Form::Boolean),
            "Whether the table has the columns `_etalon_batch`, `_etalon_offset` and `_etalon_time`.",
        ),
    ],
    one_of: &[],
};

const STAGES: Form = Form::Choice(&[
    ("parquet", "small and typed"),
    ("csv", "separated values: any tool reads them; a text `\\N` is rejected, since COPY takes it for NULL"),
]);

static STAGE: Mapping = Mapping {
    title: "stage",
    doc: "How rows are written on their way to the target. In short: the format.",
    keys: &[key("format", Default("parquet"), Shape::One(STAGES), "How staged parts are written.")],
    one_of: &[],
};

/// Calls `visit` with each mapping of the file, outer ones first, once.
pub(super) fn each_mapping(visit: &mut impl FnMut(&'static Mapping)) {
    fn walk(mapping: &'static Mapping, visit: &mut impl FnMut(&'static Mapping)) {
        visit(mapping);
        for key in mapping.keys {
            inner(&key.shape, visit);
        }
    }
    fn inner(shape: &'static Shape, visit: &mut impl FnMut(&'static Mapping)) {
        match shape {
            Shape::Mapping(mapping) | Shape::Either(_, mapping) => walk(mapping, visit),
            Shape::Named(named) => inner(&named.value, visit),
            Shape::One(_) | Shape::List(_) | Shape::OneOrMany(_) => {}
        }
    }
    walk(&FILE, visit);
}
