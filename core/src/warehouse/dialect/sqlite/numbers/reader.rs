//! Reader: reads a query as SQLite does, and writes it with its expressions over decimals wrapped.

use super::piece::{Piece, Value, relate, relate_each, truth};
use super::{KEEPING, Known, MINUS_FUNCTION, RESERVED};
use crate::sql::scan::{Kind, Token};
use crate::warehouse::dialect::sqlite::query::name_of;

/// Reads a query and writes it.
pub(super) struct Reader<'a> {
    pub(super) tokens: &'a [Token<'a>],
    pub(super) at: usize,
    pub(super) known: Known,
    /// How many times a decimal has been mentioned.
    pub(super) mentions: usize,
}

/// Which part of a select is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    /// Before SELECT, or between two of them.
    Start,
    With,
    Columns,
    From,
    /// What joins two tables.
    On,
    /// Any other in which expressions stand.
    Values,
}

/// A select, or several that are united, and what its columns are.
#[derive(Default)]
pub(super) struct Select {
    pub(super) text: String,
    /// Where the first begins.
    start: usize,
    /// How many there are.
    arms: usize,
    /// The number of the column that is being read.
    column: usize,
    /// Whether that number is known: not behind a `*`.
    is_counted: bool,
    /// The names that the columns are given, and whether they are decimals.
    columns: Vec<(Option<String>, bool)>,
    begins_with_all: bool,
    /// Whether its first column is a decimal, or may be one.
    is_decimal: bool,
}

impl Select {
    /// Notes a `*`.
    fn take_all(&mut self) {
        self.begins_with_all |= self.column == 0;
        self.is_counted = false;
    }
}

impl<'a> Reader<'a> {
    /// A select, or several that are united, to the parenthesis that closes it or the end.
    pub(super) fn select(&mut self, from: Clause) -> Select {
        let mentions = self.mentions;
        let mut select = Select { start: self.at, is_counted: true, ..Select::default() };
        let mut clause = from;
        loop {
            select.text.push_str(&self.blanks());
            if self.at >= self.tokens.len() || self.is(")") {
                select.is_decimal |= select.begins_with_all && self.mentions > mentions;
                return select;
            }
            match self.word().as_str() {
                "with" => clause = Clause::With,
                "select" => {
                    clause = Clause::Columns;
                    select.arms += 1;
                    (select.column, select.is_counted) = (0, true);
                }
                "from" | "join" => clause = Clause::From,
                "on" => clause = Clause::On,
                "where" | "group" | "having" | "order" | "limit" | "window" | "values" => clause = Clause::Values,
                "union" | "intersect" | "except" => clause = Clause::Start,
                _ if self.is(",") => match clause {
                    Clause::Columns => select.column += 1,
                    Clause::On => clause = Clause::From,
                    _ => {}
                },
                _ if clause == Clause::Columns => {
                    self.column(&mut select);
                    continue;
                }
                _ => {
                    let text = match clause {
                        Clause::With => self.common_table(),
                        Clause::From if self.is("(") => Some(self.nested(Clause::From).1),
                        Clause::From => None,
                        _ => self.expression(0).map(|piece| piece.finish().text),
                    };
                    if let Some(text) = text {
                        select.text.push_str(&text);
                        continue;
                    }
                }
            }
            select.text.push_str(self.take());
        }
    }

    /// A column that a select gives, with its name; or a word before it.
    fn column(&mut self, select: &mut Select) {
        let is_all = self.is("*");
        let Some(mut piece) = self.expression(0).filter(|_| !is_all) else {
            select.text.push_str(self.take());
            if is_all {
                select.take_all();
            }
            return;
        };
        if piece.text.ends_with(".*") {
            select.text.push_str(&piece.text);
            return select.take_all();
        }
        let is_decimal = piece.is_decimal();
        let known = select.columns.get_mut(select.column).filter(|_| select.is_counted);
        if select.is_counted {
            let place = (select.start, select.column);
            let was_decimal = known.as_ref().is_some_and(|(_, was)| *was);
            if select.arms > 1 && (is_decimal || was_decimal) {
                self.known.united.insert(place);
            }
            if self.known.united.contains(&place) {
                piece.wrap();
                piece.value = Value::Column;
            }
            select.is_decimal |= select.column == 0 && is_decimal;
        }
        let (alias, mut name) = {
            select.text.push_str(&piece.finish().text);
            self.alias()
        };
        select.text.push_str(&alias);
        match known {
            // The names are those of the first select.
            Some((first, was_decimal)) => {
                *was_decimal |= is_decimal;
                name.clone_from(first);
            }
            None if select.is_counted => select.columns.push((name.clone(), is_decimal)),
            None => {}
        }
        if is_decimal {
            self.known.names.extend(name);
        }
    }

    /// A name that follows an expression, with or without `as`, in lower case.
    fn alias(&mut self) -> (String, Option<String>) {
        let mark = self.at;
        let mut text = self.blanks();
        if self.word() == "as" {
            text.push_str(self.take());
            text.push_str(&self.blanks());
        }
        let name = self.name().filter(|_| !self.is_reserved());
        match name {
            Some(name) => {
                text.push_str(self.take());
                (text, Some(name))
            }
            None => {
                self.at = mark;
                (String::new(), None)
            }
        }
    }

    /// `name (columns) as materialized (select …)`
    fn common_table(&mut self) -> Option<String> {
        self.name().filter(|_| !self.is_reserved())?;
        let mut text = self.take().to_owned();
        text.push_str(&self.blanks());
        let mut names = Vec::new();
        if self.is("(") {
            while self.at < self.tokens.len() && !self.is(")") {
                names.extend(self.name());
                text.push_str(self.take());
            }
            text.push_str(self.take());
            text.push_str(&self.blanks());
        }
        // `recursive` is read as a name that nothing follows.
        if self.word() != "as" {
            return Some(text);
        }
        while self.at < self.tokens.len() && !self.is("(") && !self.is(")") {
            text.push_str(self.take());
        }
        if self.is("(") {
            let (select, inner) = self.nested(Clause::Start);
            let decimals = names.into_iter().zip(select.columns).filter(|(_, (_, is_decimal))| *is_decimal);
            self.known.names.extend(decimals.map(|(name, _)| name));
            text.push_str(&inner);
        }
        Some(text)
    }

    /// What stands in parentheses, with them.
    fn nested(&mut self, clause: Clause) -> (Select, String) {
        let mut text = self.take().to_owned();
        let select = self.select(clause);
        text.push_str(&select.text);
        text.push_str(self.take());
        (select, text)
    }

    /// An expression of operators that bind at least so. `None` leaves the place as it is.
    fn expression(&mut self, least: u8) -> Option<Piece> {
        let mut left = self.operand()?;
        loop {
            let mark = self.at;
            let before = self.blanks();
            match self.operator(left, before, least) {
                Ok(whole) => left = whole,
                Err(alone) => {
                    self.at = mark;
                    return Some(alone);
                }
            }
        }
    }

    /// An expression and an operator that follows it; the expression alone if none does that binds so.
    fn operator(&mut self, mut left: Piece, before: String, least: u8) -> Result<Piece, Piece> {
        let word = match self.token() {
            Some(token) if matches!(token.kind, Kind::Operator) => token.text.to_owned(),
            Some(_) => self.word(),
            None => return Err(left),
        };
        let binds = match word.as_str() {
            "or" => 1,
            "and" => 2,
            "=" | "==" | "<>" | "!=" | "is" | "in" | "like" | "glob" | "regexp" | "match" | "between" | "isnull"
            | "notnull" | "not" => 4,
            "<" | "<=" | ">" | ">=" => 5,
            "&" | "|" | "<<" | ">>" => 6,
            "+" | "-" => 7,
            "*" | "/" | "%" => 8,
            "collate" => 10,
            _ if word.starts_with("||") || word.starts_with("->") => 9,
            _ => return Err(left),
        };
        if binds < least {
            return Err(left);
        }
        let mut sign = before + self.take();
        match word.as_str() {
            "isnull" | "notnull" => return Ok(truth(left, sign, None)),
            "collate" => {
                sign.push_str(&self.blanks());
                sign.push_str(self.take());
                left.text.push_str(&sign);
                (left.value, left.collates) = (Value::Other, false);
                return Ok(left);
            }
            _ => {}
        }
        let mut word = word;
        let follows = |reader: &mut Self, sign: &mut String, next: &str| {
            let mark = reader.at;
            let blanks = reader.blanks();
            if reader.word() != next {
                reader.at = mark;
                return false;
            }
            *sign += &blanks;
            *sign += reader.take();
            true
        };
        match word.as_str() {
            "not" => {
                let blanks = self.blanks();
                word = self.word();
                sign = sign + &blanks + self.take();
                if word == "null" {
                    return Ok(truth(left, sign, None));
                }
            }
            "is" => {
                follows(self, &mut sign, "not");
                if follows(self, &mut sign, "distinct") {
                    follows(self, &mut sign, "from");
                }
            }
            _ => {}
        }
        match word.as_str() {
            "between" => return Ok(self.between(left, sign)),
            "in" => return Ok(self.within(left, sign)),
            _ => {}
        }
        let Some(mut right) = self.expression(binds + 1) else {
            left.text.push_str(&sign);
            left.value = Value::Other;
            return Ok(left);
        };
        Ok(match binds {
            4 | 5 => {
                // `like` and its kin look at texts.
                if !word.bytes().any(|letter| letter.is_ascii_alphabetic())
                    || (word == "is" && right.value != Value::Word)
                {
                    relate(&mut [&mut left, &mut right]);
                }
                let mut whole = truth(left, sign, Some(&right));
                let mut escape = String::new();
                if follows(self, &mut escape, "escape") {
                    whole.text.push_str(&escape);
                    if let Some(letter) = self.expression(5) {
                        whole.push(&letter);
                    }
                }
                whole
            }
            1 | 2 => truth(left, sign, Some(&right)),
            _ => {
                let is_decimal = matches!(binds, 7 | 8) && (left.is_decimal() || right.is_decimal());
                left.text.push_str(&sign);
                left.push(&right);
                left.value = if is_decimal { Value::Made } else { Value::Other };
                left
            }
        })
    }

    fn between(&mut self, mut left: Piece, mut sign: String) -> Piece {
        let Some(mut low) = self.expression(5) else { return truth(left, sign, None) };
        let mark = self.at;
        let mut and = self.blanks();
        let high = if self.word() == "and" {
            and.push_str(self.take());
            self.expression(5)
        } else {
            self.at = mark;
            and.clear();
            None
        };
        let Some(mut high) = high else {
            // `rows between …`
            sign.push_str(&low.before);
            sign.push_str(&low.finish().text);
            return truth(left, sign + &and, None);
        };
        relate_each(&mut left, &mut [&mut low, &mut high]);
        let mut whole = truth(left, sign, Some(&low));
        whole.text.push_str(&and);
        whole.push(&high);
        whole
    }

    /// What follows `in`: a list, a select or a table.
    fn within(&mut self, mut left: Piece, mut sign: String) -> Piece {
        sign.push_str(&self.blanks());
        if !self.is("(") || self.begins_select() {
            let Some(right) = self.operand() else { return truth(left, sign, None) };
            // The columns of the select are wrapped already.
            if right.is_decimal() && left.value != Value::Column {
                left.wrap();
            } else {
                relate(&mut [&mut left]);
            }
            return truth(left, sign, Some(&right));
        }
        sign.push_str(self.take());
        let (mut items, mut points) = (Vec::new(), Vec::new());
        while let Some(item) = self.expression(0) {
            items.push(item);
            let mut point = self.blanks();
            let is_last = !self.is(",");
            if !is_last {
                point.push_str(self.take());
            }
            points.push(point);
            if is_last {
                break;
            }
        }
        relate_each(&mut left, &mut items.iter_mut().collect::<Vec<_>>());
        let mut whole = truth(left, sign, None);
        for (item, point) in items.iter().zip(points) {
            whole.push(item);
            whole.text.push_str(&point);
        }
        whole.text.push_str(&self.select(Clause::Values).text);
        whole.text.push_str(self.take());
        whole
    }

    /// What operators stand between.
    fn operand(&mut self) -> Option<Piece> {
        let mark = self.at;
        let before = self.blanks();
        let piece = self.operand_after(before);
        if piece.is_none() {
            self.at = mark;
        }
        piece
    }

    fn operand_after(&mut self, before: String) -> Option<Piece> {
        let token = self.token()?;
        match token.kind {
            Kind::Operator if matches!(token.text, "-" | "+" | "~") => {
                let sign = self.take();
                let inner = self.operand()?;
                let mut piece = Piece::other(before, sign.to_owned());
                piece.push(&inner);
                piece.value = match inner.value {
                    Value::Column | Value::Made if sign == "-" => {
                        piece.text = format!("{MINUS_FUNCTION}({}{})", inner.before, inner.text);
                        Value::Made
                    }
                    Value::Column | Value::Made if sign == "+" => Value::Made,
                    Value::Number(digits) if sign == "-" && !digits.starts_with('-') => {
                        Value::Number(format!("-{digits}"))
                    }
                    _ => Value::Other,
                };
                Some(piece)
            }
            Kind::Number => {
                let text = self.take();
                let value = match text.as_bytes() {
                    [b'0', b'x' | b'X', ..] => Value::Other,
                    [b'.', ..] => Value::Number(format!("0{text}")),
                    _ => Value::Number(text.to_owned()),
                };
                Some(Piece { value, ..Piece::other(before, text.to_owned()) })
            }
            Kind::Text(_) | Kind::Bits | Kind::Parameter => Some(Piece::other(before, self.take().to_owned())),
            Kind::Point if token.text == "(" => Some(self.parentheses(before)),
            Kind::Word | Kind::Name(_) => match self.word().as_str() {
                "case" => Some(self.case(before)),
                "cast" => {
                    let mut piece = Piece::other(before, self.take().to_owned());
                    piece.text.push_str(&self.blanks());
                    if self.is("(") {
                        piece.text.push_str(self.take());
                        if let Some(inner) = self.expression(0) {
                            piece.push(&inner);
                        }
                        piece.text.push_str(&self.rest());
                    }
                    Some(piece)
                }
                word @ ("not" | "exists") => {
                    let sign = self.take().to_owned();
                    let inner = if word == "not" { self.expression(3) } else { self.operand() };
                    let mut piece = Piece { value: Value::Truth, ..Piece::other(before, sign) };
                    if let Some(inner) = inner {
                        piece.push(&inner);
                    }
                    Some(piece)
                }
                "null" | "true" | "false" => {
                    Some(Piece { value: Value::Word, ..Piece::other(before, self.take().to_owned()) })
                }
                _ if self.is_reserved() => None,
                _ => Some(self.called(before)),
            },
            _ => None,
        }
    }

    /// An expression, a list of them, or a select, in parentheses.
    fn parentheses(&mut self, before: String) -> Piece {
        if self.begins_select() {
            let (select, text) = self.nested(Clause::Start);
            let value = if select.is_decimal { Value::Made } else { Value::Other };
            return Piece { value, ..Piece::other(before, text) };
        }
        let mut piece = Piece::other(before, self.take().to_owned());
        let Some(inner) = self.expression(0) else {
            piece.text.push_str(&self.rest());
            return piece;
        };
        let mark = self.at;
        let blanks = self.blanks();
        if self.is(")") {
            piece.push(&inner);
            piece.text = piece.text + &blanks + self.take();
            piece.value = match inner.value {
                Value::Column | Value::Made => inner.value,
                Value::Number(_) | Value::Truth | Value::Word | Value::Other => Value::Other,
            };
        } else {
            self.at = mark;
            piece.push(&inner.finish());
            piece.text.push_str(&self.rest());
            piece.collates = false;
        }
        piece
    }

    fn case(&mut self, before: String) -> Piece {
        let mut piece = Piece::other(before, self.take().to_owned());
        let mut base = self.expression(0);
        // The words, and what stands behind each.
        let mut parts: Vec<(String, String, Option<Piece>)> = Vec::new();
        let mut is_decimal = false;
        let end = loop {
            let mark = self.at;
            let mut text = self.blanks();
            let word = self.word();
            match word.as_str() {
                "when" | "then" | "else" => {
                    text.push_str(self.take());
                    let inner = self.expression(0);
                    is_decimal |= word != "when" && inner.as_ref().is_some_and(Piece::is_decimal);
                    parts.push((word, text, inner));
                }
                "end" => {
                    text.push_str(self.take());
                    break text;
                }
                _ => {
                    self.at = mark;
                    break String::new();
                }
            }
        };
        if let Some(base) = &mut base {
            let whens = parts.iter_mut().filter(|(word, ..)| word == "when");
            relate_each(base, &mut whens.filter_map(|(_, _, inner)| inner.as_mut()).collect::<Vec<_>>());
            piece.push(base);
        }
        for (_, text, inner) in parts {
            piece.text.push_str(&text);
            if let Some(inner) = inner {
                piece.push(&inner);
            }
        }
        piece.text.push_str(&end);
        piece.value = if is_decimal { Value::Made } else { Value::Other };
        piece
    }

    /// A column, or a call of a function with what filters it and the window that it moves over.
    fn called(&mut self, before: String) -> Piece {
        let mut name = self.name().unwrap_or_default();
        let mut piece = Piece::other(before, self.take().to_owned());
        loop {
            let mark = self.at;
            let blanks = self.blanks();
            if self.is(".") {
                piece.text = piece.text + &blanks + self.take() + &self.blanks();
                name = self.name().unwrap_or_default();
                if self.is("*") || !name.is_empty() {
                    piece.text.push_str(self.take());
                }
                continue;
            }
            if self.is("(") {
                piece.text = piece.text + &blanks + self.take();
                self.arguments(&name, &mut piece);
                return piece;
            }
            self.at = mark;
            break;
        }
        if self.known.names.contains(&name) {
            self.mentions += 1;
            piece.value = Value::Column;
        }
        piece
    }

    fn arguments(&mut self, function: &str, piece: &mut Piece) {
        let blanks = self.blanks();
        piece.text.push_str(&blanks);
        let is_distinct = self.word() == "distinct";
        if is_distinct {
            piece.text.push_str(self.take());
        }
        let (mut arguments, mut points) = (Vec::new(), Vec::new());
        while let Some(argument) = self.expression(0) {
            arguments.push(argument);
            let mark = self.at;
            let mut point = self.blanks();
            let is_last = !self.is(",");
            if is_last {
                self.at = mark;
                point.clear();
            } else {
                point.push_str(self.take());
            }
            points.push(point);
            if is_last {
                break;
            }
        }
        let is_decimal = KEEPING.contains(&function) && arguments.iter().any(Piece::is_decimal);
        // These compare what they are given.
        if function == "nullif" || (matches!(function, "min" | "max") && arguments.len() > 1) {
            relate(&mut arguments.iter_mut().collect::<Vec<_>>());
        } else {
            arguments = arguments.into_iter().map(Piece::finish).collect();
        }
        for (argument, point) in arguments.iter().zip(points) {
            piece.push(argument);
            piece.text.push_str(&point);
        }
        piece.text.push_str(&self.rest());
        for word in ["filter", "over"] {
            let mark = self.at;
            let mut text = self.blanks();
            if self.word() != word {
                self.at = mark;
                continue;
            }
            text.push_str(self.take());
            text.push_str(&self.blanks());
            if self.is("(") {
                text.push_str(&self.nested(Clause::Values).1);
            } else if word == "over" && self.name().is_some() {
                text.push_str(self.take());
            }
            piece.text.push_str(&text);
        }
        if is_decimal {
            piece.value = Value::Made;
        }
    }

    /// What is left up to the closing parenthesis, with it.
    fn rest(&mut self) -> String {
        let rest = self.select(Clause::Values).text;
        rest + self.take()
    }

    /// Whether a parenthesis opens here, and in it a select.
    fn begins_select(&self) -> bool {
        let mut inner = self.tokens.iter().skip(self.at + 1).filter(|token| !token.is_space());
        inner.next().is_some_and(|token| ["select", "with", "values"].iter().any(|word| token.is_word(word)))
    }

    fn token(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at)
    }

    /// The word of the language that stands here, in lower case; nothing where none does.
    fn word(&self) -> String {
        self.token()
            .filter(|token| token.kind == Kind::Word)
            .map_or_else(String::new, |token| token.text.to_ascii_lowercase())
    }

    /// The name that stands here, in lower case.
    fn name(&self) -> Option<String> {
        self.token().and_then(name_of).map(|name| name.to_ascii_lowercase())
    }

    fn is_reserved(&self) -> bool {
        RESERVED.contains(&self.word().as_str())
    }

    fn is(&self, sign: &str) -> bool {
        self.token().is_some_and(|token| token.is_sign(sign))
    }

    /// The blanks and comments that stand here.
    fn blanks(&mut self) -> String {
        let mut text = String::new();
        while let Some(token) = self.tokens.get(self.at).filter(|token| token.is_space()) {
            text.push_str(token.text);
            self.at += 1;
        }
        text
    }

    /// The text of what stands here, and goes behind it.
    pub(super) fn take(&mut self) -> &'a str {
        let text = self.tokens.get(self.at).map_or("", |token| token.text);
        self.at += 1;
        text
    }
}
