//! A run on one machine: the three steps over ports of this machine, one after the other, in one process.
//!
//! ```text
//! the ledger -> reconcile -> extract -> tasks, a thread a core -> transform, judge -> load -> report
//! ```
//!
//! It connects the steps and reports on them. The loops, which the functions run too, decide what is new, what is held and what
//! is loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Resolved;
use etalon_core::pipeline::file::OnOverwrite;
use etalon_core::plan::{InputPlan, Object, identity};
use etalon_core::protocol::{Decision, Load, LoadLimits, Member, Start, Unit, UnitState, Work, name, parse};
use etalon_core::receipt::Receipt;
use etalon_core::source::Names;
use etalon_core::warehouse::{LedgerRow, LoadCounts, Presence, WriteMode, since_whole_run};

use crate::alike;
use crate::by_hand;
use crate::deployed::Deployed;
use crate::embedded::Embedded;
use crate::extract::Extract;
use crate::gone::{Sight, copies_held};
use crate::held::{self, is_of, title, versioned};
use crate::line::Line;
use crate::links;
use crate::load::Loader;
use crate::ports::{Clock, Events, Fact, Objects, Progress, Put, Stage, Warehouse, Witness};
use crate::reconcile::{Reconciled, reconcile, remove_parts};
use crate::rejects;
use crate::report::{EqualContents, HeldReport, InputReport, Replaced, RunReport, RunState};
use crate::rival;
use crate::store::{Handled, document, names, put, put_once};
use crate::transform::Transform;

/// How a run is to be done.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// `batch_time()` in microseconds since 1970; the time at which an input is first planned, if not said.
    pub batch_time: Option<i64>,
    /// Tasks at a time; the machine's cores, if not said.
    pub workers: Option<NonZero<usize>>,
    /// Whether to load also what another pipeline has loaded into the table.
    pub again: bool,
    /// Whether only some of the source's objects are looked at.
    pub is_part: bool,
    /// The objects that are links to files, with the names of these.
    pub links: BTreeMap<String, String>,
}

/// The ports of a run.
#[derive(Debug)]
pub struct World<'a, S, T, W, C, P> {
    /// Where the objects are.
    pub source: &'a S,
    /// Where plans, parts, quarantine and receipts are kept.
    pub store: &'a T,
    /// Where rows go.
    pub warehouse: &'a mut W,
    /// What time it is.
    pub clock: &'a C,
    /// Who wants to know how far the run is.
    pub progress: &'a P,
}

/// Does a pipeline's work: lists objects and loads what is new, or whatever else is asked for. `text` is the pipeline file,
/// which is kept under its fingerprint.
pub async fn run<S: Objects, T: Objects, W: Warehouse + Send, C: Clock, P: Progress>(
    pipeline: &Resolved,
    text: &str,
    work: Work,
    objects: &[Object],
    world: World<'_, S, T, W, C, P>,
    options: &RunOptions,
) -> Result<RunReport, Error> {
    let World { source, store, warehouse, clock, progress } = world;
    let deployed =
        Deployed { pipeline: pipeline.clone(), text: text.to_owned(), inputs: Names::beginning(String::new()) };
    let mut rows = warehouse.ledger(pipeline.table()).await?;
    if rows.is_empty() {
        match warehouse.has_rows(pipeline.table()).await {
            Ok(Some(true)) => return Err(by_hand::unknown(pipeline)),
            // A table that Etalon has not made is refused by whoever would change it.
            Err(error) if error.kind() != ErrorKind::Refused => return Err(error),
            _ => {}
        }
    }
    if !rows.is_empty() {
        let presence = Presence::of(&rows, warehouse.has_rows(pipeline.table()).await?);
        if let Some(lost) = by_hand::lost(pipeline, &presence, "`etalon reload`") {
            if !matches!(&work, Work::Reload(wanted) if wanted.is_empty()) {
                return Err(lost);
            }
            // Everything is loaded again, as if nothing had been.
            warehouse.forget(pipeline.table()).await?;
            rows.clear();
        }
    }
    // What a run has replaced that took the place of all rows is not there any more, and nobody has lost it.
    let mut replaced = BTreeSet::new();
    let mut gone_rows = Vec::new();
    if !pipeline.whole_runs() {
        let stays: Vec<LedgerRow> = since_whole_run(&rows).cloned().collect();
        let standing: BTreeSet<&str> = stays.iter().map(|row| row.batch.batch.as_str()).collect();
        let gone = rows.iter().filter(|row| !standing.contains(row.batch.batch.as_str()));
        gone_rows = gone.cloned().collect();
        replaced = gone_rows.iter().map(|row| (row.batch.source.clone(), row.batch.source_version.clone())).collect();
        rows = stays;
    }
    let lists = matches!(&work, Work::Prefix(_) | Work::Reload(_));
    let objects = &links::as_loaded(pipeline, store, &rows, (objects, &options.links), progress).await?[..];
    if lists
        && !options.again
        && let Some(doubled) = alike::loaded_by_another(pipeline, store, &rows, objects).await?
    {
        return Err(Error::new(ErrorKind::Refused, doubled));
    }
    if matches!(&work, Work::Prefix(_))
        && !options.again
        && let Some(unknown) = unknown_window(pipeline, &rows, objects)
    {
        return Err(Error::new(ErrorKind::Refused, unknown));
    }
    if matches!(&work, Work::Prefix(_)) && !options.again {
        rival::refuse(pipeline, store, &rows, objects).await?;
    }
    let Reconciled { forgotten, undone, has_learnt } =
        reconcile(pipeline, store, warehouse, (&rows, &gone_rows)).await?;
    for source in &undone {
        progress.tell(&format!(
            "the table lacks records of {source} that were sent again: it is older than that; they are open rejects again, \
             and `etalon rejects redrive` loads them"
        ));
    }
    // Before anything of it is read again.
    let unknown_rejects = if has_learnt { rejects::kept_elsewhere(store, pipeline, &rows).await? } else { 0 };
    let seen = Seen::default();
    let engine = Engine { deployed: &deployed, source, store, clock, progress, seen: &seen, options };
    engine.put_back(&rows).await?;
    let reloaded = match &work {
        Work::Reload(wanted) => Some(wanted.clone()),
        _ => None,
    };
    // Records of earlier files are loaded once more, and not all of those that came after them.
    let may_set_back = matches!(&work, Work::Redrive(_) | Work::Release(_) | Work::Reload(_));
    let decides = matches!(&work, Work::Release(_) | Work::Discard(_) | Work::Undiscard(_));
    let changes = match warehouse.changes(pipeline.table()).await {
        // A table that does not fit is refused by whoever loads into it.
        Err(error) if error.kind() != ErrorKind::Refused => return Err(error),
        changes => changes,
    };
    // What could not be loaded is not marked as sent again.
    if let (Work::Redrive(_), Err(unfit)) = (&work, &changes) {
        return Err(unfit.clone());
    }
    let copies = if lists { copies_held(pipeline, store).await? } else { Vec::new() };
    let done = engine.transform(work, objects).await;
    if !decides {
        done.clone()?;
    }
    let embedded = Embedded::new(&deployed, store, warehouse, clock);
    // What an interrupted release has let go is loaded, also where nothing is held any more that could be released.
    let changes = changes.unwrap_or_default();
    let equal_contents = engine.equal_contents(&rows, objects).await;
    tell_of(&equal_contents, progress);
    engine.load(&embedded, &rows, &changes).await?;
    done?;
    let mut report = engine.report(objects, &rows, false).await?;
    report.unknown_rejects = unknown_rejects;
    let mut after = Vec::new();
    if let Some(load) = report.load {
        report.changes = changes;
        report.equal_contents = equal_contents;
        if !pipeline.whole_runs() {
            after = since_whole_run(&warehouse.ledger(pipeline.table()).await?).cloned().collect();
        }
        let by_load = matches!(&pipeline.table().write, WriteMode::Merge { order_by, .. } if order_by.is_empty());
        report.set_back = if may_set_back && by_load && is_late(&rows, &after) { load.updated } else { 0 };
        if pipeline.table().lineage && !pipeline.whole_runs() {
            report.replaced = Replaced::by(pipeline.table(), load, &rows, &after);
        }
    }
    if lists && !pipeline.whole_runs() {
        let is_there = |member: &Member| !replaced.contains(&(member.source.clone(), member.source_version.clone()));
        let sight = Sight {
            objects,
            reloaded: reloaded.as_deref(),
            is_part: options.is_part,
            copies,
            forgotten: forgotten.into_iter().filter(is_there).collect(),
            before: &rows,
            after: if report.load.is_some() { &after } else { &rows },
        };
        sight.tell(pipeline, store, &mut report).await?;
    }
    Ok(report)
}

/// What is to be said where the window that was appended last is none that the store knows: the store was lost, or is an older
/// one, and what is landed from there on has rows that are in the table.
fn unknown_window(pipeline: &Resolved, rows: &[LedgerRow], objects: &[Object]) -> Option<String> {
    if pipeline.table().write != WriteMode::Append || !pipeline.location().lands() {
        return None;
    }
    let number = |name: &str| name.split_once('_')?.0.parse::<u64>().ok();
    let own = rows.iter().filter(|row| row.batch.pipeline == *pipeline.name());
    let windows = own.filter_map(|row| Some((row.loaded_at, number(&row.batch.source)?, &row.batch.source)));
    let (_, last, name) = windows.max()?;
    // The oldest leave the list.
    let first = objects.iter().filter_map(|object| number(&object.name)).min();
    if objects.iter().any(|object| object.name == *name) || first.is_some_and(|first| last < first) {
        return None;
    }
    Some(format!(
        "table `{}` has the rows of {name}, and the store does not know that window: the store was lost, or is an older one, \
         and its rows would be loaded twice; bring the folder of the store back; if they are to be there twice, or the table \
         was emptied: `etalon run --again`",
        pipeline.table_name()
    ))
}

/// Tells of contents that will be there twice, the first of them by name.
fn tell_of(equal: &[EqualContents], progress: &impl Progress) {
    const NAMED: usize = 3;
    for EqualContents { source, loaded_as, version, is_there } in equal.iter().take(NAMED) {
        let gone = if *is_there { "" } else { " and is gone" };
        progress.tell(&format!(
            "{source} has the contents of {loaded_as}, which was loaded{gone}: the rows will be there twice; if it is the same \
             file, delete those whose _etalon_batch is a batch of {loaded_as} with the source_version {version} in _etalon_ledger"
        ));
    }
    if equal.len() > NAMED {
        progress.tell(&format!("{} more files have contents that were loaded under other names", equal.len() - NAMED));
    }
}

/// Whether a load has brought something that is older than what the table had, by the ledger before and after it.
fn is_late(before: &[LedgerRow], after: &[LedgerRow]) -> bool {
    let known: BTreeSet<&str> = before.iter().map(|row| row.batch.batch.as_str()).collect();
    let new = after.iter().filter(|row| !known.contains(row.batch.batch.as_str()));
    let oldest = new.map(|row| row.batch.batch_time).min();
    oldest < before.iter().map(|row| row.batch.batch_time).max()
}

/// Stages objects and loads nothing: parts, quarantine and receipts stay in the store.
pub async fn stage<S: Objects, T: Objects, C: Clock, P: Progress>(
    pipeline: &Resolved,
    text: &str,
    objects: &[Object],
    (source, store, clock, progress): (&S, &T, &C, &P),
    options: &RunOptions,
) -> Result<RunReport, Error> {
    let deployed =
        Deployed { pipeline: pipeline.clone(), text: text.to_owned(), inputs: Names::beginning(String::new()) };
    let seen = Seen::default();
    let engine = Engine { deployed: &deployed, source, store, clock, progress, seen: &seen, options };
    engine.transform(Work::Prefix(String::new()), objects).await?;
    engine.report(objects, &[], true).await
}

/// The loops, wired to this machine.
struct Engine<'a, S, T, C, P> {
    deployed: &'a Deployed,
    source: &'a S,
    store: &'a T,
    clock: &'a C,
    progress: &'a P,
    seen: &'a Seen,
    options: &'a RunOptions,
}

impl<S: Objects, T: Objects, C: Clock, P: Progress> Engine<'_, S, T, C, P> {
    /// Puts back what an earlier run has begun to load, and has not: of what was staged with another pipeline file the one that
    /// is deployed now may take the place.
    async fn put_back(&self, rows: &[LedgerRow]) -> Result<(), Error> {
        let (pipeline, table) = (&self.deployed.pipeline, self.table());
        let loaded: BTreeSet<&str> = rows.iter().map(|row| row.batch.batch.as_str()).collect();
        let is_loaded = |unit: &Unit| unit.batches().any(|batch| loaded.contains(batch.batch.as_str()));
        let mut waiting = Vec::new();
        let prefix = name::pending(&table, "");
        for mark in names(self.store, &prefix).await? {
            let unit = mark.strip_prefix(&prefix).unwrap_or(&mark);
            waiting.extend(document::<Unit>(self.store, &name::unit_document(&table, unit)).await?);
        }
        let current = name::current(&table);
        if let Some((load, version)) = document::<Load>(self.store, &current).await?
            && !waiting.iter().any(|(unit, _)| load.units.contains(&unit.name) && is_loaded(unit))
        {
            // Nothing works on it: the process that did has ended.
            self.store.delete_version(&current, &version).await?;
        }
        for (unit, version) in waiting {
            let is_mended = unit.fingerprint != pipeline.fingerprint();
            if unit.is_pending() && is_mended && is_of(pipeline, &unit) && !is_loaded(&unit) {
                let reasons =
                    vec![format!("{}: it was staged with another pipeline file, and not loaded", title(&unit))];
                let held = Unit { state: UnitState::Held { reasons, incomplete: false, unread: false }, ..unit };
                put_once(self.store, &name::held(&table, &held.name), b"").await?;
                put(self.store, &name::unit_document(&table, &held.name), &held, Put::IfVersion(&version)).await?;
                self.store.delete(&name::pending(&table, &held.name)).await?;
            }
        }
        Ok(())
    }

    /// Extract and transform: what is asked for is begun, and every task is done.
    async fn transform(&self, work: Work, objects: &[Object]) -> Result<(), Error> {
        let (starts, tasks, loads) = (Line::default(), Line::default(), Line::default());
        let found = Found { source: self.source, objects };
        let extract = Extract {
            deployed: self.deployed,
            source: &found,
            store: self.store,
            tasks: &tasks,
            starts: &starts,
            loads: &loads,
            clock: self.clock,
            witness: &Told { seen: self.seen, progress: self.progress },
            deadline: i64::MAX,
            replans: true,
        };
        let now = self.clock.now();
        let pipeline = self.deployed.pipeline.name().to_owned();
        let start = Start {
            run: identity("run", &[&pipeline, &now.to_string(), &std::process::id().to_string()]),
            pipeline,
            batch_time: self.options.batch_time.unwrap_or(now),
            work,
            backfill: false,
            after: None,
            hop: 0,
            landings: 0,
        };
        extract.start(&start).await?;
        while let Some(rest) = starts.next() {
            extract.start(&parse(rest.body.as_bytes())?).await?;
        }
        self.progress.total(self.seen.facts().planned.iter().map(|plan| plan.size).sum());
        let transform = Transform {
            deployed: self.deployed,
            source: &found,
            store: self.store,
            loads: &loads,
            witness: self.seen,
            progress: self.progress,
        };
        let cores = self.options.workers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let wrong: Mutex<Option<Error>> = Mutex::new(None);
        let work = || {
            while let Some(message) = tasks.next() {
                match pollster::block_on(transform.handle(&message)) {
                    Handled::Done => {}
                    // The first error ends the run.
                    Handled::Again(error) | Handled::Dead(error) => {
                        tasks.clear();
                        wrong.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..cores.min(tasks.len()) {
                scope.spawn(work);
            }
            work();
        });
        wrong.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    /// The new objects of which the contents are appended once more, though they were under another name, since it was said that
    /// they are; the others are held.
    async fn equal_contents(&self, rows: &[LedgerRow], objects: &[Object]) -> Vec<EqualContents> {
        let pipeline = &self.deployed.pipeline;
        let may_double = self.options.again || pipeline.on_overwrite() == OnOverwrite::Add;
        if pipeline.table().write != WriteMode::Append || !may_double {
            return Vec::new();
        }
        let own = rows.iter().filter(|row| row.batch.pipeline == *pipeline.name() && row.counts.inserted > 0);
        let mut loaded: BTreeMap<String, String> =
            own.map(|row| (row.batch.source_version.clone(), row.batch.source.clone())).collect();
        let is_new = |plan: &&InputPlan| !plan.backfills && plan.redrives.is_none();
        let mut new: Vec<(String, String)> = self
            .seen
            .facts()
            .planned
            .iter()
            .filter(is_new)
            .map(|plan| (plan.source.clone(), plan.source_version.clone()))
            .collect();
        new.sort();
        let mut equal = Vec::new();
        for (source, version) in new {
            match loaded.get(&version).filter(|name| **name != source).cloned() {
                Some(loaded_as) => {
                    let is_listed = objects.iter().any(|object| object.name == loaded_as);
                    let is_there = is_listed || self.source.head(&loaded_as).await.is_ok();
                    equal.push(EqualContents { source, loaded_as, version, is_there });
                }
                None => drop(loaded.insert(version, source)),
            }
        }
        equal
    }

    /// Load: everything that waits for its load, in one transaction where it can be.
    async fn load<W: Warehouse + Send>(
        &self,
        warehouse: &Embedded<'_, T, W, C>,
        rows: &[LedgerRow],
        changes: &[String],
    ) -> Result<(), Error> {
        let loader = Loader {
            deployed: self.deployed,
            store: self.store,
            warehouse,
            events: self.seen,
            clock: self.clock,
            witness: self.seen,
            limits: LoadLimits::NONE,
            accepts_doubles: self.options.again,
            deadline: i64::MAX,
        };
        let waiting = names(self.store, &name::pending(&self.table(), "")).await?.len();
        if waiting > 0 {
            changes.iter().for_each(|change| self.progress.tell(change));
            self.progress.at(Stage::Loading, waiting as u64);
        }
        while loader.sweep().await? {}
        // What the ledger has, or another unit has taken the place of, has done its work.
        remove_parts(self.store, &self.table(), rows).await
    }

    /// What was done, and what waits.
    #[expect(clippy::await_holding_lock, reason = "everybody who sees has ended by then")]
    async fn report(&self, objects: &[Object], rows: &[LedgerRow], staged: bool) -> Result<RunReport, Error> {
        let pipeline = &self.deployed.pipeline;
        let table = self.table();
        let facts = self.seen.facts();
        let mut units: BTreeSet<String> = facts.judged.keys().chain(&facts.loaded).cloned().collect();
        if staged {
            let prefix = name::pending(&table, "");
            let pending = names(self.store, &prefix).await?;
            units.extend(pending.iter().filter_map(|mark| mark.strip_prefix(&prefix)).map(str::to_owned));
        }
        let other = |row: &&LedgerRow| !row.batch.pipeline.is_empty() && row.batch.pipeline != *pipeline.name();
        let mut report = RunReport {
            load: facts.counts,
            other_pipelines: rows.iter().filter(other).map(|row| row.batch.pipeline.clone()).collect(),
            decision: facts.decision.clone(),
            waiting: facts.waiting.clone(),
            ..RunReport::new(pipeline)
        };
        let mut brought = BTreeSet::new();
        for unit in &units {
            let Some((unit, _)) = document::<Unit>(self.store, &name::unit_document(&table, unit)).await? else {
                continue;
            };
            let is_loaded = matches!(unit.state, UnitState::Loaded { .. });
            if is_loaded && unit.members.iter().all(|member| member.redrives.is_none()) {
                brought.extend(unit.members.iter().map(|member| member.source.clone()));
            }
            report.add_unit(self.store, &unit, &facts.receipts).await?;
        }
        for unit in held::held(self.store, &table).await?.iter().filter(|unit| is_of(pipeline, unit)) {
            report.held.push(held_report(unit, facts.judged.contains_key(&unit.name)));
        }
        report.held.sort_by(|one, other| (&one.title, &one.named).cmp(&(&other.title, &other.named)));
        // The records of a redrive are some of an object's; the object is what it was.
        let plans = facts.planned.iter().filter(|plan| plan.redrives.is_none());
        let planned: BTreeMap<&str, &InputPlan> = plans.map(|plan| (plan.source.as_str(), plan)).collect();
        let held: BTreeSet<&String> = report.held.iter().flat_map(|held| &held.sources).collect();
        let mut of_version: BTreeMap<(&str, &str), Vec<&LedgerRow>> = BTreeMap::new();
        let is_own = |row: &&LedgerRow| row.batch.pipeline.is_empty() || row.batch.pipeline == *pipeline.name();
        for row in since_whole_run(rows).filter(is_own) {
            of_version.entry((&row.batch.source, &row.batch.source_version)).or_default().push(row);
        }
        let discarded: BTreeSet<String> = held::discarded_now(pipeline, self.store, &table)
            .await?
            .into_iter()
            .flat_map(|unit| unit.members.into_iter().map(|member| member.source))
            .collect();
        for object in objects {
            let in_table = of_version.remove(&(object.name.as_str(), object.version.as_str())).unwrap_or_default();
            let plan = planned.get(object.name.as_str());
            let is_held = held.contains(&object.name);
            let reloaded = !is_held && !in_table.is_empty() && plan.is_some_and(|plan| plan.backfills);
            let is_new = !reloaded && (plan.is_some_and(|plan| !plan.backfills) || brought.contains(&object.name));
            let held_before = !is_new && !reloaded && is_held;
            let loaded_before = !is_new && !reloaded && !is_held && !in_table.is_empty();
            if loaded_before && !is_up_to_date(&in_table, pipeline) {
                report.out_of_date += 1;
            }
            let is_left = !is_new && !reloaded && !held_before && !loaded_before;
            report.inputs.push(InputReport {
                source: object.name.clone(),
                version: object.version.clone(),
                bytes: object.size,
                loaded_before,
                reloaded,
                held_before,
                discarded: is_left && discarded.contains(&object.name),
                not_looked_at: is_left && !discarded.contains(&object.name),
            });
        }
        report.state = if !facts.loaded.is_empty() {
            RunState::Loaded
        } else if staged && report.held.is_empty() && !units.is_empty() {
            RunState::Staged
        } else if report.held.is_empty() {
            RunState::NothingNew
        } else {
            RunState::Held(report.held.iter().flat_map(|held| held.reasons.clone()).collect())
        };
        Ok(report)
    }

    fn table(&self) -> String {
        name::table(self.deployed.pipeline.table())
    }
}

/// Whether all rows of a version that are in the table were made by a pipeline, and written as it writes: some may be those of a
/// redrive, which is no reload of the others.
fn is_up_to_date(of_version: &[&LedgerRow], pipeline: &Resolved) -> bool {
    let order = |row: &&&LedgerRow| (row.batch.batch_time, row.batch.generation);
    let whole =
        of_version.iter().filter(|row| row.batch.replaces_generations || row.batch.generation == 0).max_by_key(order);
    let stands = |row: &&&LedgerRow| whole.is_none_or(|whole| order(row) >= order(&whole));
    of_version.iter().filter(stands).all(|row| is_of_now(row, pipeline))
}

/// Whether the rows of a load were made by a pipeline, and written as it writes.
pub(crate) fn is_of_now(row: &LedgerRow, pipeline: &Resolved) -> bool {
    let is_written_so = row.written.is_empty() || row.written == pipeline.table().written();
    row.batch.fingerprint == pipeline.fingerprint() && is_written_so
}

pub(crate) fn held_report(unit: &Unit, is_new: bool) -> HeldReport {
    let (reasons, incomplete) = match &unit.state {
        UnitState::Held { reasons, incomplete, .. } => (reasons.clone(), *incomplete),
        _ => (Vec::new(), false),
    };
    HeldReport {
        unit: unit.name.clone(),
        title: title(unit),
        named: versioned(unit),
        sources: unit.members.iter().map(|member| member.source.clone()).collect(),
        bytes: unit.members.iter().map(|member| member.size).sum(),
        counts: unit.counts,
        reasons,
        incomplete,
        is_new,
    }
}

/// Objects that were found, with the versions that they had then: nothing is looked at twice.
#[derive(Debug)]
struct Found<'a, S> {
    source: &'a S,
    objects: &'a [Object],
}

impl<S: Objects> Objects for Found<'_, S> {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        let place = self.objects.binary_search_by(|object| object.name.as_str().cmp(name)).ok();
        match place.and_then(|place| self.objects.get(place)) {
            Some(object) => Ok(object.clone()),
            None => self.source.head(name).await,
        }
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.source.read(object, range).await
    }

    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        self.source.fetch(name).await
    }

    async fn put(&self, name: &str, _bytes: &[u8], _condition: Put<'_>) -> Result<String, Error> {
        Err(Error::new(ErrorKind::Refused, format!("{name}: a source is not written")))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        Ok(self.objects(prefix, after, most).await?.into_iter().map(|object| object.name).collect())
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        Err(Error::new(ErrorKind::Refused, format!("{name}: nothing is removed from a source")))
    }

    async fn delete_version(&self, name: &str, _version: &str) -> Result<(), Error> {
        self.delete(name).await
    }

    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        let first = self.objects.partition_point(|object| after.is_some_and(|after| object.name.as_str() <= after));
        let rest = self.objects.get(first..).unwrap_or_default().iter();
        Ok(rest.filter(|object| object.name.starts_with(prefix)).take(most).cloned().collect())
    }
}

/// What happened in a run.
#[derive(Debug, Default)]
struct Seen(Mutex<Facts>);

#[derive(Debug, Default)]
struct Facts {
    planned: Vec<InputPlan>,
    receipts: BTreeMap<String, Receipt>,
    judged: BTreeMap<String, Unit>,
    /// The units that were loaded.
    loaded: Vec<String>,
    counts: Option<LoadCounts>,
    decision: Option<Decision>,
    /// Objects whose rejects wait until they are loaded.
    waiting: Vec<String>,
}

impl Seen {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Seen {
    fn saw(&self, fact: &Fact<'_>) {
        let mut facts = self.facts();
        match fact {
            Fact::Planned(plan) => facts.planned.push((*plan).clone()),
            Fact::Transformed(receipt) => {
                facts.receipts.insert(receipt.batch.clone(), (*receipt).clone());
            }
            Fact::Judged(unit) => {
                facts.judged.insert(unit.name.clone(), (*unit).clone());
            }
            Fact::Loaded(event) => {
                facts.loaded.extend(event.units.iter().cloned());
                facts.counts.get_or_insert_default().add(event.counts);
            }
            Fact::Decided(decision) => facts.decision = Some((*decision).clone()),
            Fact::Waits(plan) => facts.waiting.push(plan.source.clone()),
            Fact::Landed(..)
            | Fact::HandedOn(_)
            | Fact::Submitted(_)
            | Fact::Failed(..)
            | Fact::Braked(..)
            | Fact::Held(_)
            | Fact::Replaced(_)
            | Fact::Unreadable(_) => {}
        }
    }
}

/// Who sees what is planned, and tells how far the run is.
#[derive(Debug)]
struct Told<'a, P> {
    seen: &'a Seen,
    progress: &'a P,
}

impl<P: Progress> Witness for Told<'_, P> {
    fn saw(&self, fact: &Fact<'_>) {
        self.seen.saw(fact);
        if let Fact::Planned(_) = fact {
            self.progress.at(Stage::Planning, self.seen.facts().planned.len() as u64);
        }
    }
}

impl Events for Seen {
    /// The loop has told its witness.
    async fn loaded(&self, _event: &etalon_core::protocol::LoadEvent) -> Result<(), Error> {
        Ok(())
    }
}
