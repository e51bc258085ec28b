//! Versions: of several rows with the same key, the greatest stays, whatever the order in which they come.
//!
//! The target of a merge holds, for every key, the greatest version that was ever loaded, data and lineage alike. The
//! order of versions is (order_by columns, batch time, source name, record offset), then generation and batch, which tell
//! apart two readings of the same record: a backfill wins over what it repeats. The order is total and lies in the rows and
//! the ledger alone, so the table is the same for every order of arrival and every grouping into loads.
//!
//! Hence a winner that equals the stored row in every column of the pipeline still replaces it: without the winner's lineage, a
//! later tie could be decided differently. `unchanged` is a count, not a shortcut. For the same reason a deleted key is
//! remembered with the order of the version that deleted it: an older version that comes later must not bring the key back.
//!
//! Two kinds of merge cannot promise this, since the stored row does not contain its version. Without `order_by` the last load
//! wins, and the rest of the order decides within a load. Without lineage only the `order_by` columns are compared with the
//! stored row, and a tie leaves the row of the earlier load.
//!
//! Staged rows are ranked, and the first of each key is judged against the stored row and the remembered delete, if there
//! are any. Where rows have hidden numbers, the winners are numbers, found in two steps: most keys come once in a load, and
//! only rows that have a rival are ranked by their long order. Elsewhere the winners are copies of the rows with their outcomes.

use crate::error::Error;
use crate::sql::quote::Identifier;
use crate::types::Type;
use crate::warehouse::ddl::definitions;
use crate::warehouse::ledger;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::CreateTable;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::JoinKind;
use crate::warehouse::sql::Rows;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::sql::TableName;
use crate::warehouse::table::BATCH_COLUMN;
use crate::warehouse::table::DELETED_COLUMN;
use crate::warehouse::table::IS_CURRENT_COLUMN;
use crate::warehouse::table::OFFSET_COLUMN;
use crate::warehouse::table::TIME_COLUMN;
use crate::warehouse::table::TableColumn;
use crate::warehouse::table::VALID_FROM_COLUMN;
use crate::warehouse::table::WriteMode;
use crate::warehouse::target::Against;
use crate::warehouse::target::Target;
use crate::warehouse::target::Versions;

/// The work table of staged rows.
pub(crate) const STAGE: &str = "_etalon_stage";
/// The number of a staged row, where rows have numbers.
pub(crate) const ROW: &str = "_etalon_row";
pub(super) const WINNER: &str = "_etalon_winner";
const FIRST: &str = "_etalon_first";
const SOURCE: &str = "_etalon_source";
const GENERATION: &str = "_etalon_generation";
const RANK: &str = "_etalon_rank";
pub(super) const OUTCOME: &str = "_etalon_outcome";
pub(super) const STAGED_ROW: &str = "_etalon_staged_row";
pub(super) const TARGET_ROW: &str = "_etalon_target_row";
pub(super) const DELETED_ROW: &str = "_etalon_deleted_row";

/// The words of an outcome, which are the names of the counts.
const INSERTED: &str = "inserted";
const UPDATED: &str = "updated";
const UNCHANGED: &str = "unchanged";
pub(super) const SUPERSEDED: &str = "superseded";
const DELETED: &str = "deleted";
pub(super) const WORDS: [&str; 5] = [INSERTED, UPDATED, UNCHANGED, SUPERSEDED, DELETED];

/// What the statements over versions are made of. Aliases: `s` the stage or a winner out of it, `b` its batch, `f` the
/// numbers of winners, `t` the target, `l` the ledger row of what is stored there, `d` the deleted keys, `m` theirs.
pub(super) struct Ranking<'a> {
    pub(super) target: &'a Target,
    pub(super) versions: Versions,
    /// The target's column of hidden numbers, where rows have them.
    pub(super) row: Option<Identifier>,
    /// Where deleted keys are remembered, if they are.
    pub(super) deleted: Option<TableName>,
    /// Whether rows of earlier loads, which were beaten, may be among the staged ones.
    pub(super) returns: bool,
}

impl<'a> Ranking<'a> {
    pub(super) fn new(target: &'a Target, versions: Versions, returns: bool) -> Result<Self, Error> {
        let deleted = if target.keeps_deleted() { Some(target.deleted_table()?) } else { None };
        Ok(Self { target, versions, row: target.row_column()?, deleted, returns })
    }

    /// Creates the work tables.
    pub(super) fn create(&self) -> Vec<Command> {
        let temporary = |table: TableName, columns: Vec<ColumnDefinition>, key: Option<&'static str>| {
            let (_, dist_key) = self.target.layout_names();
            // Where rows are copied, they lie where the target's do, so that joining them moves nothing.
            let dist_key = dist_key.filter(|name| columns.iter().any(|column| column.name == *name));
            Command::CreateTable(CreateTable {
                temporary: true,
                primary_key: key.map(Identifier::own).into_iter().collect(),
                dist_key,
                ..CreateTable::new(table, columns)
            })
        };
        let outcome = definitions(&[(OUTCOME, Type::Varchar(16))], true);
        if self.row.is_none() {
            let columns = stage_definition(self.target).into_iter().chain(outcome).collect();
            return vec![temporary(winner_table(), columns, None)];
        }
        let rows =
            definitions(&[(STAGED_ROW, Type::Bigint), (TARGET_ROW, Type::Bigint), (DELETED_ROW, Type::Bigint)], false);
        let first = definitions(&[(STAGED_ROW, Type::Bigint)], false);
        vec![
            temporary(TableName::work(FIRST), first, Some(STAGED_ROW)),
            temporary(winner_table(), rows.into_iter().chain(outcome).collect(), Some(STAGED_ROW)),
        ]
    }

    /// The work tables, the last created first.
    pub(super) fn tables(&self) -> Vec<TableName> {
        let first = self.row.is_some().then(|| TableName::work(FIRST));
        [winner_table()].into_iter().chain(first).collect()
    }

    /// Finds the winner of each key and judges it.
    pub(super) fn rank(&self) -> Vec<Command> {
        match &self.row {
            Some(row) => {
                let mut commands = vec![self.find_lone(), self.find_ranked()];
                commands.push(self.judge_numbers(row));
                commands
            }
            None => vec![self.judge_copies()],
        }
    }

    /// Whether rows are compared within the unit that brings them, which is an object; what is not compared with the table is else a
    /// run with all its objects.
    fn is_by_unit(&self) -> bool {
        self.target.write == WriteMode::Append
    }

    /// What tells units apart, of the batches under `b`.
    fn unit(&self) -> Vec<Expr> {
        let columns = ["input", "generation"].map(|name| Expr::own("b", name));
        if self.is_by_unit() { columns.to_vec() } else { Vec::new() }
    }

    /// The batch of a staged row.
    fn of_batch() -> Expr {
        Expr::own("b", "batch").equal(Expr::own("s", BATCH_COLUMN))
    }

    pub(super) fn key_of(&self, alias: &'static str) -> Vec<Expr> {
        self.versions.key.iter().map(|(name, ty)| Expr::of(alias, name).key(*ty)).collect()
    }

    /// Rows whose key no other staged row has, of the same unit where units are kept apart.
    fn find_lone(&self) -> Command {
        let mut lone =
            Select::from(&TableName::work(STAGE), "s").column(Expr::Call("min", vec![Expr::own("s", ROW)]), STAGED_ROW);
        if self.is_by_unit() {
            lone = lone.join(JoinKind::Inner, Source::Table(ledger::load_table()), "b", Self::of_batch());
        }
        lone.group_by = self.unit().into_iter().chain(self.key_of("s")).collect();
        lone.having = Some(Expr::CountRows.equal(Expr::Number(1)));
        lone.order_by = vec![Expr::bare(STAGED_ROW)];
        insert(TableName::work(FIRST), [STAGED_ROW].map(Identifier::own), lone)
    }

    /// The greatest of the rows that share a key.
    fn find_ranked(&self) -> Command {
        let lone = Select::from(&TableName::work(FIRST), "f").columns([Expr::own("f", STAGED_ROW)]);
        let others = Expr::NotIn(Box::new(Expr::own("s", ROW)), Box::new(lone));
        let ranked = self.ranked().column(Expr::own("s", ROW), STAGED_ROW).filter(others);
        let first = Select::from_select(ranked, "w")
            .columns([Expr::own("w", STAGED_ROW)])
            .filter(Expr::own("w", RANK).equal(Expr::Number(1)));
        insert(TableName::work(FIRST), [STAGED_ROW].map(Identifier::own), first)
    }

    /// Staged rows beside their batches, with their rank among the rows of their key.
    fn ranked(&self) -> Select {
        let mut order: Vec<Expr> =
            self.versions.order_by.iter().map(|(name, ty)| Expr::of("s", name).order(*ty)).collect();
        order.extend([
            Expr::own("s", TIME_COLUMN),
            Expr::own("b", "source").bytes(),
            Expr::own("s", OFFSET_COLUMN),
            Expr::own("b", "generation"),
            Expr::own("s", BATCH_COLUMN).bytes(),
        ]);
        let partition = self.unit().into_iter().chain(self.key_of("s")).collect();
        let rank = Expr::RowNumber { partition, order, descending: self.versions.last };
        let (kind, batches) = match self.returns {
            false => (JoinKind::Inner, Source::Table(ledger::load_table())),
            // Somebody may have deleted a row of the ledger.
            true => (JoinKind::Left, self.batches()),
        };
        Select::from(&TableName::work(STAGE), "s").column(rank, RANK).join(kind, batches, "b", Self::of_batch())
    }

    /// The batches of staged rows: those of the load, and those that rows which come back were loaded with.
    fn batches(&self) -> Source {
        let of = |alias| ["batch", "source", "generation"].map(|name| Expr::own(alias, name));
        let staged = Select::from(&TableName::work(STAGE), "g").columns([Expr::own("g", BATCH_COLUMN)]);
        let is_staged = Expr::All(vec![ledger::of_target(self.target, "l"), Expr::own("l", "batch").among(staged)]);
        Source::Selects(vec![
            Select::from(&ledger::load_table(), "a").columns(of("a")),
            Select::from(&ledger::table(self.target), "l").columns(of("l")).filter(is_staged),
        ])
    }

    /// Each winner, by number, beside what is stored under its key.
    fn judge_numbers(&self, row: &Identifier) -> Command {
        let is_looked_up = self.versions.against != Against::Nothing;
        let mut select = Select::from(&TableName::work(FIRST), "f");
        let mut columns = vec![STAGED_ROW];
        select = select.columns([Expr::own("s", ROW)]);
        if is_looked_up {
            columns.push(TARGET_ROW);
            select = select.columns([Expr::of("t", row)]);
        }
        if self.deleted.is_some() {
            columns.push(DELETED_ROW);
            // Its columns are some of the target's, so that the same name is free.
            select = select.columns([Expr::of("d", row)]);
        }
        columns.push(OUTCOME);
        let lookup = |column: &'static str, alias: &'static str| {
            let of_batch = ledger::row_of(self.target, "l", Expr::own(alias, BATCH_COLUMN));
            let found = Select::from(&ledger::table(self.target), "l").columns([Expr::own("l", column)]);
            Expr::Scalar(Box::new(found.filter(of_batch)))
        };
        let told = |alias| (lookup("source", alias), lookup("generation", alias));
        let own = |column: &'static str| {
            let of_batch = Expr::own("b", "batch").equal(Expr::own("s", BATCH_COLUMN));
            let found = Select::from(&ledger::load_table(), "b").columns([Expr::own("b", column)]);
            let found = Expr::Scalar(Box::new(found.filter(of_batch)));
            if self.returns { Expr::Call("coalesce", vec![found, lookup(column, "s")]) } else { found }
        };
        let staged = (own("source"), own("generation"));
        select = select.columns([self.outcome(staged, told("t"), told("d"), Expr::of("t", row).absent())]);
        let staged = Expr::own("s", ROW).equal(Expr::own("f", STAGED_ROW));
        select = select.join(JoinKind::Inner, Source::Table(TableName::work(STAGE)), "s", staged);
        insert(winner_table(), columns.into_iter().map(Identifier::own), self.beside_stored(select))
    }

    /// Each winner, whole, beside what is stored under its key.
    fn judge_copies(&self) -> Command {
        let names: Vec<Identifier> = stage_definition(self.target).into_iter().map(|column| column.name).collect();
        let ranked = self
            .ranked()
            .columns(names.iter().map(|name| Expr::of("s", name)))
            .column(Expr::own("b", "source"), SOURCE)
            .column(Expr::own("b", "generation"), GENERATION);
        let mut select = Select::from_select(ranked, "s");
        select = select.columns(names.iter().map(|name| Expr::of("s", name)));
        let told = |alias| (Expr::own(alias, "source"), Expr::own(alias, "generation"));
        let staged = (Expr::own("s", SOURCE), Expr::own("s", GENERATION));
        let absent = self.versions.key.first().map_or(Expr::Any(Vec::new()), |(name, _)| Expr::of("t", name).absent());
        select = select.columns([self.outcome(staged, told("l"), told("m"), absent)]);
        select = self.beside_stored(select);
        if self.versions.against == Against::Lineage {
            let of = |alias, stored| ledger::row_of(self.target, alias, Expr::own(stored, BATCH_COLUMN));
            let ledger = || Source::Table(ledger::table(self.target));
            select = select.join(JoinKind::Left, ledger(), "l", of("l", "t"));
            if self.deleted.is_some() {
                select = select.join(JoinKind::Left, ledger(), "m", of("m", "d"));
            }
        }
        let columns = names.into_iter().chain([Identifier::own(OUTCOME)]);
        insert(winner_table(), columns, select.filter(Expr::own("s", RANK).equal(Expr::Number(1))))
    }

    /// Joins what the target has under the key of `s`, and what is remembered as deleted.
    fn beside_stored(&self, select: Select) -> Select {
        if self.versions.against == Against::Nothing {
            return select;
        }
        let same_key = |alias| self.same_key(alias, "s");
        let select = select.join(JoinKind::Left, Source::Table(self.target.table.clone()), "t", same_key("t"));
        match &self.deleted {
            Some(table) => select.join(JoinKind::Left, Source::Table(table.clone()), "d", same_key("d")),
            None => select,
        }
    }

    pub(super) fn same_key(&self, one: &'static str, other: &'static str) -> Expr {
        let pairs = self.key_of(one).into_iter().zip(self.key_of(other));
        Expr::All(pairs.map(|(one, other)| one.equal(other)).collect())
    }

    /// What becomes of a winner. Each of the three pairs is the source and the generation: of the winner, of the stored
    /// row, of the delete that is remembered; `absent` holds where there is no stored row.
    fn outcome(&self, staged: (Expr, Expr), stored: (Expr, Expr), deleted: (Expr, Expr), absent: Expr) -> Expr {
        let word = |word: &'static str| Expr::Word(word);
        let older = |alias, told: (Expr, Expr)| self.older(alias, &staged, told).map(|older| (older, word(SUPERSEDED)));
        let inserted = (absent, word(INSERTED));
        let unchanged = (self.equal_data(), word(UNCHANGED));
        let mut outcomes = Vec::new();
        match self.versions.against {
            Against::Nothing => return word(INSERTED),
            // Equal data is a tie of all that is compared, and no tie is called older.
            Against::Columns => {
                outcomes.extend([inserted, unchanged]);
                outcomes.extend(older("t", stored));
            }
            Against::LoadOrder | Against::Lineage => {
                outcomes.extend(older("t", stored));
                if self.deleted.is_some() {
                    outcomes.extend(older("d", deleted));
                }
                if self.target.deletes {
                    outcomes.push((Expr::own("s", DELETED_COLUMN), word(DELETED)));
                }
                outcomes.extend([inserted, unchanged]);
            }
        }
        Expr::Case(outcomes, Box::new(word(UPDATED)))
    }

    /// That the winner is an older version than the stored one; `None` where the last load wins. Where nothing is stored it
    /// is NULL, which no branch takes.
    fn older(&self, alias: &'static str, staged: &(Expr, Expr), stored: (Expr, Expr)) -> Option<Expr> {
        let lineage = match self.versions.against {
            Against::Nothing | Against::LoadOrder => return None,
            Against::Columns => false,
            Against::Lineage => true,
        };
        let order =
            |(name, ty): &(Identifier, Type)| (Expr::of("s", name).order(*ty), Expr::of(alias, name).order(*ty));
        let mut pairs: Vec<(Expr, Expr)> = self.versions.order_by.iter().map(order).collect();
        if lineage {
            let own = |column| (Expr::own("s", column), Expr::own(alias, column));
            let (batch, stored_batch) = own(BATCH_COLUMN);
            pairs.extend([
                own(TIME_COLUMN),
                (staged.0.clone().bytes(), stored.0.bytes()),
                own(OFFSET_COLUMN),
                (staged.1.clone(), stored.1),
                (batch.bytes(), stored_batch.bytes()),
            ]);
        }
        // The later pairs are looked at only where the earlier ones tie. A tie in all of them is the same version with
        // lineage, and without it the row of the earlier load stays.
        let last = if lineage { Expr::Any(Vec::new()) } else { Expr::All(Vec::new()) };
        Some(pairs.into_iter().rev().fold(last, |rest, (staged, stored)| {
            let tied = Expr::All(vec![staged.clone().equal(stored.clone()), rest]);
            Expr::Any(vec![staged.less(stored), tied])
        }))
    }

    fn equal_data(&self) -> Expr {
        let same = |(name, column): &(Identifier, TableColumn)| {
            let staged = Expr::Stored(Box::new(Expr::of("s", name)), column.ty);
            Expr::Same(Box::new(staged), Box::new(Expr::of("t", name)))
        };
        Expr::All(self.target.columns.iter().map(same).collect())
    }

    /// Takes the winners' places in the target, and remembers deleted keys.
    pub(super) fn settle(&self) -> Vec<Command> {
        let mut commands = if self.target.keeps_beaten() { self.keep_beaten() } else { Vec::new() };
        if self.versions.against != Against::Nothing {
            commands.push(self.delete_beaten(&self.target.table, self.row.clone(), TARGET_ROW));
        }
        commands.push(self.insert_winners());
        if let Some(table) = &self.deleted {
            commands.push(self.delete_beaten(table, self.row.clone(), DELETED_ROW));
            commands.push(self.remember_deleted(table));
        }
        commands
    }

    /// Deletes what a winner has beaten. Rows are found by number where they have one, and by key elsewhere.
    fn delete_beaten(&self, table: &TableName, row: Option<Identifier>, column: &'static str) -> Command {
        let winner = winner_table();
        let outcome = |outcome: Expr| outcome.differs(Expr::Word(SUPERSEDED));
        let (using, filter) = match row {
            Some(row) => {
                let beaten = Select::from(&winner, "v").columns([Expr::own("v", column)]);
                let found = Expr::own("v", column).present();
                let filter = Expr::All(vec![outcome(Expr::own("v", OUTCOME)), found]);
                (None, Expr::Column(None, row).among(beaten.filter(filter)))
            }
            None => {
                let same = |(name, ty): &(Identifier, Type)| {
                    Expr::at(table, name).key(*ty).equal(Expr::at(&winner, name).key(*ty))
                };
                let same_key = self.versions.key.iter().map(same);
                let outcome = outcome(Expr::at(&winner, &Identifier::own(OUTCOME)));
                (Some(winner.clone()), Expr::All(same_key.chain([outcome]).collect()))
            }
        };
        Command::Delete { from: table.clone(), using, filter: Some(filter) }
    }

    fn insert_winners(&self) -> Command {
        let mut columns = self.target.stored_columns();
        let mut values = stored_values(self.target);
        if let WriteMode::Scd2 { order_by, .. } = &self.target.write {
            columns.extend([VALID_FROM_COLUMN, IS_CURRENT_COLUMN].map(Identifier::own));
            values.extend(self.target.at(&[*order_by]).iter().map(|(name, _)| Expr::of("s", name)));
            values.push(Expr::Boolean(true));
        }
        let mut select = self.winners().columns(values).filter(self.is_stored());
        if self.row.is_some() {
            // The order in which they were staged is mostly that of the target too.
            select.order_by = vec![Expr::own("v", STAGED_ROW)];
        }
        insert(self.target.table.clone(), columns, select)
    }

    fn remember_deleted(&self, table: &TableName) -> Command {
        let version = self.target.version_columns().into_iter().map(|(name, _)| name);
        let lineage = self.target.kept_lineage().map(|(name, _)| Identifier::own(name));
        let columns: Vec<Identifier> = version.chain(lineage).collect();
        let values: Vec<Expr> = columns.iter().map(|name| Expr::of("s", name)).collect();
        let deleted = self.winner_outcome().equal(Expr::Word(DELETED));
        insert(table.clone(), columns, self.winners().columns(values).filter(deleted))
    }

    /// The winners under `s`.
    pub(super) fn winners(&self) -> Select {
        if self.row.is_none() {
            return Select::from(&winner_table(), "s");
        }
        let staged = Expr::own("s", ROW).equal(Expr::own("v", STAGED_ROW));
        Select::from(&winner_table(), "v").join(JoinKind::Inner, Source::Table(TableName::work(STAGE)), "s", staged)
    }

    /// That a winner of [`Ranking::winners`] is in the target.
    pub(super) fn is_stored(&self) -> Expr {
        let kept = [INSERTED, UPDATED, UNCHANGED].map(|word| self.winner_outcome().equal(Expr::Word(word)));
        Expr::Any(kept.to_vec())
    }

    /// What became of a winner of [`Ranking::winners`].
    pub(super) fn winner_outcome(&self) -> Expr {
        Expr::own(if self.row.is_none() { "s" } else { "v" }, OUTCOME)
    }
}

/// What a staged row under `s` brings into the stored columns.
pub(super) fn stored_values(target: &Target) -> Vec<Expr> {
    let ty = |place: usize| target.columns.get(place).map_or(Type::Text, |(_, column)| column.ty);
    let columns = target.stored_columns();
    let values = columns.iter().enumerate();
    // All but the pipeline's own columns are staged as they are stored.
    values.map(|(place, name)| Expr::Stored(Box::new(Expr::of("s", name)), ty(place))).collect()
}

pub(super) fn insert(into: TableName, columns: impl IntoIterator<Item = Identifier>, select: Select) -> Command {
    Command::Insert { into, columns: columns.into_iter().collect(), rows: Rows::Select(Box::new(select)) }
}

pub(super) fn winner_table() -> TableName {
    TableName::work(WINNER)
}

/// The columns of the stage, which takes what comes, and beaten rows with all that they had.
pub(super) fn stage_definition(target: &Target) -> Vec<ColumnDefinition> {
    let column = |column: TableColumn| ColumnDefinition {
        // The names have been checked with the target's, or are Etalon's own.
        name: Identifier::found(&column.name),
        ty: target.dialect.staged_type(column.ty),
        required: false,
    };
    target.staged().into_iter().map(column).chain(target.kept_former().iter().cloned()).collect()
}
