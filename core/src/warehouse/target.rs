//! Target: a table whose names and parts have been checked for a warehouse, and what they mean there.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::sql::quote::Identifier;
use crate::types::Type;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::TableName;
use crate::warehouse::table::BATCH_COLUMN;
use crate::warehouse::table::DELETED_COLUMN;
use crate::warehouse::table::Dedupe;
use crate::warehouse::table::IS_CURRENT_COLUMN;
use crate::warehouse::table::Layout;
use crate::warehouse::table::OFFSET_COLUMN;
use crate::warehouse::table::TIME_COLUMN;
use crate::warehouse::table::Table;
use crate::warehouse::table::TableColumn;
use crate::warehouse::table::VALID_FROM_COLUMN;
use crate::warehouse::table::VALID_TO_COLUMN;
use crate::warehouse::table::WriteMode;

/// What the names of Etalon's own tables and columns begin with.
pub(crate) const OWN_PREFIX: &str = "_etalon_";

const LINEAGE: [(&str, Type); 3] =
    [(BATCH_COLUMN, Type::Text), (OFFSET_COLUMN, Type::Bigint), (TIME_COLUMN, Type::Timestamptz)];
/// The schema of a table that names none, where tables stand in schemas.
const USUAL_SCHEMA: &str = "public";

/// A [`Table`] whose names are fit for the SQL of a warehouse and whose parts agree.
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) dialect: &'static Dialect,
    pub(crate) table: TableName,
    /// The pipeline's columns.
    pub(crate) columns: Vec<(Identifier, TableColumn)>,
    /// The columns that an earlier pipeline file had and the table still has.
    pub(crate) former: Vec<ColumnDefinition>,
    pub(crate) write: WriteMode,
    pub(crate) lineage: bool,
    pub(crate) deletes: bool,
    keeps_beaten: bool,
    pub(crate) dedupe: Option<Dedupe>,
    pub(crate) layout: Layout,
    /// How rows are written, in the ledger's words.
    pub(crate) written: String,
    name: String,
}

/// Which of several rows are one thing, and which of them wins.
#[derive(Debug, Clone)]
pub(crate) struct Versions {
    /// The columns in which two versions of one thing are equal.
    pub(crate) key: Vec<(Identifier, Type)>,
    /// The columns that are compared first.
    pub(crate) order_by: Vec<(Identifier, Type)>,
    /// Whether the greatest wins, not the least.
    pub(crate) last: bool,
    /// How the winner of a load stands to the row that the table has.
    pub(crate) against: Against,
}

/// How the winner of a load stands to the row that the table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// The table is not looked at: rows of other loads are other rows.
    Nothing,
    /// The last load wins.
    LoadOrder,
    /// The order by columns is compared; a tie leaves the row of the earlier load.
    Columns,
    /// The order by columns is compared, then the lineage.
    Lineage,
}

impl Target {
    /// Checks the names and positions of a table.
    pub fn new(table: &Table, dialect: &'static Dialect) -> Result<Self, Error> {
        let (table_name, name) = table_name(table, dialect)?;
        let checked = Self {
            dialect,
            table: table_name,
            columns: Vec::new(),
            former: Vec::new(),
            write: table.write.clone(),
            lineage: table.lineage,
            deletes: table.deletes,
            keeps_beaten: table.keeps_beaten,
            dedupe: table.dedupe.clone(),
            layout: table.layout.clone(),
            written: table.written(),
            name,
        };
        let columns = checked.checked_columns(table)?;
        let checked = Self { columns, ..checked };
        checked.check_positions()?;
        checked.check_mode()?;
        if checked.keeps_deleted() {
            checked.deleted_table()?;
        }
        Ok(checked)
    }

    /// The name under which the ledger and `_etalon_columns` know the table: `schema.table`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The warehouse that the target is for.
    pub fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// The columns of staged rows: the pipeline's, the mark of a delete where there is one, and the lineage.
    pub fn staged(&self) -> Vec<TableColumn> {
        let own =
            self.columns.iter().map(|(name, column)| TableColumn { name: name.as_str().to_owned(), ..column.clone() });
        own.chain(self.deletes.then(|| fixed(DELETED_COLUMN, Type::Boolean, true)))
            .chain(LINEAGE.map(|(name, ty)| fixed(name, ty, true)))
            .collect()
    }

    /// The target's columns as declared: the pipeline's, those of `scd2`, and the lineage where the target keeps it.
    pub fn declared(&self) -> Vec<TableColumn> {
        let own =
            self.columns.iter().map(|(name, column)| TableColumn { name: name.as_str().to_owned(), ..column.clone() });
        own.chain(self.interval()).chain(self.kept_lineage().map(|(name, ty)| fixed(name, ty, true))).collect()
    }

    /// The columns of the target that are written from a staged row.
    pub(crate) fn stored_columns(&self) -> Vec<Identifier> {
        let lineage = self.kept_lineage().map(|(name, _)| Identifier::own(name));
        let kept = self.kept_former().iter().map(|column| column.name.clone());
        self.columns.iter().map(|(name, _)| name.clone()).chain(lineage).chain(kept).collect()
    }

    /// The columns of an earlier pipeline file of which beaten rows keep the values.
    pub(crate) fn kept_former(&self) -> &[ColumnDefinition] {
        if self.keeps_beaten() { &self.former } else { &[] }
    }

    /// The lineage columns of the target, if it keeps them.
    pub(crate) fn kept_lineage(&self) -> impl Iterator<Item = (&'static str, Type)> {
        LINEAGE.into_iter().filter(|_| self.lineage)
    }

    /// The columns that `scd2` adds.
    fn interval(&self) -> Vec<TableColumn> {
        let WriteMode::Scd2 { order_by, .. } = &self.write else { return Vec::new() };
        let ty = self.columns.get(*order_by).map_or(Type::Timestamptz, |(_, column)| column.ty);
        vec![
            fixed(VALID_FROM_COLUMN, ty, true),
            fixed(VALID_TO_COLUMN, ty, false),
            fixed(IS_CURRENT_COLUMN, Type::Boolean, true),
        ]
    }

    /// Which rows are versions of one thing, if the way of writing asks.
    pub(crate) fn versions(&self) -> Option<Versions> {
        match (&self.write, &self.dedupe) {
            (WriteMode::Merge { key, order_by }, _) => Some(Versions {
                key: self.at(key),
                order_by: self.at(order_by),
                last: true,
                against: match (order_by.is_empty(), self.lineage) {
                    (true, _) => Against::LoadOrder,
                    (false, true) => Against::Lineage,
                    (false, false) => Against::Columns,
                },
            }),
            // A version is the key and the order: which of two equal ones stays, the lineage decides alone.
            (WriteMode::Scd2 { key, order_by }, _) => Some(Versions {
                key: [self.at(key), self.at(&[*order_by])].concat(),
                order_by: Vec::new(),
                last: true,
                against: Against::Lineage,
            }),
            (WriteMode::Append | WriteMode::Replace { .. }, Some(dedupe)) => Some(Versions {
                key: self.at(&dedupe.key),
                order_by: self.at(&dedupe.order_by),
                last: dedupe.last,
                against: Against::Nothing,
            }),
            (WriteMode::Append | WriteMode::Replace { .. }, None) => None,
        }
    }

    /// The columns by which the table's rows are told apart, if they are.
    pub(crate) fn unique_key(&self) -> Option<Vec<(Identifier, Type)>> {
        match self.write {
            WriteMode::Merge { .. } | WriteMode::Scd2 { .. } => self.versions().map(|versions| versions.key),
            WriteMode::Append | WriteMode::Replace { .. } => None,
        }
    }

    /// Whether deleted keys are remembered: where the last load wins, there is nothing to hold against them.
    pub(crate) fn keeps_deleted(&self) -> bool {
        self.deletes && self.versions().is_some_and(|versions| versions.against == Against::Lineage)
    }

    /// Whether rows that others have beaten are kept: where the order of versions is total, and a stored value is one that can
    /// be staged once more.
    pub(crate) fn keeps_beaten(&self) -> bool {
        let is_total = self.versions().is_some_and(|versions| versions.against == Against::Lineage);
        self.keeps_beaten
            && is_total
            && self.columns.iter().all(|(_, column)| self.dialect.parser_of(column.ty).is_none())
    }

    /// The columns of a row that was beaten: those that the target has, and whether it was a delete.
    pub(crate) fn beaten_columns(&self) -> Vec<ColumnDefinition> {
        let column = |name: Identifier, ty| ColumnDefinition { name, ty, required: false };
        let own = self.columns.iter().map(|(name, declared)| column(name.clone(), declared.ty));
        let marks = [(DELETED_COLUMN, Type::Boolean)].into_iter().chain(LINEAGE);
        let marks = marks.map(|(name, ty)| column(Identifier::own(name), ty));
        own.chain(marks).chain(self.kept_former().iter().cloned()).collect()
    }

    /// The table of rows that others have beaten.
    pub(crate) fn beaten_table(&self) -> TableName {
        let prefix = format!("{OWN_PREFIX}beaten_");
        let mut name = format!("{prefix}{}", self.table.name.as_str());
        if name.len() > self.dialect.name_bytes_max {
            name = format!("{prefix}{:08x}", digest(&self.name));
        }
        TableName { schema: self.table.schema.clone(), name: Identifier::found(&name) }
    }

    /// The key and the order of a version, as deleted ones are remembered.
    pub(crate) fn version_columns(&self) -> Vec<(Identifier, Type)> {
        let Some(Versions { mut key, order_by, .. }) = self.versions() else { return Vec::new() };
        for column in order_by {
            if !key.iter().any(|(name, _)| *name == column.0) {
                key.push(column);
            }
        }
        key
    }

    /// The table that remembers deleted keys. Its name tells what they are, so that another key means another table.
    pub(crate) fn deleted_table(&self) -> Result<TableName, Error> {
        let columns: Vec<String> =
            self.version_columns().iter().map(|(name, ty)| format!("{} {ty}", name.as_str())).collect();
        self.beside(&format!("{OWN_PREFIX}deleted_{:08x}_", digest(&columns.join(","))))
    }

    /// The table that loads of this target lock. Targets whose names begin alike may share it, and wait for each other.
    pub(crate) fn fence_table(&self) -> TableName {
        let prefix = format!("{OWN_PREFIX}fence_");
        let mut name = format!("{prefix}{}", self.table.name.as_str());
        while name.len() > self.dialect.name_bytes_max {
            name.pop();
        }
        TableName { schema: self.table.schema.clone(), name: Identifier::found(&name) }
    }

    /// A table of Etalon's own in the target's schema.
    pub(crate) fn own_table(&self, name: &'static str) -> TableName {
        TableName { schema: self.table.schema.clone(), name: Identifier::own(name) }
    }

    /// A table of Etalon's own for this target alone.
    fn beside(&self, prefix: &str) -> Result<TableName, Error> {
        let name = format!("{prefix}{}", self.table.name.as_str());
        let (bytes, most) = (name.len(), self.dialect.name_bytes_max);
        if bytes > most {
            let message = format!(
                "table `{}`: its name is too long by {} bytes for the table `{name}` beside it",
                self.name,
                bytes - most
            );
            return Err(Error::new(ErrorKind::Refused, message));
        }
        Ok(TableName { schema: self.table.schema.clone(), name: Identifier::found(&name) })
    }

    /// The columns at positions.
    pub(crate) fn at(&self, positions: &[usize]) -> Vec<(Identifier, Type)> {
        let columns = positions.iter().filter_map(|&position| self.columns.get(position));
        columns.map(|(name, column)| (name.clone(), column.ty)).collect()
    }

    /// The names of the columns by which Redshift sorts and distributes.
    pub(crate) fn layout_names(&self) -> (Vec<Identifier>, Option<Identifier>) {
        let names = |positions: &[usize]| self.at(positions).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let dist_key = self.layout.dist_key.and_then(|position| names(&[position]).pop());
        (names(&self.layout.sort_key), dist_key)
    }

    /// A column that names a row itself, where the warehouse has one: whichever of its names no column takes.
    pub(crate) fn row_column(&self) -> Result<Option<Identifier>, Error> {
        let names = self.dialect.row_numbers;
        let former = || self.former.iter().map(|column| &column.name);
        let taken =
            |name: &str| self.columns.iter().map(|(own, _)| own).chain(former()).any(|own| own.as_str() == name);
        match names.iter().find(|name| !taken(name)) {
            None if names.is_empty() => Ok(None),
            Some(name) => Ok(Some(Identifier::own(name))),
            None => {
                let names = names.join("`, `");
                let fact =
                    format!("the columns take all of the names `{names}`, and one of them must be left to the load");
                self.refuse(fact)
            }
        }
    }

    fn refuse<T>(&self, fact: String) -> Result<T, Error> {
        Err(Error::new(ErrorKind::Refused, format!("table `{}`: {fact}", self.name)))
    }

    fn checked_columns(&self, table: &Table) -> Result<Vec<(Identifier, TableColumn)>, Error> {
        let mut seen = BTreeSet::new();
        let mut columns = Vec::with_capacity(table.columns.len());
        let is_scd2 = matches!(self.write, WriteMode::Scd2 { .. });
        for column in &table.columns {
            let column_name = fit(&column.name, self.dialect)?;
            let text = column_name.as_str();
            if text.starts_with(OWN_PREFIX) {
                return self
                    .refuse(format!("column `{text}`: names beginning with `{OWN_PREFIX}` are reserved by Etalon"));
            }
            if is_scd2 && [VALID_FROM_COLUMN, VALID_TO_COLUMN, IS_CURRENT_COLUMN].contains(&text) {
                return self.refuse(format!("the column `{text}` is added by `write: scd2`"));
            }
            if self.dialect.system_columns.contains(&text) {
                return self.refuse(format!("{} takes the column name `{text}` for itself", self.dialect.name()));
            }
            if !seen.insert(column_name.clone()) {
                return self.refuse(format!("two columns are named `{text}`"));
            }
            if matches!(column.ty, Type::Numeric | Type::Time | Type::Timetz | Type::Interval | Type::Bytea) {
                return self.refuse(format!("column `{text}` cannot have the type {}", column.ty));
            }
            columns.push((column_name, column.clone()));
        }
        if columns.is_empty() {
            return self.refuse("there are no columns".to_owned());
        }
        Ok(columns)
    }

    fn check_positions(&self) -> Result<(), Error> {
        let mut positions: Vec<usize> = self.layout.sort_key.clone();
        positions.extend(self.layout.dist_key);
        match &self.write {
            WriteMode::Append | WriteMode::Replace { .. } => {}
            WriteMode::Merge { key, order_by } => positions.extend(key.iter().chain(order_by)),
            WriteMode::Scd2 { key, order_by } => positions.extend(key.iter().chain([order_by])),
        }
        positions.extend(self.dedupe.iter().flat_map(|dedupe| dedupe.key.iter().chain(&dedupe.order_by)));
        match positions.into_iter().find(|&position| position >= self.columns.len()) {
            Some(position) => self.refuse(format!("there is no column at position {position}")),
            None => Ok(()),
        }
    }

    fn check_mode(&self) -> Result<(), Error> {
        let needs_key = match &self.write {
            WriteMode::Merge { key, .. } if key.is_empty() => Some("a merge"),
            WriteMode::Scd2 { key, .. } if key.is_empty() => Some("`write: scd2`"),
            _ if self.dedupe.as_ref().is_some_and(|dedupe| dedupe.key.is_empty()) => Some("`dedupe`"),
            _ => None,
        };
        if let Some(what) = needs_key {
            return self.refuse(format!("{what} needs a key"));
        }
        let is_scd2 = matches!(self.write, WriteMode::Scd2 { .. });
        let has_key = is_scd2 || matches!(self.write, WriteMode::Merge { .. });
        if is_scd2 && !self.lineage {
            return self.refuse("`write: scd2` needs the lineage columns".to_owned());
        }
        if self.deletes && !(has_key && self.lineage) {
            return self.refuse("deletes need a key and the lineage columns".to_owned());
        }
        if has_key && self.dedupe.is_some() {
            return self.refuse("`dedupe` drops rows by the target's `key` already".to_owned());
        }
        Ok(())
    }
}

fn fixed(name: &str, ty: Type, required: bool) -> TableColumn {
    TableColumn { name: name.to_owned(), ty, required }
}

/// A name that the warehouse takes whole.
fn fit(name: &str, dialect: &Dialect) -> Result<Identifier, Error> {
    let fits = Identifier::new(name)?;
    let (bytes, most) = (fits.as_str().len(), dialect.name_bytes_max);
    if bytes > most {
        let message =
            format!("the name `{}` has {bytes} bytes, and {} takes at most {most}", fits.as_str(), dialect.name());
        return Err(Error::new(ErrorKind::Refused, message));
    }
    Ok(fits)
}

/// The table as the warehouse has it, and its name in one word. Where there are no schemas, that is its name there too.
fn table_name(table: &Table, dialect: &Dialect) -> Result<(TableName, String), Error> {
    let mut parts = Vec::new();
    for part in table.schema.iter().chain([&table.name]) {
        let name = fit(part, dialect)?;
        if name.as_str().contains('.') {
            let message =
                format!("the name `{}` has a point in it; write `schema.table`, with one point", name.as_str());
            return Err(Error::new(ErrorKind::Refused, message));
        }
        let reserved = [(Some(OWN_PREFIX), "Etalon"), (dialect.reserved_prefix, dialect.name)];
        for (prefix, owner) in reserved.iter().filter_map(|(prefix, owner)| Some(((*prefix)?, owner))) {
            if name.as_str().starts_with(prefix) {
                let name = name.as_str();
                let message = format!("the name `{name}`: names beginning with `{prefix}` are reserved by {owner}");
                return Err(Error::new(ErrorKind::Refused, message));
            }
        }
        parts.push(name);
    }
    let joined = Identifier::joined(&parts.iter().collect::<Vec<_>>(), ".");
    let known_as = joined.as_str().to_owned();
    let Some(name) = parts.pop().filter(|_| dialect.has_schemas) else {
        return Ok((TableName { schema: None, name: joined }, known_as));
    };
    let schema = parts.pop().unwrap_or_else(|| Identifier::own(USUAL_SCHEMA));
    Ok((TableName { schema: Some(schema), name }, known_as))
}

/// A short name for a text, the same for ever (FNV-1a).
pub(crate) fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
