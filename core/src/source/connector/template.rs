//! Template: a text of a manifest with `{{ … }}` in it, and what it means where it stands.
//!
//! `minijinja` parses; evaluating is here, since a template computes as Python does: `None > 0` is wrong, an undefined name
//! is not, a date less a duration is a date, and the text that comes out means what Python's literals mean.
//! What a template asks for and nobody has is known before anything is sent.
//!
//! `parse` gives a tree -> `evaluate` computes it, with the `functions` that templates may call, over `datum`s

mod datum;
mod evaluate;
mod functions;
mod parse;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::python::{self, Literal};
use parse::Statement;

pub(super) use datum::{Datum, Slice};
pub(super) use functions::{quote, sorted, spaced};

/// Most bytes of a template.
const TEMPLATE_BYTES_MAX: usize = 64 << 10;

/// A template, parsed.
#[derive(Debug, Clone)]
pub(super) struct Template {
    source: String,
    body: Vec<Statement>,
    /// The names that it takes from where it stands.
    names: BTreeSet<String>,
    /// What it means everywhere, if nothing in it is computed.
    constant: Option<Literal>,
    /// What the components above its own give it.
    parameters: Arc<Value>,
}

/// What templates can name where they stand.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    /// Microseconds since 1970.
    pub(super) now: i64,
    /// A number for `generate_uuid`, which chance gives.
    pub(super) chance: u128,
    /// What the user of the connector says.
    pub(super) config: &'a Value,
    /// Everything else, by its name.
    pub(super) names: Vec<(&'a str, Datum<'a>)>,
}

impl<'a> Scope<'a> {
    /// Where nothing but the configuration can be named.
    pub(super) fn new(now: i64, chance: u128, config: &'a Value) -> Self {
        Self { now, chance, config, names: Vec::new() }
    }

    /// With one more name.
    #[must_use]
    pub(super) fn with(mut self, name: &'a str, datum: Datum<'a>) -> Self {
        self.names.push((name, datum));
        self
    }
}

impl<'a> Scope<'a> {
    /// Where a slice can be named, and what its parent gives beside its key.
    #[must_use]
    pub(super) fn sliced(self, slice: &'a Slice) -> Self {
        let scope = slice.extra.iter().fold(self, |scope, (name, value)| scope.with(name, Datum::from(value)));
        ["stream_slice", "stream_interval", "stream_partition"]
            .into_iter()
            .fold(scope, |scope, name| scope.with(name, Datum::Slice(slice)))
    }
}

/// Why a template gives no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It takes something from what is not there.
    Undefined(String),
    /// Python would say `TypeError`: the template then gives itself.
    Type,
    /// It cannot be computed.
    Other(String),
}

/// Which meanings of a text are taken; any other stays the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Types {
    Any,
    /// Texts and lists, as in query parameters and forms.
    TextOrList,
    Text,
    Number,
    Integer,
    Boolean,
    List,
    Object,
}

impl Types {
    fn take(self, literal: &Literal) -> bool {
        let value = &literal.value;
        match self {
            Self::Any => true,
            Self::TextOrList => value.is_string() || (value.is_array() && !literal.is_tuple),
            Self::Text => value.is_string(),
            Self::Number => value.is_f64(),
            Self::Integer => value.is_i64() || value.is_u64() || value.is_boolean(),
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array() && !literal.is_tuple,
            Self::Object => value.is_object(),
        }
    }

    fn meaning(self, text: &str) -> Literal {
        python::literal(text).filter(|literal| self.take(literal)).unwrap_or_else(|| Literal::text(text))
    }
}

impl Template {
    /// Parses a template; the errors are what it asks for that nobody has, each a few words.
    pub(super) fn parse(source: &str, parameters: &Arc<Value>) -> Result<Self, Vec<String>> {
        if source.len() > TEMPLATE_BYTES_MAX {
            return Err(vec![format!("a template of {} bytes; it has at most {TEMPLATE_BYTES_MAX}", source.len())]);
        }
        if source.contains("stream_state") {
            return Err(vec!["`stream_state` in a template".to_owned()]);
        }
        let is_plain = !["{{", "{%", "{#"].iter().any(|mark| source.contains(mark));
        let (body, names) = if is_plain { (Vec::new(), BTreeSet::new()) } else { parse::parse(source)? };
        // Jinja leaves out a line break at the end.
        let plain = source.strip_suffix('\n').unwrap_or(source);
        let constant = is_plain.then(|| Types::Any.meaning(plain));
        Ok(Self { source: source.to_owned(), body, names, constant, parameters: Arc::clone(parameters) })
    }

    /// As it is written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The names that it takes from where it stands.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether nothing in it is computed.
    pub(super) fn is_constant(&self) -> bool {
        self.constant.is_some()
    }

    /// The text that it gives.
    fn render(&self, scope: &Scope<'_>) -> Result<String, Wrong> {
        let known = |name: &String| {
            matches!(name.as_str(), "config" | "parameters") || scope.names.iter().any(|(known, _)| known == name)
        };
        if let Some(name) = self.names.iter().find(|name| !known(name)) {
            return Err(Wrong::Other(format!("`{name}` cannot be named here")));
        }
        evaluate::render(&self.body, &self.parameters, scope)
    }

    /// What it means; where it gives no text, what `otherwise` says.
    fn meaning(
        &self,
        scope: &Scope<'_>,
        types: Types,
        otherwise: impl FnOnce(Wrong) -> Result<Literal, String>,
    ) -> Result<Literal, String> {
        if let Some(literal) = &self.constant {
            let plain = self.source.strip_suffix('\n').unwrap_or(&self.source);
            return match plain {
                "" => otherwise(Wrong::Undefined(String::new())),
                _ if types == Types::Any => Ok(literal.clone()),
                plain => Ok(types.meaning(plain)),
            };
        }
        let wrong = match self.render(scope) {
            Ok(text) if !text.is_empty() => return Ok(types.meaning(&text)),
            Ok(_) => Wrong::Undefined(String::new()),
            Err(Wrong::Type) => return Ok(types.meaning(&self.source)),
            Err(Wrong::Other(message)) => return Err(self.failed(&message)),
            Err(undefined) => undefined,
        };
        otherwise(wrong)
    }

    /// A sentence; it quotes the template, never a value.
    fn failed(&self, message: &str) -> String {
        format!("the template `{}`: {message}", self.source)
    }

    /// Its meaning where it must have one.
    pub(super) fn literal(&self, scope: &Scope<'_>, types: Types) -> Result<Literal, String> {
        self.meaning(scope, types, |wrong| match wrong {
            Wrong::Undefined(message) if !message.is_empty() => Err(self.failed(&message)),
            _ => Ok(Literal::text("")),
        })
    }

    /// Its meaning where it must have one.
    pub(super) fn value(&self, scope: &Scope<'_>) -> Result<Value, String> {
        self.literal(scope, Types::Any).map(|literal| literal.value)
    }

    /// Its meaning as `str` writes it.
    pub(super) fn text(&self, scope: &Scope<'_>) -> Result<String, String> {
        self.literal(scope, Types::Any).map(|literal| literal.to_text())
    }

    /// Its meaning where it may have none: null then.
    pub(super) fn optional(&self, scope: &Scope<'_>, types: Types) -> Result<Literal, String> {
        self.meaning(scope, types, |_| Ok(Literal::from(Value::Null)))
    }

    /// Whether it holds.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> Result<bool, String> {
        let literal = self.meaning(scope, Types::Any, |_| Ok(Literal::from(Value::Bool(false))))?;
        Ok(match &literal.value {
            Value::String(text) => !["", "False", "false", "{}", "[]", "()", "0", "0.0"].contains(&text.as_str()),
            value => python::is_true(value),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::source::connector::Response;

    fn scope<'a>(config: &'a Value, response: &'a Value) -> Scope<'a> {
        Scope::new(1_709_294_400_000_000, 0, config).with("response", Datum::from(response))
    }

    fn check(template: &str, expected: Result<Value, &str>) {
        let config =
            json!({"id": "007", "n": 3, "none": null, "start": "2024-02-20T00:00:00Z", "text": "a,b", "f": 1.5});
        let response = json!({"next": null, "items": [{"id": 1}, {"id": 2}], "more": true, "s": "it's"});
        let template = Template::parse(template, &Arc::new(Value::Null)).unwrap();
        let found = template.value(&scope(&config, &response));
        match expected {
            Ok(value) => assert_eq!(found, Ok(value), "{}", template.source()),
            Err(part) => assert!(found.as_ref().is_err_and(|message| message.contains(part)), "{found:?}"),
        }
    }

    #[test]
    fn a_template_means_what_its_text_means() {
        for (template, expected) in [
            ("{{ config['id'] }}", json!("007")),
            ("{{ config.n }}", json!(3)),
            ("{{ config.n + 1.5 }}", json!(4.5)),
            ("{{ config['none'] }}", json!(null)),
            ("{{ config['gone'] }}", json!("")),
            ("plain", json!("plain")),
            ("12", json!(12)),
            ("{{ response.get('gone', {}).get('x') }}", json!(null)),
            ("{{ response['items'][-1]['id'] }}", json!(2)),
            ("{{ response['items'] | map(attribute='id') | list }}", json!([1, 2])),
            ("{{ response['items'] | selectattr('id', 'gt', 1) | list | length }}", json!(1)),
            ("{{ not response.get('next') }}", json!(true)),
            ("{{ response.next is none and response.more }}", json!(true)),
            ("{{ 'a' if config.n > 2 else 'b' }}", json!("a")),
            ("{{ config.text.split(',')[1] }}", json!("b")),
            ("{{ config['text'][:1] ~ config.n ~ config.none }}", json!("a3None")),
            ("{{ now_utc().strftime('%Y-%m-%d') }}", json!("2024-03-01")),
            ("{{ (now_utc() - duration('P1M')).strftime('%Y-%m-%d') }}", json!("2024-02-01")),
            ("{{ day_delta(-1, '%Y-%m-%d') }}", json!("2024-02-29")),
            ("{{ format_datetime(config.start, '%s') }}", json!(1_708_387_200)),
            ("{{ timestamp(config.start) }}", json!(1_708_387_200.0)),
            ("{{ config.id | hash('md5') }}", json!("9e94b15ed312fa42232fd87a55db0d39")),
            ("{{ 'x-12-y' | regex_search('x-([0-9]+)') }}", json!(12)),
            ("{{ config.gone | default('d') }}", json!("d")),
            ("{% if config.n == 3 %}three{% else %}other{% endif %}", json!("three")),
            ("{% set a = 5 %}{{ a * 2 }}", json!(10)),
            ("{{ response['s'] | string }}", json!("it's")),
            ("{{ max(2, 3) }} ", json!(3)),
            ("{{ config.f | int }}", json!(1)),
            ("{{ 'a b' | urlencode }}", json!("a%20b")),
            ("{{ {'b': '<', 'a': 1} | tojson }}", json!({"a": 1, "b": "<"})),
            ("{{ now_utc().replace(day=1, hour=0).isoformat() }}", json!("2024-03-01T00:00:00+00:00")),
            ("{{ now_utc().isoformat('T', 'seconds') }}", json!("2024-03-01T12:00:00+00:00")),
            ("{{ now_utc().isoformat(timespec='milliseconds', sep=' ') }}", json!("2024-03-01 12:00:00.000+00:00")),
            ("{{ now_utc().isoformat('T', 'hours') }}", json!("2024-03-01T12+00:00")),
            ("{{ 7 in [1, 7] and 'a' not in 'xyz' }}", json!(true)),
        ] {
            check(template, Ok(expected));
        }
    }

    /// Each value is what the reference gives.
    #[test]
    fn functions_give_what_the_reference_gives() {
        for (template, expected) in [
            ("{{ 'a-b-c'.replace('-', '', 1) }}", json!("ab-c")),
            ("{{ 'a-b-c' | replace('-', '', 1) }}", json!("ab-c")),
            ("{{ config.none | map(attribute='id') | list }}", json!([])),
            ("{{ config.none | selectattr('id') | list | length }}", json!(0)),
            ("{{ 'abcabc'.find('b', 2) }}", json!(4)),
            ("{{ 'abcabc'.count('b', 2) ~ 'abc'.startswith('b', 1) ~ 'abc'.endswith('b', 0, 2) }}", json!("1TrueTrue")),
            ("{{ 'abcabc'.rfind('b') }}", json!(4)),
            ("{{ '  a  b c '.split(none, 1) }}", json!(["a", "b c "])),
            ("{{ 'a,b,c'.rsplit(',', 1) }}", json!(["a,b", "c"])),
            ("{{ 3.45 | round(1) }}", json!(3.5)),
            ("{{ 2.675 | round(2) }}", json!(2.67)),
            ("{{ 1234 | round(-2) }}", json!(1200)),
            ("{{ \"it's a-b (c\" | title }}", json!("It's A-B (C")),
            ("{{ ['a', 'B'] | max ~ ['a', 'B'] | min }}", json!("Ba")),
            ("{{ ['b', 'B', 'a'] | unique | sort }}", json!(["a", "b"])),
            ("{{ ['b', 'A', 'a'] | sort(reverse=true) }}", json!(["b", "A", "a"])),
            ("{{ ['b', 'A'] | sort(case_sensitive=true) }}", json!(["A", "b"])),
            ("{{ response['items'] | max(attribute='id') }}", json!({"id": 2})),
            ("{{ response['items'] | sum(attribute='id') }}", json!(3)),
            ("{{ '0x1f' | int(0, 16) }}", json!(31)),
            ("{{ 'x' | int('none') }}", json!("none")),
            ("{{ 'aXb' | regex_replace('(a)X(b)', '\\\\g<1>-\\\\2') }}", json!("a-b")),
            ("{{ 'aXb' | regex_replace('(?P<q>a)X', '\\\\g<q>') }}", json!("ab")),
            ("{{ 'ab' | regex_search('(b)\\\\Z') }}", json!("b")),
            ("{{ [['a', 'b'], ['c', 1]] | urlencode }}", json!("a=b&c=1")),
            ("{{ [0] * 3 }}", json!([0, 0, 0])),
            ("{{ day_delta(-1.5, '%Y-%m-%dT%H') }}", json!("2024-02-29T00")),
            ("{{ (now_utc() - duration('P1D') * 2).strftime('%d') }}", json!(28)),
            (
                "{{ now_utc().strftime('%G-W%V %U %W %C %k %l %P %r') }}",
                json!("2024-W09 08 09 20 12 12 pm 12:00:00 PM"),
            ),
            (
                "{{ now_utc().strftime('%c|%x|%X|%g|%n%t|%-m|%_m|%^a|%Q') }}",
                json!("Fri Mar  1 12:00:00 2024|03/01/24|12:00:00|24|\n\t|3| 3|FRI|%Q"),
            ),
            ("{{ format_datetime('2024 8 2', '%m-%d', '%Y %U %w') }}", json!("02-27")),
            ("{{ '{:02d}/{name:>4}'.format(7, name='ab') }}", json!("07/  ab")),
            ("{{ '{:%}'.format(0.5) ~ 'a'.ljust(3, '.') }}", json!("50.000000%a..")),
            ("{% set a %}b{{ config.n }}{% endset %}{{ a }}", json!("b3")),
            ("x{{ self.x }}", json!("x")),
            // What Python has of its own comes before a field, unless it is asked for as an item.
            ("{{ 'all' if response.items else 'none' }}", json!("all")),
            ("{{ response['items'] | length }}", json!(2)),
            ("{{ response.get('items') | length }}", json!(2)),
            ("{{ response['copy'] is defined }}", json!(true)),
            ("{{ response.gone is defined }}", json!(false)),
        ] {
            check(template, Ok(expected));
        }
        check("{{ 12345678901234567890 }}", Ok(json!(12_345_678_901_234_567_890_u64)));
        check("{{ 12345678901234567890 + 1 }}", Err("more than 63 bits"));
        // What is undefined is no number and no text.
        check("{{ config.gone | int }}", Err("undefined"));
        check("{{ config.gone | float }}", Err("undefined"));
        check("{{ config.gone | base64encode }}", Err("undefined"));
        check("{{ config.n | base64encode }}", Err("no text"));
        for source in ["{{ config.gone | string }}", "{{ now_utc() | string }}", "{{ response.items | length }}"] {
            check(source, Ok(json!(source)));
        }
    }

    #[test]
    fn an_argument_that_nobody_reads_is_said_when_the_template_is_parsed() {
        for (source, what) in [
            ("{{ config.x | tojson(2) }}", "an argument 1 of `tojson`"),
            ("{{ config.x | trim(letters='a') }}", "the argument `letters` of `trim`"),
            ("{{ 'a'.split(',', 1, 2) }}", "an argument 3 of `split`"),
            ("{{ config.x | regex_search('(?<=page=)(\\\\d+)') }}", "the regular expression"),
            ("{{ config.x | regex_search('(a|b)\\\\1') }}", "the regular expression"),
            ("{{ config.x | hash('sha3_256') }}", "the hash `sha3_256`"),
            ("{{ '{a.b}'.format(a=1) }}", "of `format`"),
            ("{{ {1: 2}[1] }}", "keys are no texts"),
            ("{{ 100000000000000000000 }}", "a whole number of more than 64 bits"),
            ("{{ now_utc().replace(tzinfo=none) }}", "the argument `tzinfo` of `replace`"),
            ("{{ self }}", "`self`"),
        ] {
            let missing = Template::parse(source, &Arc::new(Value::Null)).unwrap_err().join("; ");
            assert!(missing.contains(what), "{source}: {missing}");
        }
    }

    #[test]
    fn what_python_calls_a_type_error_gives_the_template_itself() {
        check("{{ response.next > 0 }}", Ok(json!("{{ response.next > 0 }}")));
        check("{{ response.gone.deeper }}", Err("undefined"));
        check("{{ record.id }}", Err("`record` cannot be named here"));
    }

    #[test]
    fn a_template_finds_headers_by_names_of_any_case() {
        let config = json!({});
        let response = Response::new(200, vec![("x-next".to_owned(), "2".to_owned())], Vec::new());
        let headers = response.header_map_with_links();
        let scope = Scope::new(0, 0, &config).with("headers", Datum::Headers(&headers));
        for (template, expected) in [
            ("{{ headers.get('X-Next') }}", json!(2)),
            ("{{ headers['X-NEXT'] }}", json!(2)),
            ("{{ 'X-Next' in headers and 'X-Last' not in headers }}", json!(true)),
            ("{{ headers.get('Link', 'none') }}", json!("none")),
            ("{{ headers.link.next is defined }}", json!(false)),
            ("{{ headers }}", json!({"x-next": "2", "link": {}})),
        ] {
            let template = Template::parse(template, &Arc::new(Value::Null)).unwrap();
            assert_eq!(template.value(&scope), Ok(expected), "{}", template.source());
        }
    }

    #[test]
    fn what_nobody_has_is_said_when_the_template_is_parsed() {
        let wrong = |source: &str| Template::parse(source, &Arc::new(Value::Null)).unwrap_err().join("; ");
        assert!(wrong("{{ range(3) }}").contains("the function `range`"));
        assert!(wrong("{{ config.x | tricky }}").contains("the filter `tricky`"));
        assert!(wrong("{% for x in config %}{% endfor %}").contains("`{% for %}`"));
        assert!(wrong("{{ 'a'.encode() }}").contains("the method `encode`"));
        assert!(wrong("{{ config. }}").contains("template"));
    }

    #[test]
    fn a_template_that_grows_without_end_is_stopped() {
        check("{{ 'x' * 999999999 }}", Err("more than"));
        check("{{ ('x' * 60000) * 60000 }}", Err("more than"));
        let nested = format!("{{{{ {}1{} }}}}", "[".repeat(5000), "]".repeat(5000));
        assert!(Template::parse(&nested, &Arc::new(Value::Null)).is_err());
    }
}
