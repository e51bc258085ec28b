//! Setup: what must exist before a load, and what must be changed when the pipeline has changed.
//!
//! A change is planned only if it loses nothing and does not depend on the existing rows: a column that may be NULL is added, a
//! text column is widened. Anything else is refused, with the difference in the message, since a person has to decide it.

mod beside;

use std::collections::BTreeMap;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::sql::quote::Identifier;
use crate::sql::quote::shown_text;
use crate::types::Type;
use crate::warehouse::batch::LoadBatch;
use crate::warehouse::ddl;
use crate::warehouse::ddl::COLUMNS_TABLE;
use crate::warehouse::ddl::KEY_INDEX_PREFIX;
use crate::warehouse::dialect::CatalogQuestion;
use crate::warehouse::dialect::Widening;
use crate::warehouse::ledger;
use crate::warehouse::script::Guard;
use crate::warehouse::selection::Row;
use crate::warehouse::selection::Selection;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::Rows;
use crate::warehouse::sql::Select;
use crate::warehouse::statement::Parameter;
use crate::warehouse::statement::Statement;
use crate::warehouse::table::TableColumn;
use crate::warehouse::table::WriteMode;
use crate::warehouse::target::Target;
use crate::warehouse::target::digest;

/// What must exist before a load. None of it is part of the load's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUp {
    /// Creates the schema (on PostgreSQL), the ledger, the declared types and the other tables of Etalon's own, unless they are there.
    pub create: Vec<Statement>,
    /// Makes loads of the target wait for each other. It comes first in the transaction, before the driver asks what exists:
    /// another load may be creating it.
    pub lock: Option<Statement>,
    /// Select what exists, one after the other: [`SetUp::found`] reads the answers.
    pub questions: Vec<Statement>,
    /// Whether the sixth question is about indexes.
    asks_indexes: bool,
}

/// What is found before a load by the queries of [`SetUp`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The names of the columns that the target has; none where there is no target.
    pub present: Vec<String>,
    /// The types of these columns, as the catalog has them.
    pub stored: BTreeMap<String, String>,
    /// The columns that Etalon has declared.
    pub declared: Vec<TableColumn>,
    /// How many ledger rows the target has.
    pub loads: u64,
    /// The names of the columns that the ledger has.
    pub ledger: Vec<String>,
    /// The types of the columns that the table of beaten rows has, as the catalog has them.
    pub beaten: BTreeMap<String, String>,
    /// The names of the indexes that the target has.
    pub indexes: Vec<String>,
    /// Whether there is a table of deleted keys.
    pub has_deleted: bool,
}

/// The changes that are needed before a load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migration {
    /// The changes for people, one line each; empty if there are none.
    pub changes: Vec<String>,
    /// Statements that Redshift takes outside a transaction only, each alone, before the others.
    pub outside: Vec<Statement>,
    /// Statements, in order, in one transaction. One that violates a unique constraint fails as
    /// [`Guard::UniqueKey`] does.
    pub statements: Vec<Statement>,
    /// Makes the index that keeps the key unique, where the table is there and lacks it.
    key_index: Option<Statement>,
}

impl SetUp {
    /// The statements for a target.
    pub fn new(target: &Target) -> Result<Self, Error> {
        let statement = |what, command: Command| command.statement(what, target.dialect);
        let beside = target.create_beside()?;
        let schema = target.table.schema.clone().filter(|_| target.dialect.creates_schemas).map(Command::CreateSchema);
        let create = schema.into_iter().chain([ledger::create(target)]).chain(beside);
        let columns = target.own_table(COLUMNS_TABLE);
        let mut declared =
            Select::from(&columns, "c").columns(["name", "type", "required"].map(|name| Expr::own("c", name)));
        declared.order_by = vec![Expr::own("c", "position")];
        let loads = Select::from(&ledger::table(target), "l").columns([Expr::CountRows]);
        Ok(Self {
            create: create.map(|command| statement("create Etalon's own tables", command)).collect(),
            lock: (target.dialect.has_lock)
                .then(|| statement("wait for other loads of the table", Command::Lock(target.fence_table()))),
            questions: [
                ask_catalog(target, "ask for the target's columns", target.dialect.columns),
                statement(
                    "ask for the declared types",
                    Command::Select(declared.filter(ledger::of_target(target, "c"))),
                ),
                statement("ask whether there are loads", Command::Select(loads.filter(ledger::of_target(target, "l")))),
                ledger::ask_columns(target),
                beside::ask_beaten(target),
            ]
            .into_iter()
            .chain(target.dialect.indexes.map(|ask| ask_catalog(target, "ask for the target's indexes", ask)))
            .chain(beside::ask_deleted(target)?)
            .collect(),
            asks_indexes: target.dialect.indexes.is_some(),
        })
    }

    /// Reads the results of the queries, in their order. Before the very first load, Etalon's own tables do not exist: the
    /// result of a query about one is then an empty [`Selection`].
    pub fn found(&self, answers: &[Selection]) -> Result<Found, Error> {
        let rows = |question: usize| answers.get(question).into_iter().flat_map(Selection::rows);
        let names = |question| rows(question).filter_map(|row| row.first()).map(str::to_owned).collect();
        let declared = |row: Row<'_>| {
            let ty = Type::parse(row.text("type")?).unwrap_or(Type::Text);
            Ok(TableColumn { name: row.text("name")?.to_owned(), ty, required: row.boolean("required")? })
        };
        let declared = rows(1).map(declared).collect::<Result<_, Error>>().map_err(|error| {
            Error::new(error.kind(), format!("a row of `{COLUMNS_TABLE}` is not as Etalon writes it: {error}"))
        })?;
        let loads = match answers.get(2) {
            Some(absent) if absent.columns.is_empty() => Some(0),
            _ => rows(2).next().and_then(|row| row.first()).and_then(|count| count.parse().ok()),
        };
        let loads = loads.ok_or_else(|| {
            Error::new(ErrorKind::Refused, "the warehouse does not say how many loads the ledger holds".to_owned())
        })?;
        let stored = |row: Row<'_>| Some((row.first()?.to_owned(), row.optional("type").ok()??.to_owned()));
        Ok(Found {
            present: names(0),
            stored: rows(0).filter_map(stored).collect(),
            declared,
            loads,
            ledger: names(3),
            beaten: rows(4).filter_map(stored).collect(),
            indexes: if self.asks_indexes { names(5) } else { Vec::new() },
            has_deleted: rows(5 + usize::from(self.asks_indexes)).next().is_some(),
        })
    }
}

impl Migration {
    /// The statements to run before a load of these batches, in order. If the batches replace rows, several of these rows may
    /// have the same key: then the load itself makes the index, when the rows are gone.
    pub fn before<'a>(&'a self, batches: &'a [LoadBatch]) -> impl Iterator<Item = &'a Statement> {
        let index = self.key_index.iter().filter(|_| !batches.iter().any(LoadBatch::replaces));
        self.outside.iter().chain(&self.statements).chain(index)
    }

    /// Creates the target, changes it, or refuses.
    pub fn new(target: &Target, found: &Found) -> Result<Self, Error> {
        let with_former = target.with_former(found);
        let target = with_former.as_ref().unwrap_or(target);
        let name = target.name();
        let refuse = |fact: String| Err(Error::new(ErrorKind::Refused, format!("table `{name}` {fact}")));
        if found.present.is_empty() {
            if found.loads > 0 {
                let ledger = ledger::table(target);
                return refuse(format!(
                    "is missing, and the ledger holds loads of it; restore it, or let everything be loaded again: \
                     `delete from {ledger} where \"target\" = {}`",
                    shown_text(name)
                ));
            }
            let mut created = Self::create(target, !found.declared.is_empty());
            created.migrate_ledger(target, &found.ledger)?;
            created.forget_deletes(target, found)?;
            created.fit_beaten(target, found)?;
            return Ok(created);
        }
        // A column that was declared and went away is as one that never was.
        let there: Vec<&TableColumn> = found
            .declared
            .iter()
            .filter(|column| found.present.iter().any(|name| name.eq_ignore_ascii_case(&column.name)))
            .collect();
        if there.is_empty() {
            let fact = "exists, and Etalon has not created it; load into another table, or rename this one";
            return refuse(fact.to_owned());
        }
        let mut planned = Self::default();
        let mut wrong = Vec::new();
        // Statements that would make the table right, where there are some for each thing that is wrong.
        let mut mends = Some(Vec::new());
        let mut mend = |statements: Option<Vec<String>>| match (statements, &mut mends) {
            (Some(statements), Some(mends)) => mends.extend(statements),
            (None, mends) => *mends = None,
            (Some(_), None) => {}
        };
        let declared = target.declared();
        let mut added = Vec::new();
        for column in &declared {
            let TableColumn { name, ty, required } = column;
            match there.iter().find(|found| found.name == *name) {
                None if *required => {
                    wrong.push(format!("column `{name}` {ty} is missing, and it is required"));
                    mend(None);
                }
                None if found.present.iter().any(|present| present.eq_ignore_ascii_case(name)) => {
                    wrong.push(format!("column `{name}` exists, and Etalon has not created it"));
                    mend(None);
                }
                None => {
                    planned.add_column(target, column);
                    added.push(column.clone());
                }
                Some(column_there) => {
                    if is_altered(target, &found.stored, column_there, *ty) {
                        let stored = found.stored.get(name).map(String::as_str).unwrap_or_default();
                        wrong.push(format!("column `{name}` is {stored} there now, and was made {}", column_there.ty));
                        mend(restore_type(target, column_there));
                    } else if can_widen(target, column_there, *ty) {
                        planned.widen(target, column_there.ty, column);
                    } else if !fits(target, column_there, *ty) {
                        wrong.push(format!("column `{name}` is {} there and {ty} here", column_there.ty));
                        mend(change_type(target, column_there, *ty));
                    }
                    if column_there.required && !required {
                        if target.dialect.alters_columns {
                            planned.let_be_null(target, column);
                        } else {
                            wrong.push(format!("column `{name}` is required there and may be NULL here"));
                            mend(None);
                        }
                    }
                }
            }
        }
        for found in there.iter().filter(|found| found.required) {
            if !declared.iter().any(|column| column.name == found.name) {
                if target.dialect.alters_columns {
                    planned.let_be_null(target, found);
                } else {
                    wrong.push(format!("column `{}` is required there and missing here", found.name));
                    mend(None);
                }
            }
        }
        if !wrong.is_empty() {
            let way_out = match mends {
                Some(mends) => format!("load into a new table, or change this one: `{}`", mends.join("; ")),
                None => "load into a new table, or let the pipeline say what is there".to_owned(),
            };
            return refuse(format!("is not what the pipeline needs: {}; {way_out}", wrong.join(", ")));
        }
        // What was declared and went away has its row still.
        let (again, new): (Vec<_>, Vec<_>) =
            added.into_iter().partition(|column| found.declared.iter().any(|known| known.name == column.name));
        let optional =
            |column: &TableColumn| vec![set_type(column), (Identifier::own("required"), Expr::Boolean(false))];
        again.iter().for_each(|column| planned.declare_anew(target, column, optional(column)));
        planned.declare(target, (found.declared.len() as u64 + 1..).zip(new).collect());
        planned.change_indexes(target, &found.indexes);
        planned.tell_of_lost_values(target, &there);
        planned.migrate_ledger(target, &found.ledger)?;
        planned.forget_deletes(target, found)?;
        planned.tell_of_new(target, found)?;
        planned.fit_beaten(target, found)?;
        Ok(planned)
    }

    /// A delete from a table that all targets share needs the table exclusively: only entries that exist are deleted.
    fn create(target: &Target, is_declared: bool) -> Self {
        let mut created = Self { changes: vec![format!("table `{}` is created", target.name())], ..Self::default() };
        created.push(target, "create the target", target.create());
        let forget = Command::Delete {
            from: target.own_table(COLUMNS_TABLE),
            using: None,
            filter: Some(Expr::bare("target").equal(ledger::target_name(target))),
        };
        if is_declared {
            created.push(target, "forget the types of an earlier table", forget);
        }
        created.declare(target, (1..).zip(target.declared()).collect());
        created
    }

    /// The ledger stands before everything that asks it.
    fn migrate_ledger(&mut self, target: &Target, present: &[String]) -> Result<(), Error> {
        self.statements.extend(ledger::migrate(target, present)?);
        Ok(())
    }

    /// Where the ledger tells of no load, nothing has deleted a key: an earlier table was dropped, or its ledger was lost.
    fn forget_deletes(&mut self, target: &Target, found: &Found) -> Result<(), Error> {
        if found.loads == 0 && !found.declared.is_empty() && target.keeps_deleted() {
            let all = Command::Delete { from: target.deleted_table()?, using: None, filter: None };
            self.push(target, "forget the deletes of an earlier table", all);
        }
        Ok(())
    }

    fn push(&mut self, target: &Target, what: &'static str, command: Command) {
        self.statements.push(command.statement(what, target.dialect));
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
        match target.dialect.widening {
            Widening::Needless => {}
            Widening::InTransaction => self.push(target, "give a column more room", widen),
            Widening::Alone => self.outside.push(widen.statement("give a column more room", target.dialect)),
        }
        self.declare_anew(target, column, vec![set_type(column)]);
    }

    /// Lets a column be NULL that may be NULL now.
    fn let_be_null(&mut self, target: &Target, column: &TableColumn) {
        self.changes.push(format!("column `{}` may be NULL", column.name));
        let optional = Command::DropNotNull { table: target.table.clone(), column: Identifier::found(&column.name) };
        self.push(target, "let a column be NULL", optional);
        self.declare_anew(target, column, vec![(Identifier::own("required"), Expr::Boolean(false))]);
    }

    /// Remembers something else of a column that is declared.
    fn declare_anew(&mut self, target: &Target, column: &TableColumn, set: Vec<(Identifier, Expr)>) {
        let this = Expr::All(vec![
            Expr::bare("target").equal(ledger::target_name(target)),
            Expr::bare("name").equal(column_name(column)),
        ]);
        let declare = Command::Update { table: target.own_table(COLUMNS_TABLE), set, from: None, filter: this };
        self.push(target, "declare a column's new type", declare);
    }

    /// A load writes whole rows: where one takes the place of another, columns that the pipeline has no more become NULL.
    fn tell_of_lost_values(&mut self, target: &Target, there: &[&TableColumn]) {
        let of_rows = match target.write {
            WriteMode::Append => return,
            WriteMode::Merge { .. } | WriteMode::Scd2 { .. } => "in every row that is written anew",
            WriteMode::Replace { .. } => "in all rows",
        };
        let declared = target.declared();
        for TableColumn { name, .. } in there.iter().filter(|column| declared.iter().all(|own| own.name != column.name))
        {
            self.changes.push(format!("column `{name}`, which the pipeline does not have, becomes NULL {of_rows}"));
        }
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
            self.key_index = Some(create.statement(Guard::UniqueKey.what(), target.dialect));
        }
    }
}

fn set_type(column: &TableColumn) -> (Identifier, Expr) {
    (Identifier::own("type"), type_name(column.ty))
}

/// The statements with which a person can change the type of a declared column; `None` if the warehouse has none.
fn change_type(target: &Target, column: &TableColumn, ty: Type) -> Option<Vec<String>> {
    let declare = declare_anew(target, column, &format!("\"type\" = {}", shown_text(&ty.to_string())));
    let stored = target.dialect.column_type;
    if !target.dialect.alters_columns || !converts(column.ty, ty) {
        return None;
    }
    let name = Identifier::found(&column.name);
    Some(vec![format!("alter table {} alter column {name} type {}", target.table, stored(ty)), declare])
}

/// The statement with which a person can restore the original type of a column; `None` if the warehouse has none.
fn restore_type(target: &Target, column: &TableColumn) -> Option<Vec<String>> {
    let (name, ty) = (Identifier::found(&column.name), (target.dialect.column_type)(column.ty));
    target.dialect.alters_columns.then(|| vec![format!("alter table {} alter column {name} type {ty}", target.table)])
}

/// Whether somebody has given a column a type that does not keep its old values, or the new ones.
fn is_altered(target: &Target, stored: &BTreeMap<String, String>, column: &TableColumn, needed: Type) -> bool {
    let keeps = target.dialect.keeps;
    stored.get(&column.name).is_some_and(|stored| !keeps(stored, column.ty) && !keeps(stored, needed))
}

/// Whether a warehouse that alters columns converts values of one type to another.
fn converts(from: Type, to: Type) -> bool {
    let is_day = |ty| matches!(ty, Type::Date | Type::Timestamp | Type::Timestamptz);
    to.is_text() || (from.is_number() && to.is_number()) || (is_day(from) && is_day(to))
}

/// What tells Etalon that a column is another.
fn declare_anew(target: &Target, column: &TableColumn, set: &str) -> String {
    let (columns, name, column) =
        (target.own_table(COLUMNS_TABLE), shown_text(target.name()), shown_text(&column.name));
    format!("update {columns} set {set} where \"target\" = {name} and \"name\" = {column}")
}

/// Whether deleted keys are remembered by a column: their table is named by its type.
fn is_remembered(target: &Target, column: &TableColumn) -> bool {
    target.keeps_deleted() && target.version_columns().iter().any(|(name, _)| name.as_str() == column.name)
}

/// Whether a column has room for each value of a type, and they are stored alike.
fn fits(target: &Target, column: &TableColumn, ty: Type) -> bool {
    let is_roomier = match (column.ty, ty) {
        (Type::Varchar(there), Type::Varchar(here)) => there >= here,
        (Type::Bigint, Type::Integer | Type::Smallint) | (Type::Integer, Type::Smallint) => true,
        (Type::Decimal { precision: there, scale }, Type::Decimal { precision: here, scale: here_scale }) => {
            scale == here_scale && there >= here
        }
        _ => false,
    };
    column.ty == ty || (is_roomier && !is_remembered(target, column))
}

/// Whether a column becomes one of another type by getting more room.
fn can_widen(target: &Target, column: &TableColumn, ty: Type) -> bool {
    let is_wider = match (column.ty, ty) {
        (Type::Varchar(from), Type::Varchar(to)) => from < to,
        (Type::Smallint, Type::Integer | Type::Bigint) | (Type::Integer, Type::Bigint) => {
            target.dialect.alters_columns || target.dialect.widening == Widening::Needless
        }
        (Type::Decimal { precision: from, scale }, Type::Decimal { precision: to, scale: to_scale }) => {
            // Where a decimal is a text, it has the digits of its scale.
            let is_stored_alike = target.dialect.widening == Widening::Needless && scale == to_scale;
            let is_roomier = to_scale >= scale && to - to_scale >= from - scale && (from, scale) != (to, to_scale);
            is_roomier && (target.dialect.alters_columns || is_stored_alike)
        }
        _ => false,
    };
    is_wider && !is_remembered(target, column)
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

/// A query of the warehouse's own catalog about the target.
fn ask_catalog(target: &Target, what: &'static str, question: CatalogQuestion) -> Statement {
    let schema = target.table.schema.as_ref().map(Identifier::as_str).unwrap_or_default();
    let schema = question.is_by_schema.then_some(("schema", schema));
    let values = schema.into_iter().chain([("table", target.table.name.as_str())]);
    let parameters = values.map(|(name, value)| Parameter { name: name.to_owned(), value: value.to_owned() }).collect();
    Statement { sql: question.sql.to_owned(), parameters, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warehouse::dialect::Dialect;
    use crate::warehouse::dialect::postgres;
    use crate::warehouse::dialect::redshift;
    use crate::warehouse::dialect::sqlite;
    use crate::warehouse::table::Layout;
    use crate::warehouse::table::Table;

    fn target(dialect: &'static Dialect, columns: &[(&str, Type, bool)]) -> Target {
        let column = |&(name, ty, required): &(&str, Type, bool)| TableColumn { name: name.to_owned(), ty, required };
        let table = Table {
            schema: Some("shop".to_owned()),
            name: "orders".to_owned(),
            columns: columns.iter().map(column).collect(),
            write: WriteMode::Append,
            lineage: false,
            deletes: false,
            keeps_beaten: false,
            dedupe: None,
            layout: Layout::default(),
        };
        Target::new(&table, dialect).unwrap()
    }

    fn found(columns: &[(&str, Type, bool)]) -> Found {
        let declared = target(&postgres::DIALECT, columns).declared();
        let present = declared.iter().map(|column| column.name.clone()).collect();
        Found { present, declared, loads: 1, ..Found::default() }
    }

    const ID: (&str, Type, bool) = ("id", Type::Bigint, true);

    #[test]
    fn what_fits_is_left_alone() {
        let more = found(&[ID, ("old", Type::Date, false)]);
        assert_eq!(Migration::new(&target(&redshift::DIALECT, &[ID]), &more), Ok(Migration::default()));
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
            plan(&redshift::DIALECT).changes,
            [
                "column `name` grows from varchar(20) to varchar(40)",
                "column `paid` boolean is added",
                "column `on` date is added"
            ]
        );
        insta::assert_debug_snapshot!([&redshift::DIALECT, &postgres::DIALECT, &sqlite::DIALECT].map(shown));
    }

    #[test]
    fn what_a_person_has_to_decide_is_refused() {
        let wrong = |here: &[(&str, Type, bool)], there: &Found| {
            Migration::new(&target(&redshift::DIALECT, here), there).unwrap_err().to_string()
        };
        let b = |ty, required| [ID, ("b", ty, required)];
        let there = found(&b(Type::Varchar(9), true));
        let refused = |facts: &str| {
            format!(
                "table `shop.orders` is not what the pipeline needs: {facts}; \
                 load into a new table, or let the pipeline say what is there"
            )
        };
        assert_eq!(wrong(&b(Type::Date, true), &there), refused("column `b` is varchar(9) there and date here"));
        assert_eq!(
            wrong(&b(Type::Varchar(9), false), &there),
            refused("column `b` is required there and may be NULL here")
        );
        assert_eq!(
            wrong(&[ID, ("c", Type::Date, true)], &there),
            refused("column `c` date is missing, and it is required, column `b` is required there and missing here")
        );
        let gone = Found { present: Vec::new(), ..there.clone() };
        assert_eq!(
            wrong(&[ID], &gone),
            "table `shop.orders` is missing, and the ledger holds loads of it; restore it, or let everything be loaded \
             again: `delete from \"shop\".\"_etalon_ledger\" where \"target\" = 'shop.orders'`"
        );
        let foreign = Found { declared: Vec::new(), ..there };
        assert_eq!(
            wrong(&[ID], &foreign),
            "table `shop.orders` exists, and Etalon has not created it; load into another table, or rename this one"
        );
    }

    #[test]
    fn what_a_person_can_alter_is_shown() {
        let told = |dialect, from: (Type, bool), to: (Type, bool)| {
            let there = found(&[("b", from.0, from.1)]);
            let error = Migration::new(&target(dialect, &[("b", to.0, to.1)]), &there).unwrap_err().to_string();
            let (_, told) = error.split_once("here; load into a new table, or ").unwrap();
            told.to_owned()
        };
        let declare = |set: &str| {
            format!("update \"shop\".\"_etalon_columns\" set {set} where \"target\" = 'shop.orders' and \"name\" = 'b'")
        };
        let none = "let the pipeline say what is there";
        assert_eq!(
            told(&postgres::DIALECT, (Type::Bigint, false), (Type::Double, false)),
            format!(
                "change this one: `alter table \"shop\".\"orders\" alter column \"b\" type double precision; {}`",
                declare("\"type\" = 'double precision'")
            )
        );
        assert_eq!(told(&postgres::DIALECT, (Type::Bigint, false), (Type::Date, false)), none);
        // The texts of one are not those of the other.
        assert_eq!(told(&sqlite::DIALECT, (Type::Date, false), (Type::Timestamp, false)), none);
        assert_eq!(told(&redshift::DIALECT, (Type::Integer, false), (Type::Bigint, false)), none);
    }

    #[test]
    fn a_column_gets_more_room_where_no_value_changes() {
        let decimal = |precision, scale| Type::Decimal { precision, scale };
        let can = |dialect, from: Type, to: Type| {
            let there = found(&[("b", from, false)]);
            Migration::new(&target(dialect, &[("b", to, false)]), &there).map(|plan| plan.changes)
        };
        let grows = |from, to| vec![format!("column `b` grows from {from} to {to}")];
        for (from, to) in
            [(Type::Smallint, Type::Integer), (Type::Integer, Type::Bigint), (decimal(8, 2), decimal(12, 2))]
        {
            assert_eq!(can(&postgres::DIALECT, from, to), Ok(grows(from, to)));
            assert_eq!(can(&sqlite::DIALECT, from, to), Ok(grows(from, to)));
            assert!(can(&redshift::DIALECT, from, to).is_err(), "it alters no type but a text's");
            assert_eq!(can(&redshift::DIALECT, to, from), Ok(Vec::new()), "there is room");
        }
        assert_eq!(can(&postgres::DIALECT, decimal(8, 2), decimal(12, 4)), Ok(grows(decimal(8, 2), decimal(12, 4))));
        assert!(can(&sqlite::DIALECT, decimal(8, 2), decimal(12, 4)).is_err(), "each text has two digits there");
        assert!(can(&postgres::DIALECT, decimal(8, 2), decimal(8, 4)).is_err());
        assert_eq!(can(&sqlite::DIALECT, Type::Varchar(9), Type::Varchar(8)), Ok(Vec::new()));
        let optional = |dialect| {
            let there = found(&[("b", Type::Date, true)]);
            Migration::new(&target(dialect, &[("b", Type::Date, false)]), &there).map(|plan| plan.changes)
        };
        assert_eq!(optional(&postgres::DIALECT), Ok(vec!["column `b` may be NULL".to_owned()]));
        assert!(optional(&sqlite::DIALECT).is_err());
    }

    #[test]
    fn a_column_that_was_altered_by_hand_must_keep_the_values() {
        let change = |dialect, ty: Type, stored: &str| {
            let there = found(&[("b", ty, false)]);
            let there = Found { stored: [("b".to_owned(), stored.to_owned())].into(), ..there };
            Migration::new(&target(dialect, &[("b", ty, false)]), &there).map(|plan| plan.changes)
        };
        let money = Type::Decimal { precision: 10, scale: 2 };
        for (ty, stored) in [
            (money, "numeric(10,2)"),
            (money, "numeric(12,3)"),
            (money, "numeric"),
            (Type::Varchar(20), "character varying(20)"),
            (Type::Varchar(20), "text"),
            (Type::Timestamptz, "timestamp with time zone"),
            (Type::Super, "jsonb"),
        ] {
            assert_eq!(change(&postgres::DIALECT, ty, stored), Ok(Vec::new()), "{ty} {stored}");
        }
        for (ty, stored) in [
            (money, "numeric(10,0)"),
            (money, "bigint"),
            (Type::Bigint, "double precision"),
            (Type::Timestamp, "date"),
            (Type::Timestamp, "timestamp(0) without time zone"),
            (Type::Varchar(20), "character(20)"),
            (Type::Integer, "smallint"),
        ] {
            let error = change(&postgres::DIALECT, ty, stored).unwrap_err().to_string();
            assert!(error.contains(&format!("column `b` is {stored} there now, and was made {ty}")), "{error}");
        }
        assert_eq!(change(&sqlite::DIALECT, money, "TEXT"), Ok(Vec::new()));
        assert!(change(&sqlite::DIALECT, money, "DECIMAL(10,2)").is_err());
        assert_eq!(change(&redshift::DIALECT, money, "numeric(10,2)"), Ok(Vec::new()));
        assert!(change(&redshift::DIALECT, money, "numeric(10,0)").is_err());
    }
}
