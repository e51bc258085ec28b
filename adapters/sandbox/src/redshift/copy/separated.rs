//! Separated: the rows of a file of separated values, as Redshift reads them: columns by their position, texts that become
//! values of the columns' types. The text that stands for NULL is NULL between quotes too, and an empty field is NULL in a
//! column that is not a text.

use std::io::Read;

use bytes::Buf;
use bytes::Bytes;
use csv::ByteRecord;
use csv::Reader;
use csv::ReaderBuilder;
use etalon_core::types::Type;
use etalon_core::value::Decimal;
use etalon_core::value::Fraction;
use etalon_core::value::Value;
use etalon_core::value::datetime;
use etalon_core::value::float;
use etalon_core::value::integer;
use etalon_core::value::json::Json;
use etalon_postgres::encode::write;
use flate2::read::MultiGzDecoder;

use super::super::translate::Csv;
use super::load_error::LoadError;
use super::load_error::Reason;
use super::load_error::Stop;
use super::parquet::holds;
use super::target::Column;

/// Rows that are written at a time.
const ROWS_AT_ONCE: usize = 1024;

/// What is left of a file.
pub(super) struct Rows<'a> {
    file: String,
    columns: &'a [Column],
    options: &'a Csv,
    reader: Reader<Box<dyn Read>>,
    record: ByteRecord,
    /// Lines of the header that are left.
    header: u64,
}

impl<'a> Rows<'a> {
    /// Opens a file that has these columns.
    pub(super) fn new(file: String, bytes: Bytes, columns: &'a [Column], options: &'a Csv) -> Self {
        let reader: Box<dyn Read> = match options.is_gzip {
            true => Box::new(MultiGzDecoder::new(bytes.reader())),
            false => Box::new(bytes.reader()),
        };
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(options.delimiter)
            .quote(options.quote)
            .from_reader(reader);
        Self { file, columns, options, reader, record: ByteRecord::new(), header: options.header }
    }

    /// Appends rows, if there are more.
    pub(super) fn append(&mut self, out: &mut Vec<u8>) -> Result<bool, Stop> {
        let count = u16::try_from(self.columns.len()).unwrap_or(u16::MAX).to_be_bytes();
        for _ in 0..ROWS_AT_ONCE {
            let has_row = self.reader.read_byte_record(&mut self.record);
            let has_row =
                has_row.map_err(|error| Stop::Error(format!("ERROR: {} cannot be read: {error}", self.file)))?;
            if !has_row {
                return Ok(false);
            }
            if self.header > 0 {
                self.header -= 1;
                continue;
            }
            out.extend_from_slice(&count);
            for (place, column) in self.columns.iter().enumerate() {
                let Some(field) = self.record.get(place) else {
                    return Err(self.fault(Some(place), Reason::new(1214, "Delimiter not found")));
                };
                let value = match value(field, column, self.options) {
                    Ok(value) => value,
                    Err(reason) => return Err(self.fault(Some(place), reason)),
                };
                write(value, out).map_err(|unfit| self.fault(Some(place), Reason::new(1204, unfit)))?;
            }
            if self.record.len() > self.columns.len() {
                return Err(self.fault(None, Reason::new(1202, "Extra column(s) found")));
            }
        }
        Ok(true)
    }

    fn fault(&self, column: Option<usize>, reason: Reason) -> Stop {
        let line = self.record.position().map_or(0, csv::Position::line);
        Stop::Row(Box::new(LoadError { file: self.file.clone(), line, column, reason }))
    }
}

/// The value of a field; `None` is NULL.
fn value<'f>(field: &'f [u8], column: &Column, options: &Csv) -> Result<Option<Value<'f>>, Reason> {
    let is_text = column.ty.is_text();
    let is_null = field == options.null.as_bytes()
        || field.is_empty() && (!is_text || options.empty_is_null)
        || is_text && options.blank_is_null && !field.is_empty() && field.iter().all(u8::is_ascii_whitespace);
    if is_null {
        return if column.required { Err(Reason::missing()) } else { Ok(None) };
    }
    let wrong = |code, fact: &str, ty: &str| {
        let field = String::from_utf8_lossy(field);
        Reason::new(code, format!("{fact}, Value '{field}', Pos 0, Type: {ty}"))
    };
    let whole = |ty: &str, min: i64, max: i64| match integer::parse(field, min, max, ty) {
        Ok(number) => Ok(number),
        // A number of some other range is a number.
        Err(_) if Decimal::parse(field).is_ok_and(|number| number.scale == 0) => Err(wrong(1222, "Overflow", ty)),
        Err(_) => Err(wrong(1207, "Invalid digit", ty)),
    };
    let text = || {
        let fact = "String contains invalid or unsupported UTF8 codepoints";
        std::str::from_utf8(field).map_err(|_| Reason::new(1220, fact))
    };
    // Every number was bounded by its type.
    let narrow = |_| Reason::new(1222, "Overflow");
    let value = match column.ty {
        Type::Boolean => match field.to_ascii_lowercase().as_slice() {
            b"t" | b"true" | b"y" | b"yes" | b"1" => Value::Boolean(true),
            b"f" | b"false" | b"n" | b"no" | b"0" => Value::Boolean(false),
            _ => return Err(wrong(1210, "Unknown boolean format", "Boolean")),
        },
        Type::Smallint => {
            let number = whole("Short", i16::MIN.into(), i16::MAX.into())?;
            Value::Smallint(i16::try_from(number).map_err(narrow)?)
        }
        Type::Integer => {
            let number = whole("Integer", i32::MIN.into(), i32::MAX.into())?;
            Value::Integer(i32::try_from(number).map_err(narrow)?)
        }
        Type::Bigint => Value::Bigint(whole("Long", i64::MIN, i64::MAX)?),
        Type::Real => Value::Real(float::parse_real(field).map_err(|_| wrong(1208, "Invalid float format", "Real"))?),
        Type::Double => {
            Value::Double(float::parse_double(field).map_err(|_| wrong(1208, "Invalid float format", "Double"))?)
        }
        Type::Decimal { precision, scale } => {
            let number = Decimal::parse(field).map_err(|_| wrong(1209, "Invalid numeric format", "Decimal"))?;
            let number = truncated(number, scale).filter(|number| holds(*number, precision));
            Value::Decimal(number.ok_or_else(Reason::too_large)?)
        }
        Type::Date => {
            let fact = "Invalid Date Format - length must be 10 or more";
            Value::Date(datetime::parse_date(field).map_err(|_| wrong(1205, fact, "Date"))?)
        }
        Type::Timestamp => {
            let fact = "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]";
            let instant = datetime::parse_timestamp(field, Fraction::Round);
            Value::Timestamp(instant.map_err(|_| wrong(1206, fact, "Timestamp"))?)
        }
        Type::Timestamptz => {
            let fact = "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SSOF]";
            let instant = datetime::parse_timestamptz(field, Fraction::Round, false);
            Value::Timestamptz(instant.map_err(|_| wrong(1206, fact, "TimestampTZ"))?)
        }
        Type::Varchar(most) if field.len() > most as usize => return Err(Reason::too_long()),
        Type::Char(_) if !field.is_ascii() => return Err(Reason::multibyte()),
        Type::Char(most) if field.len() > most as usize => return Err(Reason::too_long()),
        Type::Super => match Json::parse(text()?) {
            // A document is kept as its text.
            Ok(document) => Value::Text(document.text()),
            Err(_) => return Err(wrong(1224, "Not well-formed JSON", "Super")),
        },
        Type::Numeric
        | Type::Time
        | Type::Timetz
        | Type::Interval
        | Type::Text
        | Type::Varchar(_)
        | Type::Char(_)
        | Type::Jsonb
        | Type::Bytea => Value::Text(text()?),
    };
    Ok(Some(value))
}

/// A number without the digits for which there is no room: COPY rounds only where it is asked to.
fn truncated(number: Decimal, scale: u8) -> Option<Decimal> {
    match number.scale.checked_sub(scale) {
        Some(over) => Some(Decimal { unscaled: number.unscaled / 10_i128.checked_pow(over.into())?, scale }),
        None => number.rescale(scale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(ty: &str) -> Column {
        Column { name: "c".to_owned(), ty: Type::parse(ty).unwrap(), required: false }
    }

    #[track_caller]
    fn check(field: &str, ty: &str, expected: Option<Value<'_>>) {
        assert_eq!(value(field.as_bytes(), &column(ty), &Csv::default()).unwrap(), expected);
    }

    #[track_caller]
    fn refused(field: &str, ty: &str, code: i64) {
        let reason = value(field.as_bytes(), &column(ty), &Csv::default()).unwrap_err();
        assert_eq!(reason.code, code, "{}", reason.message);
    }

    #[test]
    fn a_text_becomes_a_value() {
        check("\\N", "varchar(1)", None);
        check("", "varchar(1)", Some(Value::Text("")));
        check("", "bigint", None);
        check("Y", "boolean", Some(Value::Boolean(true)));
        check("-7", "smallint", Some(Value::Smallint(-7)));
        check("20.259", "decimal(8,2)", Some(Value::Decimal(Decimal { unscaled: 2025, scale: 2 })));
        check("-20.259", "decimal(8,2)", Some(Value::Decimal(Decimal { unscaled: -2025, scale: 2 })));
        check("20.2", "decimal(8,2)", Some(Value::Decimal(Decimal { unscaled: 2020, scale: 2 })));
        check("1970-01-02", "date", Some(Value::Date(1)));
        check("1970-01-01 00:00:01.5", "timestamp", Some(Value::Timestamp(1_500_000)));
        check("1970-01-01 00:00:01+01", "timestamptz", Some(Value::Timestamptz(-3_599_000_000)));
        check(r#"{"a":1}"#, "super", Some(Value::Text(r#"{"a":1}"#)));
        check("é", "varchar(2)", Some(Value::Text("é")));
    }

    #[test]
    fn what_does_not_fit_has_a_number() {
        refused("é", "varchar(1)", 1204);
        refused("é", "char(4)", 1220);
        refused("ab", "char(1)", 1204);
        refused("tr", "boolean", 1210);
        refused("1.5", "integer", 1207);
        refused("2147483648", "integer", 1222);
        refused("9223372036854775808", "bigint", 1222);
        refused("ten", "decimal(8,2)", 1209);
        refused("1000000", "decimal(8,2)", 1204);
        refused("1,5", "real", 1208);
        refused("2026-02-30", "date", 1205);
        refused("now", "timestamp", 1206);
        refused("{", "super", 1224);
        let required = Column { required: true, ..column("bigint") };
        assert_eq!(value(b"", &required, &Csv::default()).unwrap_err().code, 1213);
    }
}
