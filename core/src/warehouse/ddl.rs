//! Ddl: a target table whose names have been checked, the statements that create it, and its comparison with what is there.
//!
//! Beside the tables stands `_etalon_columns`, the declared type of every column: a warehouse like SQLite keeps a
//! `decimal(12,2)` as text and a `boolean` as a number, and would forget what they are.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::types::Type;
use crate::warehouse::BATCH_COLUMN;
use crate::warehouse::OFFSET_COLUMN;
use crate::warehouse::TIME_COLUMN;
use crate::warehouse::Table;
use crate::warehouse::TableColumn;
use crate::warehouse::WriteMode;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::quote::Identifier;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::CreateTable;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::Rows;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::sql::Statement;
use crate::warehouse::sql::print;

/// The table of declared types.
pub const COLUMNS_TABLE: &str = "_etalon_columns";
/// What the names of Etalon's own tables and columns begin with.
pub const OWN_PREFIX: &str = "_etalon_";
/// What the name of an index on a key begins with.
pub const KEY_INDEX_PREFIX: &str = "_etalon_key";

const LINEAGE: [(&str, Type); 3] =
    [(BATCH_COLUMN, Type::Text), (OFFSET_COLUMN, Type::Bigint), (TIME_COLUMN, Type::Timestamptz)];

/// A [`Table`] whose names are fit for SQL and whose parts agree.
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) dialect: Dialect,
    pub(crate) table: Identifier,
    /// The pipeline's columns.
    pub(crate) columns: Vec<(Identifier, TableColumn)>,
    pub(crate) write: WriteMode,
    pub(crate) lineage: bool,
}

impl Target {
    /// Checks the names and positions of a table.
    pub fn new(table: &Table, dialect: Dialect) -> Result<Self, Error> {
        let name = table_name(table)?;
        let refuse = |fact: String| Err(Error::new(ErrorKind::Refused, format!("table `{}`: {fact}", name.as_str())));
        let mut seen = BTreeSet::new();
        let mut columns = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            let column_name = Identifier::new(&column.name)?;
            if column_name.as_str().starts_with(OWN_PREFIX) {
                return refuse(format!("the column name `{}` is kept for Etalon", column_name.as_str()));
            }
            if !seen.insert(column_name.clone()) {
                return refuse(format!("two columns are named `{}`", column_name.as_str()));
            }
            if matches!(column.ty, Type::Numeric | Type::Time | Type::Interval) {
                return refuse(format!("column `{}` cannot have the type {}", column_name.as_str(), column.ty));
            }
            columns.push((column_name, column.clone()));
        }
        if columns.is_empty() {
            return refuse("there are no columns".to_owned());
        }
        if let WriteMode::Merge { key, order_by } = &table.write {
            if key.is_empty() {
                return refuse("a merge needs a key".to_owned());
            }
            if let Some(position) = key.iter().chain(order_by).find(|&&position| position >= columns.len()) {
                return refuse(format!("there is no column at position {position}"));
            }
        }
        Ok(Self { dialect, table: name, columns, write: table.write.clone(), lineage: table.lineage })
    }

    /// The name under which the warehouse, the ledger and `_etalon_columns` know the table.
    pub fn name(&self) -> &str {
        self.table.as_str()
    }

    /// The names of the pipeline's columns and of the lineage.
    pub(crate) fn staged_columns(&self) -> Vec<Identifier> {
        self.columns
            .iter()
            .map(|(name, _)| name.clone())
            .chain(LINEAGE.map(|(name, _)| Identifier::own(name)))
            .collect()
    }

    /// The names of the columns that the target has.
    pub(crate) fn stored_columns(&self) -> Vec<Identifier> {
        let mut names = self.staged_columns();
        if !self.lineage {
            names.truncate(self.columns.len());
        }
        names
    }

    /// The columns of staged rows as declared: the pipeline's and the lineage.
    pub fn staged(&self) -> Vec<TableColumn> {
        let own =
            self.columns.iter().map(|(name, column)| TableColumn { name: name.as_str().to_owned(), ..column.clone() });
        own.chain(LINEAGE.map(|(name, ty)| TableColumn { name: name.to_owned(), ty, required: true })).collect()
    }

    /// The target's columns as declared: those that are staged, without the lineage where the target does not keep it.
    pub fn declared(&self) -> Vec<TableColumn> {
        let mut columns = self.staged();
        if !self.lineage {
            columns.truncate(self.columns.len());
        }
        columns
    }

    /// The definition of a table with the columns that are staged: of the stage itself, which takes what comes.
    pub(crate) fn stage_definition(&self) -> Vec<ColumnDefinition> {
        let data = self.columns.iter().map(|(name, column)| (name.clone(), column.ty));
        data.chain(LINEAGE.map(|(name, ty)| (Identifier::own(name), ty)))
            .map(|(name, ty)| ColumnDefinition { name, ty, required: false })
            .collect()
    }

    /// The statement that creates the target.
    pub fn create(&self, dialect: Dialect) -> String {
        let definition =
            |column: TableColumn, name| ColumnDefinition { name, ty: column.ty, required: column.required };
        print(
            &Statement::CreateTable(CreateTable {
                table: self.table.clone(),
                temporary: false,
                if_absent: false,
                columns: self
                    .declared()
                    .into_iter()
                    .zip(self.stored_columns())
                    .map(|(c, n)| definition(c, n))
                    .collect(),
                primary_key: Vec::new(),
                unique: Vec::new(),
            }),
            dialect,
        )
    }

    /// The name of the index that a merge needs on its key; it tells the key, so that another key means another index.
    pub fn key_index(&self) -> Option<String> {
        self.key_index_name().map(|name| name.as_str().to_owned())
    }

    fn key_index_name(&self) -> Option<Identifier> {
        // With their quotes, so that two names are not taken for one with a blank in it.
        let columns: Vec<String> = self.key_columns()?.iter().map(|(name, _)| name.to_string()).collect();
        Some(Identifier::found(&format!("{KEY_INDEX_PREFIX} {} ({})", self.table, columns.join(", "))))
    }

    /// The statement that creates the index on the key.
    pub fn create_key_index(&self, dialect: Dialect) -> Option<String> {
        let columns = self.key_columns()?;
        let keys = columns.into_iter().map(|(name, ty)| Expr::Column(None, name).collated(dialect.key_collation(ty)));
        let statement = Statement::CreateUniqueIndex {
            name: self.key_index_name()?,
            table: self.table.clone(),
            columns: keys.collect(),
        };
        Some(print(&statement, dialect))
    }

    /// The statement that drops an index which the warehouse has named.
    pub fn drop_index(name: &str, dialect: Dialect) -> String {
        print(&Statement::DropIndex { name: Identifier::found(name) }, dialect)
    }

    fn key_columns(&self) -> Option<Vec<(Identifier, Type)>> {
        match &self.write {
            WriteMode::Merge { key, .. } => Some(self.at(key)),
            _ => None,
        }
    }

    /// The columns at positions.
    pub(crate) fn at(&self, positions: &[usize]) -> Vec<(Identifier, Type)> {
        let columns = positions.iter().filter_map(|&position| self.columns.get(position));
        columns.map(|(name, column)| (name.clone(), column.ty)).collect()
    }

    /// Compares the target with the columns that are there; an error names everything that differs.
    ///
    /// A column that the pipeline does not have may stay, unless it must not be NULL.
    pub fn compare(&self, there: &[TableColumn]) -> Result<(), Error> {
        let mut wrong = Vec::new();
        let declared = self.declared();
        for column in &declared {
            match there.iter().find(|found| found.name == column.name) {
                None => wrong.push(format!("column `{}` {} is missing", column.name, column.ty)),
                Some(found) if found.ty != column.ty => {
                    wrong.push(format!("column `{}` is {} there and {} here", column.name, found.ty, column.ty));
                }
                Some(found) if found.required && !column.required => {
                    wrong.push(format!("column `{}` is required there and may be NULL here", column.name));
                }
                Some(_) => {}
            }
        }
        for found in there.iter().filter(|found| found.required) {
            if !declared.iter().any(|column| column.name == found.name) {
                wrong.push(format!("column `{}` is required there and missing here", found.name));
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        let message = format!("table `{}` is not what the pipeline needs: {}", self.name(), wrong.join(", "));
        Err(Error::new(ErrorKind::Refused, message))
    }
}

/// The statements over the declared types. The target's name is always parameter 1.
#[derive(Debug, Clone)]
pub struct ColumnsStatements {
    /// Creates the table of declared types, unless it is there.
    pub create: String,
    /// Adds a column: target, position, name, type, whether it is required.
    pub insert: String,
    /// Selects name, type and whether it is required of a target's columns, in order.
    pub select: String,
    /// Forgets a target's columns.
    pub clear: String,
}

impl ColumnsStatements {
    /// The statements as a dialect has them.
    pub fn new(dialect: Dialect) -> Self {
        let table = Identifier::own(COLUMNS_TABLE);
        let of_target = Expr::bare("target").equal(Expr::Parameter(1));
        let columns = [
            ("target", Type::Text),
            ("position", Type::Bigint),
            ("name", Type::Text),
            ("type", Type::Text),
            ("required", Type::Boolean),
        ];
        let create = Statement::CreateTable(CreateTable {
            table: table.clone(),
            temporary: false,
            if_absent: true,
            columns: columns
                .map(|(name, ty)| ColumnDefinition { name: Identifier::own(name), ty, required: true })
                .to_vec(),
            primary_key: ["target", "name"].map(Identifier::own).to_vec(),
            unique: Vec::new(),
        });
        let insert = Statement::Insert {
            into: table.clone(),
            columns: columns.map(|(name, _)| Identifier::own(name)).to_vec(),
            rows: Rows::Parameters(1),
        };
        let select = Statement::Select(Select {
            columns: ["name", "type", "required"].map(|name| (Expr::bare(name), None)).to_vec(),
            from: Some((Source::Table(table.clone()), Identifier::own("c"))),
            filter: Some(of_target.clone()),
            order_by: vec![Expr::bare("position")],
            ..Select::default()
        });
        let clear = Statement::Delete { from: table.clone(), filter: of_target };
        Self {
            clear: print(&clear, dialect),
            create: print(&create, dialect),
            insert: print(&insert, dialect),
            select: print(&select, dialect),
        }
    }
}

/// `schema.table` as one name, for a warehouse whose schemas are no folders of tables.
fn table_name(table: &Table) -> Result<Identifier, Error> {
    let mut parts = Vec::new();
    for part in table.schema.iter().chain([&table.name]) {
        let name = Identifier::new(part)?;
        if name.as_str().contains('.') {
            return Err(Error::new(ErrorKind::Refused, format!("the name `{}` has a point in it", name.as_str())));
        }
        if name.as_str().starts_with(OWN_PREFIX) || name.as_str().starts_with("sqlite_") {
            return Err(Error::new(ErrorKind::Refused, format!("the name `{}` is kept for others", name.as_str())));
        }
        parts.push(name);
    }
    Ok(Identifier::joined(&parts.iter().collect::<Vec<_>>(), "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[(&str, Type)]) -> Table {
        let column = |&(name, ty): &(&str, Type)| TableColumn { name: name.to_owned(), ty, required: false };
        let columns = columns.iter().map(column).collect();
        Table {
            schema: None,
            name: "t".to_owned(),
            columns,
            write: WriteMode::Append,
            lineage: false,
            deletes: false,
            dedupe: None,
            layout: Default::default(),
        }
    }

    #[test]
    fn a_table_that_cannot_be_is_refused() {
        let wrong = |table: Table| Target::new(&table, Dialect::Sqlite).unwrap_err().to_string();
        let id = [("id", Type::Bigint)];
        assert_eq!(wrong(table(&[])), "table `t`: there are no columns");
        assert_eq!(wrong(table(&[("a", Type::Bigint), ("A", Type::Date)])), "table `t`: two columns are named `a`");
        assert_eq!(
            wrong(table(&[(BATCH_COLUMN, Type::Text)])),
            "table `t`: the column name `_etalon_batch` is kept for Etalon"
        );
        assert_eq!(wrong(table(&[("n", Type::Numeric)])), "table `t`: column `n` cannot have the type numeric");
        assert_eq!(wrong(Table { name: "a.b".to_owned(), ..table(&id) }), "the name `a.b` has a point in it");
        assert_eq!(
            wrong(Table { name: "sqlite_x".to_owned(), ..table(&id) }),
            "the name `sqlite_x` is kept for others"
        );
        let merge = |key, order_by| Table { write: WriteMode::Merge { key, order_by }, ..table(&id) };
        assert_eq!(wrong(merge(vec![], vec![])), "table `t`: a merge needs a key");
        assert_eq!(wrong(merge(vec![0], vec![1])), "table `t`: there is no column at position 1");
    }

    #[test]
    fn a_comparison_names_everything_that_differs() {
        let target =
            Target::new(&table(&[("a", Type::Bigint), ("b", Type::Date), ("c", Type::Char(3))]), Dialect::Sqlite)
                .unwrap();
        let there = |name: &str, ty, required| TableColumn { name: name.to_owned(), ty, required };
        let fits = [there("a", Type::Bigint, false), there("b", Type::Date, false), there("c", Type::Char(3), false)];
        assert_eq!(target.compare(&fits), Ok(()));
        let mut more = fits.to_vec();
        more.push(there("old", Type::Bigint, false));
        assert_eq!(target.compare(&more), Ok(()));
        let differs = [there("a", Type::Integer, false), there("b", Type::Date, true), there("d", Type::Date, true)];
        assert_eq!(
            target.compare(&differs).unwrap_err().to_string(),
            "table `t` is not what the pipeline needs: column `a` is integer there and bigint here, \
             column `b` is required there and may be NULL here, column `c` char(3) is missing, \
             column `d` is required there and missing here"
        );
    }
}
