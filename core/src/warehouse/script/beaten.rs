//! Beaten: rows that lost against other rows are kept beside the target, and come back when the winning rows are removed.
//!
//! The target has the greatest version of a key. If a load removes rows that earlier versions of an object had brought, the
//! next greatest version may be a row of another object: it is staged again, with the new rows of the load, and ranked with
//! them. So the target is the same as if only the remaining batches had been loaded, in whatever order they came.

use super::versions::DELETED_ROW;
use super::versions::OUTCOME;
use super::versions::ROW;
use super::versions::Ranking;
use super::versions::STAGE;
use super::versions::STAGED_ROW;
use super::versions::SUPERSEDED;
use super::versions::TARGET_ROW;
use super::versions::WINNER;
use super::versions::insert;
use super::versions::stage_definition;
use super::versions::stored_values;
use super::versions::winner_table;
use crate::sql::quote::Identifier;
use crate::warehouse::ledger;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::CreateTable;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::JoinKind;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::sql::TableName;
use crate::warehouse::table::BATCH_COLUMN;
use crate::warehouse::table::DELETED_COLUMN;
use crate::warehouse::table::OFFSET_COLUMN;

/// The work table of keys of which rows are about to go.
const BARED: &str = "_etalon_bared";

/// The work table of keys of which rows are about to go.
pub(super) fn bared_table() -> TableName {
    TableName::work(BARED)
}

impl Ranking<'_> {
    /// Notes the keys of the rows, and of the deletes, that are about to go.
    pub(super) fn note_bared(&self) -> Vec<Command> {
        let key = || self.versions.key.iter();
        let column = |(name, ty): &(Identifier, _)| ColumnDefinition { name: name.clone(), ty: *ty, required: false };
        let create = Command::CreateTable(CreateTable {
            temporary: true,
            ..CreateTable::new(bared_table(), key().map(column).collect())
        });
        let keys_of = |table: &TableName| {
            let replaced = Select::from(&ledger::replaced_table(), "r").columns([Expr::own("r", "batch")]);
            let mut keys = Select::from(table, "t").filter(Expr::own("t", BATCH_COLUMN).among(replaced));
            keys.columns = key().map(|(name, ty)| (Expr::of("t", name).key(*ty), Some(name.clone()))).collect();
            keys
        };
        let keys = [&self.target.table].into_iter().chain(&self.deleted).map(keys_of).collect();
        let all = Select { from: Some((Source::Selects(keys), Identifier::own("k"))), ..Select::default() };
        let all = all.columns(key().map(|(name, _)| Expr::of("k", name)));
        vec![create, insert(bared_table(), key().map(|(name, _)| name.clone()), all)]
    }

    /// Counts, at one batch of the load, those of these keys that no row has any more.
    pub(super) fn count_bared(&self, batch: &str) -> Command {
        let keys = self.bared_keys();
        let has_none = self.versions.key.iter().map(|(name, _)| Expr::of("t", name).absent()).take(1).collect();
        let bared = Select { from: Some((Source::Selects(vec![keys]), Identifier::own("k"))), ..Select::default() }
            .column(Expr::CountRows, "bared")
            .join(JoinKind::Left, Source::Table(self.target.table.clone()), "t", self.same_key("t", "k"))
            .filter(Expr::All(has_none));
        ledger::note_bared(bared, batch)
    }

    /// Selects each of these keys once.
    fn bared_keys(&self) -> Select {
        let mut keys = Select::from(&bared_table(), "k");
        keys.columns =
            self.versions.key.iter().map(|(name, ty)| (Expr::of("k", name).key(*ty), Some(name.clone()))).collect();
        keys.group_by = self.key_of("k");
        keys
    }

    /// Stages the beaten rows of these keys once more.
    pub(super) fn return_beaten(&self) -> Vec<Command> {
        let beaten = self.target.beaten_table();
        let columns: Vec<Identifier> = stage_definition(self.target).into_iter().map(|column| column.name).collect();
        let keys = self.bared_keys();
        let bared = |select: Select| {
            select.join(JoinKind::Inner, Source::Selects(vec![keys.clone()]), "k", self.same_key("o", "k"))
        };
        let mut returned = bared(Select::from(&beaten, "o").columns(columns.iter().map(|name| Expr::of("o", name))));
        let since = ledger::replaced_since(self.target, &beaten);
        let runs = ledger::of_earlier_runs(self.target, &beaten);
        let not_of = |gone| Expr::NotIn(Box::new(Expr::own("o", BATCH_COLUMN)), Box::new(gone));
        let mut stays = vec![not_of(since), not_of(runs)];
        if !self.target.deletes {
            stays.push(Expr::own("o", DELETED_COLUMN).equal(Expr::Boolean(false)));
        }
        returned = returned.filter(Expr::All(stays));
        let filter = match &self.row {
            Some(row) => {
                let rows = bared(Select::from(&beaten, "o").columns([Expr::of("o", row)]));
                Expr::Column(None, row.clone()).among(rows)
            }
            None => {
                let same = |(name, ty): &(Identifier, _)| {
                    Expr::at(&beaten, name).key(*ty).equal(Expr::at(&bared_table(), name).key(*ty))
                };
                Expr::All(self.versions.key.iter().map(same).collect())
            }
        };
        let using = self.row.is_none().then(bared_table);
        vec![
            insert(TableName::work(STAGE), columns, returned),
            Command::Delete { from: beaten, using, filter: Some(filter) },
        ]
    }

    /// Keeps the staged rows that are not to be in the target, and what is about to lose its place there.
    pub(super) fn keep_beaten(&self) -> Vec<Command> {
        let stored = self.target.stored_columns();
        let of = |columns: &[Identifier], alias: &'static str| -> Vec<Expr> {
            columns.iter().map(|name| Expr::of(alias, name)).collect()
        };
        let is_winner = |alias: &'static str| Expr::own(alias, OUTCOME).differs(Expr::Word(SUPERSEDED));

        let lost = Select::from(&TableName::work(STAGE), "s").columns(stored_values(self.target));
        let lost = match self.row {
            Some(_) => {
                let kept = Select::from(&winner_table(), "w").columns([Expr::own("w", STAGED_ROW)]);
                lost.filter(Expr::NotIn(Box::new(Expr::own("s", ROW)), Box::new(kept.filter(is_winner("w")))))
            }
            None => {
                let same = [BATCH_COLUMN, OFFSET_COLUMN].map(|name| Expr::own("w", name).equal(Expr::own("s", name)));
                let is_lost =
                    [Expr::own("w", BATCH_COLUMN).absent(), Expr::own("w", OUTCOME).equal(Expr::Word(SUPERSEDED))];
                lost.join(JoinKind::Left, Source::Table(winner_table()), "w", Expr::All(same.to_vec()))
                    .filter(Expr::Any(is_lost.to_vec()))
            }
        };
        let is_delete = if self.target.deletes { Expr::own("s", DELETED_COLUMN) } else { Expr::Boolean(false) };
        let lost = lost.column(is_delete, DELETED_COLUMN);

        let beaten = |table: &TableName, columns: &[Identifier], place: &'static str| {
            let select = Select::from(table, "t").columns(of(columns, "t"));
            match &self.row {
                Some(row) => {
                    let places = Select::from(&winner_table(), "w").columns([Expr::own("w", place)]);
                    let found = Expr::All(vec![is_winner("w"), Expr::own("w", place).present()]);
                    select.filter(Expr::of("t", row).among(places.filter(found)))
                }
                None => select
                    .join(JoinKind::Inner, Source::Table(TableName::work(WINNER)), "w", self.same_key("t", "w"))
                    .filter(is_winner("w")),
            }
        };
        let displaced = beaten(&self.target.table, &stored, TARGET_ROW).column(Expr::Boolean(false), DELETED_COLUMN);
        let names: Vec<Identifier> = stored.into_iter().chain([Identifier::own(DELETED_COLUMN)]).collect();
        let all =
            Select { from: Some((Source::Selects(vec![lost, displaced]), Identifier::own("v"))), ..Select::default() };
        let all = all.columns(of(&names, "v"));
        let mut commands = vec![insert(self.target.beaten_table(), names, all)];
        if let Some(deleted) = &self.deleted {
            let version = self.target.version_columns().into_iter().map(|(name, _)| name);
            let lineage = self.target.kept_lineage().map(|(name, _)| Identifier::own(name));
            let columns: Vec<Identifier> = version.chain(lineage).collect();
            let forgotten = beaten(deleted, &columns, DELETED_ROW).columns([Expr::Boolean(true)]);
            let names = columns.into_iter().chain([Identifier::own(DELETED_COLUMN)]);
            commands.push(insert(self.target.beaten_table(), names, forgotten));
        }
        commands
    }

    /// Counts the rows of earlier loads that are in the target again.
    pub(super) fn count_returned(&self, batch: &str) -> Command {
        let of_batch = Expr::own("b", "batch").equal(Expr::own("s", BATCH_COLUMN));
        let returned = self
            .winners()
            .column(Expr::CountRows, "returned")
            .join(JoinKind::Left, Source::Table(ledger::load_table()), "b", of_batch)
            .filter(Expr::All(vec![Expr::own("b", "batch").absent(), self.is_stored()]));
        ledger::note_returned(returned, batch)
    }
}
