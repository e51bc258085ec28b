//! Operations: what each request of the API does.

use std::sync::Arc;

use serde_json::Value;
use serde_json::json;

use super::answer;
use super::behaviour::Effect;
use super::refusal::Refusal;
use super::request::Listing;
use super::request::Members;
use super::request::Submission;
use super::results;
use super::run;
use super::statements::Status;
use super::statements::read_id;
use super::world::World;
use super::world::unknown;

/// The answer to a request, or `None` where it is lost on the way.
pub(super) async fn answer(world: &Arc<World>, operation: &str, body: &[u8]) -> Result<Option<Value>, Refusal> {
    const KNOWN: [&str; 6] = [
        "ExecuteStatement",
        "BatchExecuteStatement",
        "DescribeStatement",
        "GetStatementResult",
        "CancelStatement",
        "ListStatements",
    ];
    if !KNOWN.contains(&operation) {
        return Err(Refusal::new("UnknownOperationException", format!("the sandbox does not know {operation}")));
    }
    let now = world.clock.now();
    {
        let mut state = world.state();
        *state.requests.entry(operation.to_owned()).or_default() += 1;
        if world.config.throttles && !state.throttle.admits(operation, now) {
            return Err(Refusal::new("ThrottlingException", "Rate exceeded"));
        }
        state.statements.forget(now);
    }
    match operation {
        "ExecuteStatement" => submit(world, body, false).await,
        "BatchExecuteStatement" => submit(world, body, true).await,
        "DescribeStatement" => describe(world, body).await.map(Some),
        "GetStatementResult" => result(world, body).await.map(Some),
        "CancelStatement" => cancel(world, body).map(Some),
        _ => list(world, body).map(Some),
    }
}

async fn submit(world: &Arc<World>, body: &[u8], is_batch: bool) -> Result<Option<Value>, Refusal> {
    let submission = Submission::read(body, is_batch)?;
    let wait = submission.wait_seconds;
    let (id, is_lost) = {
        let mut state = world.state();
        match state.statements.of_token(submission.token.as_deref()) {
            Some(known) => (known, false),
            None => {
                let effect = state.behaviours.effect(&submission.sqls);
                if let Some((_, Effect { refusal: Some(refusal), .. })) = &effect {
                    return Err(refusal.clone());
                }
                let is_lost = effect.as_ref().is_some_and(|(_, effect)| effect.loses_response);
                let id = state.statements.submit(submission, effect, world.id(), world.clock.now())?;
                let (world, id_of_run) = (Arc::clone(world), id.clone());
                std::thread::spawn(move || run::run(&world, &id_of_run));
                (id, is_lost)
            }
        }
    };
    if is_lost {
        return Ok(None);
    }
    world.look(&id, wait, |statement| answer::submitted(statement, wait > 0)).await.map(Some)
}

async fn describe(world: &World, body: &[u8]) -> Result<Value, Refusal> {
    let members = Members::read(body, &["Id", "WaitTimeSeconds"])?;
    let id = members.required("Id")?;
    let (uuid, number) = read_id(&id)?;
    let has_part = world.look(uuid, 0, |statement| has_part(statement.sub_statements.len(), number)).await;
    if !has_part.map_err(|_| unknown(&id))? {
        return Err(unknown(&id));
    }
    world.look(uuid, members.wait_seconds()?, |statement| answer::described(statement, number)).await
}

fn has_part(parts: usize, number: Option<usize>) -> bool {
    number.is_none_or(|number| (1..=parts).contains(&number))
}

async fn result(world: &World, body: &[u8]) -> Result<Value, Refusal> {
    let members = Members::read(body, &["Id", "NextToken", "WaitTimeSeconds"])?;
    let id = members.required("Id")?;
    let token = members.text("NextToken")?;
    let (uuid, number) = read_id(&id)?;
    let found = world.look(uuid, members.wait_seconds()?, |statement| {
        if !has_part(statement.sub_statements.len(), number) {
            return Err(unknown(&id));
        }
        if number.is_none() && statement.submission.is_batch {
            return Err(Refusal::validation("the id of a batch needs the number of a statement, as in `<id>:1`"));
        }
        let part = statement.sub_statements.get(number.unwrap_or(1) - 1);
        // What a transaction that was rolled back has given is gone with it.
        let is_there = statement.status == Status::Finished || statement.status.has_ended() && commits_alone(statement);
        let result = part.filter(|part| is_there && part.status == Status::Finished);
        result.and_then(|part| part.result.clone()).ok_or_else(|| {
            let fact = "Query does not have result. Please check query status with DescribeStatement.";
            Refusal::not_found(fact, &id)
        })
    });
    let found = found.await.map_err(|_| unknown(&id))??;
    found.page(token.as_deref(), world.config.page_rows.max(1))
}

fn commits_alone(statement: &super::statements::Statement) -> bool {
    statement.submission.mode == super::request::Mode::AutoCommit
}

fn cancel(world: &Arc<World>, body: &[u8]) -> Result<Value, Refusal> {
    let members = Members::read(body, &["Id"])?;
    let id = members.required("Id")?;
    let (uuid, number) = read_id(&id)?;
    if number.is_some() {
        return Err(Refusal::validation("a statement of a batch is not cancelled alone"));
    }
    let cancelled = world.update(uuid, |statement, _| {
        if statement.status.has_ended() {
            let name = statement.status.name();
            let fact = format!("Could not cancel a query that is already in {name} state, ID: {uuid}");
            return Err(Refusal::validation(fact));
        }
        statement.is_cancelled = true;
        Ok(statement.process)
    });
    let process = cancelled.ok_or_else(|| unknown(&id))??;
    if process != 0 {
        let world = Arc::clone(world);
        std::thread::spawn(move || run::interrupt(&world, process));
    }
    Ok(json!({ "Status": true }))
}

fn list(world: &World, body: &[u8]) -> Result<Value, Refusal> {
    let listing = Listing::read(body)?;
    let start = match &listing.token {
        None => 0,
        Some(token) => results::read_token(token)
            .ok_or_else(|| Refusal::validation("NextToken is none that was given for this list"))?,
    };
    let state = world.state();
    let is_same = |asked: &Option<String>, had: &Option<String>| asked.is_none() || asked == had;
    let found = state.statements.newest_first().filter(|statement| {
        let submission = &statement.submission;
        let name = submission.name.as_deref().unwrap_or_default();
        listing.name.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && listing.status.as_deref().is_none_or(|status| status == statement.status.name())
            && is_same(&listing.place.database, &submission.place.database)
            && is_same(&listing.place.cluster, &submission.place.cluster)
            && is_same(&listing.place.workgroup, &submission.place.workgroup)
    });
    let mut found: Vec<Value> = found.skip(start).take(listing.most + 1).map(answer::listed).collect();
    let has_more = found.len() > listing.most;
    found.truncate(listing.most);
    let mut list = json!({ "Statements": found });
    if has_more && let Some(list) = list.as_object_mut() {
        list.insert("NextToken".to_owned(), results::write_token(start + listing.most).into());
    }
    Ok(list)
}
