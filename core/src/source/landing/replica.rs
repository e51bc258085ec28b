//! Replica: how far a server is behind the one that it replicates, by what it shows of that.

use super::{Answer, Landing, State};
use crate::source::database::{Clocked, Incremental};

/// What the columns are called that say it: by MariaDB, and by MySQL.
const SECONDS: [&str; 2] = ["Seconds_Behind_Master", "Seconds_Behind_Source"];

/// How far a server is behind its primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// It is not shown to this user.
    Hidden,
    /// So many seconds; a server that is no replica is not behind.
    Seconds(u64),
    /// It does not replicate now, and nobody knows.
    Stopped,
}

impl Behind {
    /// What the answer means: a row of names, and a row for each primary. It is told in whole seconds, so that one more may have passed.
    pub(super) fn of(answer: &Answer) -> Self {
        let Some((names, primaries)) = answer.split_first() else { return Self::Hidden };
        let is_seconds = |name: &Option<String>| name.as_deref().is_some_and(|name| SECONDS.contains(&name));
        let Some(at) = names.iter().position(is_seconds) else { return Self::Hidden };
        let mut most = 0;
        for primary in primaries {
            match primary.get(at).cloned().flatten().and_then(|seconds| seconds.parse::<u64>().ok()) {
                Some(seconds) => most = most.max(seconds + 1),
                None => return Self::Stopped,
            }
        }
        Self::Seconds(most)
    }
}

impl Landing<'_> {
    /// Where a window must end, on a replica as much earlier as it is behind.
    pub(super) fn horizon_asked(&self, incremental: &Incremental, ty: Clocked) -> String {
        match self.behind {
            Some(Behind::Seconds(seconds @ 1..)) => {
                let incremental = Incremental { lag: incremental.lag + seconds, ..incremental.clone() };
                self.statements.horizon(&incremental, ty, &self.found)
            }
            _ => self.statements.horizon(incremental, ty, &self.found),
        }
    }

    /// Takes how far the server is behind its primary.
    pub(super) fn replicates(&mut self, behind: Behind, ty: Clocked) {
        self.behind = Some(behind);
        self.state = match behind {
            Behind::Hidden | Behind::Seconds(_) => self.look(State::Horizon(ty), None),
            Behind::Stopped => {
                self.waits_for = Some(
                    "this replica does not replicate now, so that nobody knows how far it is: nothing is read until it does, or is \
                     none any more (`reset replica all`)"
                        .to_owned(),
                );
                State::Finished
            }
        };
    }

    /// Takes where a window must end, if only the lag counts: a replica has not yet what its primary has.
    pub(super) fn horizon_of_replica(
        &mut self,
        end: Option<String>,
        is_replica: bool,
        replayed: Option<String>,
    ) -> State {
        self.waits_for = match (&replayed, self.behind) {
            (Some(none), _) if none.is_empty() => {
                self.waits_for = Some(
                    "this replica has replayed no transaction since it was started: nothing is read until it has one"
                        .to_owned(),
                );
                return State::Finished;
            }
            (Some(until), _) => Some(format!(
                "this replica has replayed its primary until {until}: what is later is read when it has replayed more"
            )),
            (None, Some(Behind::Seconds(seconds @ 2..))) => Some(format!(
                "this replica is {} seconds behind its primary: what it lacks is read when it has it",
                seconds - 1
            )),
            _ => None,
        };
        if is_replica && self.behind == Some(Behind::Hidden) {
            self.note = Some(format!(
                "this is a replica, and how far it is behind its primary is not shown to this user: rows are missed where that is \
                 more than `lag`; {}",
                self.statements.shows_replication()
            ));
        }
        State::Begin(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(rows: &[[Option<&str>; 2]]) -> Behind {
        Behind::of(&rows.iter().map(|row| row.iter().map(|value| value.map(str::to_owned)).collect()).collect())
    }

    #[test]
    fn the_primary_that_is_farthest_ahead_counts() {
        let names = [Some("Slave_IO_State"), Some("Seconds_Behind_Master")];
        assert_eq!(behind(&[]), Behind::Hidden);
        assert_eq!(behind(&[names]), Behind::Seconds(0));
        assert_eq!(behind(&[names, [None, Some("0")]]), Behind::Seconds(1));
        assert_eq!(behind(&[names, [None, Some("2")], [None, Some("7")]]), Behind::Seconds(8));
        assert_eq!(behind(&[names, [None, Some("2")], [None, None]]), Behind::Stopped);
        let renamed = [Some("Replica_IO_State"), Some("Seconds_Behind_Source")];
        assert_eq!(behind(&[renamed, [None, Some("4")]]), Behind::Seconds(5));
        // What answers another question says nothing.
        assert_eq!(behind(&[[Some("Variable_name"), Some("Value")]]), Behind::Hidden);
    }
}
