//! Judge: a unit whose receipts are all there, from its plans to a document that says what is to become of it.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::plan::InputPlan;
use etalon_core::protocol::{Leg, LoadMessage, Unit, UnitState, name, print};

use crate::deployed::Deployed;
use crate::ports::{Entry, Fact, Objects, Order, Put, Queue, Witness};
use crate::store::{document, plan, put, put_once, receipt, send};

/// Judges a run, if it has met all its inputs and all their receipts are there.
pub(crate) async fn complete_run(
    deployed: &Deployed,
    store: &impl Objects,
    loads: &impl Queue,
    witness: &impl Witness,
    run: &str,
) -> Result<(), Error> {
    let plans = plans_of(&deployed.pipeline.name, run, store).await?.unwrap_or_default();
    let Some(first) = plans.first() else { return Ok(()) };
    let pipeline = deployed.pipeline(store, &first.fingerprint).await?;
    complete_unit(&pipeline, store, (loads, witness), name::run_unit(&pipeline.name, run), plans).await
}

/// Judges a unit, if the receipts of all its plans are there.
pub(crate) async fn complete_unit(
    pipeline: &Pipeline,
    store: &impl Objects,
    told: (&impl Queue, &impl Witness),
    unit_name: String,
    plans: Vec<InputPlan>,
) -> Result<(), Error> {
    let mut inputs = Vec::new();
    for plan in plans {
        // Later ranges are likely to be missing, and one that is missing is enough.
        let mut receipts = Vec::new();
        for task in plan.tasks().iter().rev() {
            match receipt(store, &task.batch).await? {
                Some(receipt) => receipts.push(receipt),
                None => return Ok(()),
            }
        }
        receipts.reverse();
        inputs.push((plan, receipts));
    }
    judged(store, told, &name::table(&pipeline.table), pipeline.unit(unit_name, &inputs)).await
}

/// The plans of a run, if the run has met all its inputs and planned them.
async fn plans_of(pipeline: &str, run: &str, store: &impl Objects) -> Result<Option<Vec<InputPlan>>, Error> {
    let mut plans = Vec::new();
    for hop in 0.. {
        let Some((leg, _)) = document::<Leg>(store, &name::leg(pipeline, run, Some(hop))).await? else {
            return Ok(None);
        };
        for met in &leg.plans {
            match plan(store, &met.input, met.generation).await {
                Ok(plan) => plans.push(plan),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        if leg.is_last {
            break;
        }
    }
    Ok(Some(plans))
}

/// Keeps a unit whose receipts are all there, unless it is kept already, and sees that somebody looks at it.
async fn judged(
    store: &impl Objects,
    (loads, witness): (&impl Queue, &impl Witness),
    table: &str,
    unit: Unit,
) -> Result<(), Error> {
    let place = name::unit_document(table, &unit.name);
    let unit = match put(store, &place, &unit, Put::IfAbsent).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match document::<Unit>(store, &place).await? {
            Some((unit, _)) => unit,
            None => return Err(Error::new(ErrorKind::Changed, format!("{place} has gone"))),
        },
        done => done.map(|_| unit)?,
    };
    witness.saw(&Fact::Judged(&unit));
    announce(store, loads, table, &unit, "").await
}

/// Marks a unit as its state says, and sends a loader to look if it is pending. `cause` tells announcements of the same unit
/// apart that come within minutes.
pub async fn announce(
    store: &impl Objects,
    loads: &impl Queue,
    table: &str,
    unit: &Unit,
    cause: &str,
) -> Result<(), Error> {
    let unit_name = &unit.name;
    match unit.state {
        UnitState::Loaded { .. } | UnitState::Discarded => Ok(()),
        UnitState::Held { .. } => put_once(store, &name::held(table, unit_name), b"").await,
        UnitState::Pending => {
            put_once(store, &name::pending(table, unit_name), b"").await?;
            let body = print(&LoadMessage { table: table.to_owned() });
            let order = Order { group: name::group(table), deduplication: format!("{unit_name}{cause}") };
            send(loads, vec![Entry { body, order: Some(order) }]).await
        }
    }
}
