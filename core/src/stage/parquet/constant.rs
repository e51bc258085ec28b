//! Constant: the chunk of a column that has the same value in every row of a row group.
//!
//! The chunk is a dictionary of one value, and one run that is as long as the row group. Passing each row through a writer
//! would give the same bytes, but would hash the value once for each row.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// The bytes of a chunk of so many rows, none of them NULL, and what the file says of them. `value` is encoded as in a
/// dictionary.
pub(super) fn chunk(column: ColumnDescPtr, value: &[u8], rows: u32) -> Result<(Bytes, ColumnCloseResult)> {
    let dictionary = Page::DictionaryPage {
        buf: Bytes::copy_from_slice(value),
        num_values: 1,
        encoding: Encoding::PLAIN,
        is_sorted: false,
    };
    let data = Page::DataPage {
        buf: run(rows).into(),
        num_values: rows,
        encoding: Encoding::RLE_DICTIONARY,
        def_level_encoding: Encoding::RLE,
        rep_level_encoding: Encoding::RLE,
        statistics: None,
    };
    let mut sink = TrackedWrite::new(Vec::new());
    let mut pages = SerializedPageWriter::new(&mut sink);
    let mut write = |page: Page| {
        let bytes = page.buffer().len();
        pages.write_page(CompressedPage::new(page, bytes))
    };
    let (dictionary, data) = (write(dictionary)?, write(data)?);
    let bytes: Bytes = sink.into_inner()?.into();
    let length = bytes.len() as u64;
    let metadata = ColumnChunkMetaData::builder(column)
        // A page of a few bytes does not become smaller.
        .set_compression(Compression::UNCOMPRESSED)
        .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
        .set_num_values(rows.into())
        .set_total_compressed_size(length.cast_signed())
        .set_total_uncompressed_size(length.cast_signed())
        .set_dictionary_page_offset(Some(dictionary.offset.cast_signed()))
        .set_data_page_offset(data.offset.cast_signed())
        .build()?;
    let close = ColumnCloseResult {
        bytes_written: length,
        rows_written: rows.into(),
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    Ok((bytes, close))
}

/// The first value of the dictionary so many times: how many bits an index has (one value needs none), and a run, whose
/// length is written seven bits a byte above a bit that says that it is one.
fn run(rows: u32) -> Vec<u8> {
    let mut bytes = vec![0];
    let mut rest = u64::from(rows) << 1;
    while rest > 0x7f {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}
