//! Record: a row as a record of CSV, in which every value is quoted and NULL is `\N` without quotes, so that no value can be
//! taken for another.

/// Appends a row and its line end.
pub(crate) fn write(row: &[Option<&[u8]>], out: &mut Vec<u8>) {
    for (at, value) in row.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let Some(mut rest) = *value else {
            out.extend_from_slice(b"\\N");
            continue;
        };
        out.push(b'"');
        while let Some(quote) = rest.iter().position(|&byte| byte == b'"') {
            let (before, after) = rest.split_at(quote + 1);
            out.extend_from_slice(before);
            out.push(b'"');
            rest = after;
        }
        out.extend_from_slice(rest);
        out.push(b'"');
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_taken_for_another() {
        let mut out = Vec::new();
        write(&[Some(b"a\"b,\n"), None, Some(b""), Some(b"\\N"), Some(b"\"")], &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "\"a\"\"b,\n\",\\N,\"\",\"\\N\",\"\"\"\"\n");
    }
}
