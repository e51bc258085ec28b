//! Behind: the functions behind operators, which PostgreSQL allows to be called by name: `int4pl(1, 2)` is `1 + 2`.

use super::Checker;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::functions::Kind;
use crate::expr::tree::Binary;
use crate::expr::tree::Unary;
use crate::types::Type;

/// Each operator, or function, with the other names of what it does, and a letter for the type of each operand: boolean, s(mallint), integer,
/// l(ong, bigint), numeric, real, double precision, text, char, D(ate), T(ime), Z (timetz), I(nterval), m(oment, timestamp),
/// M (timestamptz), jsonb, y (bytea).
const NAMES: &[(&str, &str)] = &[
    ("!~", "bpcharregexne:ct textregexne:tt"),
    ("!~*", "bpcharicregexne:ct texticregexne:tt"),
    ("!~~", "bpcharnlike:ct byteanlike:yy textnlike:tt"),
    ("!~~*", "bpcharicnlike:ct texticnlike:tt"),
    ("#", "int2xor:ss int4xor:ii int8xor:ll"),
    ("%", "int2mod:ss int4mod:ii int8mod:ll numeric_mod:nn"),
    ("&", "int2and:ss int4and:ii int8and:ll"),
    (
        "*",
        "float48mul:rd float4mul:rr float84mul:dr float8mul:dd int24mul:si int28mul:sl int2mul:ss int42mul:is int48mul:il \
         int4mul:ii int82mul:ls int84mul:li int8mul:ll interval_mul:Id mul_d_interval:dI numeric_mul:nn",
    ),
    (
        "+",
        "date_pl_interval:DI date_pli:Di datetime_pl:DT datetimetz_pl:DZ float48pl:rd float4pl:rr float4up:r float84pl:dr \
         float8pl:dd float8up:d int24pl:si int28pl:sl int2pl:ss int2up:s int42pl:is int48pl:il int4pl:ii int4up:i \
         int82pl:ls int84pl:li int8pl:ll int8up:l integer_pl_date:iD interval_pl:II interval_pl_date:ID \
         interval_pl_time:IT interval_pl_timestamp:Im interval_pl_timestamptz:IM interval_pl_timetz:IZ numeric_add:nn \
         numeric_uplus:n time_pl_interval:TI timedate_pl:TD timestamp_pl_interval:mI timestamptz_pl_interval:MI \
         timetz_pl_interval:ZI timetzdate_pl:ZD",
    ),
    (
        "-",
        "date_mi:DD date_mi_interval:DI date_mii:Di float48mi:rd float4mi:rr float4um:r float84mi:dr float8mi:dd \
         float8um:d int24mi:si int28mi:sl int2mi:ss int2um:s int42mi:is int48mi:il int4mi:ii int4um:i int82mi:ls \
         int84mi:li int8mi:ll int8um:l interval_mi:II interval_um:I numeric_sub:nn numeric_uminus:n time_mi_interval:TI \
         time_mi_time:TT timestamp_mi:mm timestamp_mi_interval:mI timestamptz_mi:MM timestamptz_mi_interval:MI \
         timetz_mi_interval:ZI",
    ),
    (
        "/",
        "float48div:rd float4div:rr float84div:dr float8div:dd int24div:si int28div:sl int2div:ss int42div:is int48div:il \
         int4div:ii int82div:ls int84div:li int8div:ll interval_div:Id numeric_div:nn",
    ),
    ("<", "text_lt:tt"),
    ("<<", "int2shl:si int4shl:ii int8shl:li"),
    ("<=", "text_le:tt"),
    ("<>", "textne:tt"),
    ("=", "texteq:tt"),
    (">", "text_gt:tt"),
    (">=", "text_ge:tt"),
    (">>", "int2shr:si int4shr:ii int8shr:li"),
    ("@", "float4abs:r float8abs:d int2abs:s int4abs:i int8abs:l numeric_abs:n"),
    ("^", "dpow:dd numeric_power:nn"),
    ("|", "int2or:ss int4or:ii int8or:ll"),
    ("||", "textcat:tt"),
    ("~", "bpcharregexeq:ct int2not:s int4not:i int8not:l textregexeq:tt"),
    ("~*", "bpcharicregexeq:ct texticregexeq:tt"),
    ("~<=~", "bpchar_pattern_le:cc"),
    ("~<~", "bpchar_pattern_lt:cc"),
    ("~>=~", "bpchar_pattern_ge:cc"),
    ("~>~", "bpchar_pattern_gt:cc"),
    ("~~", "bpcharlike:ct bytealike:yy textlike:tt"),
    ("~~*", "bpchariclike:ct texticlike:tt"),
    ("sqrt", "numeric_sqrt:n"),
    ("exp", "numeric_exp:n"),
    ("ln", "numeric_ln:n"),
    ("log", "numeric_log:nn"),
    ("div", "numeric_div_trunc:nn"),
    ("round", "dround:d"),
    ("trunc", "dtrunc:d"),
];

/// The names of the comparisons, in which `{}` is one of [`COMPARED`]; those of texts are none of them.
const COMPARISONS: &str = "bool{}:bb bpchar{}:cc bytea{}:yy date_{}:DD date_{}_timestamp:Dm date_{}_timestamptz:DM float48{}:rd float4{}:rr \
    float84{}:dr float8{}:dd int24{}:si int28{}:sl int2{}:ss int42{}:is int48{}:il int4{}:ii int82{}:ls int84{}:li \
    int8{}:ll interval_{}:II jsonb_{}:jj numeric_{}:nn time_{}:TT timestamp_{}:mm timestamp_{}_date:mD \
    timestamp_{}_timestamptz:mM timestamptz_{}:MM timestamptz_{}_date:MD timestamptz_{}_timestamp:Mm timetz_{}:ZZ";

/// Each operator that compares, and what it is called in a name.
const COMPARED: [(&str, &str); 6] = [("<", "lt"), ("<=", "le"), ("<>", "ne"), ("=", "eq"), (">", "gt"), (">=", "ge")];

/// The operator and the types of its operands that a function of that name stands for.
fn find(name: &str) -> Option<(&'static str, &'static str)> {
    named(name).or_else(|| compared(name))
}

fn compared(name: &str) -> Option<(&'static str, &'static str)> {
    COMPARISONS.split_whitespace().find_map(|comparison| {
        let (form, types) = comparison.split_once(':')?;
        let (before, after) = form.split_once("{}")?;
        let word = name.strip_prefix(before)?.strip_suffix(after)?;
        COMPARED.iter().find(|(_, known)| *known == word).map(|(operator, _)| (*operator, types))
    })
}

fn named(name: &str) -> Option<(&'static str, &'static str)> {
    NAMES.iter().find_map(|(operator, names)| {
        let mut named = names.split_whitespace().filter_map(|named| named.split_once(':'));
        named.find(|(known, _)| *known == name).map(|(_, types)| (*operator, types))
    })
}

/// The type that a letter stands for.
fn ty(letter: char) -> Type {
    match letter {
        'b' => Type::Boolean,
        's' => Type::Smallint,
        'i' => Type::Integer,
        'l' => Type::Bigint,
        'n' => Type::Numeric,
        'r' => Type::Real,
        'd' => Type::Double,
        'c' => Type::Char(0),
        'D' => Type::Date,
        'T' => Type::Time,
        'Z' => Type::Timetz,
        'I' => Type::Interval,
        'm' => Type::Timestamp,
        'M' => Type::Timestamptz,
        'j' => Type::Jsonb,
        'y' => Type::Bytea,
        _ => Type::Text,
    }
}

/// Whether a function of that name stands behind an operator.
pub(super) fn is_known(name: &str) -> bool {
    find(name).is_some()
}

impl Checker<'_> {
    /// A call of a function that stands behind an operator.
    pub(super) fn behind(&mut self, name: &str, place: Span, arguments: Vec<Checked>, span: Span) -> Option<Checked> {
        let (operator, types) = find(name)?;
        if arguments.len() != types.len() {
            let fact = format!("`{name}` takes {} arguments, not {}", types.len(), arguments.len());
            return self.wrong(Diagnostic::error(Code::Arguments, place, fact));
        }
        let operands: Vec<_> = arguments
            .into_iter()
            .zip(types.chars())
            .map(|(argument, letter)| {
                // A char keeps its blanks.
                if letter == 'c' && matches!(argument.ty, Type::Char(_)) {
                    return Some(argument);
                }
                let operand = self.coerced(argument, Kind::of(ty(letter)), name)?;
                if letter == 'c' { self.convert(operand, Type::Char(0)) } else { Some(operand) }
            })
            .collect();
        let mut operands = operands.into_iter();
        let (left, right) = (operands.next()??, operands.next());
        let Some(right) = right else {
            return match operator {
                "-" => self.signed(Unary::Minus, left, span),
                "+" => self.signed(Unary::Plus, left, span),
                _ => self.function(operator, place, vec![left], span),
            };
        };
        let right = right?;
        if operator.contains("~~") {
            let (ignore_case, negated) = (operator.ends_with('*'), operator.starts_with('!'));
            if left.ty == Type::Bytea {
                return self.function(if negated { "notlike" } else { "like" }, place, vec![left, right], span);
            }
            let left = self.matched(left)?;
            return self.like(left, right, None, ignore_case, negated, span);
        }
        match Binary::ALL.into_iter().find(|binary| binary.text() == operator) {
            Some(binary) => self.binary(binary, place, left, right, span),
            None => self.function(operator, place, vec![left, right], span),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::expr::tests::result;

    #[test]
    fn a_function_behind_an_operator_is_that_operator() {
        for (call, wanted) in [
            ("int4pl(1, 2)", "3"),
            ("int2mul('300', 300::smallint)", "R302"),
            ("int48div(7, 2)", "3"),
            ("float84mi(1.5, 1::real)", "0.5"),
            ("numeric_uminus(-2.50)", "2.50"),
            ("int8um('-9223372036854775808')", "R302"),
            ("numeric_sqrt(4)", "2.000000000000000"),
            ("booleq(true, 'f')", "false"),
            ("bpchareq('a ', 'a')", "true"),
            ("texteq('a ', 'a')", "false"),
            ("bpcharlike('a '::char(2), 'a')", "false"),
            ("textnlike('abc', 'a%')", "false"),
            ("texticlike('ABC', 'a_c')", "true"),
            ("bytealike('abc', 'a%')", "true"),
            ("textregexeq('abc', '^a')", "true"),
            ("int4shl(1, 3)", "8"),
            ("date_mi('2026-02-01', '2026-01-01')", "31"),
            ("timestamptz_ge_date('2026-01-31Z', '2026-01-31')", "true"),
            ("text_gt('b', 'a')", "true"),
            ("date_lt_timestamp('2026-01-31', '2026-01-31 10:00')", "true"),
            ("timestamp_pl_interval('2026-01-31', '1 month')", "2026-02-28 00:00:00"),
            ("jsonb_eq('[1]', '[1.0]')", "true"),
            ("int4pl(null, 2)", "NULL"),
        ] {
            assert_eq!(result(call), wanted, "{call}");
        }
    }

    #[test]
    fn every_letter_of_a_type_is_known() {
        for (operator, names) in super::NAMES.iter().chain(&[("=", super::COMPARISONS)]) {
            for named in names.split_whitespace() {
                let types = named.split_once(':').map_or("", |(_, types)| types);
                assert!((1..=2).contains(&types.len()), "{operator} {named}");
                assert!(types.chars().all(|letter| "bsilnrdtcDTZImMjy".contains(letter)), "{operator} {named}");
            }
        }
    }
}
