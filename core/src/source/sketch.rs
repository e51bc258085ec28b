//! Sketch: a pipeline file to start from, made of what a source says about itself. It is checked like any other; comments say
//! what its author has to decide.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use crate::error::{Error, ErrorKind};

use super::connector::Connector;
use super::landing::Answer;
use super::mysql::{self, Mysql};
use super::postgres::{self, Postgres};
use super::statements::Statements;

/// What a number is where nobody says how many digits it has: no digit that fits is lost.
const ANY_NUMBER: &str = "decimal(38,9)";
/// Names that every table has already.
const SYSTEM_COLUMNS: [&str; 7] = ["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];
/// A value in which there are others.
const NESTED: &str = "super";
/// Most columns of a sketch: no table of PostgreSQL or Redshift has more.
const COLUMNS_MAX: usize = 1_500;

/// A field as its source says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketched {
    /// What the source calls it.
    pub name: String,
    /// Its type in a pipeline file.
    pub ty: String,
    /// What its author has to look at.
    pub doubt: Option<&'static str>,
    /// Whether it always has a value.
    pub is_required: bool,
}

/// What a sketch is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sketch<'a> {
    /// The pipeline, and its table.
    name: &'a str,
    /// The lines of the source, each with its indentation.
    source: String,
    fields: Vec<Sketched>,
    /// What the source says that tells its rows apart.
    key: Vec<String>,
    /// What grows with every change.
    order: Option<String>,
    /// Whether only what is new is read.
    is_incremental: bool,
}

/// A pipeline over a stream of a connector. `manifest`: the path of the manifest, from the folder of the pipeline file.
pub fn of_stream(connector: &Connector, manifest: &str, stream: &str) -> Result<String, Error> {
    let Some(listed) = connector.streams().find(|listed| listed.name == stream && listed.named_by.is_none()) else {
        let message = format!("the manifest has no stream `{stream}`; `etalon connector ls` lists them");
        return Err(Error::new(ErrorKind::NotFound, message));
    };
    if !listed.missing.is_empty() {
        let message = format!("the stream `{stream}` asks for what is not there: {}", listed.missing.join("; "));
        return Err(Error::new(ErrorKind::Refused, message));
    }
    let properties = connector.schema(stream).and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    let fields: Vec<Sketched> = properties.into_iter().flatten().map(|(name, schema)| field(name, schema)).collect();
    if fields.iter().all(|field| field.ty == NESTED) {
        let message = format!("the manifest says no types of the fields of the stream `{stream}`; write them yourself");
        return Err(Error::new(ErrorKind::Refused, message));
    }
    let mut source =
        format!("  connector:\n    manifest: {}\n    stream: {}\n", Value::from(manifest), Value::from(stream));
    source.push_str(&config(connector.specification()));
    let sketch = Sketch {
        name: stream,
        source,
        fields,
        key: connector.primary_key(stream),
        order: connector.cursor_field(stream),
        is_incremental: listed.is_incremental,
    };
    Ok(sketch.text())
}

/// A kind of database whose tables can be sketched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
}

impl Kind {
    /// The kind of database of a URL, by its scheme.
    pub fn of(url: &str) -> Option<Self> {
        let begins = |schemes: &[&str]| schemes.iter().any(|scheme| url.starts_with(scheme));
        if begins(postgres::SCHEMES) {
            return Some(Self::Postgres);
        }
        begins(mysql::SCHEMES).then_some(Self::Mysql)
    }

    fn statements(self) -> &'static dyn Statements {
        match self {
            Self::Postgres => &Postgres,
            Self::Mysql => &Mysql,
        }
    }

    /// A pipeline over a table of a database, of which these are the columns.
    pub fn of_table(self, url: &str, table: &str, fields: Vec<Sketched>, key: Vec<String>) -> String {
        let order = fields.iter().find(|field| is_change(field)).map(|field| field.name.clone());
        let kind = self.statements().kind();
        let mut source = format!("  {kind}:\n    url: {}\n    table: {}\n", Value::from(url), Value::from(table));
        match &order {
            Some(cursor) => {
                let _ = writeln!(source, "    # The column that grows with every change of a row.");
                let _ = writeln!(source, "    incremental: {{ cursor: {} }}", Value::from(cursor.as_str()));
            }
            None => source.push_str(
                "    # Each run reads all rows. `incremental: { cursor: … }` names a column that grows with every change.\n",
            ),
        }
        let is_incremental = order.is_some();
        Sketch { name: table, source, fields, key, order, is_incremental }.text()
    }

    /// The columns of a table, and its key; `ask` runs a statement.
    pub fn fields(
        self,
        table: &str,
        mut ask: impl FnMut(&str) -> Result<Answer, Error>,
    ) -> Result<(Vec<Sketched>, Vec<String>), Error> {
        let statements = self.statements();
        let rows = ask(&statements.columns(table))?;
        let (mut fields, mut key) = (Vec::new(), Vec::new());
        for row in rows {
            let at = |index: usize| row.get(index).cloned().flatten().unwrap_or_default();
            let (name, written) = (at(0), at(1));
            let (ty, doubt) = statements.field_type(&written);
            if at(3) == "t" || at(3) == "true" {
                key.push(name.clone());
            }
            let is_required = at(2) == "t" || at(2) == "true";
            fields.push(Sketched { name, ty, doubt, is_required });
        }
        if fields.is_empty() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no table or view `{table}`, or it has no columns"),
            ));
        }
        Ok((fields, key))
    }
}

/// Whether a column is one of those that grow with every change of a row.
fn is_change(field: &Sketched) -> bool {
    let is_named =
        ["updated_at", "modified_at", "changed_at", "last_modified", "updated"].contains(&field.name.as_str());
    is_named && field.ty.starts_with("timestamp")
}

/// What the specification asks for, as lines.
fn config(specification: &Value) -> String {
    let Some(properties) = specification.get("properties").and_then(Value::as_object) else { return String::new() };
    let required = specification.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)));
    let mut lines = String::new();
    for (name, schema) in properties {
        let said =
            schema.get("description").or_else(|| schema.get("title")).and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(lines, "      # {}", one_line(said, name));
        let usual = schema.get("default");
        let is_nested = ["oneOf", "anyOf", "properties", "items"].iter().any(|key| schema.get(key).is_some());
        let (is_required, variable) = (is_required(name), format!("${{{}}}", plain(name).to_uppercase()));
        let name = Value::from(name.as_str());
        let _ = match (is_required, usual) {
            (true, None) if is_nested => writeln!(lines, "      {name}: {{}} # a mapping or a list"),
            (true, None) => writeln!(lines, "      {name}: \"{variable}\""),
            (_, Some(usual)) => writeln!(lines, "      # {name}: {usual}"),
            (false, None) => writeln!(lines, "      # {name}:"),
        };
    }
    let has_one = lines.lines().any(|line| !line.trim_start().starts_with('#'));
    let key = if has_one { "    config:\n" } else { "    # config:\n" };
    if lines.is_empty() { lines } else { format!("{key}{lines}") }
}

fn field(name: &str, schema: &Value) -> Sketched {
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(ty)) => vec![ty],
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).filter(|ty| *ty != "null").collect(),
        _ => Vec::new(),
    };
    let format = schema.get("format").and_then(Value::as_str);
    let zoned = schema.get("airbyte_type").and_then(Value::as_str) != Some("timestamp_without_timezone");
    let (ty, doubt) = match (types.as_slice(), format) {
        (["integer"], _) => ("bigint", None),
        (["number"], _) => (ANY_NUMBER, Some("how many digits?")),
        (["boolean"], _) => ("boolean", None),
        (["string"], Some("date")) => ("date", None),
        (["string"], Some("date-time")) if zoned => ("timestamptz", None),
        (["string"], Some("date-time")) => ("timestamp", None),
        (["string"], _) => ("text", None),
        (["object"] | ["array"], _) => (NESTED, None),
        ([], _) => (NESTED, Some("the source does not say its type")),
        (types, _) if types.contains(&"object") || types.contains(&"array") => {
            (NESTED, Some("it may be of several types"))
        }
        _ => ("text", Some("it may be of several types")),
    };
    Sketched { name: name.to_owned(), ty: ty.to_owned(), doubt, is_required: false }
}

impl Sketch<'_> {
    fn text(mut self) -> String {
        let names = self.names();
        // Rows are neither told apart nor sorted by what is nested.
        let named = |wanted: &String| {
            let at = self.fields.iter().position(|field| field.name == *wanted && field.ty != NESTED)?;
            names.get(at).cloned()
        };
        let mut key: Vec<String> = self.key.iter().filter_map(named).collect();
        let is_told = !key.is_empty() && key.len() == self.key.len();
        let order = self.order.as_ref().and_then(named);
        if !is_told && self.is_incremental {
            let guessed = ["id", "uuid", "key"].iter().find_map(|name| named(&(*name).to_owned()));
            key = guessed.or_else(|| self.fields.iter().find_map(|field| named(&field.name))).into_iter().collect();
        }
        let is_merge = is_told || self.is_incremental;
        let pipeline: String = plain(self.name).chars().take(64).collect();
        let pipeline = pipeline.trim_start_matches(|c: char| !c.is_ascii_lowercase());
        let pipeline = if pipeline.is_empty() { "pipeline" } else { pipeline };
        let mut text = format!(
            "# Made by `etalon init`. It is a beginning: look at types, the lengths of texts, and the key; then `etalon check`.\netalon: 1\npipeline: \
             {pipeline}\nsource:\n{}  fields:\n",
            self.source
        );
        for (field, name) in self.fields.iter_mut().zip(&names) {
            let doubt = field.doubt.map(|doubt| format!(" # {doubt}")).unwrap_or_default();
            let ty = &field.ty;
            let _ = match field.name == *name {
                true => writeln!(text, "    {name}: {}{doubt}", Value::from(ty.as_str())),
                false => writeln!(
                    text,
                    "    {name}: {{ type: {}, name: {} }}{doubt}",
                    Value::from(ty.as_str()),
                    Value::from(field.name.as_str())
                ),
            };
        }
        text.push_str("columns:\n");
        for (field, name) in self.fields.iter().zip(&names) {
            let is_needed = is_merge && (key.contains(name) || order.as_ref() == Some(name));
            let ty = if field.ty == "text" { " varchar(1000)" } else { "" };
            let required = if field.is_required || is_needed { " required" } else { "" };
            let _ = writeln!(text, "  {name}:{ty}{required}");
        }
        if is_merge && !is_told {
            text.push_str("# The source does not say what tells its rows apart.\n");
        }
        let table = &pipeline.replace('-', "_");
        let _ = match (is_merge, &order) {
            (true, Some(order)) => writeln!(
                text,
                "target: {{ table: {table}, write: merge, key: [{}], order_by: {order} }}",
                key.join(", ")
            ),
            (true, None) => writeln!(text, "target: {{ table: {table}, write: merge, key: [{}] }}", key.join(", ")),
            (false, _) => writeln!(text, "target: {{ table: {table}, write: replace }}"),
        };
        text
    }

    /// The name of each column, none twice; fields that a table has no room for are left out.
    fn names(&mut self) -> Vec<String> {
        self.fields.truncate(COLUMNS_MAX);
        let mut seen = BTreeSet::new();
        let name = |field: &Sketched| {
            let mut name: String = plain(&field.name).chars().take(100).collect();
            if name.starts_with(|c: char| c.is_ascii_digit())
                || name.starts_with("_etalon_")
                || !name.contains(|c: char| c.is_ascii_alphanumeric())
                || SYSTEM_COLUMNS.contains(&name.as_str())
            {
                name.insert_str(0, "f_");
            }
            let mut free = name.clone();
            let mut count = 1;
            while !seen.insert(free.clone()) {
                count += 1;
                free = format!("{name}_{count}");
            }
            free
        };
        self.fields.iter().map(name).collect()
    }
}

/// A name in small letters, digits and `_`; words that are told by capitals are divided.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    let mut was_small = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && was_small {
            plain.push('_');
        }
        was_small = c.is_ascii_lowercase() || c.is_ascii_digit();
        plain.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    plain
}

/// A description as one line of a comment.
fn one_line(said: &str, otherwise: &str) -> String {
    let line = said.lines().next().unwrap_or_default();
    let line: String = line.chars().filter(|c| !c.is_control()).take(120).collect();
    if line.trim().is_empty() { otherwise.to_owned() } else { line.trim().to_owned() }
}
