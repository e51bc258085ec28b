//! Setup: what must be there before a load, and what is to be changed when the pipeline has changed.
//!
//! A change is planned only where it loses nothing and asks nothing of the rows that are there: a column that may be NULL is
//! added, a text gets more room. Anything else is refused with the difference, since a person has to decide it.

use crate::error::Error;
use crate::error::ErrorKind;
use crate::sql::quote::Identifier;
use crate::types::Type;
use crate::warehouse::TableColumn;
use crate::warehouse::ddl;
use crate::warehouse::ddl::COLUMNS_TABLE;
use crate::warehouse::ddl::KEY_INDEX_PREFIX;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::ledger;
use crate::warehouse::script::Parameter;
use crate::warehouse::script::Statement;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::Rows;
use crate::warehouse::sql::Select;
use crate::warehouse::target::Target;
use crate::warehouse::target::digest;

/// What must be there before a load. None of it is part of the load's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUp {
    /// Creates the schema (on PostgreSQL), the ledger, the declared types and the other tables of Etalon's own, unless they are there.
    pub create: Vec<Statement>,
    /// Makes loads of the target wait for each other. It stands first in the transaction, before the driver asks what is
    /// there: another load may be creating it.
    pub lock: Option<Statement>,
    /// Selects the names of the columns that the target has: one column of text.
    pub present: Statement,
    /// Selects the declared columns: name, type, whether it is required (boolean).
    pub declared: Statement,
    /// Selects how many ledger rows the target has.
    pub loads: Statement,
    /// Selects the names of the indexes that the target has, where there are any: one column of text.
    pub indexes: Option<Statement>,
}

/// What is found before a load: the driver asks with the statements of [`SetUp`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The names of the columns that the target has; none where there is no target.
    pub present: Vec<String>,
    /// The columns that Etalon has declared.
    pub declared: Vec<TableColumn>,
    /// How many ledger rows the target has.
    pub loads: u64,
    /// The names of the indexes that the target has.
    pub indexes: Vec<String>,
}

/// What is to be changed before a load, from what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migration {
    /// What changes, a line each, for people; empty where nothing does.
    pub changes: Vec<String>,
    /// Statements that Redshift takes outside a transaction only, each alone, before the others.
    pub outside: Vec<Statement>,
    /// Statements, in order, in one transaction. One that violates a unique constraint fails as
    /// [`Guard::UniqueKey`](super::Guard::UniqueKey) does.
    pub statements: Vec<Statement>,
}

impl SetUp {
    /// The statements for a target.
    pub fn new(target: &Target) -> Result<Self, Error> {
        let statement = |what, command: Command| Statement::new(what, &command, target.dialect);
        let beside = target.create_beside()?;
        let schema =
            target.table.schema.clone().filter(|_| target.dialect.creates_schemas()).map(Command::CreateSchema);
        let create = schema.into_iter().chain([ledger::create(target)]).chain(beside);
        let columns = target.own_table(COLUMNS_TABLE);
        let mut declared =
            Select::from(&columns, "c").columns(["name", "type", "required"].map(|name| Expr::own("c", name)));
        declared.order_by = vec![Expr::own("c", "position")];
        let loads = Select::from(&ledger::table(target), "l").columns([Expr::CountRows]);
        Ok(Self {
            create: create.map(|command| statement("create Etalon's own tables", command)).collect(),
            lock: (target.dialect.has_lock())
                .then(|| statement("wait for other loads of the table", Command::Lock(target.fence_table()))),
            present: catalog(target, "ask for the target's columns", Catalog::Columns),
            declared: statement(
                "ask for the declared types",
                Command::Select(declared.filter(ledger::of_target(target, "c"))),
            ),
            loads: statement(
                "ask whether there are loads",
                Command::Select(loads.filter(ledger::of_target(target, "l"))),
            ),
            indexes: target
                .dialect
                .enforces_keys()
                .then(|| catalog(target, "ask for the target's indexes", Catalog::Indexes)),
        })
    }
}

impl Migration {
    /// Creates the target, changes it, or refuses.
    pub fn new(target: &Target, found: &Found) -> Result<Self, Error> {
        let name = target.name();
        let refuse = |fact: String| Err(Error::new(ErrorKind::Refused, format!("table `{name}` {fact}")));
        if found.present.is_empty() {
            if found.loads > 0 {
                return refuse("is gone, and the ledger holds loads of it".to_owned());
            }
            return Ok(Self::create(target));
        }
        // A column that was declared and went away is as one that never was.
        let there: Vec<&TableColumn> = found
            .declared
            .iter()
            .filter(|column| found.present.iter().any(|name| name.eq_ignore_ascii_case(&column.name)))
            .collect();
        if there.is_empty() {
            return refuse("is there, and Etalon has not created it".to_owned());
        }
        let mut planned = Self::default();
        let mut wrong = Vec::new();
        let declared = target.declared();
        let mut added = Vec::new();
        for column in &declared {
            let TableColumn { name, ty, required } = column;
            match there.iter().find(|found| found.name == *name) {
                None if *required => wrong.push(format!("column `{name}` {ty} is missing, and it is required")),
                None if found.present.iter().any(|present| present.eq_ignore_ascii_case(name)) => {
                    wrong.push(format!("column `{name}` is there, and Etalon has not created it"));
                }
                None => {
                    planned.add_column(target, column);
                    added.push(column.clone());
                }
                Some(found) if can_widen(found.ty, *ty) => planned.widen(target, found.ty, column),
                Some(found) if found.ty != *ty => {
                    wrong.push(format!("column `{name}` is {} there and {ty} here", found.ty));
                }
                Some(found) if found.required && !required => {
                    wrong.push(format!("column `{name}` is required there and may be NULL here"));
                }
                Some(_) => {}
            }
        }
        for found in there.iter().filter(|found| found.required) {
            if !declared.iter().any(|column| column.name == found.name) {
                wrong.push(format!("column `{}` is required there and missing here", found.name));
            }
        }
        if !wrong.is_empty() {
            return refuse(format!("is not what the pipeline needs: {}", wrong.join(", ")));
        }
        planned.declare(target, (found.declared.len() as u64 + 1..).zip(added).collect());
        planned.change_indexes(target, &found.indexes);
        Ok(planned)
    }

    fn create(target: &Target) -> Self {
        let mut created = Self { changes: vec![format!("table `{}` is created", target.name())], ..Self::default() };
        created.push(target, "create the target", target.create());
        let forget = Command::Delete {
            from: target.own_table(COLUMNS_TABLE),
            using: None,
            filter: Some(Expr::bare("target").equal(ledger::target_name(target))),
        };
        created.push(target, "forget the types of an earlier table", forget);
        created.declare(target, (1..).zip(target.declared()).collect());
        created
    }

    fn push(&mut self, target: &Target, what: &'static str, command: Command) {
        self.statements.push(Statement::new(what, &command, target.dialect));
    }

    /// Remembers the types of columns, each at its position.
    fn declare(&mut self, target: &Target, columns: Vec<(u64, TableColumn)>) {
        if columns.is_empty() {
            return;
        }
        let row = |(position, column): (u64, TableColumn)| {
            vec![
                ledger::target_name(target),
                Expr::Number(position),
                column_name(&column),
                type_name(column.ty),
                Expr::Boolean(column.required),
            ]
        };
        let declare = Command::Insert {
            into: target.own_table(COLUMNS_TABLE),
            columns: ddl::COLUMNS.map(|(name, _)| Identifier::own(name)).to_vec(),
            rows: Rows::Values(columns.into_iter().map(row).collect()),
        };
        self.push(target, "declare the columns", declare);
    }

    fn add_column(&mut self, target: &Target, column: &TableColumn) {
        self.changes.push(format!("column `{}` {} is added", column.name, column.ty));
        // The name has been checked with the target's.
        let definition = ColumnDefinition { name: Identifier::found(&column.name), ty: column.ty, required: false };
        self.push(target, "add a column", Command::AddColumn(target.table.clone(), definition));
    }

    fn widen(&mut self, target: &Target, from: Type, column: &TableColumn) {
        self.changes.push(format!("column `{}` grows from {from} to {}", column.name, column.ty));
        let widen =
            Command::Widen { table: target.table.clone(), column: Identifier::found(&column.name), ty: column.ty };
        match target.dialect.widens_in_transaction() {
            None => {}
            Some(true) => self.push(target, "give a column more room", widen),
            Some(false) => self.outside.push(Statement::new("give a column more room", &widen, target.dialect)),
        }
        let this = Expr::All(vec![
            Expr::bare("target").equal(ledger::target_name(target)),
            Expr::bare("name").equal(column_name(column)),
        ]);
        let declare = Command::Update {
            table: target.own_table(COLUMNS_TABLE),
            set: vec![(Identifier::own("type"), type_name(column.ty))],
            from: None,
            filter: this,
        };
        self.push(target, "declare a column's new type", declare);
    }

    /// Another key that was unique once would be in the way. Of a table that is there the key must be unique before a load
    /// looks for it; a new one gets its index at the end of its first load.
    fn change_indexes(&mut self, target: &Target, indexes: &[String]) {
        let wanted = target.key_index();
        for index in indexes.iter().filter(|index| index.starts_with(KEY_INDEX_PREFIX)) {
            if Some(index) != wanted.as_ref() {
                self.changes.push(format!("the index `{index}` on an earlier key is dropped"));
                self.push(target, "drop the index of an earlier key", target.drop_index(index));
            }
        }
        if let (Some(name), Some(create)) = (wanted, target.create_key_index())
            && !indexes.contains(&name)
        {
            self.changes.push("the key becomes unique".to_owned());
            self.push(target, "keep the key unique", create);
        }
    }
}

/// Whether a column of the first type becomes one of the second by getting more room.
fn can_widen(from: Type, to: Type) -> bool {
    matches!((from, to), (Type::Varchar(from), Type::Varchar(to)) if from < to)
}

fn column_name(column: &TableColumn) -> Expr {
    parameter("name", &column.name)
}

fn type_name(ty: Type) -> Expr {
    parameter("type", &ty.to_string())
}

/// A parameter whose name tells its value, since one name has one value in several statements.
fn parameter(name: &str, value: &str) -> Expr {
    Expr::Parameter { name: format!("{name}_{:08x}", digest(value)), value: value.to_owned(), ty: Type::Text }
}

/// What is asked of a warehouse's own catalog.
#[derive(Clone, Copy)]
enum Catalog {
    Columns,
    Indexes,
}

/// A question to the warehouse's own catalog, which is each one's own: SQLite's stands in pragmas, the others' in the
/// schema that the standard names, where no index is.
fn catalog(target: &Target, what: &'static str, catalog: Catalog) -> Statement {
    let table = target.table.name.as_str();
    let schema = target.table.schema.as_ref().map(Identifier::as_str);
    let (sql, values): (&str, Vec<(&str, &str)>) = match (target.dialect, catalog) {
        (Dialect::Sqlite, Catalog::Columns) => ("SELECT name FROM pragma_table_info(?1)", vec![("table", table)]),
        (Dialect::Sqlite, Catalog::Indexes) => {
            ("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1", vec![("table", table)])
        }
        (Dialect::Postgres, Catalog::Columns) => (
            "SELECT CAST(column_name AS text) FROM information_schema.columns\n\
             WHERE table_schema = CAST($1 AS text) AND table_name = CAST($2 AS text)",
            vec![("schema", schema.unwrap_or_default()), ("table", table)],
        ),
        (Dialect::Postgres, Catalog::Indexes) => (
            "SELECT CAST(indexname AS text) FROM pg_indexes\n\
             WHERE schemaname = CAST($1 AS text) AND tablename = CAST($2 AS text)",
            vec![("schema", schema.unwrap_or_default()), ("table", table)],
        ),
        (Dialect::Redshift, _) => (
            "SELECT column_name FROM svv_columns\nWHERE table_schema = :schema AND table_name = :table",
            vec![("schema", schema.unwrap_or_default()), ("table", table)],
        ),
    };
    let parameters = values.into_iter();
    let parameters =
        parameters.map(|(name, value)| Parameter { name: name.to_owned(), value: value.to_owned() }).collect();
    Statement { sql: sql.to_owned(), parameters, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warehouse::Layout;
    use crate::warehouse::Table;
    use crate::warehouse::WriteMode;

    fn target(dialect: Dialect, columns: &[(&str, Type, bool)]) -> Target {
        let column = |&(name, ty, required): &(&str, Type, bool)| TableColumn { name: name.to_owned(), ty, required };
        let table = Table {
            schema: Some("shop".to_owned()),
            name: "orders".to_owned(),
            columns: columns.iter().map(column).collect(),
            write: WriteMode::Append,
            lineage: false,
            deletes: false,
            dedupe: None,
            layout: Layout::default(),
        };
        Target::new(&table, dialect).unwrap()
    }

    fn found(columns: &[(&str, Type, bool)]) -> Found {
        let declared = target(Dialect::Postgres, columns).declared();
        let present = declared.iter().map(|column| column.name.clone()).collect();
        Found { present, declared, loads: 1, indexes: Vec::new() }
    }

    const ID: (&str, Type, bool) = ("id", Type::Bigint, true);

    #[test]
    fn what_fits_is_left_alone() {
        let more = found(&[ID, ("old", Type::Date, false)]);
        assert_eq!(Migration::new(&target(Dialect::Redshift, &[ID]), &more), Ok(Migration::default()));
    }

    #[test]
    fn what_loses_nothing_is_planned() {
        let there = found(&[ID, ("name", Type::Varchar(20), false)]);
        let here = [ID, ("name", Type::Varchar(40), false), ("paid", Type::Boolean, false), ("on", Type::Date, false)];
        let plan = |dialect| Migration::new(&target(dialect, &here), &there).unwrap();
        let shown = |dialect| {
            let plan = plan(dialect);
            let text = |statements: &[Statement]| {
                statements.iter().map(|statement| statement.sql.replace('\n', " ")).collect::<Vec<_>>()
            };
            (text(&plan.outside), text(&plan.statements))
        };
        assert_eq!(
            plan(Dialect::Redshift).changes,
            [
                "column `name` grows from varchar(20) to varchar(40)",
                "column `paid` boolean is added",
                "column `on` date is added"
            ]
        );
        insta::assert_debug_snapshot!([Dialect::Redshift, Dialect::Postgres, Dialect::Sqlite].map(shown));
    }

    #[test]
    fn what_a_person_has_to_decide_is_refused() {
        let wrong = |here: &[(&str, Type, bool)], there: &Found| {
            Migration::new(&target(Dialect::Redshift, here), there).unwrap_err().to_string()
        };
        let b = |ty, required| [ID, ("b", ty, required)];
        let there = found(&b(Type::Varchar(9), true));
        assert_eq!(
            wrong(&b(Type::Varchar(8), false), &there),
            "table `shop.orders` is not what the pipeline needs: column `b` is varchar(9) there and varchar(8) here"
        );
        assert_eq!(
            wrong(&b(Type::Varchar(9), false), &there),
            "table `shop.orders` is not what the pipeline needs: column `b` is required there and may be NULL here"
        );
        assert_eq!(
            wrong(&[ID, ("c", Type::Date, true)], &there),
            "table `shop.orders` is not what the pipeline needs: column `c` date is missing, and it is required, \
             column `b` is required there and missing here"
        );
        let gone = Found { present: Vec::new(), ..there.clone() };
        assert_eq!(wrong(&[ID], &gone), "table `shop.orders` is gone, and the ledger holds loads of it");
        let foreign = Found { declared: Vec::new(), ..there };
        assert_eq!(wrong(&[ID], &foreign), "table `shop.orders` is there, and Etalon has not created it");
    }
}
