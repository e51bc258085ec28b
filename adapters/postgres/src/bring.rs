//! Bring: converts staged rows to the bytes of COPY, some rows at a time.

use arrow_array::RecordBatch;
use etalon_core::error::Error;
use etalon_core::value::Values;
use etalon_core::warehouse::OFFSET_COLUMN;
use etalon_core::warehouse::Stage;
use etalon_driver::connection::Unbrought;
use etalon_driver::ports::Rows;

use crate::client::Client;
use crate::encode;
use crate::encode::HEADER;
use crate::encode::TRAILER;
use crate::failure::failure;

/// Rows that are encoded before the socket is looked at.
const ROWS_AT_ONCE: usize = 512;

/// Copies the rows to where a stage wants them.
pub(crate) fn bring(client: &mut Client, stage: &Stage, rows: Rows<'_>) -> Result<(), Unbrought> {
    let mut encoder = Encoder { stage, header: Some(HEADER), batch: None, row: 0 };
    client.copy_in(&stage.sql, |out| encoder.next(rows, out)).map_err(failure)?.map(drop)
}

/// Turns staged rows into the bytes of COPY, some rows at a time.
struct Encoder<'a> {
    stage: &'a Stage,
    header: Option<&'static [u8]>,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    row: usize,
}

impl Encoder<'_> {
    /// Appends what comes next, and says whether it was the last.
    fn next(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<RecordBatch, Error>>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unbrought> {
        out.extend_from_slice(self.header.take().unwrap_or_default());
        let Some(batch) = self.batch.take() else {
            match rows.next().transpose().map_err(Unbrought::Rows)? {
                Some(batch) => {
                    (self.batch, self.row) = (Some(batch), 0);
                    return Ok(false);
                }
                None => {
                    out.extend_from_slice(TRAILER);
                    return Ok(true);
                }
            }
        };
        let end = batch.num_rows().min(self.row + ROWS_AT_ONCE);
        self.encode(&batch, end, out)?;
        if end < batch.num_rows() {
            (self.batch, self.row) = (Some(batch), end);
        }
        Ok(false)
    }

    fn encode(&self, batch: &RecordBatch, end: usize, out: &mut Vec<u8>) -> Result<(), Unbrought> {
        let columns = &self.stage.columns;
        let values: Vec<Values<'_>> =
            batch.columns().iter().zip(columns).filter_map(|(array, column)| Values::new(array, column.ty)).collect();
        #[expect(clippy::cast_possible_truncation, reason = "no table of PostgreSQL has more than 1,600 columns")]
        let count = (values.len() as u16).to_be_bytes();
        for row in self.row..end {
            out.extend_from_slice(&count);
            for (values, column) in values.iter().zip(columns) {
                encode::write(values.get(row), out).map_err(|unfit| {
                    let place = columns.iter().position(|column| column.name == OFFSET_COLUMN);
                    let offset = place.and_then(|at| batch.columns().get(at)).and_then(|array| {
                        array.as_any().downcast_ref::<arrow_array::Int64Array>().map(|offsets| offsets.value(row))
                    });
                    let place = offset.map(|offset| format!(" of the record at byte {offset}")).unwrap_or_default();
                    Unbrought::Unfit(format!(
                        "column `{}`{place} is {unfit}, which PostgreSQL does not hold",
                        column.name
                    ))
                })?;
            }
        }
        Ok(())
    }
}
