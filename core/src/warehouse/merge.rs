//! Merge: the statements of one load, from staged rows to the target and the counts.
//!
//! The target of a merge holds, for every key, the greatest version that was ever loaded, data and lineage alike. The
//! order of versions is (order_by columns, batch time, source name, record offset), then generation and batch, which tell
//! apart two readings of the same record: a backfill wins over what it repeats. The order is total and lies in the rows and
//! the ledger alone, so the table is the same for every order of arrival and every grouping into loads.
//!
//! Hence a winner that equals the stored row in every column of the pipeline still takes its place: were its lineage
//! left behind, a later tie could be decided differently. `unchanged` is a count, not a shortcut.
//!
//! Two kinds of merge cannot promise this, since the stored row does not tell its version. Without `order_by` the last load
//! wins, and the rest of the order decides within a load. Without lineage only the `order_by` columns are compared with the
//! stored row, and a tie leaves the row of the earlier load.
//!
//! An append puts its rows into the target directly; a merge stages them, finds the winner of each key, judges it in a
//! table of verdicts, and then moves whole sets. Most keys come once in a load. They are told apart first by the key alone,
//! so that only rows which have a rival are ranked by their long order; and all that follows goes through the rows in
//! the order in which they were staged, which is mostly that of the target too.

use crate::error::Error;
use crate::error::ErrorKind;
use crate::types::Type;
use crate::warehouse::BATCH_COLUMN;
use crate::warehouse::OFFSET_COLUMN;
use crate::warehouse::TIME_COLUMN;
use crate::warehouse::WriteMode;
use crate::warehouse::ddl::Target;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::ledger;
use crate::warehouse::quote::Identifier;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::CreateTable;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::Join;
use crate::warehouse::sql::Rows;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::sql::Statement;
use crate::warehouse::sql::print;

const STAGE: &str = "_etalon_stage";
const WINNER: &str = "_etalon_winner";
const VERDICT: &str = "_etalon_verdict";
/// The words of a verdict, which are the names of the counts.
const INSERTED: &str = "inserted";
const UPDATED: &str = "updated";
const UNCHANGED: &str = "unchanged";
const SUPERSEDED: &str = "superseded";

/// What a load runs, in the order of the fields. The target's name is always parameter 1, where there is one.
#[derive(Debug, Clone)]
pub struct LoadStatements {
    /// Selects the batches of a source (parameter 2) that a later version of it has replaced.
    pub replaced: String,
    /// Creates the tables in which a merge works.
    pub create_work: Vec<String>,
    /// Puts rows of parameters, pipeline columns then lineage, where they belong: a merge's stage or an append's target.
    insert: Statement,
    /// Parameters in a row.
    width: usize,
    /// Drops the target's rows that came with replaced batches.
    pub delete_replaced: Option<String>,
    /// Drops the staged rows that came with replaced batches: they are superseded.
    pub delete_replaced_stage: Option<String>,
    /// Finds the winners of keys that come once, then of those that come more often.
    pub find_winners: Vec<String>,
    /// Judges the staged winner of each key.
    pub judge: Option<String>,
    /// Removes the stored rows that lose.
    pub delete_beaten: Option<String>,
    /// Inserts the winners.
    pub insert_winners: Option<String>,
    /// Counts verdicts: batch, word, number.
    pub count: Option<String>,
    /// Drops what `create_work` created.
    pub drop_work: Vec<String>,
}

impl LoadStatements {
    /// The statements of a load into a target.
    pub fn new(target: &Target, dialect: Dialect) -> Result<Self, Error> {
        let text = |statement: Statement| print(&statement, dialect);
        let replaced_in = |table: &Identifier| {
            let batch = Expr::bare(BATCH_COLUMN);
            text(Statement::Delete { from: table.clone(), filter: batch.among(ledger::replaced_batches()) })
        };
        let delete_replaced = target.lineage.then(|| replaced_in(&target.table));
        let replaced = text(Statement::Select(ledger::replaced_batches_of_source()));
        let insert = |into: &Identifier, columns: Vec<Identifier>| Statement::Insert {
            into: into.clone(),
            columns,
            rows: Rows::Parameters(1),
        };
        let WriteMode::Merge { key, order_by } = &target.write else {
            let columns = target.stored_columns();
            return Ok(Self {
                replaced,
                create_work: Vec::new(),
                width: columns.len(),
                insert: insert(&target.table, columns),
                delete_replaced,
                delete_replaced_stage: None,
                find_winners: Vec::new(),
                judge: None,
                delete_beaten: None,
                insert_winners: None,
                count: None,
                drop_work: Vec::new(),
            });
        };
        let merge =
            Merge { target, dialect, row: row_name(target)?, key: target.at(key), order_by: target.at(order_by) };
        let stage = Identifier::own(STAGE);
        let columns = target.staged_columns();
        Ok(Self {
            replaced,
            create_work: vec![text(merge.create_stage()), text(create_winner()), text(create_verdict())],
            width: columns.len(),
            insert: insert(&stage, columns),
            delete_replaced,
            delete_replaced_stage: Some(replaced_in(&stage)),
            find_winners: vec![text(merge.find_lone_winners()), text(merge.find_ranked_winners())],
            judge: Some(text(merge.judge())),
            delete_beaten: Some(text(merge.delete_beaten())),
            insert_winners: Some(text(merge.insert_winners())),
            count: Some(text(merge.count())),
            drop_work: [VERDICT, WINNER, STAGE]
                .map(|table| text(Statement::DropTable { table: Identifier::own(table) }))
                .to_vec(),
        })
    }

    /// How many parameters a row takes: the pipeline's columns, and the lineage where the table that it goes to has it.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The statement that takes so many rows at once.
    pub fn insert(&self, rows: usize, dialect: Dialect) -> String {
        let mut statement = self.insert.clone();
        if let Statement::Insert { rows: count, .. } = &mut statement {
            *count = Rows::Parameters(rows);
        }
        print(&statement, dialect)
    }
}

/// A column of the target that names the row itself: whichever of SQLite's three names the pipeline does not take.
fn row_name(target: &Target) -> Result<Identifier, Error> {
    let taken = |name: &str| target.columns.iter().any(|(column, _)| column.as_str() == name);
    match ["rowid", "_rowid_", "oid"].into_iter().find(|name| !taken(name)) {
        Some(name) => Ok(Identifier::own(name)),
        None => {
            let message = format!("table `{}`: one of the names rowid, _rowid_ and oid must be free", target.name());
            Err(Error::new(ErrorKind::Refused, message))
        }
    }
}

fn create_winner() -> Statement {
    create_work_table(WINNER, vec![("staged_row", Type::Bigint, false)])
}

fn create_verdict() -> Statement {
    let columns =
        vec![("staged_row", Type::Bigint, false), ("target_row", Type::Bigint, false), ("verdict", Type::Text, true)];
    create_work_table(VERDICT, columns)
}

/// A temporary table with a row for a staged row, named by its first column.
fn create_work_table(table: &'static str, columns: Vec<(&'static str, Type, bool)>) -> Statement {
    let column = |(name, ty, required)| ColumnDefinition { name: Identifier::own(name), ty, required };
    Statement::CreateTable(CreateTable {
        table: Identifier::own(table),
        temporary: true,
        if_absent: false,
        columns: columns.into_iter().map(column).collect(),
        primary_key: vec![Identifier::own("staged_row")],
        unique: Vec::new(),
    })
}

/// What the statements of a merge are made of. Aliases: `s` the stage, `b` its ledger row, `w` winners, `t` the target,
/// `v` verdicts, `l` a ledger row looked up.
struct Merge<'a> {
    target: &'a Target,
    dialect: Dialect,
    row: Identifier,
    key: Vec<(Identifier, Type)>,
    order_by: Vec<(Identifier, Type)>,
}

impl Merge<'_> {
    fn create_stage(&self) -> Statement {
        let mut columns = self.target.stage_definition();
        columns.push(ColumnDefinition { name: Identifier::own("_etalon_row"), ty: Type::Bigint, required: false });
        Statement::CreateTable(CreateTable {
            table: Identifier::own(STAGE),
            temporary: true,
            if_absent: false,
            columns,
            primary_key: vec![Identifier::own("_etalon_row")],
            unique: Vec::new(),
        })
    }

    /// Rows whose key no other staged row has.
    fn find_lone_winners(&self) -> Statement {
        let staged_row = Identifier::own("staged_row");
        let lone = Select {
            columns: vec![(Expr::Min(Box::new(Expr::own("s", "_etalon_row"))), Some(staged_row.clone()))],
            from: Some((Source::Table(Identifier::own(STAGE)), Identifier::own("s"))),
            group_by: self.key_of("s"),
            having: Some(Expr::CountRows.equal(Expr::Number(1))),
            order_by: vec![Expr::Column(None, staged_row.clone())],
            ..Select::default()
        };
        let (into, rows) = (Identifier::own(WINNER), Rows::Select(Box::new(lone)));
        Statement::Insert { into, columns: vec![staged_row], rows }
    }

    /// The greatest of the rows that share a key.
    fn find_ranked_winners(&self) -> Statement {
        let order = |(name, ty): &(Identifier, Type)| Expr::of("s", name).collated(self.dialect.order_collation(*ty));
        let mut descending: Vec<Expr> = self.order_by.iter().map(order).collect();
        descending.extend([
            Expr::own("s", TIME_COLUMN),
            Expr::own("b", "source"),
            Expr::own("s", OFFSET_COLUMN),
            Expr::own("b", "generation"),
            Expr::own("s", BATCH_COLUMN),
        ]);
        let found = Select {
            columns: vec![(Expr::own("w", "staged_row"), None)],
            from: Some((Source::Table(Identifier::own(WINNER)), Identifier::own("w"))),
            ..Select::default()
        };
        let staged_row = Identifier::own("staged_row");
        let ranked = Select {
            columns: vec![
                (Expr::own("s", "_etalon_row"), Some(staged_row.clone())),
                (Expr::RowNumber { partition: self.key_of("s"), descending }, Some(Identifier::own("rank"))),
            ],
            from: Some((Source::Table(Identifier::own(STAGE)), Identifier::own("s"))),
            joins: vec![Join {
                left: false,
                table: ledger::table(),
                alias: Identifier::own("b"),
                on: ledger::row_of("b", Expr::own("s", BATCH_COLUMN)),
            }],
            filter: Some(Expr::NotIn(Box::new(Expr::own("s", "_etalon_row")), Box::new(found))),
            ..Select::default()
        };
        let first = Select {
            columns: vec![(Expr::own("w", "staged_row"), None)],
            from: Some((Source::Select(Box::new(ranked)), Identifier::own("w"))),
            filter: Some(Expr::own("w", "rank").equal(Expr::Number(1))),
            ..Select::default()
        };
        let (into, rows) = (Identifier::own(WINNER), Rows::Select(Box::new(first)));
        Statement::Insert { into, columns: vec![staged_row], rows }
    }

    fn key_of(&self, alias: &'static str) -> Vec<Expr> {
        let column = |(name, ty): &(Identifier, Type)| Expr::of(alias, name).collated(self.dialect.key_collation(*ty));
        self.key.iter().map(column).collect()
    }

    /// Each winner beside the stored row with its key, if there is one.
    fn judge(&self) -> Statement {
        let same_key =
            self.key_of("t").into_iter().zip(&self.key).map(|(stored, (name, _))| stored.equal(Expr::of("s", name)));
        let row = || Expr::of("t", &self.row);
        let mut verdicts = vec![(Expr::IsNull(Box::new(row())), Expr::Word(INSERTED))];
        let superseded = self.older().map(|older| (older, Expr::Word(SUPERSEDED)));
        let unchanged = (self.equal_data(), Expr::Word(UNCHANGED));
        if self.target.lineage {
            verdicts.extend(superseded);
            verdicts.push(unchanged);
        } else {
            // Equal data is a tie of all that is compared, and no tie is called older.
            verdicts.push(unchanged);
            verdicts.extend(superseded);
        }
        Statement::Insert {
            into: Identifier::own(VERDICT),
            columns: ["staged_row", "target_row", "verdict"].map(Identifier::own).to_vec(),
            rows: Rows::Select(Box::new(Select {
                columns: vec![
                    (Expr::own("s", "_etalon_row"), None),
                    (row(), None),
                    (Expr::Case(verdicts, Box::new(Expr::Word(UPDATED))), None),
                ],
                from: Some((Source::Table(Identifier::own(WINNER)), Identifier::own("w"))),
                joins: vec![
                    Join {
                        left: false,
                        table: Identifier::own(STAGE),
                        alias: Identifier::own("s"),
                        on: Expr::own("s", "_etalon_row").equal(Expr::own("w", "staged_row")),
                    },
                    Join {
                        left: true,
                        table: self.target.table.clone(),
                        alias: Identifier::own("t"),
                        on: Expr::All(same_key.collect()),
                    },
                ],
                ..Select::default()
            })),
        }
    }

    /// That the staged row is an older version than the stored one; `None` where the last load wins.
    fn older(&self) -> Option<Expr> {
        if self.order_by.is_empty() {
            return None;
        }
        let order = |(name, ty): &(Identifier, Type)| {
            let collation = self.dialect.order_collation(*ty);
            (Expr::of("s", name).collated(collation), Expr::of("t", name))
        };
        let mut pairs: Vec<(Expr, Expr)> = self.order_by.iter().map(order).collect();
        if self.target.lineage {
            let lineage = |column| (Expr::own("s", column), Expr::own("t", column));
            let looked_up = |column| {
                let of = |alias| ledger::lookup(column, Expr::own(alias, BATCH_COLUMN));
                (of("s"), of("t"))
            };
            pairs.extend([
                lineage(TIME_COLUMN),
                looked_up("source"),
                lineage(OFFSET_COLUMN),
                looked_up("generation"),
                lineage(BATCH_COLUMN),
            ]);
        }
        // The later pairs are looked at only where the earlier ones tie. A tie in all of them is the same version with
        // lineage, and without it the row of the earlier load stays.
        let last = if self.target.lineage { Expr::Any(Vec::new()) } else { Expr::All(Vec::new()) };
        Some(pairs.into_iter().rev().fold(last, |rest, (staged, stored)| {
            let tied = Expr::All(vec![staged.clone().equal(stored.clone()), rest]);
            Expr::Any(vec![staged.less(stored), tied])
        }))
    }

    fn equal_data(&self) -> Expr {
        let same =
            |(name, _): &(Identifier, _)| Expr::Same(Box::new(Expr::of("s", name)), Box::new(Expr::of("t", name)));
        Expr::All(self.target.columns.iter().map(same).collect())
    }

    fn delete_beaten(&self) -> Statement {
        let beaten = Select {
            columns: vec![(Expr::own("v", "target_row"), None)],
            from: Some((Source::Table(Identifier::own(VERDICT)), Identifier::own("v"))),
            filter: Some(Expr::Any(
                [UPDATED, UNCHANGED].map(|word| Expr::own("v", "verdict").equal(Expr::Word(word))).to_vec(),
            )),
            ..Select::default()
        };
        Statement::Delete {
            from: self.target.table.clone(),
            filter: Expr::Column(None, self.row.clone()).among(beaten),
        }
    }

    fn insert_winners(&self) -> Statement {
        let columns = self.target.stored_columns();
        let select = Select {
            columns: columns.iter().map(|name| (Expr::of("s", name), None)).collect(),
            from: Some((Source::Table(Identifier::own(VERDICT)), Identifier::own("v"))),
            joins: vec![self.staged_row_of_verdict()],
            filter: Some(Expr::Differs(Box::new(Expr::own("v", "verdict")), Box::new(Expr::Word(SUPERSEDED)))),
            order_by: vec![Expr::own("v", "staged_row")],
            ..Select::default()
        };
        Statement::Insert { into: self.target.table.clone(), columns, rows: Rows::Select(Box::new(select)) }
    }

    fn count(&self) -> Statement {
        let groups = [Expr::own("s", BATCH_COLUMN), Expr::own("v", "verdict")];
        Statement::Select(Select {
            columns: groups.iter().cloned().chain([Expr::CountRows]).map(|value| (value, None)).collect(),
            from: Some((Source::Table(Identifier::own(VERDICT)), Identifier::own("v"))),
            joins: vec![self.staged_row_of_verdict()],
            group_by: groups.to_vec(),
            ..Select::default()
        })
    }

    fn staged_row_of_verdict(&self) -> Join {
        Join {
            left: false,
            table: Identifier::own(STAGE),
            alias: Identifier::own("s"),
            on: Expr::own("s", "_etalon_row").equal(Expr::own("v", "staged_row")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warehouse::ColumnsStatements;
    use crate::warehouse::LedgerStatements;
    use crate::warehouse::Table;
    use crate::warehouse::TableColumn;

    fn target(write: WriteMode, lineage: bool) -> Target {
        let column = |(name, ty, required): (&str, Type, bool)| TableColumn { name: name.to_owned(), ty, required };
        let columns = [
            ("Order_ID", Type::Varchar(20), true),
            ("line", Type::Smallint, true),
            ("revision", Type::Decimal { precision: 6, scale: 2 }, true),
            ("changed_at", Type::Timestamptz, true),
            ("weight", Type::Real, false),
        ];
        let columns = columns.map(column).to_vec();
        Target::new(
            &Table {
                schema: Some("Shop".to_owned()),
                name: "orders".to_owned(),
                columns,
                write,
                lineage,
                deletes: false,
                dedupe: None,
                layout: Default::default(),
            },
            Dialect::Sqlite,
        )
        .unwrap()
    }

    /// Everything that a load may run, in order.
    fn script(target: &Target) -> String {
        let statements = LoadStatements::new(target, Dialect::Sqlite).unwrap();
        let insert = statements.insert(2, Dialect::Sqlite);
        let LoadStatements { replaced, create_work, delete_replaced, delete_replaced_stage, .. } = statements;
        let all = [target.create(Dialect::Sqlite), replaced].into_iter().chain(create_work).chain([insert]);
        let all =
            all.chain([delete_replaced, delete_replaced_stage].into_iter().flatten()).chain(statements.find_winners);
        let sets = [statements.judge, statements.delete_beaten, statements.insert_winners, statements.count];
        let all = all.chain(sets.into_iter().chain([target.create_key_index(Dialect::Sqlite)]).flatten());
        let all = all.chain(statements.drop_work);
        all.map(|statement| statement + ";\n").collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn an_append() {
        insta::assert_snapshot!(script(&target(WriteMode::Append, true)));
    }

    #[test]
    fn a_merge() {
        insta::assert_snapshot!(script(&target(WriteMode::Merge { key: vec![0, 1], order_by: vec![2, 3] }, true)));
    }

    #[test]
    fn a_merge_where_the_last_load_wins() {
        insta::assert_snapshot!(script(&target(WriteMode::Merge { key: vec![0], order_by: vec![] }, true)));
    }

    #[test]
    fn a_merge_without_lineage() {
        insta::assert_snapshot!(script(&target(WriteMode::Merge { key: vec![0], order_by: vec![3] }, false)));
    }

    #[test]
    fn the_ledger_and_the_declared_types() {
        let LedgerStatements { create, insert, settle, select, is_loaded } = LedgerStatements::new(Dialect::Sqlite);
        let columns = ColumnsStatements::new(Dialect::Sqlite);
        let all =
            [create, insert, settle, select, is_loaded, columns.create, columns.insert, columns.select, columns.clear];
        insta::assert_snapshot!(all.map(|statement| statement + ";\n").join("\n"));
    }
}
