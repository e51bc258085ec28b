//! Table: CREATE TABLE and ALTER TABLE. Options about the storage of a table are left out. Redshift's limits become
//! constraints: a varchar counts bytes, a char has only characters of one byte, and a decimal of nineteen digits must fit into
//! 64 bits.

use std::collections::BTreeSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

use etalon_core::types::Type;

use super::super::reader::Reader;
use super::super::reader::untranslated;
use super::super::words::Word;
use super::Action;

/// What the names of constraints begin with, and what Redshift says where one is broken.
const LIMITS: [(&str, &str); 2] =
    [("bytes_", "Value too long for character type"), ("digits_", "Numeric data overflow (result precision)")];

pub(super) fn broken_limit(constraint: &str) -> Option<&'static str> {
    LIMITS.iter().find(|(prefix, _)| constraint.starts_with(prefix)).map(|(_, fact)| *fact)
}

/// CREATE TABLE.
pub(super) fn create(told: &[Word<'_>]) -> Result<String, String> {
    let mut reader = Reader { told, at: 1 };
    reader.take("local");
    let mut is_temporary = reader.take("temporary") || reader.take("temp");
    reader.expect("table")?;
    let if_absent = reader.take("if");
    if if_absent {
        reader.expect("not")?;
        reader.expect("exists")?;
    }
    is_temporary |= reader.told.get(reader.at).is_some_and(|word| word.is("#"));
    let name = reader.name()?;
    let columns = match reader.take("(") {
        true => Some(columns(reader.until_closed()?)?),
        false => None,
    };
    layout(&mut reader, columns.as_ref())?;
    let kind = if is_temporary { "TEMPORARY TABLE" } else { "TABLE" };
    let guard = if if_absent { "IF NOT EXISTS " } else { "" };
    let mut sql = format!("CREATE {kind} {guard}{name}");
    match (columns, reader.take("as")) {
        (Some(columns), false) => {
            sql.push_str(&format!(" ({})", columns.definitions.join(", ")));
            Ok(sql)
        }
        (None, true) if !if_absent => {
            // Its words are put together with blanks, which change nothing outside of a text.
            sql.push_str(" AS ");
            sql.push_str(&super::rewritten(&joined(reader.rest())));
            Ok(sql)
        }
        _ => Err(untranslated("this CREATE TABLE")),
    }
}

/// What a table consists of.
struct Columns {
    definitions: Vec<String>,
    names: BTreeSet<String>,
    /// Whether other columns come with a LIKE.
    is_like: bool,
}

fn columns(told: &[Word<'_>]) -> Result<Columns, String> {
    let elements = split(told);
    let mut columns = Columns { definitions: Vec::new(), names: BTreeSet::new(), is_like: false };
    // The columns of a primary key are not NULL, and that is kept.
    let mut required = BTreeSet::new();
    for element in &elements {
        if is_key(element) && element.first().is_some_and(|word| word.is("primary")) {
            required.extend(element.iter().skip(3).filter(|word| word.is_name()).map(Word::name));
        }
    }
    for element in elements {
        let mut reader = Reader { told: element, at: 0 };
        if reader.take("like") {
            columns.is_like = true;
            let parent = reader.name()?;
            let mut like = format!("LIKE {parent} INCLUDING CONSTRAINTS");
            if reader.take("including") {
                reader.expect("defaults")?;
                like.push_str(" INCLUDING DEFAULTS");
            }
            reader.end()?;
            columns.definitions.push(like);
        } else if !is_key(element) {
            let name = element.first().map(Word::name).unwrap_or_default();
            let mut definition = column(&mut reader)?;
            if required.contains(&name) && !definition.ends_with("NOT NULL") {
                definition.push_str(" NOT NULL");
            }
            columns.definitions.push(definition);
            columns.names.insert(name);
        }
    }
    Ok(columns)
}

/// Whether an element of a table is a key, which Redshift believes in and does not keep.
fn is_key(element: &[Word<'_>]) -> bool {
    let is = |at: usize, expected: &str| element.get(at).is_some_and(|word| word.is(expected));
    is(0, "unique") && is(1, "(") || (is(0, "primary") || is(0, "foreign")) && is(1, "key")
}

/// A column: its name, its type with what limits it, and what else is said of it.
fn column(reader: &mut Reader<'_>) -> Result<String, String> {
    const ATTRIBUTES: [&str; 10] =
        ["not", "null", "default", "encode", "distkey", "sortkey", "primary", "unique", "identity", "generated"];
    let is_attribute = |word: &Word<'_>| ATTRIBUTES.iter().any(|attribute| word.is(attribute));
    let name = reader.next().filter(Word::is_name).ok_or_else(|| untranslated("a column without a name"))?;
    let mut ty = Vec::new();
    while let Some(word) = reader.peek().filter(|word| !is_attribute(word)) {
        ty.push(word);
        reader.at += 1;
    }
    let (ty, limit) = stored_type(&ty, &name)?;
    let mut definition = format!("{} {ty}", name.text);
    if let Some(limit) = limit {
        definition.push_str(&format!(" {limit}"));
    }
    let mut is_required = false;
    while let Some(word) = reader.next() {
        match word.text.to_lowercase().as_str() {
            "not" => {
                reader.expect("null")?;
                is_required = true;
            }
            "null" | "distkey" | "sortkey" | "unique" => {}
            "primary" => {
                reader.expect("key")?;
                is_required = true;
            }
            "encode" => drop(reader.next()),
            "default" => {
                let mut value = Vec::new();
                while let Some(word) = reader.peek().filter(|word| value.is_empty() || !is_attribute(word)) {
                    value.push(word);
                    reader.at += 1;
                }
                definition.push_str(&format!(" DEFAULT {}", joined(&value)));
            }
            "generated" => {
                for word in ["by", "default", "as", "identity"] {
                    reader.expect(word)?;
                }
                definition.push_str(&identity(reader)?);
            }
            "identity" => definition.push_str(&identity(reader)?),
            other => return Err(untranslated(&format!("{other} of a column"))),
        }
    }
    if is_required {
        definition.push_str(" NOT NULL");
    }
    Ok(definition)
}

fn identity(reader: &mut Reader<'_>) -> Result<String, String> {
    reader.expect("(")?;
    let start = reader.next().map(|word| word.text).unwrap_or_default();
    reader.expect(",")?;
    let step = reader.next().map(|word| word.text).unwrap_or_default();
    reader.expect(")")?;
    Ok(format!(" GENERATED BY DEFAULT AS IDENTITY (START WITH {start} INCREMENT BY {step})"))
}

/// A type as PostgreSQL calls it, and the constraint of a column that keeps what Redshift limits.
fn stored_type(told: &[Word<'_>], column: &Word<'_>) -> Result<(String, Option<String>), String> {
    let text = told.iter().map(|word| word.text.to_lowercase()).collect::<Vec<_>>();
    let text = match text.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["varchar", "(", "max", ")"] => "varchar(65535)".to_owned(),
        ["nvarchar", rest @ ..] => format!("varchar{}", rest.concat()),
        ["nchar", rest @ ..] => format!("char{}", rest.concat()),
        ["datetime"] => "timestamp".to_owned(),
        ["varbyte", ..] => return Ok(("_redshift.varbyte".to_owned(), None)),
        words => words.join(" "),
    };
    let ty = Type::parse(&text).map_err(|_| untranslated(&format!("the type {text}")))?;
    let limit = |prefix: &str, condition: String| {
        Some(format!("CONSTRAINT {} CHECK ({condition})", constraint(prefix, &column.name())))
    };
    let name = column.text;
    Ok(match ty {
        Type::Varchar(bytes) => (ty.to_string(), limit("bytes_", format!("octet_length({name}) <= {bytes}"))),
        Type::Char(bytes) if bytes > 0 => (ty.to_string(), limit("bytes_", format!("octet_length({name}) = {bytes}"))),
        Type::Decimal { precision: 19, scale } => {
            (ty.to_string(), limit("digits_", format!("abs({name}) <= {}e-{scale}", i64::MAX)))
        }
        Type::Super => ("_redshift.super".to_owned(), None),
        Type::Numeric | Type::Time | Type::Timetz | Type::Interval | Type::Text | Type::Char(_) | Type::Bytea => {
            return Err(untranslated(&format!("the type {text}")));
        }
        ty => (ty.to_string(), None),
    })
}

/// The name of the constraint of a column, in quotes.
fn constraint(prefix: &str, column: &str) -> String {
    let mut name = format!("{prefix}{column}");
    if name.len() > super::NAME_BYTES_MAX {
        let mut hasher = DefaultHasher::new();
        column.hash(&mut hasher);
        name = format!("{prefix}{:016x}", hasher.finish());
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Reads how a table is laid out, of which only the names matter here.
fn layout(reader: &mut Reader<'_>, columns: Option<&Columns>) -> Result<(), String> {
    let has = |word: &Word<'_>| columns.is_none_or(|columns| columns.is_like || columns.names.contains(&word.name()));
    while let Some(word) = reader.peek().filter(|word| !word.is("as")) {
        reader.at += 1;
        match word.text.to_lowercase().as_str() {
            "backup" | "diststyle" | "encode" => drop(reader.next()),
            "compound" | "interleaved" => {}
            "sortkey" if reader.take("auto") => {}
            "distkey" | "sortkey" => {
                reader.expect("(")?;
                let names = reader.until_closed()?;
                if let Some(absent) = names.iter().find(|word| word.is_name() && !has(word)) {
                    return Err(format!("ERROR: column \"{}\" named in key does not exist", absent.name()));
                }
            }
            _ => return Err(untranslated(&format!("{} of a table", word.text))),
        }
    }
    Ok(())
}

/// ALTER TABLE.
pub(super) fn alter(told: &[Word<'_>], in_transaction: bool) -> Result<Action, String> {
    let mut reader = Reader { told, at: 2 };
    let table = reader.name()?;
    let one = |sql: String| Ok(Action::Run(vec![sql]));
    if reader.take("add") {
        reader.take("column");
        let definition = column(&mut reader)?;
        return one(format!("ALTER TABLE {table} ADD COLUMN {definition}"));
    }
    if reader.take("drop") {
        reader.take("column");
        let column = reader.name()?;
        reader.end()?;
        return one(format!("ALTER TABLE {table} DROP COLUMN {column}"));
    }
    if reader.take("rename") {
        reader.expect("to")?;
        let name = reader.name()?;
        reader.end()?;
        return one(format!("ALTER TABLE {table} RENAME TO {name}"));
    }
    if !reader.take("alter") {
        return Err(untranslated("this ALTER TABLE"));
    }
    reader.expect("column")?;
    let column = reader.next().filter(Word::is_name).ok_or_else(|| untranslated("a column without a name"))?;
    reader.expect("type")?;
    if in_transaction {
        return Err("ERROR: ALTER TABLE ALTER COLUMN cannot run inside a transaction block".to_owned());
    }
    let (ty, limit) = stored_type(reader.rest(), &column)?;
    let limit = limit.ok_or_else(|| untranslated("this change of a type"))?;
    let name = constraint("bytes_", &column.name());
    let column = column.text;
    one(format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {ty}, DROP CONSTRAINT IF EXISTS {name}, ADD {limit}"))
}

/// Elements between commas that stand in no parentheses.
fn split<'a, 'b>(told: &'a [Word<'b>]) -> Vec<&'a [Word<'b>]> {
    let mut open = 0_i32;
    told.split(|word| {
        open += i32::from(word.is("(")) - i32::from(word.is(")"));
        word.is(",") && open == 0
    })
    .collect()
}

/// Words with blanks between them, but none where a name or a cast goes on.
fn joined(told: &[Word<'_>]) -> String {
    let mut text = String::new();
    let mut last: Option<&Word<'_>> = None;
    for word in told {
        let sticks = |word: &Word<'_>| ["(", "#", ".", "::"].iter().any(|sign| word.is(sign));
        let follows = |word: &Word<'_>| [",", ")", ".", "::"].iter().any(|sign| word.is(sign));
        let is_tied = last.is_none_or(|last| sticks(last) || follows(word));
        text.push_str(if is_tied { "" } else { " " });
        text.push_str(word.text);
        last = Some(word);
    }
    text
}
