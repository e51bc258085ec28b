//! Load: the script of one load, carried out in order in an open transaction.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::types::Type;
use etalon_core::value::Value;
use etalon_core::value::Values;
use etalon_core::warehouse::BATCH_COLUMN;
use etalon_core::warehouse::Found;
use etalon_core::warehouse::Guard;
use etalon_core::warehouse::Load as Arrival;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadCounts;
use etalon_core::warehouse::LoadScript;
use etalon_core::warehouse::Migration;
use etalon_core::warehouse::SetUp;
use etalon_core::warehouse::Stage;
use etalon_core::warehouse::Statement as Text;
use etalon_core::warehouse::Step;
use etalon_core::warehouse::TableColumn;
use etalon_core::warehouse::Target;
use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::Row;
use rusqlite::Statement;

use crate::bind::bind;
use crate::failure::world;

/// Rows in one insert: enough to spread the cost of a statement, few enough to bind in any table.
const INSERT_ROWS: usize = 16;
/// SQLite's own bound on the parameters of a statement.
const PARAMETERS_MAX: usize = 32_766;

/// A load in its transaction.
pub(crate) struct Load<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) place: &'a str,
    pub(crate) target: &'a Target,
    pub(crate) batches: &'a [LoadBatch],
}

impl Load<'_> {
    /// Does it all, but for the commit.
    pub(crate) fn carry_out(
        &self,
        rows: &mut dyn Iterator<Item = Result<RecordBatch, Error>>,
        loaded_at: i64,
    ) -> Result<LoadCounts, Error> {
        self.set_up()?;
        let load = Arrival { batches: self.batches, loaded_at, copy: None };
        let mut total = LoadCounts::default();
        for step in &self.placed(LoadScript::new(self.target, &load))?.steps {
            match step {
                Step::Run(text) => self.run(text)?,
                Step::Guard(guard, text) => self.guard(*guard, text)?,
                Step::Stage(stage) => {
                    let came = self.stage(stage, rows)?;
                    self.check_staged(&came)?;
                }
                Step::Counts(text) => self.rows(text, counts)?.into_iter().for_each(|counts| total.add(counts)),
            }
        }
        Ok(total)
    }

    /// Creates what is not there, and changes what the pipeline needs changed.
    fn set_up(&self) -> Result<(), Error> {
        let set_up = self.placed(SetUp::new(self.target))?;
        for text in &set_up.create {
            self.run(text)?;
        }
        let names = |text: &Text| self.rows(text, |row| row.get::<_, String>(0));
        let found = Found {
            present: names(&set_up.present)?,
            declared: self.rows(&set_up.declared, declared)?,
            loads: self.rows(&set_up.loads, |row| row.get::<_, i64>(0))?.first().map_or(0, |rows| rows.unsigned_abs()),
            indexes: set_up.indexes.as_ref().map(names).transpose()?.unwrap_or_default(),
        };
        for text in &self.placed(Migration::new(self.target, &found))?.statements {
            self.guard(Guard::UniqueKey, text)?;
        }
        Ok(())
    }

    /// Runs a statement.
    fn run(&self, text: &Text) -> Result<(), Error> {
        self.world(self.connection.execute(&text.sql, rusqlite::params_from_iter(values(text))).map(|_| ()))
    }

    /// Runs a statement that must select 1, or keep a key unique.
    fn guard(&self, guard: Guard, text: &Text) -> Result<(), Error> {
        if guard == Guard::UniqueKey {
            return match self.connection.execute(&text.sql, rusqlite::params_from_iter(values(text))) {
                Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::ConstraintViolation => {
                    self.fails(guard)
                }
                done => self.world(done.map(|_| ())),
            };
        }
        let holds = self.rows(text, |row| row.get::<_, Option<i64>>(0))?;
        if holds == [Some(1)] { Ok(()) } else { self.fails(guard) }
    }

    fn fails(&self, guard: Guard) -> Result<(), Error> {
        self.placed(Err(guard.error(self.target, self.batches)))
    }

    /// The rows that a statement selects.
    fn rows<T>(&self, text: &Text, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>, Error> {
        let found = || {
            let mut statement = self.connection.prepare(&text.sql)?;
            let rows = statement.query_map(rusqlite::params_from_iter(values(text)), read)?;
            rows.collect()
        };
        self.world(found())
    }

    /// Brings the rows where the script wants them, and counts them by batch.
    fn stage(
        &self,
        stage: &Stage,
        batches: &mut dyn Iterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<BTreeMap<&str, u64>, Error> {
        let width = stage.columns.len();
        let rows_at_once = (PARAMETERS_MAX / width.max(1)).clamp(1, INSERT_ROWS);
        let mut many = self.prepare(&stage.insert(rows_at_once))?;
        let mut one = self.prepare(&stage.insert(1))?;
        let mut buffer = String::new();
        let mut came: BTreeMap<&str, u64> = self.batches.iter().map(|batch| (batch.batch.as_str(), 0)).collect();
        let staged = self.target.staged();
        let batch_column = staged.iter().position(|column| column.name == BATCH_COLUMN);
        for batch in batches {
            let batch = batch?;
            let columns = self.values(&batch, &staged)?;
            self.count(&mut came, batch_column.and_then(|place| columns.get(place)), batch.num_rows())?;
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
        Ok(came)
    }

    /// The values of a batch, column by column, after a look at its shape.
    fn values<'b>(&self, batch: &'b RecordBatch, staged: &[TableColumn]) -> Result<Vec<Values<'b>>, Error> {
        if batch.num_columns() != staged.len() {
            let (found, needed) = (batch.num_columns(), staged.len());
            return self
                .refuse(format!("a batch for `{}` has {found} columns in place of {needed}", self.target.name()));
        }
        let column = |(array, column): (&'b ArrayRef, &TableColumn)| match Values::new(array, column.ty) {
            Some(values) => Ok(values),
            None => {
                let found = array.data_type();
                self.refuse(format!("column `{}` of a batch is {found} in place of {}", column.name, column.ty.arrow()))
            }
        };
        batch.columns().iter().zip(staged).map(column).collect()
    }

    /// Counts the rows of each batch, by the lineage column that names it.
    fn count(&self, came: &mut BTreeMap<&str, u64>, names: Option<&Values<'_>>, rows: usize) -> Result<(), Error> {
        let name = |row| match names.and_then(|names| names.get(row)) {
            Some(Value::Text(name)) => Some(name),
            _ => None,
        };
        let mut row = 0;
        while row < rows {
            let batch = name(row).unwrap_or_default();
            // Rows of a batch mostly stand together.
            let run = (row..rows).take_while(|&next| name(next) == Some(batch)).count();
            let Some(count) = came.get_mut(batch) else {
                return self.refuse(format!("a row comes with batch `{batch}`, which this load does not bring"));
            };
            *count += run as u64;
            row += run.max(1);
        }
        Ok(())
    }

    /// Holds what came against what the batches say.
    fn check_staged(&self, came: &BTreeMap<&str, u64>) -> Result<(), Error> {
        for LoadBatch { batch, source, staged, .. } in self.batches {
            let came = came.get(batch.as_str()).copied().unwrap_or_default();
            if came != *staged {
                return self.refuse(format!("batch {batch} of `{source}` says {staged} staged rows, and {came} came"));
            }
        }
        Ok(())
    }

    fn prepare(&self, statement: &str) -> Result<Statement<'_>, Error> {
        self.world(self.connection.prepare(statement))
    }

    fn world<T>(&self, result: rusqlite::Result<T>) -> Result<T, Error> {
        result.map_err(|error| world(self.place, &error))
    }

    /// Says where an error happened.
    fn placed<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| Error::new(error.kind(), format!("{}: {error}", self.place)))
    }

    fn refuse<T>(&self, fact: String) -> Result<T, Error> {
        Err(Error::new(ErrorKind::Refused, format!("{}: {fact}", self.place)))
    }
}

fn values(text: &Text) -> impl Iterator<Item = &str> {
    text.parameters.iter().map(|parameter| parameter.value.as_str())
}

fn declared(row: &Row<'_>) -> rusqlite::Result<TableColumn> {
    let ty = Type::parse(&row.get::<_, String>(1)?).unwrap_or(Type::Text);
    Ok(TableColumn { name: row.get(0)?, ty, required: row.get(2)? })
}

fn counts(row: &Row<'_>) -> rusqlite::Result<LoadCounts> {
    let count = |place: usize| row.get::<_, i64>(place).map(i64::unsigned_abs);
    Ok(LoadCounts {
        staged: count(1)?,
        inserted: count(2)?,
        updated: count(3)?,
        unchanged: count(4)?,
        deduplicated: count(5)?,
        superseded: count(6)?,
        deleted: count(7)?,
    })
}

fn bind_rows(
    statement: &mut Statement<'_>,
    columns: &[Values<'_>],
    rows: Range<usize>,
    buffer: &mut String,
) -> rusqlite::Result<()> {
    let mut parameter = 1;
    for row in rows {
        for column in columns {
            bind(column.get(row), statement, parameter, buffer)?;
            parameter += 1;
        }
    }
    Ok(())
}
