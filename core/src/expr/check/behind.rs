//! Behind: the functions behind operators, which PostgreSQL lets one call by name: `int4pl(1, 2)` is `1 + 2`.

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
    (
        "<",
        "boollt:bb bpcharlt:cc bytealt:yy date_lt:DD date_lt_timestamp:Dm date_lt_timestamptz:DM float48lt:rd float4lt:rr \
         float84lt:dr float8lt:dd int24lt:si int28lt:sl int2lt:ss int42lt:is int48lt:il int4lt:ii int82lt:ls int84lt:li \
         int8lt:ll interval_lt:II jsonb_lt:jj numeric_lt:nn text_lt:tt time_lt:TT timestamp_lt:mm timestamp_lt_date:mD \
         timestamp_lt_timestamptz:mM timestamptz_lt:MM timestamptz_lt_date:MD timestamptz_lt_timestamp:Mm timetz_lt:ZZ",
    ),
    ("<<", "int2shl:si int4shl:ii int8shl:li"),
    (
        "<=",
        "boolle:bb bpcharle:cc byteale:yy date_le:DD date_le_timestamp:Dm date_le_timestamptz:DM float48le:rd float4le:rr \
         float84le:dr float8le:dd int24le:si int28le:sl int2le:ss int42le:is int48le:il int4le:ii int82le:ls int84le:li \
         int8le:ll interval_le:II jsonb_le:jj numeric_le:nn text_le:tt time_le:TT timestamp_le:mm timestamp_le_date:mD \
         timestamp_le_timestamptz:mM timestamptz_le:MM timestamptz_le_date:MD timestamptz_le_timestamp:Mm timetz_le:ZZ",
    ),
    (
        "<>",
        "boolne:bb bpcharne:cc byteane:yy date_ne:DD date_ne_timestamp:Dm date_ne_timestamptz:DM float48ne:rd float4ne:rr \
         float84ne:dr float8ne:dd int24ne:si int28ne:sl int2ne:ss int42ne:is int48ne:il int4ne:ii int82ne:ls int84ne:li \
         int8ne:ll interval_ne:II jsonb_ne:jj numeric_ne:nn textne:tt time_ne:TT timestamp_ne:mm timestamp_ne_date:mD \
         timestamp_ne_timestamptz:mM timestamptz_ne:MM timestamptz_ne_date:MD timestamptz_ne_timestamp:Mm timetz_ne:ZZ",
    ),
    (
        "=",
        "booleq:bb bpchareq:cc byteaeq:yy date_eq:DD date_eq_timestamp:Dm date_eq_timestamptz:DM float48eq:rd float4eq:rr \
         float84eq:dr float8eq:dd int24eq:si int28eq:sl int2eq:ss int42eq:is int48eq:il int4eq:ii int82eq:ls int84eq:li \
         int8eq:ll interval_eq:II jsonb_eq:jj numeric_eq:nn texteq:tt time_eq:TT timestamp_eq:mm timestamp_eq_date:mD \
         timestamp_eq_timestamptz:mM timestamptz_eq:MM timestamptz_eq_date:MD timestamptz_eq_timestamp:Mm timetz_eq:ZZ",
    ),
    (
        ">",
        "boolgt:bb bpchargt:cc byteagt:yy date_gt:DD date_gt_timestamp:Dm date_gt_timestamptz:DM float48gt:rd float4gt:rr \
         float84gt:dr float8gt:dd int24gt:si int28gt:sl int2gt:ss int42gt:is int48gt:il int4gt:ii int82gt:ls int84gt:li \
         int8gt:ll interval_gt:II jsonb_gt:jj numeric_gt:nn text_gt:tt time_gt:TT timestamp_gt:mm timestamp_gt_date:mD \
         timestamp_gt_timestamptz:mM timestamptz_gt:MM timestamptz_gt_date:MD timestamptz_gt_timestamp:Mm timetz_gt:ZZ",
    ),
    (
        ">=",
        "boolge:bb bpcharge:cc byteage:yy date_ge:DD date_ge_timestamp:Dm date_ge_timestamptz:DM float48ge:rd float4ge:rr \
         float84ge:dr float8ge:dd int24ge:si int28ge:sl int2ge:ss int42ge:is int48ge:il int4ge:ii int82ge:ls int84ge:li \
         int8ge:ll interval_ge:II jsonb_ge:jj numeric_ge:nn text_ge:tt time_ge:TT timestamp_ge:mm timestamp_ge_date:mD \
         timestamp_ge_timestamptz:mM timestamptz_ge:MM timestamptz_ge_date:MD timestamptz_ge_timestamp:Mm timetz_ge:ZZ",
    ),
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

/// The operator and the types of its operands that a function of that name stands for.
fn find(name: &str) -> Option<(&'static str, &'static str)> {
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
        for (operator, names) in super::NAMES {
            for named in names.split_whitespace() {
                let types = named.split_once(':').map_or("", |(_, types)| types);
                assert!((1..=2).contains(&types.len()), "{operator} {named}");
                assert!(types.chars().all(|letter| "bsilnrdtcDTZImMjy".contains(letter)), "{operator} {named}");
            }
        }
    }
}
