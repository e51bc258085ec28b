//! Functions: the table of SQL functions that expressions may call.
//!
//! To add a function, add a file to `functions/` with a `pub(super) const FUNCTION: Function` (or several, for a family),
//! and a line to [`FUNCTIONS`]. A [`Function`] is data: its names, one sentence of documentation, examples that are run as
//! tests, and a [`Signature`] for each list of argument types. Overloads resolve as PostgreSQL's do, so list the signatures
//! that PostgreSQL has.
//!
//! A signature's kernel gets a [`Call`] and returns a column. In the common case it is one line: an adapter of `Call` reads the
//! arguments as plain values, leaves out the rows with a NULL or a fault, and calls a closure for the others:
//!
//! - [`Call::map`]: the closure returns a number, boolean or date, NULL (`Ok(None)`) or a fault (`Err`);
//! - [`Call::slice`]: it returns a part of an argument's text, or a text that lives as long;
//! - [`Call::write`]: it appends to a text and says whether the row has one.
//!
//! A kernel may also work on the argument columns itself ([`Call::arguments`]), as those do that take NULLs
//! (`strict: false`).

pub(super) mod call;
mod code;
mod array;
mod bits;
mod buckets;
mod bytes;
mod calendar;
mod datetime;
mod divisors;
mod exponential;
mod field;
mod format;
mod hash;
mod interval;
mod json;
mod length;
mod letters;
mod normalize;
mod lineage;
mod make;
mod mask;
mod matching;
mod operators;
mod pad;
mod part;
mod quote;
mod regexp;
mod replace;
mod rounding;
mod scale;
mod search;
mod sign;
mod logic;
mod size;
mod sound;
mod substring;
mod pattern;
mod trigonometry;
mod trim;
mod unit;
mod zone;

pub(super) use array::compares_arrays;
pub(super) use array::gives_array;
pub(super) use array::takes_array;
pub(super) use call::Call;
pub(super) use letters::small;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::new_null_array;

use super::evaluate::vector::Vector;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::SUPER_BYTES_MAX;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::Interval;
use crate::value::datetime::is_finite;
use crate::value::datetime::is_finite_day;

/// Every function, by family.
pub(super) const FUNCTIONS: &[&[Function]] = &[
    letters::FUNCTIONS,
    normalize::FUNCTIONS,
    trim::FUNCTIONS,
    length::FUNCTIONS,
    substring::FUNCTIONS,
    replace::FUNCTIONS,
    part::FUNCTIONS,
    array::FUNCTIONS,
    search::FUNCTIONS,
    pad::FUNCTIONS,
    code::FUNCTIONS,
    quote::FUNCTIONS,
    format::FUNCTIONS,
    size::FUNCTIONS,
    sound::FUNCTIONS,
    mask::FUNCTIONS,
    regexp::FUNCTIONS,
    matching::FUNCTIONS,
    hash::FUNCTIONS,
    bytes::FUNCTIONS,
    json::FUNCTIONS[0],
    json::FUNCTIONS[1],
    json::FUNCTIONS[2],
    json::FUNCTIONS[3],
    json::FUNCTIONS[4],
    sign::FUNCTIONS,
    logic::FUNCTIONS,
    rounding::FUNCTIONS,
    scale::FUNCTIONS,
    divisors::FUNCTIONS,
    exponential::FUNCTIONS,
    trigonometry::FUNCTIONS,
    buckets::FUNCTIONS,
    bits::FUNCTIONS,
    datetime::FUNCTIONS,
    field::FUNCTIONS,
    interval::FUNCTIONS,
    make::FUNCTIONS,
    calendar::FUNCTIONS,
    zone::FUNCTIONS,
    pattern::FUNCTIONS,
    lineage::FUNCTIONS,
];

/// The longest text that a function makes of a shorter one. Redshift's texts end far below; what is longer would only fill the
/// memory.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// The longest text that is joined of others, or written of a value: as long as a `super` may be.
pub(super) const JOINED_BYTES_MAX: usize = SUPER_BYTES_MAX;

/// Whether a text that grows is still short enough.
pub(super) fn check_joined(text: &str) -> Result<(), Fault> {
    if text.len() <= JOINED_BYTES_MAX {
        return Ok(());
    }
    let fact = format!("requested length too large: a text has at most {JOINED_BYTES_MAX} bytes");
    Err(Fault::new(Code::ResultTooLong, fact))
}

/// A function of SQL.
#[derive(Debug)]
pub(super) struct Function {
    /// Its name, in lower case, as the documentation lists it.
    pub(super) name: &'static str,
    /// Other names for the same.
    pub(super) aliases: &'static [&'static str],
    /// What it gives, in one sentence.
    pub(super) doc: &'static str,
    /// The lists of arguments that it takes.
    pub(super) signatures: &'static [Signature],
    /// Expressions with their results as text; `NULL`, or the code of a fault.
    pub(super) examples: &'static [(&'static str, &'static str)],
}

/// One list of arguments that a function takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    /// The kinds of the arguments.
    pub(super) arguments: &'static [Kind],
    /// Whether the last argument may be repeated.
    pub(super) variadic: bool,
    /// Whether a NULL argument makes the result NULL, whatever the others are.
    pub(super) strict: bool,
    /// Whether the result may be NULL where no argument is.
    pub(super) nullable: bool,
    /// The type of the result.
    pub(super) returns: Returns,
    /// What is asked of arguments that are constants, by their places.
    pub(super) constants: &'static [(usize, Constant)],
    /// The work.
    pub(super) kernel: fn(&Call<'_>) -> Column,
}

impl Signature {
    /// A strict signature, which never gives NULL by itself.
    pub(super) const fn new(arguments: &'static [Kind], returns: Type, kernel: fn(&Call<'_>) -> Column) -> Self {
        let returns = Returns::Type(returns);
        Self { arguments, variadic: false, strict: true, nullable: false, returns, constants: &[], kernel }
    }

    /// With a result type that depends on the arguments.
    pub(super) const fn returns(self, rule: fn(&[Argument<'_>]) -> Result<Type, Refusal>) -> Self {
        Self { returns: Returns::Rule(rule), ..self }
    }

    /// Refusing constants that no row gets past.
    pub(super) const fn constants(self, constants: &'static [(usize, Constant)]) -> Self {
        Self { constants, ..self }
    }

    /// Giving NULL for some arguments.
    pub(super) const fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// Taking the last argument any number of times, and NULLs as values.
    pub(super) const fn variadic_over_nulls(self) -> Self {
        Self { variadic: true, strict: false, ..self }
    }
}

/// The type of a result.
#[derive(Debug, Clone, Copy)]
pub(super) enum Returns {
    /// Always this.
    Type(Type),
    /// What the arguments make of it, or why they do not go together.
    Rule(fn(&[Argument<'_>]) -> Result<Type, Refusal>),
}

/// Why a call is the author's mistake.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) fact: String,
    /// The fault that each row would have.
    pub(super) fault: Option<Code>,
    /// The argument that is wrong, if it is one alone.
    pub(super) at: Option<usize>,
}

impl From<&str> for Refusal {
    fn from(fact: &str) -> Self {
        Self { fact: fact.to_owned(), fault: None, at: None }
    }
}

impl From<String> for Refusal {
    fn from(fact: String) -> Self {
        Self { fact, fault: None, at: None }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { fact: fault.message.to_string(), fault: Some(fault.code), at: None }
    }
}

/// What a constant argument must be, so that a row can get past it: the fault of each row otherwise.
#[derive(Debug)]
pub(super) enum Constant {
    Text(fn(&str) -> Result<(), Fault>),
    /// A text that PostgreSQL reads into a type of its own when it reads the expression, whatever stands beside it.
    Form(fn(&str) -> Result<(), Fault>),
    Smallint(fn(i16) -> Result<(), Fault>),
    Bigint(fn(i64) -> Result<(), Fault>),
    Integer(fn(i32) -> Result<(), Fault>),
    Numeric(fn(Decimal) -> Result<(), Fault>),
    Double(fn(f64) -> Result<(), Fault>),
    Interval(fn(Interval) -> Result<(), Fault>),
}

impl Constant {
    /// Asks a constant that is not NULL.
    pub(super) fn check(&self, values: &ArrayRef) -> Result<(), Fault> {
        use call::Read;
        let vector = Vector::constant(values.clone());
        match self {
            Self::Text(check) | Self::Form(check) => check(call::Text::read(&call::Text::reader(&vector), 0)),
            Self::Smallint(check) => check(call::Smallint::read(&call::Smallint::reader(&vector), 0)),
            Self::Bigint(check) => check(call::Bigint::read(&call::Bigint::reader(&vector), 0)),
            Self::Integer(check) => check(call::Integer::read(&call::Integer::reader(&vector), 0)),
            Self::Numeric(check) => check(call::Numeric::read(&call::Numeric::reader(&vector), 0)),
            Self::Double(check) => check(call::Double::read(&call::Double::reader(&vector), 0)),
            Self::Interval(check) => check(call::Interval::read(&call::Interval::reader(&vector), 0)),
        }
    }
}

/// What is known of an argument before there are rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument<'a> {
    /// Its type, one of its signature's kind.
    pub(super) ty: Type,
    /// Its value as an array of one row, if it is constant.
    pub(super) constant: Option<&'a ArrayRef>,
}

impl Argument<'_> {
    /// Whether it is the constant `NaN` or an infinity, of exact numbers, days or times.
    pub(super) fn is_special(&self) -> bool {
        use call::Read;
        let Some(values) = self.constant.filter(|values| values.is_valid(0)) else { return false };
        let vector = Vector::constant(values.clone());
        match self.ty {
            Type::Numeric => call::Numeric::read(&call::Numeric::reader(&vector), 0).special().is_some(),
            Type::Date => !is_finite_day(call::Date::read(&call::Date::reader(&vector), 0)),
            Type::Timestamp | Type::Timestamptz => {
                !is_finite(call::Timestamp::read(&call::Timestamp::reader(&vector), 0))
            }
            _ => false,
        }
    }
}

/// Types by what functions and operators take: decimals of all scales are one kind, and so are texts of all lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Smallint,
    Integer,
    Bigint,
    Numeric,
    Real,
    Double,
    Date,
    Time,
    Timetz,
    Interval,
    Timestamp,
    Timestamptz,
    Text,
    /// JSON as it is written.
    Json,
    /// JSON in the normal form of PostgreSQL's `jsonb`.
    Jsonb,
    /// Bytes, in their text form.
    Bytea,
    /// Any type, turned into its text.
    Any,
}

/// The fault of a text that grew too long.
fn too_long() -> Fault {
    Fault::new(Code::ResultTooLong, format!("requested length too large: a text has at most {TEXT_BYTES_MAX} bytes"))
}

/// The kernel of a signature that is always refused: PostgreSQL has it, so that it must not resolve to another.
pub(super) fn nothing(call: &Call<'_>) -> Column {
    Column::new(new_null_array(&call.ty.arrow(), call.rows))
}

/// The function of that name, in lower case.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name || function.aliases.contains(&name))
}

/// What an operator, or a form of SQL that has no name, means for days, times, intervals and JSON.
pub(super) fn operator(name: &str) -> Option<&'static Function> {
    let json = json::OPERATORS.into_iter().flatten();
    let named = |function: &&Function| function.name == name || function.aliases.contains(&name);
    operators::OPERATORS.iter().chain(array::OPERATORS).chain(json).find(named)
}

/// Every function.
pub(super) fn all() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().flat_map(|family| family.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::tests::result;

    #[test]
    fn every_example_is_true() {
        for function in
            all().chain(operators::OPERATORS).chain(array::OPERATORS).chain(json::OPERATORS.into_iter().flatten())
        {
            assert!(!function.examples.is_empty(), "{} has no example", function.name);
            for (expression, wanted) in function.examples {
                assert_eq!(result(expression), *wanted, "{expression}");
            }
        }
    }

    /// A value of a kind that is at an end of it, or otherwise not what one thinks of, as SQL.
    fn extremes(kind: Kind) -> Vec<String> {
        let texts = |texts: &[&str]| texts.iter().map(|text| format!("'{}'", text.replace('\'', "''"))).collect();
        let cast = |values: &[&str], ty: &str| values.iter().map(|value| format!("'{value}'::{ty}")).collect();
        match kind {
            Kind::Boolean => cast(&["t", "f"], "boolean"),
            Kind::Smallint => cast(&["-32768", "-1", "0", "1", "32767"], "smallint"),
            Kind::Integer => cast(&["-2147483648", "-2147483647", "-1", "0", "1", "2", "39", "2147483647"], "integer"),
            Kind::Bigint => {
                cast(&["-9223372036854775808", "-1", "0", "1", "4294967296", "9223372036854775807"], "bigint")
            }
            Kind::Numeric => cast(
                &[
                    "99999999999999999999999999999999999999",
                    "-99999999999999999999999999999999999999",
                    "0.00000000000000000000000000000000000001",
                    "-0.99999999999999999999999999999999999999",
                    "0",
                    "1.000",
                    "-2.5",
                    "9223372036854775808",
                ],
                "numeric",
            ),
            Kind::Real => cast(&["NaN", "-Infinity", "3.4028235e38", "1e-45", "-0", "2.5"], "real"),
            Kind::Double => cast(
                &["NaN", "Infinity", "-Infinity", "1.7976931348623157e308", "5e-324", "-0", "-2.5", "1e15"],
                "double precision",
            ),
            Kind::Date => cast(&["4713-11-24 BC", "294276-12-31", "infinity", "-infinity", "2000-02-29"], "date"),
            Kind::Time => cast(&["00:00", "24:00", "23:59:59.999999"], "time"),
            Kind::Timetz => cast(&["00:00+15:59:59", "24:00-15:59:59", "12:00+00"], "timetz"),
            Kind::Bytea => cast(&["", "\\x00", "\\xff00ff", "abc"], "bytea"),
            Kind::Interval => [(i32::MAX, i32::MAX, i64::MAX), (i32::MIN, i32::MIN, i64::MIN), (0, 0, 0), (1, -31, 1)]
                .into_iter()
                .map(|(months, days, micros)| format!("'{months} months {days} days {micros} microseconds'::interval"))
                .collect(),
            Kind::Timestamp => cast(
                &[
                    "4714-11-24 00:00 BC",
                    "294247-01-10 04:00:54.775806",
                    "infinity",
                    "-infinity",
                    "2000-02-29 23:59:60",
                ],
                "timestamp",
            ),
            Kind::Timestamptz => cast(
                &["4714-11-24 00:00+00 BC", "294247-01-10 04:00:54.775806+00", "infinity", "-infinity"],
                "timestamptz",
            ),
            Kind::Text | Kind::Any => texts(&[
                "",
                " ",
                "a",
                "ß😀\u{0}é",
                "-1",
                "day",
                "Europe/Berlin",
                "A8B,J1,J365",
                "YYYY-MM-DD",
                "FMTH9990.99EEEE",
                "%s%2$L",
                "(a|b)*\\",
                "[",
                "gi",
                "9999999999999999999999999999999999999999",
                "{\"a\": [1]}",
                "{a,-1}",
                "$.**[last]?(@ > 1 && @ like_regex \"(a*)*\").double()",
                "\\",
            ]),
            Kind::Json | Kind::Jsonb => {
                let ty = if kind == Kind::Json { "super" } else { "jsonb" };
                cast(&["null", "[]", "{\"a\": [1, {}]}", "1e999", "\"\\ud83d\\ude00\"", "[[-0.0]]"], ty)
            }
        }
    }

    /// No value that a row may have ends a run: each function gives a value or a fault for the ends of its kinds, of which
    /// every second argument is a constant in turn.
    #[test]
    fn every_function_takes_every_value() {
        let mut calls = 0;
        for function in
            all().chain(operators::OPERATORS).chain(array::OPERATORS).chain(json::OPERATORS.into_iter().flatten())
        {
            for signature in function.signatures {
                let kinds: Vec<_> = signature.arguments.iter().map(|kind| extremes(*kind)).collect();
                let combinations: usize = kinds.iter().map(Vec::len).product();
                // All of the few, and some of the many.
                let step = (combinations / 400).max(1) | 1;
                for number in (0..combinations).step_by(step) {
                    let mut rest = number;
                    let arguments = kinds.iter().map(|values| {
                        let value = &values[rest % values.len()];
                        rest /= values.len();
                        value.as_str()
                    });
                    evaluate(signature, &arguments.collect::<Vec<_>>());
                    calls += 1;
                }
            }
        }
        assert!(calls > 20_000, "{calls}");
    }

    /// Where values stand, and no parameters: what is infinite or at an end of its type is no mistake there, though no other
    /// value goes with it.
    const VALUES: [&str; 20] = [
        "* [",
        "+ [",
        "- [",
        "/ [",
        "(interval) [",
        "add_months [",
        "age [",
        "date_part [Text, Date] 1",
        "json_array_length [Text, Boolean] 0",
        "json_extract_array_element_text [Text, Integer] 0",
        "json_extract_array_element_text [Text, Integer, Boolean] 0",
        "jsonb_delete [",
        "jsonb_path_match [",
        "jsonb_path_match_tz [",
        "jsonb_set_lax [",
        "jsonb_set [",
        "make_interval [",
        "months_between [",
        "timestamp [",
        "timestamptz [",
    ];

    /// What no row gets past is refused by the check: of each parameter, a constant with which every call faults alike. The
    /// parameters are found by trying, so that no kind of them is forgotten.
    #[test]
    fn a_constant_that_no_row_gets_past_is_refused() {
        let mut wrong = Vec::new();
        for function in
            all().chain(operators::OPERATORS).chain(array::OPERATORS).chain(json::OPERATORS.into_iter().flatten())
        {
            for signature in function.signatures.iter().filter(|signature| signature.arguments.len() > 1) {
                for (at, kind) in signature.arguments.iter().enumerate() {
                    let others = signature.arguments.iter().enumerate().map(|(other, kind)| match other == at {
                        true => vec![String::new()],
                        false => extremes(*kind),
                    });
                    let others: Vec<_> = others.collect();
                    for constant in extremes(*kind) {
                        if let Some(fault) = always_faults(signature, at, &constant, &others) {
                            wrong.push(format!(
                                "{} {:?} {at} {constant}: {fault:?}",
                                function.name, signature.arguments
                            ));
                        }
                    }
                }
            }
        }
        wrong.retain(|wrong| !VALUES.iter().any(|known| wrong.starts_with(known)));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// The fault that a call with a constant has for all values of the others, if the check does not refuse it.
    fn always_faults(signature: &Signature, at: usize, constant: &str, others: &[Vec<String>]) -> Option<Fault> {
        let combinations: usize = others.iter().map(Vec::len).product();
        let step = (combinations / 400).max(1) | 1;
        let mut fault = None;
        for number in (0..combinations).step_by(step) {
            let mut rest = number;
            let arguments = others.iter().enumerate().map(|(other, values)| {
                let value = &values[rest % values.len()];
                rest /= values.len();
                if other == at { constant } else { value.as_str() }
            });
            let column = called(signature, &arguments.collect::<Vec<_>>(), |other| other == at)?;
            let found = column.faults.of(0)?;
            if fault.as_ref().is_some_and(|fault| fault != found) {
                return None;
            }
            fault = Some(found.clone());
        }
        fault
    }

    /// Asks a signature for its value for some arguments.
    fn evaluate(signature: &Signature, arguments: &[&str]) {
        called(signature, arguments, |_| true);
    }

    /// What a signature makes of some arguments, some of them known before; `None` where the check refuses them.
    fn called(signature: &Signature, arguments: &[&str], is_known: impl Fn(usize) -> bool) -> Option<Column> {
        let constant = |text: &&str| {
            let (expr, _) = crate::expr::Expr::compile(text, &[]).ok()?;
            let context = crate::expr::Context { batch_time: 0, source_name: "", record_offsets: &[0] };
            Some((expr.ty(), expr.evaluate(&[], 1, &context)))
        };
        let values = arguments.iter().map(constant).collect::<Option<Vec<_>>>()?;
        let known = values
            .iter()
            .enumerate()
            .map(|(at, (ty, column))| Argument { ty: *ty, constant: is_known(at).then_some(&column.values) });
        let known: Vec<_> = known.collect();
        // What the check refuses is not asked for.
        let refused = |(at, constant): &(usize, Constant)| {
            let argument = known.get(*at).and_then(|argument| argument.constant);
            argument.is_some_and(|values| values.is_valid(0) && constant.check(values).is_err())
        };
        if signature.constants.iter().any(refused) {
            return None;
        }
        let ty = match &signature.returns {
            Returns::Type(ty) => *ty,
            Returns::Rule(rule) => rule(&known).ok()?,
        };
        let vectors: Vec<_> = values.into_iter().map(|(_, column)| Vector::rows(column)).collect();
        let context = crate::expr::Context { batch_time: 0, source_name: "", record_offsets: &[0] };
        let column = (signature.kernel)(&Call { arguments: &vectors, rows: 1, ty, context: &context });
        assert_eq!(column.values.len(), 1, "{arguments:?}");
        assert_eq!(column.values.data_type(), &ty.arrow(), "{arguments:?}");
        Some(column)
    }

    #[test]
    fn no_name_stands_twice() {
        let mut names: Vec<_> = all().flat_map(|function| function.aliases.iter().chain([&function.name])).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        assert!(all().all(|function| !function.doc.is_empty()));
    }
}
