//! Intervals: when each version of an `scd2` target is valid, computed again for the keys that a load has touched.
//!
//! A version is valid from its own order to that of the next one of its key, a delete included. If rows of a replaced source
//! were removed, their keys are no longer known, so all intervals are computed; only those that differ are written.

use super::versions::Ranking;
use super::versions::SUPERSEDED;
use crate::sql::quote::Identifier;
use crate::types::Type;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::JoinKind;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::sql::TableName;
use crate::warehouse::table::IS_CURRENT_COLUMN;
use crate::warehouse::table::VALID_TO_COLUMN;

const NEXT: &str = "_etalon_next";
const TARGET_ROW: &str = "_etalon_target_row";
const NEXT_VERSION: &str = "_etalon_next_version";

impl Ranking<'_> {
    /// Sets `valid_to` and `is_current` of the versions whose next one is another than before.
    pub(super) fn set_intervals(&self, all_keys: bool) -> Option<Command> {
        let (version, key) = self.versions.key.split_last()?;
        let table = &self.target.table;
        let names = || self.versions.key.iter().map(|(name, _)| name.clone());

        // Stored versions, and deletes that are remembered: they end an interval too.
        let of = |table: &TableName, alias: &'static str, row: Option<Expr>| {
            let mut select = Select::from(table, alias);
            select.columns = names().map(|name| (Expr::of(alias, &name), Some(name))).collect();
            if let Some(row) = row {
                select = select.column(row, TARGET_ROW);
            }
            if all_keys { select } else { self.of_touched(select, alias, key) }
        };
        let mut parts = vec![of(table, "t", self.row.as_ref().map(|row| Expr::of("t", row)))];
        if let Some(deleted) = &self.deleted {
            // No row of the target has this number.
            parts.push(of(deleted, "d", self.row.as_ref().map(|_| Expr::Number(0).minus(Expr::Number(1)))));
        }
        let keys = |(name, ty): &(Identifier, Type)| Expr::of("v", name).key(*ty);
        let next = Expr::Lead {
            value: Box::new(Expr::of("v", &version.0)),
            partition: key.iter().map(keys).collect(),
            order: vec![Expr::of("v", &version.0).order(version.1)],
        };
        let mut select = Select {
            from: Some((Source::Selects(parts), Identifier::own("v"))),
            columns: names().map(|name| (Expr::of("v", &name), Some(name))).collect(),
            ..Select::default()
        };
        if self.row.is_some() {
            select = select.column(Expr::own("v", TARGET_ROW), TARGET_ROW);
        }
        let select = select.column(next, NEXT_VERSION);

        let next = || Expr::own(NEXT, NEXT_VERSION);
        let stored = Expr::at(table, &Identifier::own(VALID_TO_COLUMN));
        let differs = Expr::Any(vec![
            stored.clone().differs(next()),
            Expr::All(vec![stored.clone().absent(), next().present()]),
            Expr::All(vec![stored.present(), next().absent()]),
        ]);
        let same = match &self.row {
            Some(row) => vec![Expr::at(table, row).equal(Expr::own(NEXT, TARGET_ROW))],
            None => {
                let same = |(name, ty): &(Identifier, Type)| {
                    Expr::at(table, name).key(*ty).equal(Expr::of(NEXT, name).key(*ty))
                };
                self.versions.key.iter().map(same).collect()
            }
        };
        Some(Command::Update {
            table: table.clone(),
            set: vec![
                (Identifier::own(VALID_TO_COLUMN), next()),
                (
                    Identifier::own(IS_CURRENT_COLUMN),
                    Expr::case(next().absent(), Expr::Boolean(true), Expr::Boolean(false)),
                ),
            ],
            from: Some((Source::Selects(vec![select]), Identifier::own(NEXT))),
            filter: Expr::All(same.into_iter().chain([differs]).collect()),
        })
    }

    /// Only the rows whose key some winner has.
    fn of_touched(&self, select: Select, alias: &'static str, key: &[(Identifier, Type)]) -> Select {
        let mut touched = self.winners().filter(self.winner_outcome().differs(Expr::Word(SUPERSEDED)));
        touched.columns = key.iter().map(|(name, ty)| (Expr::of("s", name).key(*ty), Some(name.clone()))).collect();
        touched.group_by = key.iter().map(|(name, ty)| Expr::of("s", name).key(*ty)).collect();
        let same = |(name, ty): &(Identifier, Type)| Expr::of(alias, name).key(*ty).equal(Expr::of("k", name).key(*ty));
        select.join(JoinKind::Inner, Source::Selects(vec![touched]), "k", Expr::All(key.iter().map(same).collect()))
    }
}
