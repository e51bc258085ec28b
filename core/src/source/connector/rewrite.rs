//! Rewrite: what a manifest makes of its configuration before it is used, so that one of an older form is taken, too.

use serde_json::Value;

use super::component::{Component, Missing};
use super::path;
use super::python;
use super::template::{Datum, Scope, Template, Types};
use super::transform::{added, pointer};

/// One step of rewriting.
#[derive(Debug, Clone)]
pub(super) enum Rewriting {
    /// Writes fields, each a path, a value and the type that is taken.
    Add(Vec<(Vec<String>, Template, Types)>, Option<Template>),
    /// Removes fields by their paths.
    Remove(Vec<Vec<String>>, Option<Template>),
    /// Writes other values for some of the values at a path.
    Replace(Vec<Template>, Vec<(Template, Template)>),
}

/// The steps that the rules of a specification say, in order.
pub(super) fn read(rules: &Component<'_>, missing: &mut Missing) -> Vec<Rewriting> {
    rules.knows(missing);
    if rules.get("validations").is_some_and(python::is_true) {
        missing.ignored.insert("the validations of the configuration, which is taken as it is".to_owned());
    }
    let mut steps = Vec::new();
    for migration in rules.children("config_migrations", missing) {
        migration.knows(missing);
        let all = migration.children("transformations", missing);
        steps.extend(all.iter().filter_map(|step| Rewriting::read(step, missing)));
    }
    let all = rules.children("transformations", missing);
    steps.extend(all.iter().filter_map(|step| Rewriting::read(step, missing)));
    steps
}

impl Rewriting {
    fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        let condition = |missing: &mut Missing| {
            component.template("condition", missing).filter(|condition| !condition.source().is_empty())
        };
        match component.ty {
            "ConfigAddFields" => {
                component.knows(missing);
                let fields = component.children("fields", missing);
                let fields = fields.iter().filter_map(|field| added(field, missing)).collect();
                Some(Self::Add(fields, condition(missing)))
            }
            "ConfigRemoveFields" => {
                component.knows(missing);
                let pointers = component.get("field_pointers").and_then(Value::as_array);
                let pointers = pointers.map(|pointers| pointers.iter().map(pointer).collect()).unwrap_or_default();
                Some(Self::Remove(pointers, condition(missing)))
            }
            "ConfigRemapField" => {
                component.knows(missing);
                let map = component.get("map").and_then(Value::as_object);
                let pair = |(old, new): (&String, &Value)| {
                    Some((component.parse(old, missing)?, component.parse(&python::text(new), missing)?))
                };
                let map = map.map(|map| map.iter().filter_map(pair).collect()).unwrap_or_default();
                Some(Self::Replace(component.templates("field_path", missing), map))
            }
            _ => {
                component.is_missing(missing);
                None
            }
        }
    }

    /// Rewrites a configuration.
    pub(super) fn apply(&self, config: &mut Value, now: i64, chance: u128) -> Result<(), String> {
        match self {
            Self::Add(fields, condition) => {
                for (path, template, types) in fields {
                    let scope = Scope::new(now, chance, config);
                    let value = template.literal(&scope, *types)?.value;
                    let at = Value::from(path.clone());
                    let scope = scope.with("value", Datum::from(&value)).with("path", Datum::from(&at));
                    let is_wanted = condition.as_ref().map_or(Ok(true), |condition| condition.holds(&scope))?;
                    drop(scope);
                    if is_wanted {
                        path::set(config, path, value)?;
                    }
                }
            }
            Self::Remove(pointers, condition) => {
                let scope = Scope::new(now, chance, config);
                if condition.as_ref().map_or(Ok(true), |condition| condition.holds(&scope))? {
                    pointers.iter().for_each(|pointer| path::remove(config, pointer, &mut |_| true));
                }
            }
            Self::Replace(path, map) => {
                let scope = Scope::new(now, chance, config);
                let path = path.iter().map(|part| part.text(&scope)).collect::<Result<Vec<_>, _>>()?;
                let Some(found) = path::get(config, &path).map(python::text) else { return Ok(()) };
                for (old, new) in map {
                    if old.text(&scope)? == found {
                        let new = new.value(&scope)?;
                        drop(scope);
                        return path::set(config, &path, new);
                    }
                }
            }
        }
        Ok(())
    }
}
