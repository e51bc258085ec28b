//! Header: which column of the object each declared field is.

use crate::diagnostic::nearest;

/// Which column each declared field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    /// How many fields a record must have.
    pub(super) columns: usize,
    /// The column of each declared field.
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

    /// Fields bound by exact name. An error names every declared field that the header lacks, or has more than once.
    pub(super) fn by_name(fields: &[String], header: Vec<String>) -> Result<Self, String> {
        let mut lacking = Vec::new();
        let mut doubled = Vec::new();
        let mut column_of = Vec::with_capacity(fields.len());
        for field in fields {
            let mut columns = header.iter().enumerate().filter(|&(_, name)| name == field).map(|(column, _)| column);
            let first = columns.next();
            match first {
                None => {
                    let near = nearest(field, header.iter().filter(|name| !fields.contains(name)).map(String::as_str));
                    lacking.push(match near {
                        Some(near) => format!("`{field}` (did you mean `{near}`?)"),
                        None => format!("`{field}`"),
                    });
                }
                Some(_) if columns.next().is_some() => doubled.push(format!("`{field}`")),
                Some(_) => {}
            }
            column_of.push(first.unwrap_or(0));
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
        let names: Vec<String> = self.undeclared.iter().filter_map(name).map(|name| format!("`{name}`")).collect();
        match names.as_slice() {
            [name] => format!("the field {name} is not declared"),
            names => format!("the fields {} are not declared", names.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(fields: &[&str], header: &[&str]) -> Result<Binding, String> {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        Binding::by_name(&own(fields), own(header))
    }

    #[test]
    fn fields_bind_by_exact_name() {
        let binding = bind(&["b", "a"], &["a", "x", "b"]).unwrap();
        assert_eq!((binding.columns, binding.column_of.as_slice(), binding.is_straight), (3, &[2, 0][..], false));
        assert_eq!(binding.undeclared(), "the field `x` is not declared");
        assert!(bind(&["a", "b"], &["a", "b"]).unwrap().is_straight);
    }

    #[test]
    fn one_sentence_names_every_field_that_is_wrong() {
        assert_eq!(
            bind(&["customer", "id", "amount", "x"], &["Customer", "id", "amount", "amount"]).unwrap_err(),
            "the header lacks the declared fields `customer` (did you mean `Customer`?), `x` \
             and has the declared field `amount` more than once"
        );
    }
}
