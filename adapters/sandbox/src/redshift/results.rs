//! Results: rows of PostgreSQL as the API gives them: fields with a type, described columns, pages.

use etalon_postgres::client::Column;
use etalon_postgres::client::Rows;
use serde_json::Value;
use serde_json::json;

use super::refusal::Refusal;

/// Most bytes of a row, and of a result.
const ROW_BYTES_MAX: usize = 64 * 1024;
const RESULT_BYTES_MAX: usize = 500 * 1024 * 1024;

/// What a statement has given.
#[derive(Debug)]
pub(super) struct ResultSet {
    columns: Vec<Value>,
    rows: Vec<Value>,
    pub(super) bytes: usize,
}

impl ResultSet {
    /// The rows of a statement; `Err` holds the words of an error where they are too long.
    pub(super) fn new(found: Rows) -> Result<Self, String> {
        let mut set = Self { columns: found.columns.iter().map(metadata).collect(), rows: Vec::new(), bytes: 0 };
        for row in found.rows {
            let bytes: usize = row.iter().flatten().map(Vec::len).sum();
            set.bytes += bytes;
            if bytes > ROW_BYTES_MAX || set.bytes > RESULT_BYTES_MAX {
                let bytes = if bytes > ROW_BYTES_MAX { bytes } else { set.bytes };
                return Err(format!("Packet for query is too large ({bytes})"));
            }
            let fields = row.iter().zip(&found.columns);
            let fields = fields.map(|(value, column)| field(value.as_deref(), column.type_number));
            set.rows.push(Value::Array(fields.collect()));
        }
        Ok(set)
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The answer of GetStatementResult: the page that a token names, and the token of the next.
    pub(super) fn page(&self, token: Option<&str>, rows: usize) -> Result<Value, Refusal> {
        let start = match token {
            None => 0,
            Some(token) => read_token(token)
                .filter(|start| *start < self.rows.len())
                .ok_or_else(|| Refusal::validation("NextToken is none that was given for this statement"))?,
        };
        let end = self.rows.len().min(start + rows);
        let records = self.rows.get(start..end).unwrap_or_default();
        let mut answer = json!({
            "Records": records,
            "ColumnMetadata": self.columns,
            "TotalNumRows": self.rows.len(),
        });
        if end < self.rows.len()
            && let Some(answer) = answer.as_object_mut()
        {
            answer.insert("NextToken".to_owned(), write_token(end).into());
        }
        Ok(answer)
    }
}

/// A token that tells a position.
pub(super) fn write_token(position: usize) -> String {
    format!("page-{position:x}")
}

/// The position that a token tells.
pub(super) fn read_token(token: &str) -> Option<usize> {
    usize::from_str_radix(token.strip_prefix("page-")?, 16).ok()
}

/// The numbers of PostgreSQL's types, and what Redshift calls them.
const TYPES: [(u32, &str); 14] = [
    (16, "bool"),
    (20, "int8"),
    (21, "int2"),
    (23, "int4"),
    (26, "oid"),
    (25, "varchar"),
    (700, "float4"),
    (701, "float8"),
    (1042, "bpchar"),
    (1043, "varchar"),
    (1082, "date"),
    (1114, "timestamp"),
    (1184, "timestamptz"),
    (1700, "numeric"),
];

/// A value as a field of the API.
fn field(value: Option<&[u8]>, type_number: u32) -> Value {
    let Some(bytes) = value else { return json!({ "isNull": true }) };
    let text = String::from_utf8_lossy(bytes);
    let long = || text.parse::<i64>().ok().map(|number| json!({ "longValue": number }));
    let double =
        || text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| json!({ "doubleValue": number }));
    let typed = match type_number {
        16 => Some(json!({ "booleanValue": bytes == b"t" })),
        20 | 21 | 23 | 26 => long(),
        // JSON has no number for what is infinite or none; the protocol writes it as a text.
        700 | 701 => double().or_else(|| Some(json!({ "doubleValue": text }))),
        // A driver shows at least one digit of a second's fraction.
        1114 if !text.contains('.') => Some(json!({ "stringValue": format!("{text}.0") })),
        _ => None,
    };
    typed.unwrap_or_else(|| json!({ "stringValue": text }))
}

fn metadata(column: &Column) -> Value {
    let name = TYPES.iter().find(|(number, _)| *number == column.type_number).map_or("varchar", |(_, name)| name);
    let (precision, scale) = digits(column);
    json!({
        "isCaseSensitive": matches!(name, "varchar" | "bpchar"),
        "isCurrency": false,
        "isSigned": matches!(name, "int2" | "int4" | "int8" | "float4" | "float8" | "numeric"),
        "label": column.name,
        "length": 0,
        "name": column.name,
        "nullable": 1,
        "precision": precision,
        "scale": scale,
        "schemaName": "",
        "tableName": "",
        "typeName": name,
    })
}

/// Precision and scale of a column, as a driver tells them.
fn digits(column: &Column) -> (i32, i32) {
    let modifier = column.modifier - 4;
    match column.type_number {
        16 => (1, 0),
        21 => (5, 0),
        23 => (10, 0),
        20 => (19, 0),
        700 => (8, 8),
        701 => (17, 17),
        1082 => (13, 0),
        1114 => (29, 6),
        1184 => (35, 6),
        1700 if modifier >= 0 => (modifier >> 16, modifier & 0x7ff),
        25 | 1042 | 1043 if modifier >= 0 => (modifier, 0),
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Rows {
        let column = Column { name: "n".to_owned(), type_number: 23, modifier: -1 };
        let row = |number: usize| vec![Some(number.to_string().into_bytes())];
        Rows { columns: vec![column], rows: (0..count).map(row).collect(), count: None }
    }

    #[test]
    fn pages_follow_each_other() {
        let set = ResultSet::new(rows(5)).unwrap();
        let mut token = None;
        let mut seen = Vec::new();
        loop {
            let page = set.page(token.as_deref(), 2).unwrap();
            assert_eq!(page["TotalNumRows"], 5);
            seen.extend(page["Records"].as_array().unwrap().iter().map(|row| row[0]["longValue"].as_i64().unwrap()));
            token = page["NextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        assert!(set.page(Some("page-5"), 2).is_err() && set.page(Some("x"), 2).is_err());
        assert_eq!(ResultSet::new(rows(0)).unwrap().page(None, 2).unwrap()["Records"], json!([]));
    }

    #[test]
    fn a_value_has_the_field_of_its_type() {
        let check = |text: &str, number, expected| assert_eq!(field(Some(text.as_bytes()), number), expected);
        check("t", 16, json!({ "booleanValue": true }));
        check("-7", 20, json!({ "longValue": -7 }));
        check("0.1", 701, json!({ "doubleValue": 0.1 }));
        check("NaN", 701, json!({ "doubleValue": "NaN" }));
        check("1.50", 1700, json!({ "stringValue": "1.50" }));
        check("2026-01-01 00:00:00", 1114, json!({ "stringValue": "2026-01-01 00:00:00.0" }));
        check("a", 1043, json!({ "stringValue": "a" }));
        assert_eq!(field(None, 20), json!({ "isNull": true }));
    }

    #[test]
    fn a_row_that_is_too_long_is_an_error() {
        let column = Column { name: "t".to_owned(), type_number: 1043, modifier: -1 };
        let row =
            |bytes| Rows { columns: vec![column.clone()], rows: vec![vec![Some(vec![b'x'; bytes])]], count: None };
        assert!(ResultSet::new(row(ROW_BYTES_MAX)).is_ok());
        assert!(ResultSet::new(row(ROW_BYTES_MAX + 1)).unwrap_err().contains("too large"));
    }
}
