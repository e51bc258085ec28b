//! CSV: separated values, by RFC 4180 and a few written decisions where it is silent.
//!
//! ```text
//! file    = *(record line-end) [record]        record = field *(delimiter field)        line-end = [CR] LF
//! field   = bare / quoted                      quoted = quote *(any byte but quote / quote quote) quote
//! bare    = *(any byte but quote, delimiter, LF)
//! ```
//!
//! - A quote opens a field only as its first byte. Further in it rejects the record, unless `stray_quotes: keep` makes it
//!   text. Blanks around a quoted field are text: before it they make the field bare, after it they are a fault.
//! - Where there is an escape, the byte behind one is text, whatever it is, in a quoted field and in a bare one; so is the
//!   LF of a CR LF behind it. A bare field that is written like one of `nulls` means NULL, escapes and all (`\N`); one that
//!   only becomes such a text does not.
//! - LF and CR LF end a record. A CR of its own is text: files that end their lines so have not been written for a quarter
//!   of a century, while a stray CR inside a text is common, and to end a record there would make two wrong ones of it. A CR
//!   as the very last byte is the first half of a line end, and ends the last record.
//! - A line without a byte is blank, and no record. A line that begins with the comment character is a comment.
//! - Text after a closing quote rejects the record. It goes on as if the field were bare, so that the next one is found.
//! - A quote that is not closed before the object ends rejects all the rest, and the object is not whole.

mod split;
mod blocks;
mod header;

use super::Contract;
use super::Format;
use super::FormatKind;
use super::ReadOptions;
use super::batch::Batch;
use super::batch::Validity;
use super::follow::Follower;
use super::scan::Scan;
use super::scan::Scanner;
use super::scan::Stop;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::spec::AnyText;
use crate::spec::Boolean;
use crate::spec::Character;
use crate::spec::CharacterOrNone;
use crate::spec::Choice;
use crate::spec::Keys;
use crate::spec::Kind;
use crate::spec::List;
use crate::spec::Mapping;
use crate::spec::Whole;
use header::Binding;
use split::Splitter;

/// How separated values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFormat {
    /// Whether the first record names the fields.
    pub header: bool,
    /// Between fields; this and the characters below are ASCII.
    pub delimiter: u8,
    /// Around fields; doubled inside. `None`: quotes mean nothing.
    pub quote: Option<u8>,
    /// Before a byte that is text, whatever it is.
    pub escape: Option<u8>,
    /// Whether a quote within a bare field is text; otherwise it rejects the record.
    pub keep_stray_quotes: bool,
    /// At the start of a line that is a comment.
    pub comment: Option<u8>,
    /// Leading lines that are not read.
    pub skip_lines: u64,
    /// Unquoted texts that mean NULL.
    pub nulls: Vec<String>,
    /// Whether they mean NULL where they are quoted, too.
    pub quoted_nulls: bool,
    /// Whether a record may lack its last fields, which are then NULL; otherwise such a record is ragged.
    pub fill_record: bool,
    /// Whether a quoted field may hold line ends. `false` makes an object cuttable: a line end always ends a record.
    pub newlines_in_values: bool,
}

pub(super) const KIND: Kind<Format> = Kind {
    word: "csv",
    doc: "separated values",
    mapping: Mapping {
        title: "csv",
        doc: "How separated values are written.",
        may_be_empty: true,
        keys: |keys| Format::Csv(CsvFormat::read(keys)),
    },
};

const DELIMITER: &str = "delimiter";
const QUOTE: &str = "quote";
const ESCAPE: &str = "escape";
const COMMENT: &str = "comment";
const STRAY_QUOTES_KEY: &str = "stray_quotes";
const NULLS: &str = "nulls";
const QUOTED_NULLS: &str = "quoted_nulls";

const STRAY_QUOTES: Choice<bool> = Choice(&[("reject", "its record is rejected", false), ("keep", "it is text", true)]);

impl CsvFormat {
    fn read(keys: &mut Keys<'_>) -> Self {
        let format = Self {
            header: keys.or(
                "header",
                Boolean,
                "true",
                "Whether the first record names the fields; without it they are bound by position.",
            ),
            delimiter: keys.or(DELIMITER, Character, "\",\"", "The character between values: one ASCII character."),
            quote: keys.or(
                QUOTE,
                CharacterOrNone,
                "'\"'",
                "The character around values that contain a delimiter: one ASCII character, or `none`.",
            ),
            escape: keys.optional(
                ESCAPE,
                Character,
                "What stands before a character that is text, whatever it is: one ASCII character, `\"\\\\\"` mostly.",
            ),
            keep_stray_quotes: keys.or(
                STRAY_QUOTES_KEY,
                STRAY_QUOTES,
                "reject",
                "What a quote means within a value that is not quoted.",
            ),
            comment: keys.optional(
                COMMENT,
                Character,
                "The character with which a comment line begins: one ASCII character.",
            ),
            skip_lines: keys.or("skip_lines", Whole, "0", "How many lines before the header are skipped."),
            nulls: keys
                .or(NULLS, List(AnyText), "[\"\"]", "The unquoted texts that mean NULL.")
                .into_iter()
                .map(|text| text.text)
                .collect(),
            quoted_nulls: keys.or(
                QUOTED_NULLS,
                Boolean,
                "false",
                "Whether the texts of `nulls` also mean NULL if they are quoted.",
            ),
            fill_record: keys.or(
                "fill_record",
                Boolean,
                "false",
                "Whether a record may lack its last fields, which are then NULL.",
            ),
            newlines_in_values: keys.or(
                "newlines_in_values",
                Boolean,
                "true",
                "Whether a quoted value may contain line ends; if not, a large object can be split.",
            ),
        };
        format.tells_its_signs_apart(keys);
        format.obeys_its_words(keys);
        format
    }

    /// Refuses what means nothing beside what else is said.
    fn obeys_its_words(&self, keys: &mut Keys<'_>) {
        for key in [STRAY_QUOTES_KEY, QUOTED_NULLS] {
            if let Some(span) = keys.place(key).filter(|_| self.quote.is_none() && !keys.is_wrong(QUOTE)) {
                let message = format!("`{key}` has no effect with `quote: none`");
                keys.report(Diagnostic::error(Code::Conflict, span, message).with_help("leave it out"));
            }
        }
        let is_sign = |byte: u8| byte == self.delimiter || matches!(byte, b'\n' | b'\r');
        let is_bare = !self.quoted_nulls || self.quote.is_none();
        let never = self.nulls.iter().find(|text| is_bare && text.bytes().any(is_sign));
        if let (Some(text), Some(span)) = (never, keys.place(NULLS)) {
            let message = format!("no unquoted value is {text:?}, which has a delimiter or a line end");
            keys.report(Diagnostic::error(Code::Conflict, span, message).with_help("take it out of `nulls`"));
        }
    }

    /// Two signs of the same character could not be told apart.
    fn tells_its_signs_apart(&self, keys: &mut Keys<'_>) {
        let signs =
            [(DELIMITER, Some(self.delimiter)), (QUOTE, self.quote), (ESCAPE, self.escape), (COMMENT, self.comment)];
        for (at, &(key, sign)) in signs.iter().enumerate() {
            for &(other, taken) in signs.iter().take(at) {
                let is_known = !keys.is_wrong(key) && !keys.is_wrong(other);
                if let Some(span) = keys.place(key).or_else(|| keys.place(other))
                    && is_known
                    && sign.is_some()
                    && sign == taken
                {
                    let message = format!("`{other}` and `{key}` are the same character");
                    keys.report(Diagnostic::error(Code::Conflict, span, message));
                }
            }
        }
    }
}

impl CsvFormat {
    /// How rows are written that have landed from a database: every value is quoted, and NULL is `\N` without quotes.
    pub(super) fn landed() -> Self {
        Self { header: false, nulls: vec!["\\N".to_owned()], ..Self::default() }
    }
}

impl Default for CsvFormat {
    fn default() -> Self {
        Self::read(&mut Keys::unsaid())
    }
}

impl FormatKind for CsvFormat {
    fn lines_are_records(&self) -> bool {
        !self.newlines_in_values
    }

    fn nulls(&self) -> &[String] {
        &self.nulls
    }

    fn has_header(&self) -> bool {
        self.header
    }

    fn scanner(&self, options: &ReadOptions) -> Box<dyn Scanner> {
        Box::new(CsvScanner {
            format: self.clone(),
            fields: options.fields.clone(),
            optional: options.optional.clone(),
            contract: options.contract,
            splitter: Splitter::new(self, options.record_bytes_max),
            binding: Binding::by_position(options.fields.len()),
        })
    }
}

/// Finds the records of a window, once it knows which column each declared field is.
#[derive(Debug)]
struct CsvScanner {
    format: CsvFormat,
    fields: Vec<String>,
    optional: Vec<bool>,
    contract: Contract,
    splitter: Splitter,
    binding: Binding,
}

impl Scanner for CsvScanner {
    fn skip_lines(&self) -> u64 {
        self.format.skip_lines
    }

    fn misfit(&self, first: &[u8]) -> Option<String> {
        ends_lines_in_cr(first, self.format.quote, self.format.newlines_in_values).then(|| {
            "its lines end in a carriage return alone (\\r), and lines end in \\n or \\r\\n; have it written again"
                .to_owned()
        })
    }

    fn has_header(&self) -> bool {
        self.format.header
    }

    fn header(&mut self, scan: &mut Scan<'_>) -> Result<Option<Stop>, String> {
        let header = match self.splitter.header(scan) {
            Ok(Ok(header)) => header,
            Ok(Err((_, message))) => return Err(format!("the header cannot be read: {message}")),
            Err(stop) => return Ok(Some(stop)),
        };
        self.binding = Binding::by_name(&self.fields, &self.optional, header)?;
        if self.binding.has_undeclared {
            match self.contract {
                Contract::Ignore => {}
                Contract::Quarantine => self.binding.is_refused = true,
                Contract::Fail => return Err(format!("the header does not fit: {}", self.binding.undeclared())),
            }
        }
        Ok(None)
    }

    fn records(&mut self, scan: &mut Scan<'_>, valid: &mut Validity, batch: &mut Batch) -> Result<Stop, String> {
        Ok(self.splitter.records(scan, valid, &self.binding, batch))
    }

    fn follower(&self) -> Follower {
        let CsvFormat { delimiter, quote, escape, newlines_in_values, .. } = self.format;
        if newlines_in_values { Follower::of_fields(delimiter, quote, escape) } else { Follower::of_lines() }
    }
}

/// Whether an object that begins so has no line end but carriage returns, outside of quotes.
fn ends_lines_in_cr(first: &[u8], quote: Option<u8>, newlines_in_values: bool) -> bool {
    let mut is_quoted = false;
    let mut found = false;
    for (at, &byte) in first.iter().enumerate() {
        match byte {
            b'\n' if !is_quoted || !newlines_in_values => return false,
            _ if Some(byte) == quote => is_quoted = !is_quoted,
            // As the last byte it is half a line end.
            b'\r' => found |= !is_quoted && at + 1 < first.len(),
            _ => {}
        }
    }
    found
}
