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
//! An append puts its rows into the target directly; a merge stages them, judges the winner of each key in a table of
//! verdicts, and then moves whole sets.

use crate::error::Error;
use crate::error::ErrorKind;
use crate::types::Type;
use crate::warehouse::BATCH_COLUMN;
use crate::warehouse::OFFSET_COLUMN;
use crate::warehouse::TIME_COLUMN;
use crate::warehouse::WriteMode;
use crate::warehouse::ddl::Target;
use crate::warehouse::ledger;
use crate::warehouse::quote::Identifier;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::CreateTable;
use crate::warehouse::sql::Dialect;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::Join;
use crate::warehouse::sql::Rows;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::sql::Statement;
use crate::warehouse::sql::print;

const STAGE: &str = "_etalon_stage";
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
    pub fn new(target: &Target, dialect: &dyn Dialect) -> Result<Self, Error> {
        let text = |statement: Statement| print(&statement, dialect);
        let replaced_in = |table: &Identifier| {
            let batch = Expr::bare(BATCH_COLUMN);
            text(Statement::Delete { from: table.clone(), filter: batch.is_in(ledger::replaced_batches()) })
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
            create_work: vec![text(merge.create_stage()), text(merge.create_verdict())],
            width: columns.len(),
            insert: insert(&stage, columns),
            delete_replaced,
            delete_replaced_stage: Some(replaced_in(&stage)),
            judge: Some(text(merge.judge())),
            delete_beaten: Some(text(merge.delete_beaten())),
            insert_winners: Some(text(merge.insert_winners())),
            count: Some(text(merge.count())),
            drop_work: [VERDICT, STAGE]
                .map(|table| text(Statement::DropTable { table: Identifier::own(table) }))
                .to_vec(),
        })
    }

    /// How many parameters a row takes: the pipeline's columns, and the lineage where the table that it goes to has it.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The statement that takes so many rows at once.
    pub fn insert(&self, rows: usize, dialect: &dyn Dialect) -> String {
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

/// What the statements of a merge are made of. Aliases: `s` the stage, `b` its ledger row, `w` ranked staged rows,
/// `t` the target, `v` verdicts, `l` a ledger row looked up.
struct Merge<'a> {
    target: &'a Target,
    dialect: &'a dyn Dialect,
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

    fn create_verdict(&self) -> Statement {
        let column = |name, ty, required| ColumnDefinition { name: Identifier::own(name), ty, required };
        Statement::CreateTable(CreateTable {
            table: Identifier::own(VERDICT),
            temporary: true,
            if_absent: false,
            columns: vec![
                column("staged_row", Type::Bigint, false),
                column("target_row", Type::Bigint, false),
                column("verdict", Type::Text, true),
            ],
            primary_key: vec![Identifier::own("staged_row")],
            unique: Vec::new(),
        })
    }

    /// The winner of each key among the staged rows, beside the stored row with that key if there is one.
    fn judge(&self) -> Statement {
        let key = |alias, name: &Identifier, ty| Expr::of(alias, name).collated(self.dialect.key_collation(ty));
        let order = |name: &Identifier, ty| Expr::of("s", name).collated(self.dialect.order_collation(ty));
        let mut descending: Vec<Expr> = self.order_by.iter().map(|(name, ty)| order(name, *ty)).collect();
        descending.extend([
            Expr::own("s", TIME_COLUMN),
            Expr::own("b", "source"),
            Expr::own("s", OFFSET_COLUMN),
            Expr::own("b", "generation"),
            Expr::own("s", BATCH_COLUMN),
        ]);
        let partition = self.key.iter().map(|(name, ty)| key("s", name, *ty)).collect();
        let ranked = Select {
            columns: vec![
                (Expr::own("s", "_etalon_row"), Some(Identifier::own("staged_row"))),
                (Expr::RowNumber { partition, descending }, Some(Identifier::own("rank"))),
            ],
            from: Some((Source::Table(Identifier::own(STAGE)), Identifier::own("s"))),
            joins: vec![Join {
                left: false,
                table: ledger::table(),
                alias: Identifier::own("b"),
                on: ledger::row_of("b", Expr::own("s", BATCH_COLUMN)),
            }],
            ..Select::default()
        };
        let same_key = self.key.iter().map(|(name, ty)| key("t", name, *ty).equal(Expr::of("s", name))).collect();
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
                from: Some((Source::Select(Box::new(ranked)), Identifier::own("w"))),
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
                        on: Expr::All(same_key),
                    },
                ],
                filter: Some(Expr::own("w", "rank").equal(Expr::Number(1))),
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
            filter: Expr::Column(None, self.row.clone()).is_in(beaten),
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
