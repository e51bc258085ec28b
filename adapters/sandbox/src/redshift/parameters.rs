//! Parameters: `:name` in a statement, and the values that a request gives.
//!
//! PostgreSQL knows its parameters by number. Each place gets a number of its own, so that the server infers the type of
//! each from where it stands, as a driver's prepared statement does, and one name may stand for values of two types.

use super::words::Kind;
use super::words::words;

/// A statement with numbered parameters, and the name behind each number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbered {
    pub(super) sql: String,
    pub(super) names: Vec<String>,
}

/// A value of a request, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) value: String,
}

/// Puts a number in the place of each parameter. Texts, quoted names, comments and `::` are left alone.
pub(super) fn number(sql: &str) -> Numbered {
    let mut numbered = Numbered { sql: String::with_capacity(sql.len()), names: Vec::new() };
    let words = words(sql);
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let name = words.get(at + 1).filter(|next| word.is(":") && next.kind == Kind::Plain);
        // A name has ASCII letters, digits and `_` only; what follows them is not part of it.
        let name = name.map(|next| {
            let end = next.text.find(|letter: char| !is_name(letter)).unwrap_or(next.text.len());
            next.text.split_at(end)
        });
        match name.filter(|(name, _)| !name.is_empty()) {
            Some((name, rest)) => {
                numbered.names.push(name.to_owned());
                numbered.sql.push_str(&format!("${}{rest}", numbered.names.len()));
                at += 2;
            }
            None => {
                numbered.sql.push_str(word.text);
                at += 1;
            }
        }
    }
    numbered
}

/// Whether a letter may stand in the name of a parameter.
pub(super) fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// What is wrong with the parameters of a request, if anything: each one that is used is given, and each one that is given
/// is used, by one of the statements at least.
pub(super) fn fault(statements: &[Numbered], given: &[Parameter]) -> Option<String> {
    for (place, parameter) in given.iter().enumerate() {
        let Parameter { name, value } = parameter;
        if name.is_empty() || !name.chars().all(is_name) {
            return Some(format!("Parameters: the name '{name}' does not match [0-9a-zA-Z_]+"));
        }
        if value.is_empty() {
            return Some(format!("Parameters: the value of '{name}' must have length greater than or equal to 1"));
        }
        if given.iter().take(place).any(|earlier| earlier.name == *name) {
            return Some(format!("Parameters: '{name}' is given twice"));
        }
        if !statements.iter().any(|statement| statement.names.contains(name)) {
            return Some(format!("Parameters list contains unused parameters. Unused parameters: [{name}]"));
        }
    }
    let mut used = statements.iter().flat_map(|statement| &statement.names);
    let missing = used.find(|name| !given.iter().any(|parameter| parameter.name == **name))?;
    Some(format!("Parameters list does not contain a value for ':{missing}'"))
}

/// The values of a statement's numbers, in order.
pub(super) fn values<'a>(names: &[String], given: &'a [Parameter]) -> Vec<&'a str> {
    let value = |name: &String| given.iter().find(|parameter| parameter.name == *name);
    names.iter().filter_map(value).map(|parameter| parameter.value.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_place_has_its_number() {
        let check = |sql: &str, expected: &str, names: &[&str]| {
            let numbered = number(sql);
            assert_eq!((numbered.sql.as_str(), numbered.names), (expected, names.map_to_owned()), "{sql}");
        };
        check("SELECT :a, :b1, :a", "SELECT $1, $2, $3", &["a", "b1", "a"]);
        check("SELECT :a::smallint, x::text", "SELECT $1::smallint, x::text", &["a"]);
        check(
            "SELECT ':a', \":a\" -- :a\n, /* :a /* :b */ :c */ :d",
            "SELECT ':a', \":a\" -- :a\n, /* :a /* :b */ :c */ $1",
            &["d"],
        );
        check("SELECT : a, 'it''s :a'", "SELECT : a, 'it''s :a'", &[]);
    }

    trait MapToOwned {
        fn map_to_owned(&self) -> Vec<String>;
    }
    impl MapToOwned for [&str] {
        fn map_to_owned(&self) -> Vec<String> {
            self.iter().map(|&name| name.to_owned()).collect()
        }
    }

    #[test]
    fn what_is_given_is_used_and_what_is_used_is_given() {
        let given = |name: &str, value: &str| Parameter { name: name.to_owned(), value: value.to_owned() };
        let check = |sql: &str, given: &[Parameter]| fault(&[number("SELECT :z"), number(sql)], given);
        let z = given("z", "1");
        assert_eq!(check("SELECT :a", &[given("a", "1"), z.clone()]), None);
        assert!(check("SELECT :a", std::slice::from_ref(&z)).unwrap().contains(":a"));
        assert!(check("SELECT 1", &[given("a", "1"), z.clone()]).unwrap().contains("unused"));
        assert!(check("SELECT :a", &[given("a", ""), z.clone()]).unwrap().contains("length"));
        assert!(check("SELECT :a", &[given("a-b", "1"), z]).unwrap().contains("match"));
    }

    /// A piece of SQL, what it becomes when it begins with the number `{}`, and the parameter in it.
    fn piece() -> impl Strategy<Value = (String, Option<String>)> {
        let inside = "[a-z0-9 :;.,*$-]{0,12}";
        prop_oneof![
            "[a-z0-9_]{1,6}".prop_map(|name| (format!(":{name}"), Some(name))),
            inside.prop_map(|text| (format!("':{text}'"), None)),
            inside.prop_map(|text| (format!("'it''s :{text}'"), None)),
            inside.prop_map(|text| (format!("\":{text}\""), None)),
            inside.prop_map(|text| (format!("-- :{text}\n"), None)),
            inside.prop_map(|text| (format!("/* :{} */", text.replace("*", "")), None)),
            "[a-z]{1,4}".prop_map(|ty| (format!("x::{ty}"), None)),
            "[a-z_]{1,6}|[0-9]{1,3}|[(),=+]".prop_map(|word| (word, None)),
        ]
    }

    proptest! {
        /// Only what stands outside of texts, names, comments and casts is a parameter, and nothing else changes.
        #[test]
        fn parameters_are_found_where_values_stand(pieces in prop::collection::vec(piece(), 0..12)) {
            let sql = pieces.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" ");
            let names: Vec<String> = pieces.iter().filter_map(|(_, name)| name.clone()).collect();
            let mut count = 0;
            let expected = pieces.iter().map(|(text, name)| {
                count += usize::from(name.is_some());
                if name.is_some() { format!("${count}") } else { text.clone() }
            });
            let expected = expected.collect::<Vec<_>>().join(" ");
            prop_assert_eq!(number(&sql), Numbered { sql: expected, names });
        }

        /// Any text is cut into words that put together are the text.
        #[test]
        fn words_lose_nothing(text in "\\PC{0,60}|[a-z'\":/*\\-\n ]{0,60}") {
            let put: String = words(&text).iter().map(|word| word.text).collect();
            prop_assert_eq!(put, text);
        }
    }
}
