//! The types that users write, named as Redshift names them, and the Arrow form of each.
//!
//! Limits are Redshift's: `varchar(n)` and `char(n)` count bytes, decimals have at most 38 digits.

use std::fmt;

use arrow_schema::{DataType, IntervalUnit, TimeUnit};

/// Most digits of a decimal.
pub const DECIMAL_PRECISION_MAX: u8 = 38;
/// Most bytes of a `varchar`.
pub const VARCHAR_BYTES_MAX: u32 = 65_535;
/// Most bytes of a `char`.
pub(crate) const CHAR_BYTES_MAX: u32 = 4_096;
/// Most bytes of a `super`.
pub(crate) const SUPER_BYTES_MAX: usize = 16 << 20;
/// Most bytes of a string within a `super`.
pub(crate) const SUPER_STRING_BYTES_MAX: usize = 65_535;

/// A type of a field, a column or an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// True or false.
    Boolean,
    /// 16 bits, signed.
    Smallint,
    /// 32 bits, signed.
    Integer,
    /// 64 bits, signed.
    Bigint,
    /// Exact, with the same number of digits after the point in every row.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// Exact, where each row has a scale of its own, as PostgreSQL's unconstrained `numeric` (of a quotient, say).
    /// A type of expressions only: no field and no column has it.
    Numeric,
    /// 32-bit IEEE 754.
    Real,
    /// 64-bit IEEE 754.
    Double,
    /// A day.
    Date,
    /// A time of day in microseconds. A type of expressions only.
    Time,
    /// A time of day in microseconds with its offset from UTC. A type of expressions only.
    Timetz,
    /// Months, days and microseconds. A type of expressions only.
    Interval,
    /// Microseconds without a zone.
    Timestamp,
    /// Microseconds, an instant; shown in UTC.
    Timestamptz,
    /// Text without a limit: a field without a type, and what most text functions give. No column has it.
    Text,
    /// Text of at most so many bytes.
    Varchar(u32),
    /// Text of at most so many bytes, single-byte characters only; trailing blanks do not count.
    ///
    /// With 0 bytes it is PostgreSQL's `bpchar`, of any length and without padding: a type of expressions only.
    Char(u32),
    /// JSON of any kind: a text that is JSON, kept as it is written, as PostgreSQL's `json` is.
    Super,
    /// JSON in the normal form of PostgreSQL's `jsonb`. A type of expressions only: a column of it is a [`Type::Super`].
    Jsonb,
    /// Bytes. A type of expressions only.
    Bytea,
}

impl Type {
    /// The Arrow type that holds the values.
    ///
    /// [`Type::Numeric`] is a struct of the unscaled value, `Decimal128(38, 0)`, and the scale, `UInt8`.
    /// [`Type::Timetz`] and [`Type::Bytea`] have the forms of `value`: packed numbers, and texts of hexadecimal digits.
    /// [`Type::Interval`] holds microseconds where Arrow's name speaks of nanoseconds, for which intervals are too long.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Smallint => DataType::Int16,
            Self::Integer => DataType::Int32,
            Self::Bigint => DataType::Int64,
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale.cast_signed()),
            Self::Numeric => DataType::Struct(
                vec![
                    arrow_schema::Field::new("unscaled", DataType::Decimal128(DECIMAL_PRECISION_MAX, 0), true),
                    arrow_schema::Field::new("scale", DataType::UInt8, true),
                ]
                .into(),
            ),
            Self::Real => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timetz => DataType::Duration(TimeUnit::Microsecond),
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamptz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Text | Self::Varchar(_) | Self::Char(_) | Self::Super | Self::Jsonb | Self::Bytea => {
                DataType::Utf8View
            }
        }
    }

    /// Whether values are text of any kind.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Varchar(_) | Self::Char(_))
    }

    /// Whether values are whole numbers.
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Smallint | Self::Integer | Self::Bigint)
    }

    /// Whether values are exact numbers with a fraction.
    pub fn is_decimal(self) -> bool {
        matches!(self, Self::Decimal { .. } | Self::Numeric)
    }

    /// Whether values are floating-point numbers.
    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::Real | Self::Double)
    }

    /// Whether values are numbers.
    pub fn is_number(self) -> bool {
        self.is_integer() || self.is_decimal() || self.is_float()
    }

    /// Whether values are JSON.
    pub fn is_json(self) -> bool {
        matches!(self, Self::Super | Self::Jsonb)
    }

    /// Reads a type as a user writes it: `bigint`, `decimal(12,2)`, `varchar(64)`, `timestamp with time zone`.
    ///
    /// Names are Redshift's and PostgreSQL's, in any letter case; blanks are free. `Err` holds the fact and, where there is
    /// one, the advice.
    pub fn parse(text: &str) -> Result<Self, TypeError> {
        let lower = text.trim().to_ascii_lowercase();
        let (name, arguments) = match lower.split_once('(') {
            None => (lower.as_str(), None),
            Some((name, rest)) => {
                let Some((inside, after)) = rest.split_once(')') else {
                    return Err(TypeError::new(format!("`{}` lacks a closing parenthesis", text.trim())));
                };
                let numbers = inside
                    .split(',')
                    .map(|part| part.trim().parse::<u32>())
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|_| TypeError::new(format!("`{inside}` is not a list of whole numbers")))?;
                // `timestamp(6) with time zone`: the words after the parenthesis belong to the name.
                let after = after.trim();
                if !after.is_empty() {
                    return Err(TypeError::new(format!("`{after}` after the parenthesis is not understood")));
                }
                (name, Some(numbers))
            }
        };
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let plain = |found: Self| match &arguments {
            None => Ok(found),
            Some(_) => Err(TypeError::new(format!("`{name}` takes no numbers in parentheses"))),
        };
        match name.as_str() {
            "boolean" | "bool" => plain(Self::Boolean),
            "smallint" | "int2" => plain(Self::Smallint),
            "integer" | "int" | "int4" => plain(Self::Integer),
            "bigint" | "int8" => plain(Self::Bigint),
            "real" | "float4" => plain(Self::Real),
            "double precision" | "double" | "float" | "float8" => plain(Self::Double),
            "date" => plain(Self::Date),
            "time" | "time without time zone" => plain(Self::Time),
            "timestamp" | "timestamp without time zone" | "datetime" => plain(Self::Timestamp),
            "timestamptz" | "timestamp with time zone" => plain(Self::Timestamptz),
            "text" => plain(Self::Text),
            "super" | "json" => plain(Self::Super),
            "decimal" | "numeric" | "dec" => match arguments.as_deref() {
                None => Err(TypeError::new(format!("`{name}` needs its digits"))
                    .with_help(format!("write `{name}(precision, scale)`: all digits, and those after the point"))),
                Some(&[precision]) => Self::decimal(precision, 0),
                Some(&[precision, scale]) => Self::decimal(precision, scale),
                Some(_) => Err(TypeError::new(format!("`{name}` takes two numbers: precision and scale"))),
            },
            "varchar" | "character varying" | "nvarchar" => match arguments.as_deref() {
                None => Err(TypeError::new(format!("`{name}` needs its length in bytes"))
                    .with_help("Redshift takes a varchar without a length as varchar(256); say what is meant")),
                Some(&[bytes]) if (1..=VARCHAR_BYTES_MAX).contains(&bytes) => Ok(Self::Varchar(bytes)),
                Some(lengths) => Err(wrong_length(&name, lengths, VARCHAR_BYTES_MAX)),
            },
            "char" | "character" | "nchar" | "bpchar" => match arguments.as_deref() {
                None => Ok(Self::Char(1)),
                Some(&[bytes]) if (1..=CHAR_BYTES_MAX).contains(&bytes) => Ok(Self::Char(bytes)),
                Some(lengths) => Err(wrong_length(&name, lengths, CHAR_BYTES_MAX)),
            },
            _ => Err(TypeError::new(format!("`{}` is not a type", text.trim())).with_help(match nearest(&name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the types are {}", NAMES.join(", ")),
            })),
        }
    }

    fn decimal(precision: u32, scale: u32) -> Result<Self, TypeError> {
        if !(1..=u32::from(DECIMAL_PRECISION_MAX)).contains(&precision) {
            return Err(TypeError::new(format!("a decimal has 1 to {DECIMAL_PRECISION_MAX} digits, not {precision}")));
        }
        if scale > precision {
            return Err(TypeError::new(format!("a scale of {scale} is more than the precision of {precision}")));
        }
        let narrow = |digits: u32| u8::try_from(digits).unwrap_or(DECIMAL_PRECISION_MAX);
        Ok(Self::Decimal { precision: narrow(precision), scale: narrow(scale) })
    }
}

const NAMES: [&str; 14] = [
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "decimal(p,s)",
    "real",
    "double precision",
    "date",
    "timestamp",
    "timestamptz",
    "varchar(n)",
    "char(n)",
    "text",
    "super",
];

/// The error of a text type with lengths that are not one length of 1 to `most` bytes.
fn wrong_length(name: &str, lengths: &[u32], most: u32) -> TypeError {
    let error = TypeError::new(format!("`{name}` takes one length, 1 to {most} bytes"));
    match lengths {
        [length] => error.with_help(format!("write `{name}({})`", (*length).clamp(1, most))),
        _ => error,
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    // As other systems call them.
    let elsewhere = match name {
        "string" | "str" | "varchar2" | "nvarchar2" | "clob" => Some("varchar(n)"),
        "int64" | "long" => Some("bigint"),
        "int32" => Some("integer"),
        "number" => Some("decimal(p,s)"),
        "float64" => Some("double precision"),
        "float32" => Some("real"),
        "datetime2" | "timestamp_ntz" => Some("timestamp"),
        "timestamp_tz" | "timestamp_ltz" => Some("timestamptz"),
        "jsonb" | "variant" => Some("super"),
        _ => None,
    };
    if elsewhere.is_some() {
        return elsewhere;
    }
    crate::diagnostic::nearest(name, NAMES.iter().map(|known| known.split('(').next().unwrap_or(known)))
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Smallint => f.write_str("smallint"),
            Self::Integer => f.write_str("integer"),
            Self::Bigint => f.write_str("bigint"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Numeric => f.write_str("numeric"),
            Self::Real => f.write_str("real"),
            Self::Double => f.write_str("double precision"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::Timetz => f.write_str("time with time zone"),
            Self::Interval => f.write_str("interval"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Timestamptz => f.write_str("timestamptz"),
            Self::Text => f.write_str("text"),
            Self::Varchar(bytes) => write!(f, "varchar({bytes})"),
            Self::Char(0) => f.write_str("bpchar"),
            Self::Char(bytes) => write!(f, "char({bytes})"),
            Self::Super => f.write_str("super"),
            Self::Jsonb => f.write_str("jsonb"),
            Self::Bytea => f.write_str("bytea"),
        }
    }
}

/// Why a text is not a type: the fact, and advice where there is some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeError {
    /// The fact.
    pub message: String,
    /// The advice.
    pub help: Option<String>,
}

impl TypeError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_type_reads_back() {
        for text in [
            "boolean",
            "bigint",
            "decimal(12,2)",
            "double precision",
            "timestamptz",
            "varchar(64)",
            "char(3)",
            "text",
            "super",
        ] {
            assert_eq!(Type::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Type::parse(" NUMERIC ( 5 ) ").unwrap(), Type::Decimal { precision: 5, scale: 0 });
        assert_eq!(Type::parse("timestamp  with time zone").unwrap(), Type::Timestamptz);
    }

    #[test]
    fn a_wrong_type_says_what_is_wrong() {
        let wrong = |text: &str| {
            let error = Type::parse(text).unwrap_err();
            format!("{} / {}", error.message, error.help.unwrap_or_default())
        };
        assert_eq!(wrong("bigin"), "`bigin` is not a type / did you mean `bigint`?");
        assert_eq!(wrong("decimal(39,2)"), "a decimal has 1 to 38 digits, not 39 / ");
        assert_eq!(wrong("decimal(4,5)"), "a scale of 5 is more than the precision of 4 / ");
        assert_eq!(wrong("varchar(70000)"), "`varchar` takes one length, 1 to 65535 bytes / write `varchar(65535)`");
        assert_eq!(wrong("decimal(12"), "`decimal(12` lacks a closing parenthesis / ");
    }
}
