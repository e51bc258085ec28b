//! Names that the author chooses: of the pipeline, of fields, columns, checks and tables.

use crate::diagnostic::Code;
use crate::spec::{Form, Hint, Mismatch, Placeholder, Text, placeholder};

/// Most bytes of a name in the warehouse.
const NAME_BYTES_MAX: usize = 127;
/// Most characters of a pipeline's name.
const PIPELINE_NAME_MAX: usize = 64;
/// Names that every table of PostgreSQL and Redshift has already.
const SYSTEM_COLUMNS: [&str; 7] = ["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// What the names of Etalon's own tables and columns begin with.
const RESERVED: &str = "_etalon_";

/// The name of a pipeline: `a-z { a-z | 0-9 | "-" | "_" }`.
pub(super) struct Pipeline;

impl Form for Pipeline {
    type Value = String;

    fn noun(&self) -> &'static str {
        "a name"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<String, Mismatch> {
        let text = text.text.as_str();
        let first = text.starts_with(|c: char| c.is_ascii_lowercase());
        let rest = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
        if first && rest && text.len() <= PIPELINE_NAME_MAX {
            return Ok(text.to_owned());
        }
        Err(Mismatch::new(Code::Name, format!("`{text}` cannot be a pipeline's name")).with_help(format!(
            "it begins with a small letter and has small letters, digits, `-` and `_`, {PIPELINE_NAME_MAX} characters at most"
        )))
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^[a-z][a-z0-9_-]{0,63}$")
    }
}

/// The name of a field: any text without control characters.
pub(super) struct Field;

impl Form for Field {
    type Value = String;

    fn noun(&self) -> &'static str {
        "a name"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<String, Mismatch> {
        let text = text.text.as_str();
        if text.is_empty() {
            return Err(Mismatch::new(Code::Name, "a field's name is empty"));
        }
        if text.len() > NAME_BYTES_MAX {
            let message = format!("a field's name has {} bytes; {NAME_BYTES_MAX} are the most", text.len());
            return Err(Mismatch::new(Code::Name, message));
        }
        if text.contains(char::is_control) {
            return Err(Mismatch::new(Code::Name, "a field's name has a control character"));
        }
        Ok(text.to_owned())
    }

    fn hint(&self) -> Hint {
        Hint::Scalar
    }
}

/// The name of a column: `(a-z | "_") { a-z | 0-9 | "_" }`, and none that the table has already.
pub(super) struct Column;

impl Form for Column {
    type Value = String;

    fn noun(&self) -> &'static str {
        "a column's name"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<String, Mismatch> {
        let text = text.text.as_str();
        let wrong = |why: &str| Mismatch::new(Code::Name, format!("`{text}` cannot be a column's name: {why}"));
        if SYSTEM_COLUMNS.contains(&text) {
            return Err(wrong("every table has a system column of that name"));
        }
        if is_reserved(text) {
            return Err(wrong(&format!("`{RESERVED}` begins the names of Etalon's own columns")));
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(wrong(&format!("it has {} bytes, {NAME_BYTES_MAX} are the most", text.len())));
        }
        if is_identifier(text) && text.chars().all(|c| !c.is_ascii_uppercase()) {
            return Ok(text.to_owned());
        }
        let meant: String = text
            .to_ascii_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' })
            .collect();
        let mismatch = wrong("it begins with a small letter or `_` and has small letters, digits and `_`");
        let says_something = meant.contains(|c: char| c.is_ascii_alphanumeric());
        Err(if is_identifier(&meant) && says_something {
            mismatch.with_help(format!("write `{meant}`"))
        } else {
            mismatch
        })
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^[a-z_][a-z0-9_]{0,126}$")
    }
}

/// The name of a check: `(letter | "_") { letter | 0-9 | "_" }`.
pub(super) struct Check;

impl Form for Check {
    type Value = String;

    fn noun(&self) -> &'static str {
        "a name"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<String, Mismatch> {
        let text = text.text.as_str();
        if is_identifier(text) && text.len() <= NAME_BYTES_MAX {
            return Ok(text.to_owned());
        }
        Err(Mismatch::new(Code::Name, format!("`{text}` cannot be a check's name")).with_help(format!(
            "it begins with a letter or `_` and has letters, digits and `_`, {NAME_BYTES_MAX} characters at most"
        )))
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^[A-Za-z_][A-Za-z0-9_]{0,126}$")
    }
}

/// The name of a table: `[ schema "." ] table`, each `(letter | "_") { letter | 0-9 | "_" }`, in and out of placeholders.
pub(super) struct Table;

impl Form for Table {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "a table's name"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<Text, Mismatch> {
        if placeholder::placeholders(&text.text).any(|asked| matches!(asked, Placeholder::Secret(_))) {
            return Err(Mismatch::new(Code::Placeholder, "the name of a table is shown, so it cannot hold a secret")
                .with_help("write `${NAME}`"));
        }
        let resolved = placeholder::without(&text.text);
        let count = resolved.split('.').count();
        if count > 2 {
            let message = format!("`{}` has {count} parts; a table is `schema.table` or `table`", text.text);
            return Err(Mismatch::new(Code::Name, message));
        }
        if is_table(&resolved) {
            return Ok(text.clone());
        }
        if resolved.split('.').any(is_reserved) {
            let message =
                format!("`{}` cannot be a table's name: `{RESERVED}` begins the names of Etalon's own", text.text);
            return Err(Mismatch::new(Code::Name, message));
        }
        Err(Mismatch::new(Code::Name, format!("`{}` cannot be a table's name", text.text))
            .with_help("a table is `schema.table` or `table`: letters, digits and `_`, beginning with a letter or `_`"))
    }

    fn takes_placeholders(&self) -> bool {
        true
    }
}

/// Whether a text without placeholders is the name of a table.
pub(in crate::pipeline) fn is_table(text: &str) -> bool {
    let mut parts = text.split('.');
    text.split('.').count() <= 2
        && parts.all(|part| part.len() <= NAME_BYTES_MAX && is_identifier(part) && !is_reserved(part))
}

/// Whether a warehouse may take a name for that of a table or column of Etalon's own.
fn is_reserved(name: &str) -> bool {
    name.get(..RESERVED.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(RESERVED))
}

/// The schema of a table's name, if it has one, and the table in it.
pub(in crate::pipeline) fn table_parts(name: &str) -> (Option<String>, String) {
    match name.split_once('.') {
        Some((schema, name)) => (Some(schema.to_owned()), name.to_owned()),
        None => (None, name.to_owned()),
    }
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
