//! Runs: what must be where a run takes the place of all rows, so that it is judged and loaded as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Model, State, Unit};
use crate::life::Call;

/// All runs that there were, the last one last.
#[derive(Debug, Default)]
pub(super) struct Runs {
    all: Vec<Run>,
    /// The one with which the next is compared.
    last: Option<usize>,
}

/// What was there once, as it was read: the content of each object, and its unit.
#[derive(Debug)]
struct Run {
    read: BTreeMap<u64, (usize, Unit)>,
    /// Whether the warehouse has refused it: it has no rows, or a later run is loaded.
    is_refused: bool,
}

impl Run {
    fn units(&self) -> impl Iterator<Item = &Unit> {
        self.read.values().map(|(_, unit)| unit)
    }

    fn is(&self, state: State) -> bool {
        self.units().all(|unit| unit.state == state)
    }

    fn set(&mut self, state: State) {
        self.read.values_mut().for_each(|(_, unit)| unit.state = state);
    }

    fn has_rows(&self) -> bool {
        self.units().any(|unit| !unit.rows.is_empty())
    }

    fn is_incomplete(&self) -> bool {
        self.units().any(|unit| unit.incomplete.is_some())
    }
}

impl Runs {
    /// Nothing is loaded any more.
    pub(super) fn forget(&mut self) {
        self.last = self.last.filter(|&last| !self.all[last].is(State::Loaded));
        self.all.iter_mut().filter(|run| run.is(State::Loaded)).for_each(|run| run.set(State::Replaced));
    }

    /// What was loaded last is known from the ledger.
    pub(super) fn lose_store(&mut self) {
        for run in self.all.iter_mut() {
            if !run.is(State::Loaded) {
                run.set(State::Replaced);
            }
            run.read.values_mut().for_each(|(_, unit)| unit.rejects.clear());
        }
        self.last = self.all.iter().rposition(|run| run.is(State::Loaded));
    }

    pub(super) fn units(&self) -> impl Iterator<Item = (super::Source, usize, &Unit)> {
        self.all.iter().flat_map(Self::of)
    }

    /// The units whose rejects somebody may want: those of the last run.
    pub(super) fn live(&self) -> impl Iterator<Item = (super::Source, usize, &Unit)> {
        let last = self.last.map(|last| &self.all[last]);
        last.filter(|run| run.is(State::Loaded) || run.is(State::Held)).into_iter().flat_map(Self::of)
    }

    fn of(run: &Run) -> impl Iterator<Item = (super::Source, usize, &Unit)> {
        run.read.iter().map(|(object, (content, unit))| ((false, *object), *content, unit))
    }
}

impl Model<'_> {
    pub(super) fn call_whole(&mut self, call: Call) -> bool {
        match call {
            Call::Run => self.list_run(false),
            // A run is loaded as a whole.
            Call::Reload(_) => self.list_run(true),
            Call::Redrive(_) => true,
            Call::Release(whom) => self.decide_run(whom, State::Held, State::Loaded),
            Call::Discard(whom) => self.decide_run(whom, State::Held, State::Discarded),
            Call::Undiscard(whom) => self.decide_run(whom, State::Discarded, State::Held),
        }
    }

    /// What is there makes a run if it differs from the last one, also where an object has gone. A run over nothing is refused
    /// where the last one had something.
    fn list_run(&mut self, again: bool) -> bool {
        let last = self.runs.last.map(|last| &self.runs.all[last]);
        if self.objects.is_empty() {
            return last.is_some();
        }
        let is_same = last.is_some_and(|last| {
            let is_mended = last.units().any(|unit| unit.mapping != self.deployed.mapping);
            let is_out_of_date = last.is(State::Replaced) || (last.is(State::Held) && is_mended);
            let contents: BTreeMap<u64, usize> =
                last.read.iter().map(|(object, (content, _))| (*object, *content)).collect();
            contents == self.objects && !is_out_of_date
        });
        if !again && is_same {
            // The pipeline's limits may be others than when it was judged.
            for at in 0..self.runs.all.len() {
                let run = &self.runs.all[at];
                let is_mended = run.units().any(|unit| unit.mapping != self.deployed.mapping);
                if run.is(State::Held) && !run.is_refused && !is_mended && self.judge_run(run) {
                    self.load_run(at);
                }
            }
            return false;
        }
        self.runs.all.iter_mut().filter(|run| run.is(State::Held)).for_each(|run| run.set(State::Replaced));
        let read = self.objects.iter().map(|(&object, &content)| {
            (object, (content, self.read((false, object), content, self.time, Kind::Met, BTreeSet::new())))
        });
        let run = Run { read: read.collect(), is_refused: false };
        let is_good = self.judge_run(&run);
        self.runs.all.push(run);
        let at = self.runs.all.len() - 1;
        self.runs.last = Some(at);
        if is_good {
            self.load_run(at);
        }
        false
    }

    /// Whether a run may be loaded: its objects are counted together, and one that is rejected whole is too many.
    fn judge_run(&self, run: &Run) -> bool {
        let sum = |of: fn(&Unit) -> usize| run.units().map(of).sum::<usize>();
        let (read, rejected) = (sum(|unit| unit.read), sum(|unit| unit.rejects.len()));
        let (bytes, rejected_bytes) = (sum(|unit| unit.bytes), sum(|unit| unit.rejected_bytes));
        let is_much = rejected * 10 > read * 4 || rejected_bytes * 10 > bytes * 4;
        let are_many = self.deployed.limits && rejected >= 2 && is_much;
        let is_all = |unit: &Unit| unit.read > 0 && unit.rejects.len() == unit.read;
        !run.is_incomplete() && !are_many && !run.units().any(is_all)
    }

    fn load_run(&mut self, at: usize) {
        let is_late = self.runs.all[at + 1..].iter().any(|later| later.is(State::Loaded));
        let run = &mut self.runs.all[at];
        if is_late || !run.has_rows() {
            run.is_refused = true;
            run.set(State::Held);
            return;
        }
        run.set(State::Loaded);
        self.table = run.units().flat_map(|unit| unit.rows.clone()).collect();
    }

    fn decide_run(&mut self, whom: Option<u64>, from: State, to: State) -> bool {
        let is_chosen = |run: &Run| run.is(from) && whom.is_none_or(|whom| run.read.contains_key(&whom));
        let chosen: Vec<usize> = (0..self.runs.all.len()).filter(|&at| is_chosen(&self.runs.all[at])).collect();
        let is_left = |run: &Run| to == State::Loaded && (run.is_incomplete() || !run.has_rows());
        if whom.is_some() && (chosen.is_empty() || chosen.iter().any(|&at| is_left(&self.runs.all[at]))) {
            return true;
        }
        for at in chosen {
            let run = &mut self.runs.all[at];
            match to {
                State::Loaded if is_left(run) => {}
                State::Loaded => self.load_run(at),
                _ => run.set(to),
            }
        }
        false
    }
}
