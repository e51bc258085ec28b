//! Held units: somebody decides. A decision that was interrupted is made again by the same call.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::{Unit, UnitState, name};

use crate::judge::announce;
use crate::ports::{Objects, Put, Queue};
use crate::store::{document, names, put};

/// The units of a table that wait for a decision, or for the end of one that was interrupted.
pub async fn held(store: &impl Objects, table: &str) -> Result<Vec<Unit>, Error> {
    let prefix = name::held(table, "");
    let mut units = Vec::new();
    for mark in names(store, &prefix).await? {
        let unit = mark.strip_prefix(&prefix).unwrap_or(&mark);
        match document::<Unit>(store, &name::unit_document(table, unit)).await? {
            Some((unit, _)) if matches!(unit.state, UnitState::Held { .. } | UnitState::Pending) => units.push(unit),
            // The mark came late: everything has been decided.
            _ => store.delete(&mark).await?,
        }
    }
    Ok(units)
}

/// Lets a held unit be loaded as it is. `cause` tells this decision from others about the unit.
pub async fn release(
    store: &impl Objects,
    loads: &impl Queue,
    table: &str,
    unit: &str,
    cause: &str,
) -> Result<(), Error> {
    let unit = decide(store, table, unit, UnitState::Pending).await?;
    announce(store, loads, table, &unit, cause).await?;
    store.delete(&name::held(table, &unit.name)).await
}

/// Decides that a held unit is not loaded, now or later.
pub async fn discard(store: &impl Objects, table: &str, unit: &str) -> Result<(), Error> {
    let unit = decide(store, table, unit, UnitState::Discarded).await?;
    store.delete(&name::held(table, &unit.name)).await
}

async fn decide(store: &impl Objects, table: &str, unit: &str, decided: UnitState) -> Result<Unit, Error> {
    let place = name::unit_document(table, unit);
    let Some((found, version)) = document::<Unit>(store, &place).await? else {
        return Err(Error::new(ErrorKind::NotFound, format!("{unit}: there is no such unit")));
    };
    if found.state == decided {
        return Ok(found);
    }
    if !matches!(found.state, UnitState::Held { .. }) {
        return Err(Error::new(ErrorKind::Refused, format!("{unit} is not held")));
    }
    let found = Unit { state: decided, ..found };
    put(store, &place, &found, Put::IfVersion(&version)).await?;
    Ok(found)
}
