//! Home: the folder of a pipeline's store, by the table that it loads. The store of the first table is the folder itself; each
//! other table has a folder below it. So the state of the first table stays as it is if a pipeline loads another table for a
//! day, or if two files of one pipeline load a table each.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Resolved;
use etalon_core::plan::identity;
use etalon_core::protocol::{Home, Unit, name, prefix};

use crate::held::is_of;
use crate::local::LocalDisk;
use crate::ports::Put;
use crate::store::{document, names, put};

/// Where the stores of other tables are.
const TABLES_FOLDER: &str = "tables";

/// The store of a pipeline's table, which is this one or one below it.
pub async fn store_of(disk: LocalDisk, pipeline: &Resolved) -> Result<LocalDisk, Error> {
    let table = name::table(pipeline.table());
    let home = match document::<Home>(&disk, &name::home(pipeline.name())).await? {
        Some((home, _)) => Some(home.table),
        None => loaded_before(&disk, pipeline).await?,
    };
    Ok(match home {
        Some(home) if home != table => {
            let folder = identity("table", &[pipeline.name(), &table]);
            LocalDisk::new(disk.path(TABLES_FOLDER).join(folder))
        }
        _ => disk,
    })
}

/// The same for a run: the first one makes the store that of its table.
pub async fn store_for_run(disk: LocalDisk, pipeline: &Resolved) -> Result<LocalDisk, Error> {
    let place = name::home(pipeline.name());
    if document::<Home>(&disk, &place).await?.is_none() {
        let table = match loaded_before(&disk, pipeline).await? {
            Some(table) => table,
            None => name::table(pipeline.table()),
        };
        match put(&disk, &place, &Home { table }, Put::IfAbsent).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            kept => drop(kept?),
        }
    }
    store_of(disk, pipeline).await
}

/// The table that a pipeline has loaded from a store of an older Etalon; its own, where it has loaded several.
async fn loaded_before(store: &LocalDisk, pipeline: &Resolved) -> Result<Option<String>, Error> {
    let own = name::table(pipeline.table());
    let mut before: Option<String> = None;
    for place in names(store, prefix::UNITS.text).await? {
        let Some((table, _)) = place.strip_prefix(prefix::UNITS.text).and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        if before.as_deref() == Some(table) {
            continue;
        }
        let unit = document::<Unit>(store, &place).await?;
        if unit.is_some_and(|(unit, _)| is_of(pipeline, &unit)) {
            if table == own {
                return Ok(Some(own));
            }
            before = Some(table.to_owned());
        }
    }
    Ok(before)
}

#[cfg(test)]
mod tests {
    use etalon_core::pipeline::Pipeline;
    use pollster::block_on;

    use super::*;

    fn pipeline(name: &str, table: &str) -> Resolved {
        let text = format!(
            "etalon: 1\npipeline: {name}\nsource: {{ files: \"*.csv\", format: csv, fields: {{ id: bigint }} }}\n\
             columns: {{ id: {{}} }}\ntarget: {{ table: {table}, write: append }}\n"
        );
        let compiled = Pipeline::compile(&text).unwrap().0;
        compiled.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap()
    }

    #[test]
    fn each_table_of_a_pipeline_has_a_store_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, here) = (|| LocalDisk::new(folder.path()), folder.path().join(""));
        let at = |name: &str, table: &str| block_on(store_of(disk(), &pipeline(name, table))).unwrap().path("");
        let run = |name: &str, table: &str| block_on(store_for_run(disk(), &pipeline(name, table))).unwrap().path("");
        assert_eq!(at("p", "t"), here, "nobody has run");
        assert_eq!(run("p", "t"), here);
        let other = run("p", "t2");
        assert!(other != here && other.starts_with(&here));
        assert_eq!((at("p", "t2"), at("p", "t")), (other.clone(), here.clone()));
        assert_ne!(run("p", "t3"), other);
        assert_eq!(run("q", "t2"), here, "another pipeline is at home too");
    }

    #[test]
    fn what_an_older_etalon_has_loaded_is_at_home() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, here) = (|| LocalDisk::new(folder.path()), folder.path().join(""));
        let p = pipeline("p", "t");
        let unit = p.unit("u".to_owned(), &[]);
        block_on(put(&disk(), &name::unit_document("t", "u"), &unit, Put::Always)).unwrap();
        let other = pipeline("p", "t2");
        assert_ne!(block_on(store_of(disk(), &other)).unwrap().path(""), here);
        assert_ne!(block_on(store_for_run(disk(), &other)).unwrap().path(""), here);
        assert_eq!(block_on(store_for_run(disk(), &p)).unwrap().path(""), here);
    }
}
