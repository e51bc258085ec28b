//! The registry of codes. A code that appeared in a release is never given another meaning.
//!
//! `E1xx` the pipeline file, `E2xx` its expressions, `W…` warnings about either; `R3xx` a row's values, `R4xx` a record's form.
//! A row's code has the SQLSTATE that PostgreSQL gives for the same fault.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal $($sqlstate:literal)?;)+) => {
        /// What kind of mistake, doubt or fault something is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the registry.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code as it is shown: `E101`.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// One sentence: what it means.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+).trim_ascii(),)+ }
            }

            /// PostgreSQL's SQLSTATE for the same fault, where it has one.
            pub fn sqlstate(self) -> Option<&'static str> {
                match self { $(Self::$name => codes!(@sqlstate $($sqlstate)?),)+ }
            }
        }
    };
    (@sqlstate $sqlstate:literal) => { Some($sqlstate) };
    (@sqlstate) => { None };
}

codes! {
    /// The file is not YAML that can be read.
    Yaml = "E101";
    /// A key stands twice in one mapping.
    DuplicateKey = "E102";
    /// Anchors, aliases, merge keys and tags are not part of the file format.
    YamlFeature = "E103";
    /// A parenthesis was cut at a comma by YAML's short form.
    CutParenthesis = "E104";
    /// A key that is not known here.
    UnknownKey = "E105";
    /// A key that must be there is missing.
    MissingKey = "E106";
    /// A value of another kind than this place takes.
    WrongKind = "E107";
    /// A value that is not one of those this place takes.
    WrongValue = "E108";
    /// A text that is not a type.
    UnknownType = "E109";
    /// Two keys that cannot stand together, or one that needs another.
    Conflict = "E110";
    /// A version of the file format that this Etalon does not read.
    FormatVersion = "E111";
    /// A `${…}` that is not well formed, or stands where none is allowed.
    Placeholder = "E112";
    /// A name that the warehouse cannot take.
    Name = "E113";
    /// A regular expression that cannot be read.
    Regex = "E114";

    /// An expression that is not SQL.
    Syntax = "E201";
    /// A name that is no field or column here.
    UnknownName = "E202";
    /// A function that Etalon does not have.
    UnknownFunction = "E203";
    /// Arguments that a function does not take.
    Arguments = "E204";
    /// Operands whose types do not go together.
    Types = "E205";
    /// SQL that cannot stand in a mapping: an aggregate, a subquery, a window, an impure function.
    NotScalar = "E206";
    /// SQL that Etalon does not support.
    Unsupported = "E207";
    /// A value that its column's type can never take.
    ColumnType = "E208";
    /// A constant part of an expression that always faults.
    ConstantFault = "E209";
    /// A rule that no row can obey, or a value that no row can have.
    NeverTrueRule = "E210";

    /// A comment that ends a text where its author may not mean one.
    CutByComment = "W101";

    /// A rule whose operand may be NULL, for which the rule then holds.
    RuleOverNull = "W201";
    /// A merge in which the load that comes last wins.
    MergeWithoutOrder = "W202";
    /// A timestamptz turned into a date: the day in UTC is meant.
    UtcDay = "W203";
    /// A `delete_when` that may be NULL, for which the row is then no delete.
    DeleteOverNull = "W204";
    /// A comparison with NULL, which is never true.
    NeverTrue = "W205";
    /// A text turned into a day without saying how it is written.
    GuessedDay = "W206";

    /// A text that is not a value of its type.
    NotAValue = "R301" "22P02";
    /// A number outside the range of its type.
    OutOfRange = "R302" "22003";
    /// A date or time that does not exist or lies outside the range of its type.
    DatetimeOutOfRange = "R303" "22008";
    /// A text that is not a date or time.
    NotADatetime = "R304" "22007";
    /// Division by zero.
    DivisionByZero = "R305" "22012";
    /// A text longer than its column.
    TooLong = "R306" "22001";
    /// A decimal with more digits after the point than its column, other than zeros.
    ExcessScale = "R307" "22003";
    /// A text longer than its column by blanks.
    ExcessBlanks = "R308" "22001";
    /// A time with more than six digits after the point, other than zeros.
    ExcessFraction = "R309" "22008";
    /// A timestamp without an offset where an instant is wanted.
    NoOffset = "R310" "22007";
    /// An argument that a function does not take.
    BadArgument = "R311" "22023";
    /// A character that its column cannot hold.
    Character = "R312" "22021";
    /// A regular expression, made by the row, that cannot be read.
    BadRegex = "R313" "2201B";
    /// A value that is no JSON.
    NotJson = "R314" "22P02";
    /// A function's text result would be too long.
    ResultTooLong = "R315" "54000";
    /// A substring of a negative length.
    NegativeLength = "R316" "22011";
    /// An escape at the end of a pattern.
    BadEscape = "R317" "22025";
    /// A power or a root that is no real number.
    BadPower = "R318" "2201F";
    /// A number that no decimal of 38 digits holds: more digits, an infinity or `NaN`.
    BeyondDecimal = "R319" "22003";
    /// An infinite date or time, which the warehouse does not have.
    Infinite = "R320" "22008";
    /// A logarithm of zero or of a negative number.
    BadLogarithm = "R321" "2201E";
    /// Buckets that `width_bucket` cannot number.
    BadBuckets = "R322" "2201G";
    /// A date or time that PostgreSQL has and Etalon has not, after the last that fits.
    Unrepresentable = "R323" "22008";
    /// An operation that does not exist for the values of the row.
    NotForValues = "R324" "0A000";
    /// More separators in a pattern of `substring(… similar …)` than two.
    BadEscapeUse = "R326" "2200C";
    /// A regular expression, made by the row, with something that is not supported.
    UnsupportedRegex = "R327" "0A000";
    /// An escape, a pattern of a number or a JSON path that is not well formed.
    BadForm = "R328" "42601";
    /// An escape in JSON that is no character of a text.
    NoCharacter = "R329" "22P05";

    /// A required column is NULL.
    Required = "R331" "23502";
    /// A value that is not in the column's list.
    OneOf = "R332" "23514";
    /// A text that does not match the column's pattern.
    Matches = "R333" "23514";
    /// A value outside the column's range.
    Range = "R334" "23514";
    /// A check over the row that fails.
    Check = "R335" "23514";
    /// A text that COPY takes for NULL where parts are staged as separated values.
    TakenForNull = "R336" "22P04";

    /// JSON that takes too many steps to be searched or compared.
    TooMuchWork = "R341" "54000";
    /// NULL for what may not be NULL: a step of a path, a name, a value.
    NullArgument = "R342" "22004";
    /// An array of texts with other lengths or dimensions than a function takes.
    ArrayShape = "R343" "2202E";
    /// A JSON path's member that the value does not have.
    PathMember = "R344" "2203A";
    /// A JSON path that wants an array where there is none.
    PathArray = "R345" "22039";
    /// A JSON path that wants an object where there is none.
    PathObject = "R346" "2203C";
    /// A JSON path's subscript that is no place in the array.
    PathSubscript = "R347" "22033";
    /// A JSON path that wants one value where there are more or none, or another.
    PathSingleton = "R348" "22038";
    /// A JSON path's method that wants a number.
    PathNumber = "R349" "22036";
    /// A JSON path's sign before what is no number.
    PathOperand = "R350" "2203B";
    /// A JSON path's method that wants a date or a time.
    PathDatetime = "R351" "22031";
    /// A JSON path's variable that has no value.
    PathVariable = "R352" "42704";
    /// An offset from UTC that no zone has.
    BadOffset = "R353" "22009";
    /// An interval with more of a unit than there is room for.
    IntervalField = "R354" "22015";

    /// A record with too many or too few fields.
    Ragged = "R401";
    /// A quote that is never closed.
    Unclosed = "R402";
    /// Bytes that are not UTF-8.
    NotUtf8 = "R403";
    /// A record that is longer than a record may be.
    RecordTooLong = "R404";
    /// A line that is not JSON.
    MalformedJson = "R405";
    /// A JSON value that is no object.
    NotAnObject = "R406";
    /// A key that stands twice in a JSON object.
    DuplicateField = "R407";
    /// A text after a closing quote.
    AfterQuote = "R408";
    /// A compressed object that ends early or is damaged.
    Truncated = "R409";
    /// A field that the pipeline does not declare.
    Undeclared = "R410";
    /// A declared field that the object's header does not have, or has twice: the object is held.
    Header = "R411";
    /// A quote within a value that is not quoted.
    StrayQuote = "R412";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.text() == text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a code")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_stands_twice() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.text()).collect();
        texts.sort_unstable();
        let count = texts.len();
        texts.dedup();
        assert_eq!(texts.len(), count);
    }
}
