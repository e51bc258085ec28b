//! Scan: the grammar of JSON, walked over once, whatever is asked.

use super::Json;

/// The deepest nesting: that of Redshift's `super`.
pub(super) const DEPTH_MAX: usize = 1000;

/// A value that a walk has passed, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed<'a> {
    /// 0 for the value that the walk is over, 1 for its elements or members, and so on.
    pub(super) depth: usize,
    /// The name of a member, in its quotes.
    pub(super) name: Option<&'a str>,
    /// The value.
    pub(super) value: Json<'a>,
}

/// A walk over a text. Every step is `None` where the text is no JSON.
pub(super) struct Walk<'a> {
    text: &'a str,
    place: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, place: 0 }
    }

    /// The only value of the text. `f` gets every value at its end: the parts of one before itself.
    pub(super) fn whole(mut self, f: &mut dyn FnMut(Passed<'a>)) -> Option<Json<'a>> {
        let value = self.value(0, None, f)?;
        self.blanks().peek().is_none().then_some(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.place).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.place += 1)
    }

    fn blanks(&mut self) -> &mut Self {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.place += 1;
        }
        self
    }

    fn value(&mut self, depth: usize, name: Option<&'a str>, f: &mut dyn FnMut(Passed<'a>)) -> Option<Json<'a>> {
        let start = self.blanks().place;
        if depth > DEPTH_MAX {
            return None;
        }
        match self.peek()? {
            b'{' => self.list(b'}', depth, true, f)?,
            b'[' => self.list(b']', depth, false, f)?,
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => {
                let rest = self.text.get(start..)?;
                let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word))?;
                self.place += word.len();
            }
        }
        let value = Json::new(self.text.get(start..self.place)?);
        f(Passed { depth, name, value });
        Some(value)
    }

    fn list(&mut self, close: u8, depth: usize, is_object: bool, f: &mut dyn FnMut(Passed<'a>)) -> Option<()> {
        self.place += 1;
        if self.blanks().eat(close).is_some() {
            return Some(());
        }
        loop {
            let mut name = None;
            if is_object {
                let start = self.blanks().place;
                self.string()?;
                name = Some(self.text.get(start..self.place)?);
                self.blanks().eat(b':')?;
            }
            self.value(depth + 1, name, f)?;
            if self.blanks().eat(close).is_some() {
                return Some(());
            }
            self.eat(b',')?;
        }
    }

    fn string(&mut self) -> Option<()> {
        self.eat(b'"')?;
        loop {
            match self.peek()? {
                b'"' => return self.eat(b'"'),
                b'\\' => {
                    self.place += 1;
                    let digits = match self.peek()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 0,
                        b'u' => 4,
                        _ => return None,
                    };
                    self.place += 1;
                    for _ in 0..digits {
                        self.peek().filter(u8::is_ascii_hexdigit)?;
                        self.place += 1;
                    }
                }
                0..=31 => return None,
                _ => self.place += 1,
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.place += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.place += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.place;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.place += 1;
        }
        (self.place > start).then_some(())
    }
}
