//! A case: an expression or a cell, and PostgreSQL's own answer for every row.

use etalon_core::types::Type;
use serde_json::Value;

/// A case as its file has it.
pub(super) struct Case {
    pub(super) id: String,
    pub(super) work: Work,
    /// The type of the result, as PostgreSQL names it; an error has none.
    pub(super) ty: Option<String>,
    pub(super) answers: Vec<Answer>,
}

/// What is to be done.
pub(super) enum Work {
    /// An expression over the rows of a table; without columns there is one row.
    Map { expr: String, columns: Vec<(String, String)>, rows: Vec<Vec<Option<String>>> },
    /// A literal put into a column of the case's type.
    Cell { literal: String },
}

/// What PostgreSQL answers for a row.
pub(super) enum Answer {
    Value(Option<String>),
    Error { state: String, message: String },
}

impl Case {
    /// The case of a line, or what is wrong with the line.
    pub(super) fn read(line: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(line).map_err(|error| format!("the line is no case: {error}"))?;
        let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
        let needed = |value: &Value, key: &str| text(value, key).ok_or_else(|| format!("the case lacks `{key}`"));
        let list = |key: &str| value[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let answer = |row: &Value| match row["error"].as_object() {
            Some(_) => needed(&row["error"], "sqlstate")
                .map(|state| Answer::Error { state, message: text(&row["error"], "message").unwrap_or_default() }),
            None => Ok(Answer::Value(text(row, "result"))),
        };
        let answers = match value.get("results") {
            Some(_) => list("results").iter().map(answer).collect::<Result<_, _>>()?,
            None => vec![answer(&value)?],
        };
        let (work, ty) = match text(&value, "assign_type") {
            Some(ty) => (Work::Cell { literal: needed(&value, "assign_value")? }, Some(ty)),
            None => {
                let columns =
                    list("columns").iter().map(|column| Ok((needed(column, "name")?, needed(column, "type")?)));
                let cells = |row: &Value| {
                    row.as_array().into_iter().flatten().map(|cell| cell.as_str().map(str::to_owned)).collect()
                };
                let rows = match value.get("rows") {
                    Some(_) => list("rows").iter().map(cells).collect(),
                    None => vec![Vec::new()],
                };
                let columns = columns.collect::<Result<_, String>>()?;
                (Work::Map { expr: needed(&value, "expr")?, columns, rows }, text(&value, "type"))
            }
        };
        Ok(Self { id: needed(&value, "id")?, work, ty, answers })
    }

    /// Why the case is about a type that the product does not have, if it is: only its types and its values decide.
    pub(super) fn out(&self) -> Option<String> {
        if let Some(ty) = &self.ty {
            let has = match self.work {
                Work::Cell { .. } => column_type(ty).is_some(),
                Work::Map { .. } => result_type(ty).is_some(),
            };
            if !has {
                return Some(ty.clone());
            }
        }
        if let Work::Map { columns, .. } = &self.work
            && let Some((_, ty)) = columns.iter().find(|(_, ty)| column_type(ty).is_none())
        {
            return Some(format!("a column of {ty}"));
        }
        let is_numeric = self.ty.as_ref().is_some_and(|ty| ty.starts_with("numeric"));
        let beyond = self.answers.iter().any(|answer| match answer {
            Answer::Value(Some(text)) => is_numeric && !is_decimal(text),
            _ => false,
        });
        beyond.then(|| "numeric beyond 38 digits".to_owned())
    }

    /// Whether a date or time is put into a field, and is not written as in ISO 8601: in its order, with no zone by name.
    pub(super) fn is_field_in_another_form(&self) -> bool {
        let Work::Cell { literal } = &self.work else { return false };
        let is_time = self.ty.as_ref().is_some_and(|ty| ty == "date" || ty.starts_with("timestamp"));
        let day = literal.trim_matches(['\'', ' ']);
        let is_zone = |word: &str| word.len() > 1 && word.contains(|char: char| char.is_ascii_alphabetic());
        let in_order =
            day.find(|c: char| !c.is_ascii_digit()).is_some_and(|end| end >= 4 && day[end..].starts_with('-'));
        is_time && (!in_order || day.split(' ').skip(1).any(is_zone))
    }

    /// What to show of it.
    pub(super) fn told(&self) -> String {
        let text = match &self.work {
            Work::Map { expr, .. } => expr.clone(),
            Work::Cell { literal } => format!("{literal} as {}", self.ty.as_deref().unwrap_or_default()),
        };
        shortened(&text)
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(None) => f.write_str("NULL"),
            Self::Value(Some(text)) => write!(f, "{:?}", shortened(text)),
            Self::Error { state, message } => write!(f, "{state} {message}"),
        }
    }
}

/// The beginning of a text that is too long to be shown.
pub(super) fn shortened(text: &str) -> String {
    const BYTES_MAX: usize = 240;
    match text.len() > BYTES_MAX {
        true => format!("{}…", &text[..text.floor_char_boundary(BYTES_MAX)]),
        false => text.to_owned(),
    }
}

/// The product's type for a column of PostgreSQL's type.
pub(super) fn column_type(ty: &str) -> Option<Type> {
    match ty {
        "text" | "character varying" => Some(Type::Varchar(etalon_core::types::VARCHAR_BYTES_MAX)),
        // A `super` keeps the text as it is.
        "jsonb" => Some(Type::Super),
        // A numeric of any scale, and times with fewer digits than six, have no counterpart.
        ty => Type::parse(ty).ok().filter(|ty| *ty != Type::Time),
    }
}

/// The product's type for the result of an expression.
pub(super) fn result_type(ty: &str) -> Option<Type> {
    match ty {
        "numeric" => Some(Type::Numeric),
        "jsonb" => Some(Type::Jsonb),
        "time without time zone" => Some(Type::Time),
        "character" => Some(Type::Char(0)),
        ty => column_type(ty),
    }
}

/// Whether a number has at most 38 digits, before and after the point together.
fn is_decimal(text: &str) -> bool {
    let digits = text.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && whole.trim_start_matches('0').len() + fraction.len()
            <= usize::from(etalon_core::types::DECIMAL_PRECISION_MAX)
}
