//! Migrate: a state of before partitions were told by name, which has a cursor under the key of each, becomes one that has them in
//! a list.

use serde_json::{Map, Value, json};

use super::component::{Component, Missing};
use super::template::{Scope, Template};

/// How the states of a stream become those of today.
#[derive(Debug, Clone)]
pub(super) struct Migration {
    /// What a partition is called by.
    partition: Template,
    cursor: Template,
    /// Whether partitions have one name for their keys; those of several parents have not.
    is_one: bool,
}

impl Migration {
    /// Reads what a stream says of its states.
    pub(super) fn read(stream: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        let migrations = stream.children("state_migrations", missing);
        for migration in &migrations {
            if migration.ty != "LegacyToPerPartitionStateMigration" {
                migration.is_missing(missing);
                return None;
            }
            migration.knows(missing);
        }
        migrations.first()?;
        let retriever = stream.child("retriever", missing)?;
        let routers = retriever.children("partition_router", missing);
        let is_list = retriever.get("partition_router").is_some_and(Value::is_array);
        let (named, is_one) = match routers.as_slice() {
            [one] if one.ty == "UnionPartitionRouter" && !is_list => (one.text("partition_field"), true),
            [one] if one.ty == "SubstreamPartitionRouter" && !is_list => {
                let parents = one.children("parent_stream_configs", missing);
                (parents.first().and_then(|parent| parent.text("partition_field")), parents.len() == 1)
            }
            _ => {
                missing.add(
                    "a `LegacyToPerPartitionStateMigration` of a stream that is not divided by parents or a union",
                );
                return None;
            }
        };
        let cursor = stream.child("incremental_sync", missing).and_then(|cursor| cursor.text("cursor_field"));
        let (Some(named), Some(cursor)) = (named, cursor) else {
            missing.add("a `LegacyToPerPartitionStateMigration` of a stream without a cursor");
            return None;
        };
        Some(Self { partition: stream.parse(named, missing)?, cursor: stream.parse(cursor, missing)?, is_one })
    }

    /// The state of today, if this is one of before.
    pub(super) fn migrated(&self, state: &Value, scope: &Scope<'_>) -> Result<Option<Value>, String> {
        let (name, cursor) = (self.partition.text(scope)?, self.cursor.text(scope)?);
        let state = state.as_object().filter(|state| !state.is_empty() && !state.contains_key("states"));
        let is_cursor =
            |value: &Value| value.as_object().is_some_and(|map| map.len() == 1 && map.contains_key(&cursor));
        let Some(state) = state.filter(|state| self.is_one && state.values().all(is_cursor)) else { return Ok(None) };
        let listed = |(key, reached): (&String, &Value)| {
            let partition = Map::from_iter([(name.clone(), key.clone().into())]);
            json!({"partition": partition, "cursor": reached})
        };
        Ok(Some(json!({"states": state.iter().map(listed).collect::<Vec<_>>()})))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated(is_one: bool, state: &Value) -> Option<Value> {
        let template = |text: &str| Template::parse(text, &std::sync::Arc::new(json!({}))).unwrap();
        let migration = Migration { partition: template("id"), cursor: template("{{ config['cursor'] }}"), is_one };
        migration.migrated(state, &Scope::new(0, 0, &json!({"cursor": "at"}))).unwrap()
    }

    #[test]
    fn a_cursor_under_the_key_of_each_partition_becomes_a_list() {
        let old = json!({"7": {"at": "a"}, "8": {"at": "b"}});
        let new = json!({"states": [
            {"partition": {"id": "7"}, "cursor": {"at": "a"}},
            {"partition": {"id": "8"}, "cursor": {"at": "b"}},
        ]});
        assert_eq!(migrated(true, &old), Some(new.clone()));
        assert_eq!(migrated(false, &old), None, "keys of several parents have no one name");
        assert_eq!(migrated(true, &new), None);
    }

    #[test]
    fn any_other_state_stays_as_it_is() {
        for other in [
            json!({}),
            json!({"at": "a"}),
            json!({"7": {"at": "a"}, "8": {"when": "b"}}),
            json!({"7": {"at": "a", "and": 1}}),
            json!({"7": {"at": "a"}, "use_global_cursor": false}),
        ] {
            assert_eq!(migrated(true, &other), None, "{other}");
        }
    }
}
