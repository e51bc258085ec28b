//! Statement: what a COPY may say. The options that are known are few; every other is refused by its name.

use super::super::words::Kind;
use super::super::words::Word;

/// A COPY as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Copy {
    /// The table as PostgreSQL names it.
    pub(super) table: String,
    /// The columns, in the order of the file; all of the table's, where there are none.
    pub(super) columns: Vec<String>,
    /// What follows FROM.
    pub(super) from: String,
    /// Whether that is a manifest, and not what keys begin with.
    pub(super) is_manifest: bool,
    pub(super) format: Format,
}

/// How files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Parquet,
    Csv,
}

/// Options of separated values that COPY does not know where files have columns of their own.
const NOT_WITH_PARQUET: [&str; 14] = [
    "region",
    "maxerror",
    "acceptanydate",
    "dateformat",
    "timeformat",
    "compupdate",
    "gzip",
    "zstd",
    "bzip2",
    "null",
    "delimiter",
    "ignoreheader",
    "truncatecolumns",
    "encoding",
];

impl Copy {
    /// Reads a statement; `Err` holds the words of an error.
    pub(in super::super) fn parse(words: &[Word<'_>]) -> Result<Self, String> {
        let mut reader = Reader { words, at: 1 };
        let table = reader.name()?;
        let mut columns = Vec::new();
        if reader.take("(") {
            loop {
                columns.push(reader.next(Word::is_name)?.name());
                if !reader.take(",") {
                    break;
                }
            }
            reader.expect(")")?;
        }
        reader.expect("from")?;
        let from = reader.text()?;
        let mut copy = Self { table, columns, from, is_manifest: false, format: Format::Csv };
        let mut role = None;
        let mut format = None;
        let mut options: Vec<String> = Vec::new();
        while let Some(word) = reader.peek() {
            let option = word.text.to_lowercase();
            reader.at += 1;
            if options.contains(&option) {
                return Err(format!("ERROR: conflicting or redundant options: {option}"));
            }
            match option.as_str() {
                "iam_role" if reader.take("default") => role = Some("default".to_owned()),
                "iam_role" => role = Some(reader.text()?),
                "format" | "as" => continue,
                "parquet" | "csv" if format.is_some() => return Err("ERROR: conflicting formats".to_owned()),
                "parquet" => format = Some(Format::Parquet),
                "csv" => format = Some(Format::Csv),
                "manifest" => copy.is_manifest = true,
                "statupdate" | "compupdate" => {
                    if !["on", "off", "true", "false"].iter().any(|state| reader.take(state)) && option == "compupdate"
                    {
                        reader.take("preset");
                    }
                }
                "dateformat" | "timeformat" => {
                    reader.take("as");
                    let text = reader.text()?;
                    if text != "auto" {
                        return Err(format!("ERROR: the sandbox does not translate {option} '{text}'"));
                    }
                }
                _ => return Err(format!("ERROR: the sandbox does not translate COPY … {}", option.to_uppercase())),
            }
            options.push(option);
        }
        let role = role.ok_or("ERROR: No credentials were given: IAM_ROLE is missing")?;
        if role != "default" && !role.starts_with("arn:aws:iam::") {
            return Err(format!("ERROR: Invalid IAM role: {role}"));
        }
        copy.format = format.ok_or("ERROR: the sandbox does not translate COPY without a format")?;
        if copy.format == Format::Parquet
            && let Some(option) = options.iter().find(|option| NOT_WITH_PARQUET.contains(&option.as_str()))
        {
            let option = option.to_uppercase();
            return Err(format!("ERROR: {option} argument is not supported for PARQUET based COPY"));
        }
        Ok(copy)
    }
}

struct Reader<'a> {
    words: &'a [Word<'a>],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Word<'a>> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self, expected: &str) -> bool {
        let is_there = self.peek().is_some_and(|word| word.is(expected));
        self.at += usize::from(is_there);
        is_there
    }

    fn wrong(&self) -> String {
        match self.peek() {
            Some(word) => format!("ERROR: syntax error at or near \"{}\"", word.text),
            None => "ERROR: syntax error at end of input".to_owned(),
        }
    }

    fn expect(&mut self, expected: &str) -> Result<(), String> {
        if self.take(expected) { Ok(()) } else { Err(self.wrong()) }
    }

    fn next(&mut self, fits: impl Fn(&Word<'a>) -> bool) -> Result<Word<'a>, String> {
        let word = self.peek().filter(fits).ok_or_else(|| self.wrong())?;
        self.at += 1;
        Ok(word)
    }

    /// A text between quotes.
    fn text(&mut self) -> Result<String, String> {
        let word = self.next(|word| word.kind == Kind::Text)?;
        word.value().ok_or_else(|| self.wrong())
    }

    /// A name with its points, without the mark of a temporary one.
    fn name(&mut self) -> Result<String, String> {
        self.take("#");
        let mut name = self.next(Word::is_name)?.text.to_owned();
        while self.take(".") {
            name.push('.');
            name.push_str(self.next(Word::is_name)?.text);
        }
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::words::telling;
    use super::*;

    fn parse(sql: &str) -> Result<Copy, String> {
        Copy::parse(&telling(sql))
    }

    #[test]
    fn what_etalon_writes_is_understood() {
        let copy = parse(
            "COPY #stage (id, \"Note\")\nFROM 's3://b/it''s.json'\nIAM_ROLE default\nFORMAT AS PARQUET\nMANIFEST STATUPDATE OFF",
        );
        let expected = Copy {
            table: "stage".to_owned(),
            columns: vec!["id".to_owned(), "note".to_owned()],
            from: "s3://b/it's.json".to_owned(),
            is_manifest: true,
            format: Format::Parquet,
        };
        assert_eq!(copy, Ok(expected));
        let csv = "COPY a.b FROM 's3://b/x' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS CSV DATEFORMAT 'auto' \
                   TIMEFORMAT 'auto' MANIFEST COMPUPDATE OFF STATUPDATE OFF";
        assert_eq!(parse(csv).map(|copy| (copy.table, copy.format)), Ok(("a.b".to_owned(), Format::Csv)));
    }

    #[test]
    fn what_redshift_would_refuse_is_refused() {
        let told = |options: &str| parse(&format!("COPY t FROM 's3://b/m' {options}")).unwrap_err();
        assert_eq!(told("FORMAT AS PARQUET"), "ERROR: No credentials were given: IAM_ROLE is missing");
        assert_eq!(told("IAM_ROLE 'me' FORMAT PARQUET"), "ERROR: Invalid IAM role: me");
        assert_eq!(
            told("IAM_ROLE default FORMAT PARQUET COMPUPDATE OFF"),
            "ERROR: COMPUPDATE argument is not supported for PARQUET based COPY"
        );
        assert_eq!(told("IAM_ROLE default PARQUET CSV"), "ERROR: conflicting formats");
        assert_eq!(told("IAM_ROLE default PARQUET NOLOAD"), "ERROR: the sandbox does not translate COPY … NOLOAD");
        assert_eq!(parse("COPY t 's3://b/m'").unwrap_err(), "ERROR: syntax error at or near \"'s3://b/m'\"");
    }
}
