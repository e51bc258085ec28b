//! What must hold for each meeting, whatever is stored: all combinations are tried, and each is killed after each of its steps.

use std::collections::BTreeSet;

use super::*;
use crate::plan::Object;
use crate::protocol::Member;
use crate::receipt::Counts;
use crate::warehouse::LoadCounts;

const OTHER: &str = "another pipeline file";
/// A run that replaced all rows, and was given up.
const RUN: &str = "run";

fn pipeline(on_overwrite: &str) -> Pipeline {
    let text = format!(
        "etalon: 1\npipeline: things\nsource:\n  files: in/*.csv\n  format: csv\n  on_overwrite: {on_overwrite}\n  \
         fields: {{ id: integer }}\ncolumns:\n  id: {{}}\ntarget: {{ table: things, write: append }}\n"
    );
    Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{wrong:#?}")).0
}

/// What is kept of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    plans: Vec<InputPlan>,
    units: Vec<Unit>,
    /// A unit of an earlier version.
    earlier: Option<Unit>,
    /// The units that are listed as held.
    listed: BTreeSet<String>,
    /// The plans whose tasks were sent.
    sent: BTreeSet<u32>,
    is_marked: bool,
}

/// How a look is done.
#[derive(Debug, Clone, Copy)]
struct Look {
    reload: Option<&'static str>,
    was_sent: bool,
    replans: bool,
}

impl Kept {
    /// Decides, and carries out at most so many steps. Gives how many there are.
    fn look(&mut self, pipeline: &Pipeline, look: Look, most: usize) -> usize {
        let Self { plans, units, earlier, listed, .. } = self.clone();
        let all: Vec<KeptUnit> = earlier.iter().chain(&units).map(|unit| (unit.clone(), String::new())).collect();
        let Look { reload, was_sent, replans } = look;
        let waiting = all.iter().filter(|(unit, _)| listed.contains(&unit.name)).collect();
        let plan = plan(pipeline);
        let given_up = BTreeSet::from([RUN.to_owned()]);
        let (plans, units, given_up) = (&plans, &units, &given_up);
        let meeting = Meeting { plan, reload, was_sent, replans, plans, units, given_up, waiting };
        let effects = pipeline.meet(&meeting).unwrap();
        for effect in effects.iter().take(most) {
            self.carry_out(effect);
        }
        effects.len()
    }

    fn carry_out(&mut self, effect: &Effect<'_>) {
        match effect {
            Effect::Keep(plan) => {
                assert!(self.plans.iter().all(|kept| kept.generation != plan.generation), "it is there already");
                self.plans.push(plan.clone());
            }
            Effect::End(plan, by) => {
                let state = UnitState::Replaced { by: by.clone() };
                self.units.push(Unit { members: Vec::new(), ..unit(plan, state) });
            }
            Effect::Replace((unit, _), by) => {
                let kept = self.units.iter_mut().chain(&mut self.earlier).find(|kept| kept.name == unit.name);
                if let Some(kept) = kept.filter(|kept| kept.is_held()) {
                    kept.state = UnitState::Replaced { by: by.clone() };
                }
            }
            Effect::JudgeAgain(_) => {}
            Effect::Send(plan) => drop(self.sent.insert(plan.generation)),
            Effect::Mark => self.is_marked = true,
            Effect::Unlist(unit) => drop(self.listed.remove(&unit.name)),
        }
    }

    fn has(&self, is: impl Fn(&UnitState) -> bool) -> bool {
        self.units.iter().any(|unit| is(&unit.state))
    }

    fn is_judged(&self, plan: &InputPlan) -> bool {
        self.units.iter().any(|unit| unit.name == name::unit(&plan.input, plan.generation))
    }
}

fn plan(pipeline: &Pipeline) -> InputPlan {
    let object = Object { name: "in/a.csv".to_owned(), version: "2".to_owned(), size: 9 };
    InputPlan { overwrites: true, ..pipeline.plan(&object, 7) }
}

fn unit(plan: &InputPlan, state: UnitState) -> Unit {
    let member = Member {
        input: plan.input.clone(),
        generation: plan.generation,
        source: plan.source.clone(),
        source_version: plan.source_version.clone(),
        content: None,
        size: plan.size,
        fingerprint: plan.fingerprint.clone(),
        batch_time: plan.batch_time,
        replaces_source: false,
        replaces_generations: plan.backfills,
        redrives: plan.redrives,
        batches: Vec::new(),
    };
    Unit {
        name: name::unit(&plan.input, plan.generation),
        pipeline: plan.pipeline.clone(),
        fingerprint: plan.fingerprint.clone(),
        counts: Counts::default(),
        members: vec![member],
        state,
        released: false,
    }
}

fn held(unread: bool) -> UnitState {
    UnitState::Held { reasons: vec!["why".to_owned()], incomplete: unread, unread }
}

fn loaded() -> UnitState {
    UnitState::Loaded { counts: LoadCounts::default() }
}

/// What is kept, in every combination that Etalon leaves.
fn worlds(pipeline: &Pipeline) -> Vec<Kept> {
    let mut worlds = Vec::new();
    let first = plan(pipeline);
    let next = InputPlan { generation: 1, ..first.clone() };
    let by_next = || UnitState::Replaced { by: name::unit(&first.input, 1) };
    let firsts = [
        None,
        Some(None),
        Some(Some(held(false))),
        Some(Some(held(true))),
        Some(Some(UnitState::Pending)),
        Some(Some(UnitState::Discarded { reasons: Vec::new() })),
        Some(Some(loaded())),
        Some(Some(by_next())),
        Some(Some(UnitState::Replaced { by: RUN.to_owned() })),
    ];
    let nexts = [None, Some(None), Some(Some(held(false))), Some(Some(loaded())), Some(Some(UnitState::Pending))];
    let older = InputPlan { input: "earlier".to_owned(), ..first.clone() };
    let redrive = InputPlan { redrives: Some(1), ..older.clone() };
    let earliers =
        [None, Some(unit(&older, held(false))), Some(unit(&redrive, held(false))), Some(unit(&older, loaded()))];
    for first_state in &firsts {
        for next_state in &nexts {
            for (mended, next_mended) in [(false, false), (true, false), (true, true)] {
                for earlier in &earliers {
                    let made = |is_older| if is_older { OTHER.to_owned() } else { pipeline.fingerprint().to_owned() };
                    let first = InputPlan { fingerprint: made(mended), ..first.clone() };
                    let mut next = InputPlan { fingerprint: made(next_mended), ..next.clone() };
                    let by_run = matches!(first_state, Some(Some(UnitState::Replaced { by })) if by == RUN);
                    // A second plan is that of a reload, of a redrive, or of what has taken the place of the first.
                    match first_state {
                        Some(Some(UnitState::Loaded { .. })) if mended => next.redrives = Some(1),
                        Some(Some(UnitState::Loaded { .. })) => next.backfills = true,
                        Some(Some(UnitState::Replaced { .. })) if next_state.is_some() && !by_run => {}
                        _ if next_state.is_none() => {}
                        _ => continue,
                    }
                    let is_replaced = matches!(first_state, Some(Some(UnitState::Replaced { .. })));
                    if next_state.is_none() && is_replaced && !by_run {
                        continue;
                    }
                    let mut kept = Kept {
                        plans: Vec::new(),
                        units: Vec::new(),
                        earlier: earlier.clone(),
                        listed: BTreeSet::new(),
                        sent: BTreeSet::new(),
                        is_marked: false,
                    };
                    for (plan, state) in [(&first, first_state), (&next, next_state)] {
                        let Some(state) = state else { continue };
                        kept.plans.push(plan.clone());
                        kept.units.extend(state.iter().map(|state| unit(plan, state.clone())));
                    }
                    let waits = |unit: &&Unit| unit.is_held() || matches!(unit.state, UnitState::Replaced { .. });
                    let listed = kept.units.iter().chain(&kept.earlier).filter(waits);
                    kept.listed = listed.map(|unit| unit.name.clone()).collect();
                    worlds.push(kept);
                }
            }
        }
    }
    worlds
}

/// Calls the law with every combination: what is kept, how it is looked at, and what is kept afterwards.
fn each(law: impl Fn(&Pipeline, &Kept, Look, &Kept)) {
    let mut count = 0;
    for pipeline in ["fail", "replace", "add"].map(pipeline) {
        for before in worlds(&pipeline) {
            for choice in 0..8 {
                let reload = (choice & 1 > 0).then_some("r");
                let look = Look { reload, was_sent: choice & 2 > 0, replans: choice & 4 > 0 };
                let mut after = before.clone();
                after.look(&pipeline, look, usize::MAX);
                law(&pipeline, &before, look, &after);
                count += 1;
            }
        }
    }
    assert!(count > 3_000, "{count} combinations");
}

#[test]
fn who_is_killed_anywhere_comes_to_the_same_end() {
    each(|pipeline, before, look, after| {
        let mut steps = 0;
        loop {
            let mut killed = before.clone();
            let all = killed.look(pipeline, look, steps);
            killed.look(pipeline, look, usize::MAX);
            assert_eq!(killed, *after, "killed after {steps} of {all} steps of {look:?} from {before:#?}");
            steps += 1;
            if steps > all {
                break;
            }
        }
    });
}

#[test]
fn what_is_in_the_table_is_brought_again_only_in_place_of_itself() {
    each(|_, before, look, after| {
        if before.has(|state| matches!(state, UnitState::Loaded { .. } | UnitState::Pending)) {
            let new = after.plans.iter().filter(|plan| !before.plans.contains(plan));
            for plan in new.chain(after.plans.iter().filter(|plan| after.sent.contains(&plan.generation))) {
                assert!(plan.backfills, "{look:?} from {before:#?} to {after:#?}");
            }
        }
    });
}

#[test]
fn what_is_nowhere_is_sent() {
    each(|_, before, look, after| {
        // Nothing that is in no table is loaded again.
        if look.was_sent {
            return;
        }
        let is_somewhere = after.has(|state| !matches!(state, UnitState::Replaced { .. }));
        let is_on_its_way =
            after.plans.iter().any(|plan| after.sent.contains(&plan.generation) && !after.is_judged(plan));
        assert!(is_somewhere || is_on_its_way, "{look:?} from {before:#?} to {after:#?}");
        assert!(after.is_marked);
    });
}

#[test]
fn a_decision_stays() {
    each(|_, before, look, after| {
        if before.has(|state| matches!(state, UnitState::Discarded { .. })) && before.plans.len() == 1 {
            assert_eq!((&after.plans, after.sent.len()), (&before.plans, 0), "{look:?}");
        }
    });
}

#[test]
fn a_reload_brings_what_is_in_the_table() {
    each(|_, before, look, after| {
        if look.reload.is_some() && before.has(|state| matches!(state, UnitState::Loaded { .. })) {
            let is_reload = |plan: &&InputPlan| plan.cause.as_deref() == Some("reload r") && plan.backfills;
            let plan = after.plans.iter().find(is_reload).unwrap_or_else(|| panic!("{before:#?}"));
            assert!(after.sent.contains(&plan.generation));
        }
    });
}

#[test]
fn a_held_unit_gives_way_to_a_mended_pipeline_and_to_what_is_read_again() {
    each(|pipeline, before, look, after| {
        if look.was_sent {
            return;
        }
        for unit in before.units.iter().filter(|unit| unit.is_held()) {
            let redrives = unit.members[0].redrives.is_some();
            let is_mended = unit.fingerprint != pipeline.fingerprint();
            let is_unread = unit.state == held(true);
            let is_reloaded = look.reload.is_some() && before.has(|state| matches!(state, UnitState::Loaded { .. }));
            // Records that are sent again are brought with the others, where these are brought again, or were, or have gone.
            let is_loaded = |state: &UnitState| matches!(state, UnitState::Loaded { .. });
            let whole = before.units.iter().filter(|unit| unit.members[0].redrives.is_none());
            let loaded = whole.clone().filter(|unit| is_loaded(&unit.state)).map(|unit| unit.members[0].generation);
            let is_outdated = loaded.max().is_none_or(|loaded| unit.members[0].generation < loaded);
            let is_anew = |other: &&Unit| {
                let gives_way = other.fingerprint != pipeline.fingerprint() || other.state == held(true);
                let brings_again = before.has(is_loaded) || other.members[0].replaces_generations;
                other.is_held() && gives_way && brings_again
            };
            let is_brought = redrives && (is_outdated || whole.clone().any(|other| is_anew(&other)));
            let gives_way = is_reloaded || is_brought || (!redrives && (is_mended || is_unread));
            let now = after.units.iter().find(|now| now.name == unit.name).unwrap();
            assert_eq!(!now.is_held(), gives_way, "{look:?} from {before:#?} to {after:#?}");
        }
    });
}

#[test]
fn a_held_unit_of_an_earlier_version_gives_way_unless_versions_stay() {
    each(|pipeline, before, look, after| {
        let (Some(before), Some(after)) = (&before.earlier, &after.earlier) else { return };
        if look.was_sent || !before.is_held() {
            return;
        }
        let redrives = before.members[0].redrives.is_some();
        let gives_way = match pipeline.on_overwrite() {
            OnOverwrite::Add => false,
            OnOverwrite::Fail => !redrives,
            OnOverwrite::Replace => true,
        };
        assert_eq!(!after.is_held(), gives_way, "{look:?}");
    });
}

#[test]
fn where_nobody_else_works_one_plan_at_most_is_not_judged() {
    each(|_, before, look, after| {
        if look.replans && !look.was_sent {
            let open = after.plans.iter().filter(|plan| plan.redrives.is_none() && !after.is_judged(plan));
            assert!(open.count() <= 1, "{look:?} from {before:#?} to {after:#?}");
        }
    });
}
