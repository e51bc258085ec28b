//! Row examples: for each code of a reject, an object that gets the code, and what to do about it.
//!
//! A test runs each example, as those of a pipeline file.

use super::Code;
use super::example::around;

/// The bytes of a record that is too long.
const LONG: usize = 16 << 20;

/// An object with a record that is rejected, or that is held as a whole.
#[derive(Debug, Clone, Copy)]
pub struct RowExample {
    /// What it gets.
    pub code: Code,
    /// Keys of the pipeline file that take the place of those of the rest of the file; may be empty.
    pub part: &'static str,
    /// The object. `…` stands for more text than a record may have, and `�` for a byte that is not UTF-8.
    pub object: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl RowExample {
    /// A whole pipeline file with the part in it.
    pub fn file(&self) -> String {
        around(self.part)
    }

    /// The bytes of the object.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for char in self.object.chars() {
            match char {
                '…' => bytes.resize(bytes.len() + LONG, b'x'),
                '\u{fffd}' => bytes.push(0xff),
                _ => bytes.extend(char.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        bytes
    }
}

macro_rules! rows {
    ($($code:ident: $part:literal, $object:literal => $remedy:literal;)+) => {
        /// An example for each code of a reject, in the order of the registry.
        pub const ROW_EXAMPLES: &[RowExample] =
            &[$(RowExample { code: Code::$code, part: $part, object: $object, remedy: $remedy },)+];
    };
}

rows! {
    NotAValue: "", "id,customer,amount,ordered_at\n1,Ada,\"12,50\",2026-01-31 10:00Z\n"
        => "Say how the field is written, here `format: { decimal: \",\" }`; or declare it as text, and make a value of it in an \
            expression. Name texts that mean NULL in `nulls`; where they stand in quotes, say `quoted_nulls: true`.";
    OutOfRange: "", "id,customer,amount,ordered_at\n1,Ada,12345678901.00,2026-01-31 10:00Z\n"
        => "If the number is right, choose a wider type.";
    DatetimeOutOfRange: "", "id,customer,amount,ordered_at\n1,Ada,12.50,2026-02-30 10:00Z\n"
        => "Correct the source. If its dates are written in another order, say so: `format: DD.MM.YYYY`.";
    NotADatetime: "", "id,customer,amount,ordered_at\n1,Ada,12.50,soon\n"
        => "Say how the field is written, `format: DD.MM.YYYY` say: without a format only `YYYY-MM-DD` and `YYYYMMDD` are taken. \
            Name texts that mean NULL in `nulls`; where they stand in quotes, say `quoted_nulls: true`.";
    DivisionByZero: "columns:\n  share: { from: \"round(amount / (id - 1), 2)\", type: \"decimal(12,2)\" }\n",
        "id,customer,amount,ordered_at\n1,Ada,12.50,2026-01-31 10:00Z\n"
        => "Divide by `nullif(…, 0)`: the result is NULL then.";
    TooLong: "columns:\n  customer: varchar(5)\n", "id,customer,amount,ordered_at\n1,Ada Lovelace,12.50,2026-01-31 10:00Z\n"
        => "Give the column more bytes, or cut the text: `left(customer, 5)`.";
    ExcessScale: "", "id,customer,amount,ordered_at\n1,Ada,12.505,2026-01-31 10:00Z\n"
        => "Give the field the digits that arrive, and round in the column: `from: round(amount, 2)`.";
    ExcessBlanks: "columns:\n  customer: varchar(3)\n", "id,customer,amount,ordered_at\n1,Ada   ,12.50,2026-01-31 10:00Z\n"
        => "Remove the blanks: `from: rtrim(customer)`.";
    ExcessFraction: "", "id,customer,amount,ordered_at\n1,Ada,12.50,2026-01-31 10:00:00.1234567Z\n"
        => "Declare the field as text, and cast it in an expression, which rounds. Such a cast takes a text without an offset \
            for UTC; where that is not meant: `case when ordered_at ~ '(Z|[+-][0-9:]+)$' then ordered_at::timestamptz end`.";
    NoOffset: "", "id,customer,amount,ordered_at\n1,Ada,12.50,2026-01-31 10:00\n"
        => "Say at the field of what zone its times are: `timezone: UTC`, or `timezone: Europe/Berlin`. If the zone is said, its clocks \
            show the time twice or never: say which is meant, `timezone: { name: Europe/Berlin, ambiguous: earlier }`.";
    BadArgument: "columns:\n  part: { from: \"split_part(customer, ' ', id::integer)\", type: varchar(20) }\n",
        "id,customer,amount,ordered_at\n0,Ada,12.50,2026-01-31 10:00Z\n"
        => "See what the function takes in its reference, and guard the others with `case` or `where`.";
    Character: "columns:\n  customer: char(10)\n", "id,customer,amount,ordered_at\n1,Zoë,12.50,2026-01-31 10:00Z\n"
        => "A `char` of Redshift has single bytes only. Make it a `varchar`.";
    BadRegex: "columns:\n  found: { from: \"'a' ~ customer\" }\n", "id,customer,amount,ordered_at\n1,a(,12.50,2026-01-31 10:00Z\n"
        => "Search for the text itself, with `strpos` or the flag `q` of `regexp_like`, or correct the source.";
    NotJson: "columns:\n  detail: { from: json_parse(customer) }\n", "id,customer,amount,ordered_at\n1,{Ada},12.50,2026-01-31 10:00Z\n"
        => "Where not every text is JSON, write `try_cast(customer as super)`, or guard it with `is_valid_json`.";
    ResultTooLong: "columns:\n  long: { from: \"repeat(customer, 1000000)\", type: varchar(100) }\n",
        "id,customer,amount,ordered_at\n1,Ada,12.50,2026-01-31 10:00Z\n"
        => "Cut the text before it grows, as `varchar` ends at 65,535 bytes anyway.";
    NegativeLength: "columns:\n  start: { from: \"substring(customer, 1, id::integer)\", type: varchar(20) }\n",
        "id,customer,amount,ordered_at\n-1,Ada,12.50,2026-01-31 10:00Z\n"
        => "Take `greatest(…, 0)` for the length; `left` has a meaning for negative ones.";
    BadEscape: "columns:\n  is_like: { from: customer like customer }\n", "id,customer,amount,ordered_at\n1,Ada\\,12.50,2026-01-31 10:00Z\n"
        => "If a backslash means itself in the pattern, write `like … escape ''`.";
    BadPower: "columns:\n  root: { from: \"sqrt(amount)::decimal(12,2)\" }\n", "id,customer,amount,ordered_at\n1,Ada,-12.50,2026-01-31 10:00Z\n"
        => "Guard it: `case when amount >= 0 then sqrt(amount) end`.";
    BeyondDecimal: "", "id,customer,amount,ordered_at\n1,Ada,NaN,2026-01-31 10:00Z\n"
        => "Name `NaN` in `nulls`, or declare the field as `double precision`, which has room for it.";
    Infinite: "", "id,customer,amount,ordered_at\n1,Ada,12.50,infinity\n"
        => "Redshift has no such time. Name the text in `nulls`, or make a last day of it in an expression over text.";
    BadLogarithm: "columns:\n  size: { from: \"ln(amount)::decimal(12,2)\" }\n", "id,customer,amount,ordered_at\n1,Ada,0,2026-01-31 10:00Z\n"
        => "Guard it: `case when amount > 0 then ln(amount) end`.";
    BadBuckets: "columns:\n  bucket: { from: \"width_bucket(amount, 0, 10, id::integer)\" }\n",
        "id,customer,amount,ordered_at\n0,Ada,12.50,2026-01-31 10:00Z\n"
        => "There must be one bucket or more, and the two bounds must differ.";
    Unrepresentable: "", "id,customer,amount,ordered_at\n1,Ada,12.50,294276-12-31 10:00Z\n"
        => "Such years are placeholders. Make NULL of them in an expression over text.";
    NotForValues: "columns:\n  since: { from: \"date_bin(customer::interval, ordered_at, '2001-01-01Z')\" }\n",
        "id,customer,amount,ordered_at\n1,1 month,12.50,2026-01-31 10:00Z\n"
        => "The operation exists for other values: here, write `date_trunc('month', …)`.";
    BadEscapeUse: "columns:\n  part: { from: \"substring(customer similar customer escape '#')\", type: varchar(20) }\n",
        "id,customer,amount,ordered_at\n1,\"a#\"\"b#\"\"c#\"\"d\",12.50,2026-01-31 10:00Z\n"
        => "Such a pattern has three parts, and so two separators. `regexp_substr` is simpler.";
    UnsupportedRegex: "columns:\n  found: { from: \"'a' ~ customer\" }\n", "id,customer,amount,ordered_at\n1,[[.hyphen.]],12.50,2026-01-31 10:00Z\n"
        => "Characters are not known by their names in a regular expression: write the character itself. Correct the source.";
    BadForm: "columns:\n  shown: { from: \"to_char(amount, customer)\", type: varchar(20) }\n",
        "id,customer,amount,ordered_at\n1,9.9.9,12.50,2026-01-31 10:00Z\n"
        => "Write the pattern into the pipeline file, where it is checked before there are rows.";
    NoCharacter: "columns:\n  found: { from: \"customer::super ->> 'name'\", type: varchar(20) }\n",
        "id,customer,amount,ordered_at\n1,\"{\"\"name\"\": \"\"\\u0000\"\"}\",12.50,2026-01-31 10:00Z\n"
        => "No text of a warehouse holds it. Where it may be lost, write `replace(customer, '\\u0000', '')::super`.";
    Required: "", "id,customer,amount,ordered_at\n,Ada,12.50,2026-01-31 10:00Z\n"
        => "Correct the source; give a value in its place, `from: coalesce(id, 0)`; or leave `required` out. Give no such value to a column of the \
            `key`: a merge would take all these rows for one.";
    OneOf: "columns:\n  customer: { type: varchar(64), one_of: [Ada, Grace] }\n", "id,customer,amount,ordered_at\n1,Alan,12.50,2026-01-31 10:00Z\n"
        => "Add the value to the list if it is good.";
    Matches: "columns:\n  customer: { type: varchar(64), matches: '^[a-z]+$' }\n", "id,customer,amount,ordered_at\n1,Ada,12.50,2026-01-31 10:00Z\n"
        => "Bring the text into the form, `from: lower(customer)`, or widen the pattern.";
    Range: "columns:\n  amount: { min: 0 }\n", "id,customer,amount,ordered_at\n1,Ada,-12.50,2026-01-31 10:00Z\n"
        => "Correct the source, or the bound.";
    Check: "checks: { not_early: ordered_at >= '2020-01-01Z' }\n", "id,customer,amount,ordered_at\n1,Ada,12.50,1970-01-01 00:00Z\n"
        => "Correct the source or the check; `on_fail: warn` counts such rows and delivers them.";
    TakenForNull: "stage: csv\n", "id,customer,amount,ordered_at\n1,\\N,12.50,2026-01-31 10:00Z\n"
        => "Stage as Parquet, which has no word for NULL; or make it NULL: `from: nullif(customer, '\\N')`.";
    TooMuchWork: "columns:\n  found: { from: \"jsonb_path_exists(customer::super, '$.**.**.**.**.**.** ? (@ == 1)')\", type: boolean }\n",
        "id,customer,amount,ordered_at\n1,\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\",12.50,2026-01-31 10:00Z\n"
        => "A path with one `.**` goes through a value once; each further one goes through all that is below once more.";
    NullArgument: "columns:\n  found: { from: \"jsonb_set_lax('{}', '{name}', nullif(customer, 'null')::super, true, 'raise_exception')\", type: super }\n",
        "id,customer,amount,ordered_at\n1,null,12.50,2026-01-31 10:00Z\n"
        => "Give a value in its place: `coalesce(…, '0')`; here, another treatment also does.";
    ArrayShape: "columns:\n  found: { from: \"json_object(customer)\", type: super }\n",
        "id,customer,amount,ordered_at\n1,\"{a}\",12.50,2026-01-31 10:00Z\n"
        => "Names and values must alternate: an even number of texts in braces.";
    PathMember: "columns:\n  found: { from: \"jsonb_path_query_first(customer::super, 'strict $.name')\", type: super }\n",
        "id,customer,amount,ordered_at\n1,\"{\"\"id\"\": 1}\",12.50,2026-01-31 10:00Z\n"
        => "Without `strict`, a missing member is NULL and not an error.";
    PathArray: "columns:\n  found: { from: \"jsonb_path_query_first(customer::super, 'strict $[0]')\", type: super }\n",
        "id,customer,amount,ordered_at\n1,\"{\"\"id\"\": 1}\",12.50,2026-01-31 10:00Z\n"
        => "Without `strict`, a value that is not an array counts as an array with one element.";
    PathObject: "columns:\n  found: { from: \"jsonb_path_query_first(customer::super, '$.keyvalue()')\", type: super }\n",
        "id,customer,amount,ordered_at\n1,1,12.50,2026-01-31 10:00Z\n"
        => "Filter the values before: `$ ? (@.type() == \"object\").keyvalue()`.";
    PathSubscript: "columns:\n  found: { from: \"jsonb_path_query_first(customer::super, 'strict $[1]')\", type: super }\n",
        "id,customer,amount,ordered_at\n1,\"[1]\",12.50,2026-01-31 10:00Z\n"
        => "Without `strict`, a place outside of the array is NULL and not an error.";
    PathSingleton: "columns:\n  found: { from: \"jsonb_path_match(customer::super, '$.name')\", type: boolean }\n",
        "id,customer,amount,ordered_at\n1,\"{\"\"name\"\": \"\"Ada\"\"}\",12.50,2026-01-31 10:00Z\n"
        => "`jsonb_path_match` takes a predicate, such as `$.name == \"Ada\"`; `jsonb_path_exists` takes every path.";
    PathNumber: "columns:\n  found: { from: \"jsonb_path_query_first(customer::super, '$.abs()')\", type: super }\n",
        "id,customer,amount,ordered_at\n1,\"\"\"Ada\"\"\",12.50,2026-01-31 10:00Z\n"
        => "Write `.double()` before it if the string is a number, or make errors NULL with `silent => true`.";
    PathOperand: "columns:\n  found: { from: \"jsonb_path_query_first(customer::super, '- $')\", type: super }\n",
        "id,customer,amount,ordered_at\n1,\"\"\"Ada\"\"\",12.50,2026-01-31 10:00Z\n"
        => "Filter the values before: `- ($ ? (@.type() == \"number\"))`.";
    PathDatetime: "columns:\n  found: { from: \"jsonb_path_query_first(customer::super, '$.datetime()')\", type: super }\n",
        "id,customer,amount,ordered_at\n1,\"\"\"31.1.2026\"\"\",12.50,2026-01-31 10:00Z\n"
        => "`.datetime()` reads ISO 8601 only. Take the text out with `->>`, and read it with `to_date` or `to_timestamp`.";
    PathVariable: "columns:\n  found: { from: \"jsonb_path_exists('[1]', '$[*] ? (@ > $least)', customer::super)\", type: boolean }\n",
        "id,customer,amount,ordered_at\n1,\"{\"\"most\"\": 1}\",12.50,2026-01-31 10:00Z\n"
        => "The variables of a path are the members of the third argument.";
    BadOffset: "", "id,customer,amount,ordered_at\n1,Ada,12.50,2026-01-31 10:00+42:00\n"
        => "Offsets go from -15:59:59 to +15:59:59. Correct the source.";
    IntervalField: "columns:\n  hours: { from: \"extract(hour from customer::interval)\", type: bigint }\n",
        "id,customer,amount,ordered_at\n1,3000000000 days,12.50,2026-01-31 10:00Z\n"
        => "An interval has room for 2,147,483,647 months and as many days. Correct the source.";
    Ragged: "", "id,customer,amount,ordered_at\n1,Ada,12.50\n"
        => "Mostly a value holds the delimiter without quotes, or a line was cut. Correct the source.";
    Unclosed: "", "id,customer,amount,ordered_at\n1,\"Ada,12.50,2026-01-31 10:00Z\n"
        => "The object is not whole, and is held. Correct the source; if its quotes mean nothing, say `quote: none`. With \
            `newlines_in_values: false` only one line is lost.";
    NotUtf8: "", "id,customer,amount,ordered_at\n1,Zo\u{fffd},12.50,2026-01-31 10:00Z\n"
        => "If the objects are in another encoding, name it: `encoding: windows-1252`; or have them written as UTF-8.";
    RecordTooLong: "", "id,customer,amount,ordered_at\n1,…,12.50,2026-01-31 10:00Z\n"
        => "A record has at most 16 MiB. Mostly a quote was opened and not closed.";
    MalformedJson: "source:\n  files: orders.jsonl\n  format: jsonl\n  fields: { id: bigint, customer: , amount: 'decimal(12,2)', ordered_at: timestamptz }\n",
        "{\"id\": 1, \"customer\": 'Ada'}\n"
        => "Correct the source: each line is a JSON object, strictly by the standard.";
    NotAnObject: "source:\n  files: orders.jsonl\n  format: jsonl\n  fields: { id: bigint, customer: , amount: 'decimal(12,2)', ordered_at: timestamptz }\n",
        "{\"id\": 1, \"customer\": \"Ada\"}\n[2, \"Grace\"]\n"
        => "Each line is one object. A file that is one array is held at once; have it written as JSON Lines.";
    DuplicateField: "source:\n  files: orders.jsonl\n  format: jsonl\n  fields: { id: bigint, customer: , amount: 'decimal(12,2)', ordered_at: timestamptz }\n",
        "{\"id\": 1, \"customer\": \"Ada\", \"id\": 2}\n"
        => "It is unclear which of the two is meant. Correct the source.";
    AfterQuote: "", "id,customer,amount,ordered_at\n1,\"Ada\" L.,12.50,2026-01-31 10:00Z\n"
        => "A quote within a quoted value is written twice. If another character stands before it, name that: `escape`; if quotes \
            mean nothing, say `quote: none`.";
    Truncated: "source:\n  files: orders.csv\n  format: csv\n  compression: gzip\n  fields: { id: bigint, customer: , amount: 'decimal(12,2)', ordered_at: timestamptz }\n",
        "id,customer,amount,ordered_at\n1,Ada,12.50,2026-01-31 10:00Z\n"
        => "The object is held. Have it written again; here, it is not compressed at all.";
    Undeclared: "source:\n  files: orders.jsonl\n  format: jsonl\n  contract: quarantine\n  fields: { id: bigint, customer: , amount: 'decimal(12,2)', ordered_at: timestamptz }\n",
        "{\"id\": 1, \"customer\": \"Ada\", \"coupon\": \"X7\"}\n"
        => "Declare the field, or set `contract: ignore`.";
    Header: "", "id,customer,ordered_at\n1,Ada,2026-01-31 10:00Z\n"
        => "The object is held. If a field has another name there, say so: `name`; if it is gone for good, take it out.";
    StrayQuote: "", "id,customer,amount,ordered_at\n1,5\" disk,12.50,2026-01-31 10:00Z\n"
        => "A value that holds a quote is quoted, and the quote in it written twice. If such quotes are text, say \
            `stray_quotes: keep`.";
}
