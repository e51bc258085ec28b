//! Load: the statements of one load, carried out in order in an open transaction.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::types::Type;
use etalon_core::warehouse::ColumnsStatements;
use etalon_core::warehouse::KEY_INDEX_PREFIX;
use etalon_core::warehouse::LedgerStatements;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadCounts;
use etalon_core::warehouse::LoadStatements;
use etalon_core::warehouse::TableColumn;
use etalon_core::warehouse::Target;
use etalon_core::warehouse::sqlite;
use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::Statement;
use rusqlite::params;

use crate::cells::Cells;
use crate::sqlite::DIALECT;
use crate::sqlite::exists;
use crate::sqlite::world;

/// Rows in one insert: enough to spread the cost of a statement, few enough to bind in any table.
const INSERT_ROWS: usize = 16;
/// SQLite's own bound on the parameters of a statement.
const PARAMETERS_MAX: usize = 32_766;

/// A load in its transaction.
pub(crate) struct Load<'a> {
    connection: &'a Connection,
    place: &'a str,
    target: &'a Target,
    statements: LoadStatements,
    ledger: LedgerStatements,
    /// What became of the rows of each batch.
    counts: BTreeMap<String, LoadCounts>,
}

impl<'a> Load<'a> {
    pub(crate) fn new(connection: &'a Connection, place: &'a str, target: &'a Target) -> Result<Self, Error> {
        let (statements, ledger) = (LoadStatements::new(target, DIALECT)?, LedgerStatements::new(DIALECT));
        Ok(Self { connection, place, target, statements, ledger, counts: BTreeMap::new() })
    }

    /// Does it all, but for the commit.
    pub(crate) fn carry_out(
        mut self,
        batches: &[LoadBatch],
        rows: &mut dyn Iterator<Item = Result<RecordBatch, Error>>,
        loaded_at: i64,
    ) -> Result<LoadCounts, Error> {
        let is_new = self.prepare_target()?;
        self.enter(batches, loaded_at)?;
        self.run(&self.statements.create_work)?;
        self.stage(rows)?;
        self.check_staged(batches)?;
        let replaced = self.replaced(batches)?;
        self.settle_replaced(&replaced)?;
        self.merge(&replaced)?;
        if is_new {
            // Sorting the keys of a whole table once is quicker than finding the place of each.
            self.create_key_index()?;
        }
        self.run(&self.statements.drop_work)?;
        self.settle(batches)
    }

    /// Creates the target, or compares it with the pipeline. Gives whether it is new.
    fn prepare_target(&self) -> Result<bool, Error> {
        let columns = ColumnsStatements::new(DIALECT);
        self.run([&columns.create, &self.ledger.create])?;
        let name = self.target.name();
        if !self.world(exists(self.connection, name))? {
            let mut loads = self.prepare(&self.ledger.select)?;
            if self.world(loads.exists([name]))? {
                return self.refuse(format!("table `{name}` is gone, and the ledger holds loads of it"));
            }
            self.world(self.connection.execute(&columns.clear, [name]))?;
            self.run([&self.target.create(DIALECT)])?;
            let mut insert = self.prepare(&columns.insert)?;
            for (position, column) in (1_i64..).zip(self.target.declared()) {
                self.world(insert.execute(params![
                    name,
                    position,
                    column.name,
                    column.ty.to_string(),
                    column.required
                ]))?;
            }
            return Ok(true);
        }
        let there = self.world(self.columns_there(&columns))?;
        if there.is_empty() {
            return self.refuse(format!("table `{name}` is there, and Etalon has not created it"));
        }
        self.target.compare(&there).map_err(|error| Error::new(error.kind(), format!("{}: {error}", self.place)))?;
        self.replace_key_index()?;
        Ok(false)
    }

    /// The declared columns that are really there.
    fn columns_there(&self, columns: &ColumnsStatements) -> rusqlite::Result<Vec<TableColumn>> {
        let name = self.target.name();
        let mut present = self.connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let present = present.query_map([name], |row| row.get(0))?.collect::<rusqlite::Result<BTreeSet<String>>>()?;
        let mut declared = self.connection.prepare(&columns.select)?;
        let rows = declared.query_map([name], |row| {
            let ty = Type::parse(&row.get::<_, String>(1)?).unwrap_or(Type::Text);
            Ok(TableColumn { name: row.get(0)?, ty, required: row.get(2)? })
        })?;
        let mut there = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        there.retain(|column| present.contains(&column.name));
        Ok(there)
    }

    /// Makes the index that this load needs the only one of Etalon's on the table.
    fn replace_key_index(&self) -> Result<(), Error> {
        let found = || {
            let mut statement =
                self.connection.prepare("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1")?;
            let names = statement.query_map([self.target.name()], |row| row.get::<_, String>(0))?;
            names.collect::<rusqlite::Result<Vec<_>>>()
        };
        let own = self.world(found())?.into_iter().filter(|name| name.starts_with(KEY_INDEX_PREFIX));
        let (wanted, others): (Vec<_>, Vec<_>) = own.partition(|name| Some(name) == self.target.key_index().as_ref());
        for name in others {
            self.run([&Target::drop_index(&name, DIALECT)])?;
        }
        if wanted.is_empty() { self.create_key_index() } else { Ok(()) }
    }

    fn create_key_index(&self) -> Result<(), Error> {
        let Some(statement) = self.target.create_key_index(DIALECT) else { return Ok(()) };
        match self.connection.execute(&statement, []) {
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::ConstraintViolation => {
                self.refuse(format!("table `{}` holds several rows with one key", self.target.name()))
            }
            done => self.world(done).map(|_| ()),
        }
    }

    /// Writes the ledger rows, with counts to come.
    fn enter(&mut self, batches: &[LoadBatch], loaded_at: i64) -> Result<(), Error> {
        let mut is_loaded = self.prepare(&self.ledger.is_loaded)?;
        let mut insert = self.prepare(&self.ledger.insert)?;
        let name = self.target.name();
        // All are asked for before any is entered: the batches of a cut input come together.
        for batch in batches {
            let key = params![name, batch.input, batch.generation];
            if self.world(is_loaded.query_row(key, |row| row.get::<_, i64>(0)))? > 0 {
                let message = format!(
                    "{}: input {} of `{}`, generation {}, is loaded into `{name}` already",
                    self.place, batch.input, batch.source, batch.generation
                );
                return Err(Error::new(ErrorKind::AlreadyExists, message));
            }
        }
        for batch in batches {
            let mut batch_time = String::new();
            sqlite::write_timestamptz(&mut batch_time, batch.batch_time);
            let mut loaded = String::new();
            sqlite::write_timestamptz(&mut loaded, loaded_at);
            self.world(insert.execute(params![
                name,
                batch.input,
                batch.generation,
                batch.batch,
                batch.source,
                batch.source_version,
                batch.fingerprint,
                batch_time,
                batch.replaces_source,
                loaded,
                count(batch.staged),
                0,
                0,
                0,
                0,
                0,
            ]))?;
            self.counts.insert(batch.batch.clone(), LoadCounts::default());
        }
        Ok(())
    }

    /// Brings the rows where the statements want them, and counts them by batch.
    fn stage(&mut self, batches: &mut dyn Iterator<Item = Result<RecordBatch, Error>>) -> Result<(), Error> {
        let width = self.statements.width();
        let rows_at_once = (PARAMETERS_MAX / width).clamp(1, INSERT_ROWS);
        let mut many = self.prepare(&self.statements.insert(rows_at_once, DIALECT))?;
        let mut one = self.prepare(&self.statements.insert(1, DIALECT))?;
        let mut buffer = String::new();
        for batch in batches {
            let batch = batch?;
            let columns = self.cells(&batch)?;
            self.count_staged(columns.get(columns.len().saturating_sub(3)), batch.num_rows())?;
            let columns = columns.get(..width).unwrap_or(&columns);
            let mut row = 0;
            while row < batch.num_rows() {
                let full = row + rows_at_once <= batch.num_rows();
                let (statement, count) = if full { (&mut many, rows_at_once) } else { (&mut one, 1) };
                let insert = bind_rows(statement, columns, row..row + count, &mut buffer);
                self.world(insert.and_then(|()| statement.raw_execute()))?;
                row += count;
            }
        }
        Ok(())
    }

    /// The columns of a batch as cells, after a look at its shape.
    fn cells<'b>(&self, batch: &'b RecordBatch) -> Result<Vec<Cells<'b>>, Error> {
        let staged = self.target.staged();
        if batch.num_columns() != staged.len() {
            let (found, needed) = (batch.num_columns(), staged.len());
            return self
                .refuse(format!("a batch for `{}` has {found} columns in place of {needed}", self.target.name()));
        }
        let column = |(array, column): (&'b ArrayRef, &TableColumn)| match Cells::new(array, column.ty) {
            Some(cells) => Ok(cells),
            None => {
                let found = array.data_type();
                self.refuse(format!("column `{}` of a batch is {found} in place of {}", column.name, column.ty.arrow()))
            }
        };
        batch.columns().iter().zip(&staged).map(column).collect()
    }

    /// Counts the rows of each batch, by the lineage column that names it.
    fn count_staged(&mut self, batch_column: Option<&Cells<'_>>, rows: usize) -> Result<(), Error> {
        let mut row = 0;
        while row < rows {
            let name = batch_column.and_then(|cells| cells.text(row)).unwrap_or_default();
            // Rows of a batch mostly stand together.
            let run =
                (row..rows).take_while(|&next| batch_column.and_then(|cells| cells.text(next)) == Some(name)).count();
            let Some(counts) = self.counts.get_mut(name) else {
                return self.refuse(format!("a row comes with batch `{name}`, which this load does not bring"));
            };
            counts.staged += run as u64;
            row += run.max(1);
        }
        Ok(())
    }

    /// Holds what came against what the batches say.
    fn check_staged(&self, batches: &[LoadBatch]) -> Result<(), Error> {
        for batch in batches {
            let came = self.counts.get(&batch.batch).map_or(0, |counts| counts.staged);
            if came != batch.staged {
                let LoadBatch { batch: name, source, staged, .. } = batch;
                return self.refuse(format!("batch {name} of `{source}` says {staged} staged rows, and {came} came"));
            }
        }
        Ok(())
    }

    /// The batches whose source has a later version that takes their place.
    fn replaced(&self, batches: &[LoadBatch]) -> Result<BTreeSet<String>, Error> {
        if self.statements.delete_replaced.is_none() {
            if batches.iter().any(|batch| batch.replaces_source) {
                let name = self.target.name();
                return self.refuse(format!(
                    "table `{name}` has no lineage columns, by which the rows of a source are replaced"
                ));
            }
            return Ok(BTreeSet::new());
        }
        let mut statement = self.prepare(&self.statements.replaced)?;
        let mut replaced = BTreeSet::new();
        let sources: BTreeSet<&str> = batches.iter().map(|batch| batch.source.as_str()).collect();
        for source in sources {
            let mut read = || {
                let names = statement.query_map([self.target.name(), source], |row| row.get::<_, String>(0))?;
                names.collect::<rusqlite::Result<Vec<_>>>()
            };
            replaced.extend(self.world(read())?);
        }
        Ok(replaced)
    }

    /// Removes the rows of replaced batches, stored and staged. Those of this load are superseded.
    fn settle_replaced(&mut self, replaced: &BTreeSet<String>) -> Result<(), Error> {
        if replaced.is_empty() {
            return Ok(());
        }
        for statement in
            [&self.statements.delete_replaced, &self.statements.delete_replaced_stage].into_iter().flatten()
        {
            self.world(self.connection.execute(statement, [self.target.name()]))?;
        }
        for (_, counts) in self.counts.iter_mut().filter(|(batch, _)| replaced.contains(*batch)) {
            counts.superseded = counts.staged;
        }
        Ok(())
    }

    /// Moves the staged rows into the target of a merge; an append's are there. What became of them is counted.
    fn merge(&mut self, replaced: &BTreeSet<String>) -> Result<(), Error> {
        let LoadStatements { find_winners, judge, delete_beaten, insert_winners, count, .. } = &self.statements;
        let Some(count) = count else {
            for (_, counts) in self.counts.iter_mut().filter(|(batch, _)| !replaced.contains(*batch)) {
                counts.inserted = counts.staged;
            }
            return Ok(());
        };
        for statement in find_winners.iter().chain(judge) {
            let mut statement = self.prepare(statement)?;
            // Where order is in the columns alone, nothing is looked up in the ledger.
            let parameters = [self.target.name()];
            let known = parameters.get(..statement.parameter_count()).unwrap_or_default();
            self.world(statement.execute(rusqlite::params_from_iter(known)))?;
        }
        self.run(delete_beaten.iter().chain(insert_winners))?;
        let mut statement = self.prepare(count)?;
        let mut winners: BTreeMap<String, u64> = BTreeMap::new();
        let mut read = || {
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (batch, verdict, rows) =
                    (row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?.unsigned_abs());
                let Some(counts) = self.counts.get_mut(&batch) else { continue };
                *winners.entry(batch).or_default() += rows;
                match verdict.as_str() {
                    "inserted" => counts.inserted += rows,
                    "updated" => counts.updated += rows,
                    "unchanged" => counts.unchanged += rows,
                    _ => counts.superseded += rows,
                }
            }
            Ok(())
        };
        let done = read();
        self.world(done)?;
        for (batch, counts) in self.counts.iter_mut().filter(|(batch, _)| !replaced.contains(*batch)) {
            counts.deduplicated = counts.staged.saturating_sub(winners.get(batch).copied().unwrap_or_default());
        }
        Ok(())
    }

    /// Holds the counts against the tables, writes them into the ledger, and adds them up.
    fn settle(&self, batches: &[LoadBatch]) -> Result<LoadCounts, Error> {
        let mut settle = self.prepare(&self.ledger.settle)?;
        let mut total = LoadCounts::default();
        for LoadBatch { batch, .. } in batches {
            let counts = self.counts.get(batch).copied().unwrap_or_default();
            if !counts.balance() {
                return self.refuse(format!(
                    "the counts of batch {batch} do not balance, which is a bug of Etalon: {counts:?}"
                ));
            }
            self.world(settle.execute(params![
                self.target.name(),
                batch,
                count(counts.inserted),
                count(counts.updated),
                count(counts.unchanged),
                count(counts.deduplicated),
                count(counts.superseded),
            ]))?;
            total.add(counts);
        }
        Ok(total)
    }

    fn run<'s>(&self, statements: impl IntoIterator<Item = &'s String>) -> Result<(), Error> {
        for statement in statements {
            self.world(self.connection.execute(statement, []))?;
        }
        Ok(())
    }

    fn prepare(&self, statement: &str) -> Result<Statement<'a>, Error> {
        self.world(self.connection.prepare(statement))
    }

    fn world<T>(&self, result: rusqlite::Result<T>) -> Result<T, Error> {
        result.map_err(|error| world(self.place, &error))
    }

    fn refuse<T>(&self, fact: String) -> Result<T, Error> {
        Err(Error::new(ErrorKind::Refused, format!("{}: {fact}", self.place)))
    }
}

fn bind_rows(
    statement: &mut Statement<'_>,
    columns: &[Cells<'_>],
    rows: Range<usize>,
    buffer: &mut String,
) -> rusqlite::Result<()> {
    let mut parameter = 1;
    for row in rows {
        for column in columns {
            column.bind(row, statement, parameter, buffer)?;
            parameter += 1;
        }
    }
    Ok(())
}

/// SQLite's whole numbers are signed.
fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
