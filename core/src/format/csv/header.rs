//! Header: which column of the object each declared field is.

use crate::diagnostic::nearest;

/// Which column each declared field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    /// How many fields a record must have.
    pub(super) columns: usize,
    /// The column of each declared field; beyond the last one, for a field that the header lacks and may.
    pub(super) column_of: Vec<usize>,
    /// Whether the columns are the declared fields, in their order.
    pub(super) is_straight: bool,
    /// Whether there are columns that the pipeline does not declare.
    pub(super) has_undeclared: bool,
    /// Whether every record is rejected for them.
    pub(super) is_refused: bool,
    /// The columns' names, if there is a header.
    header: Option<Vec<String>>,
    undeclared: Vec<usize>,
}

impl Binding {
    /// Fields bound in the order of their declaration.
    pub(super) fn by_position(fields: usize) -> Self {
        Self {
            columns: fields,
            column_of: (0..fields).collect(),
            is_straight: true,
            has_undeclared: false,
            is_refused: false,
            header: None,
            undeclared: Vec::new(),
        }
    }

    /// Fields bound by exact name. An error names every declared field that the header lacks and may not, or has more than
    /// once.
    pub(super) fn by_name(fields: &[String], optional: &[bool], header: Vec<String>) -> Result<Self, String> {
        if let Some(delimiter) = other_delimiter(fields, &header) {
            let only = header.first().map(|name| shown(name)).unwrap_or_default();
            return Err(format!("the header has one field, `{only}`: is the delimiter {delimiter}?"));
        }
        if let Some(line) = header.first().filter(|name| name.starts_with("sep=") && !fields.contains(name)) {
            let line = shown(line);
            return Err(format!("the first line is `{line}`, which tells Excel the delimiter: say `skip_lines: 1`"));
        }
        // A header without any declared field is that of another file.
        let has_any = fields.iter().any(|field| header.contains(field));
        let mut lacking = Vec::new();
        let mut doubled = Vec::new();
        let mut column_of = Vec::with_capacity(fields.len());
        for (position, field) in fields.iter().enumerate() {
            let mut columns = header.iter().enumerate().filter(|&(_, name)| name == field).map(|(column, _)| column);
            let first = columns.next();
            match first {
                None if optional.get(position) == Some(&true) && has_any => {}
                None => {
                    let plain = |name: &str| name.trim().to_lowercase();
                    let is_of_another = |name: &str| fields.iter().any(|other| plain(other) == plain(name));
                    let others = header.iter().filter(|name| !is_of_another(name)).map(String::as_str);
                    let written = header.iter().find(|name| plain(name) == plain(field)).map(String::as_str);
                    let near = written.or_else(|| nearest(field, others));
                    lacking.push(match near {
                        Some(near) => format!("`{field}` (did you mean `{}`?)", shown(near)),
                        None => format!("`{field}`"),
                    });
                }
                Some(_) if columns.next().is_some() => doubled.push(format!("`{field}`")),
                Some(_) => {}
            }
            column_of.push(first.unwrap_or(usize::MAX));
        }
        let plural = |names: &[String]| if names.len() == 1 { "field" } else { "fields" };
        let mut wrong = Vec::new();
        if !lacking.is_empty() {
            wrong.push(format!("lacks the declared {} {}", plural(&lacking), lacking.join(", ")));
        }
        if !doubled.is_empty() {
            wrong.push(format!("has the declared {} {} more than once", plural(&doubled), doubled.join(", ")));
        }
        if !wrong.is_empty() {
            return Err(format!("the header {}", wrong.join(" and ")));
        }
        let undeclared: Vec<usize> = (0..header.len()).filter(|column| !column_of.contains(column)).collect();
        Ok(Self {
            columns: header.len(),
            is_straight: column_of.iter().copied().eq(0..header.len()),
            has_undeclared: !undeclared.is_empty(),
            is_refused: false,
            column_of,
            header: Some(header),
            undeclared,
        })
    }

    /// The fact about a record with another number of fields.
    pub(super) fn ragged(&self, fields: usize) -> String {
        let count = |count| format!("{count} field{}", if count == 1 { "" } else { "s" });
        let wanted = self.columns;
        match self.header {
            Some(_) => format!("has {}, the header has {wanted}", count(fields)),
            None => format!("has {}, the pipeline declares {wanted}", count(fields)),
        }
    }

    /// The fact about columns that the pipeline does not declare.
    pub(super) fn undeclared(&self) -> String {
        let name = |&column: &usize| self.header.as_ref().and_then(|header| header.get(column));
        let names: Vec<String> =
            self.undeclared.iter().filter_map(name).map(|name| format!("`{}`", shown(name))).collect();
        match names.as_slice() {
            [name] => format!("the field {name} is not declared"),
            names => format!("the fields {} are not declared", names.join(", ")),
        }
    }
}

/// Another delimiter, in words, by which a header of one field has a declared one among others.
fn other_delimiter(fields: &[String], header: &[String]) -> Option<&'static str> {
    let [only] = header else { return None };
    let others = [(';', "`;`"), (',', "`,`"), ('\t', "a tab (`\\t`)"), ('|', "`|`")];
    let has_a_field = |delimiter: char| {
        only.contains(delimiter) && only.split(delimiter).any(|name| fields.iter().any(|field| field == name.trim()))
    };
    others.into_iter().find(|&(delimiter, _)| has_a_field(delimiter)).map(|(_, words)| words)
}

/// A name with the characters written out that cannot be seen.
fn shown(name: &str) -> String {
    let is_unseen = |c: char| {
        c.is_control()
            || (c.is_whitespace() && c != ' ')
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
    };
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '\r' => text.push_str("\\r"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c if is_unseen(c) => text.extend(c.escape_unicode()),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(fields: &[&str], header: &[&str]) -> Result<Binding, String> {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        Binding::by_name(&own(fields), &[], own(header))
    }

    #[test]
    fn a_line_that_is_for_excel_is_known() {
        for header in [&["sep=;"][..], &["sep=", ""]] {
            assert!(bind(&["id"], header).unwrap_err().contains("say `skip_lines: 1`"), "{header:?}");
        }
        assert!(bind(&["sep=;"], &["sep=;"]).is_ok());
    }

    #[test]
    fn fields_bind_by_exact_name() {
        let binding = bind(&["b", "a"], &["a", "x", "b"]).unwrap();
        assert_eq!((binding.columns, binding.column_of.as_slice(), binding.is_straight), (3, &[2, 0][..], false));
        assert_eq!(binding.undeclared(), "the field `x` is not declared");
        assert!(bind(&["a", "b"], &["a", "b"]).unwrap().is_straight);
    }

    #[test]
    fn an_optional_field_is_beyond_the_last_column_where_the_header_lacks_it() {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let bind = |fields: &[&str], header: &[&str]| Binding::by_name(&own(fields), &[false, true], own(header));
        let binding = bind(&["id", "coupon"], &["id", "usd"]).unwrap();
        assert_eq!((binding.columns, binding.column_of), (2, vec![0, usize::MAX]));
        assert_eq!(bind(&["id", "coupon"], &["coupon", "id"]).unwrap().column_of, [1, 0]);
        assert_eq!(
            bind(&["id", "coupon"], &["usd", "eur"]).unwrap_err(),
            "the header lacks the declared fields `id`, `coupon`"
        );
    }

    #[test]
    fn one_sentence_names_every_field_that_is_wrong() {
        assert_eq!(
            bind(&["customer", "id", "amount", "x"], &["Customer", "id", "amount", "amount"]).unwrap_err(),
            "the header lacks the declared fields `customer` (did you mean `Customer`?), `x` \
             and has the declared field `amount` more than once"
        );
    }

    #[test]
    fn a_header_by_another_delimiter_is_known() {
        let wrong = |header| bind(&["id", "name"], &[header]).unwrap_err();
        assert_eq!(wrong("id;name"), "the header has one field, `id;name`: is the delimiter `;`?");
        assert_eq!(wrong("id\tname"), "the header has one field, `id\\tname`: is the delimiter a tab (`\\t`)?");
        assert_eq!(wrong("a;b"), "the header lacks the declared fields `id`, `name`");
    }

    #[test]
    fn a_name_that_differs_in_case_and_blanks_is_the_nearest() {
        assert_eq!(
            bind(&["a", "b"], &["A", " B "]).unwrap_err(),
            "the header lacks the declared fields `a` (did you mean `A`?), `b` (did you mean ` B `?)"
        );
    }

    #[test]
    fn what_cannot_be_seen_in_a_name_is_written_out() {
        let lacking = |field, header| bind(&[field], &[header, "x"]).unwrap_err();
        assert_eq!(
            lacking("name", "name\u{a0}"),
            "the header lacks the declared field `name` (did you mean `name\\u{a0}`?)"
        );
        assert_eq!(
            lacking("name", "\u{feff}name"),
            "the header lacks the declared field `name` (did you mean `\\u{feff}name`?)"
        );
    }
}
