//! Lines: records as JSON Lines. A text that needs no escape, as most do, is copied as it is; what else there is `serde_json`
//! writes. With `serde_json::to_writer` alone, reading a connector takes about a third more of the processor.

use std::io::Write;

use serde_json::Value;

/// Appends a record and a line break.
pub fn push_line(out: &mut Vec<u8>, record: &Value) {
    push(out, record);
    out.push(b'\n');
}

fn push(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => shown(out, number),
        Value::String(text) => quote(out, text),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                push(out, item);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            out.push(b'{');
            for (at, (name, field)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                quote(out, name);
                out.push(b':');
                push(out, field);
            }
            out.push(b'}');
        }
    }
}

fn quote(out: &mut Vec<u8>, text: &str) {
    let needs_escape = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
    if text.as_bytes().iter().any(needs_escape) {
        return shown(out, &Value::from(text));
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// What `serde_json` writes.
fn shown(out: &mut Vec<u8>, value: &impl std::fmt::Display) {
    // A vector takes whatever is written.
    let _ = write!(out, "{value}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_what_serde_json_writes() {
        let texts: Vec<String> = (0..=0x2_00ff_u32).filter_map(char::from_u32).map(|c| format!("a{c}b")).collect();
        let deep = json!({"": [], "\n": {}, "a\"": [null, true, false, [{"é": "\u{2028}\u{7f}"}]]});
        let numbers = json!([0, -1, i64::MIN, u64::MAX, 1.0, -0.0, 1e300, 1e-300, 0.1, 123_456_789.123]);
        for record in [json!(texts), deep, numbers, json!("x"), json!({"a": 1, "b": "c"})] {
            let mut line = Vec::new();
            push_line(&mut line, &record);
            assert_eq!(String::from_utf8(line).unwrap(), format!("{record}\n"));
        }
    }
}
