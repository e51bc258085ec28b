//! Examination: what a database says of how it will be read. It is asked as a landing asks it, up to the first row, and for what
//! makes a landing slow or lets it miss rows; nothing lands.

use super::{Answer, CursorType, END, LandStep, Landing};
use crate::error::{Error, ErrorKind};
use crate::source::database::{Incremental, Relation};

/// The bounds within which clocks are said to agree, in microseconds: an answer takes its time.
const AGREES: i64 = 1_500_000;

impl Landing<'_> {
    /// What there is to say, a line each. `ask` runs a step, and gives what came and what time it was here then, in microseconds
    /// since 1970.
    pub(in crate::source) fn examine(
        mut self,
        ask: &mut dyn FnMut(LandStep) -> Result<(Answer, i64), Error>,
    ) -> Result<Vec<String>, Error> {
        let (answer, here) = ask(LandStep::Ask(self.statements.server().to_owned()))?;
        let server = answer.into_iter().next().unwrap_or_default();
        let at = |index: usize| server.get(index).cloned().flatten();
        let mut lines = vec![format!("connected: {}", at(1).unwrap_or_default())];
        lines.extend(at(0).and_then(|there| there.parse().ok()).map(|there| clocks(there, here)));

        let wrong = self.walk(ask);
        // Whether it has begun one or not: a transaction that has failed would answer nothing more.
        let _ = ask(LandStep::Ask(END.to_owned()));
        lines.extend(
            self.columns.iter().filter(|(_, ty)| !ty.is_empty()).map(|(name, ty)| format!("field `{name}`: {ty}")),
        );
        if let Some(Incremental { cursor, .. }) = &self.reads.incremental
            && !self.found.is_empty()
        {
            lines.push(format!("cursor `{cursor}`: {}", self.found));
            lines.extend(self.index(cursor, ask)?);
        }
        if wrong.is_ok() {
            lines.extend(self.left_out(ask)?);
            lines.extend(self.long_transactions(ask)?);
        }
        lines.extend(self.waits_for.iter().chain(&self.note).cloned());
        match wrong {
            Err(error) if error.kind() == ErrorKind::Refused => lines.push(format!("a run would be refused: {error}")),
            other => other?,
        }
        Ok(lines)
    }

    /// Asks what a landing asks before its first row.
    fn walk(&mut self, ask: &mut dyn FnMut(LandStep) -> Result<(Answer, i64), Error>) -> Result<(), Error> {
        loop {
            match self.step() {
                LandStep::Land(_) | LandStep::Finished(_) => return Ok(()),
                LandStep::Wait(wait) => drop(ask(LandStep::Wait(wait))?),
                step => self.push(ask(step)?.0)?,
            }
        }
    }

    /// Whether the cursor has an index, where that can be known.
    fn index(
        &self,
        cursor: &str,
        ask: &mut dyn FnMut(LandStep) -> Result<(Answer, i64), Error>,
    ) -> Result<Option<String>, Error> {
        let Relation::Table(schema, table) = &self.reads.rows else { return Ok(None) };
        let (answer, _) = ask(LandStep::Ask(self.statements.indexed(schema.as_deref(), table, cursor)))?;
        let found = answer.into_iter().next().and_then(|row| row.into_iter().next().flatten());
        Ok(found.map(|found| match found.starts_with('t') {
            true => format!("an index begins with `{cursor}`"),
            false => format!("no index begins with `{cursor}`: each window looks at all rows of the table"),
        }))
    }

    /// How many rows are left out since they have no cursor. Where they are refused, a landing has said it.
    fn left_out(&self, ask: &mut dyn FnMut(LandStep) -> Result<(Answer, i64), Error>) -> Result<Option<String>, Error> {
        let (Some(Incremental { cursor, leaves_out, .. }), Some(ty)) = (&self.reads.incremental, self.ty) else {
            return Ok(None);
        };
        let (answer, _) = ask(LandStep::Ask(self.statements.without_cursor(self.reads, cursor, ty)))?;
        let count = answer.into_iter().next().and_then(|row| row.into_iter().next().flatten()).unwrap_or_default();
        let why = self.statements.no_cursor();
        Ok(Some(match count.as_str() {
            "0" => format!("every row has a `{cursor}`"),
            count if *leaves_out => format!("{count} rows have no `{cursor}` ({why}), and are left out"),
            count => format!("{count} rows have no `{cursor}` ({why}), and nothing is read while they have none"),
        }))
    }

    /// Where windows do not wait for open transactions: one that is open for longer than the lag. Whoever may not see it is told so.
    fn long_transactions(
        &self,
        ask: &mut dyn FnMut(LandStep) -> Result<(Answer, i64), Error>,
    ) -> Result<Option<String>, Error> {
        let (Some(incremental), Some(CursorType::Clocked(ty))) = (&self.reads.incremental, self.ty) else {
            return Ok(None);
        };
        if incremental.waits {
            return Ok(None);
        }
        let waits = Incremental { waits: true, ..incremental.clone() };
        for statement in self.statements.before_look(None) {
            if let Err(error) = ask(LandStep::Ask(statement)) {
                return hidden(error).map(Some);
            }
        }
        let looked = ask(LandStep::Ask(self.statements.horizon(&waits, ty, &self.found)));
        let _ = ask(LandStep::Ask(END.to_owned()));
        let row = match looked {
            Ok((answer, _)) => answer.into_iter().next().unwrap_or_default(),
            Err(error) => return hidden(error).map(Some),
        };
        let at = |index: usize| row.get(index).cloned().flatten();
        Ok(at(1).zip(at(2)).map(|(since, whose)| {
            format!(
                "a transaction is open since {since} ({whose}), for longer than `lag`: its rows are missed, since the file says \
                 `open_transactions: ignore`"
            )
        }))
    }
}

fn hidden(error: Error) -> Result<String, Error> {
    match error.kind() {
        ErrorKind::Refused => Ok(format!("open transactions are not shown to this user: {error}")),
        _ => Err(error),
    }
}

fn clocks(there: i64, here: i64) -> String {
    let seconds = (there - here).unsigned_abs().div_ceil(1_000_000);
    match there - here {
        difference if difference.abs() <= AGREES => "the server's clock and this one agree".to_owned(),
        1.. => format!("the server's clock is {seconds} seconds ahead of this one"),
        _ => format!("the server's clock is {seconds} seconds behind this one"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_agree_within_the_time_that_an_answer_takes() {
        assert_eq!(clocks(2_000_000, 1_000_000), "the server's clock and this one agree");
        assert_eq!(clocks(9_000_000, 1_000_000), "the server's clock is 8 seconds ahead of this one");
        assert_eq!(clocks(1_000_000, 3_500_000), "the server's clock is 3 seconds behind this one");
    }
}
