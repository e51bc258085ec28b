//! Bring: converts staged rows to the parameters of INSERT statements, many rows at a time.

use std::ops::Range;

use arrow_array::RecordBatch;
use etalon_core::value::Values;
use etalon_core::warehouse::Stage;
use etalon_driver::connection::Unbrought;
use etalon_driver::ports::Rows;
use rusqlite::Connection;
use rusqlite::Statement;

use crate::bind::bind;
use crate::failure::failure;

/// Rows in one insert: enough to spread the cost of a statement, few enough to bind in any table.
const INSERT_ROWS: usize = 16;
/// SQLite's own bound on the parameters of a statement.
const PARAMETERS_MAX: usize = 32_766;

/// Inserts the rows where a stage wants them.
pub(crate) fn bring(connection: &Connection, stage: &Stage, rows: Rows<'_>) -> Result<(), Unbrought> {
    let rows_at_once = (PARAMETERS_MAX / stage.columns.len().max(1)).clamp(1, INSERT_ROWS);
    let prepare = |rows| connection.prepare(&stage.insert(rows)).map_err(|error| failure(&error));
    let (mut many, mut one) = (prepare(rows_at_once)?, prepare(1)?);
    let mut buffer = String::new();
    for batch in rows {
        let batch = batch.map_err(Unbrought::Rows)?;
        let columns = values(stage, &batch);
        let mut row = 0;
        while row < batch.num_rows() {
            let is_full = row + rows_at_once <= batch.num_rows();
            let (statement, count) = if is_full { (&mut many, rows_at_once) } else { (&mut one, 1) };
            let insert = bind_rows(statement, &columns, row..row + count, &mut buffer);
            insert.and_then(|()| statement.raw_execute()).map_err(|error| failure(&error))?;
            row += count;
        }
    }
    Ok(())
}

/// The values that the stage takes, column by column.
fn values<'a>(stage: &Stage, batch: &'a RecordBatch) -> Vec<Values<'a>> {
    let columns = batch.columns().iter().zip(&stage.columns);
    columns.filter_map(|(array, column)| Values::new(array, column.ty)).collect()
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
