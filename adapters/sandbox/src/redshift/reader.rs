//! Reader: the words of a statement, read one after the other.

use super::words::Word;

/// Words, read one after the other.
pub(super) struct Reader<'a> {
    pub(super) told: &'a [Word<'a>],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn peek(&self) -> Option<Word<'a>> {
        self.told.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<Word<'a>> {
        let word = self.peek();
        self.at += 1;
        word
    }

    pub(super) fn rest(&self) -> &'a [Word<'a>] {
        self.told.get(self.at..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, expected: &str) -> bool {
        let is_there = self.peek().is_some_and(|word| word.is(expected));
        self.at += usize::from(is_there);
        is_there
    }

    pub(super) fn expect(&mut self, expected: &str) -> Result<(), String> {
        if self.take(expected) {
            return Ok(());
        }
        let found = self.peek().map_or("end of input", |word| word.text);
        Err(format!("ERROR: syntax error at or near \"{found}\""))
    }

    pub(super) fn end(&self) -> Result<(), String> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(format!("ERROR: syntax error at or near \"{}\"", word.text)),
        }
    }

    /// A name with its points, without the mark of a temporary one.
    pub(super) fn name(&mut self) -> Result<String, String> {
        self.take("#");
        let mut name = String::new();
        loop {
            let part = self.next().filter(Word::is_name);
            name.push_str(part.ok_or_else(|| untranslated("a statement without a name"))?.text);
            if !self.take(".") {
                return Ok(name);
            }
            name.push('.');
        }
    }

    /// The words up to the parenthesis that closes the one that was just read.
    pub(super) fn until_closed(&mut self) -> Result<&'a [Word<'a>], String> {
        let start = self.at;
        let mut open = 1_i32;
        while let Some(word) = self.next() {
            open += i32::from(word.is("(")) - i32::from(word.is(")"));
            if open == 0 {
                return Ok(self.told.get(start..self.at - 1).unwrap_or_default());
            }
        }
        Err("ERROR: syntax error at end of input".to_owned())
    }
}

/// The words of an error about what Redshift takes, and nothing is made of here.
pub(super) fn untranslated(what: &str) -> String {
    format!("ERROR: the sandbox does not translate {what}")
}
