//! Objects: the objects of the source, and those that the functions keep in the store.

use std::collections::BTreeMap;

use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use etalon_core::error::Error;
use etalon_core::protocol::{Unit, name, parse, prefix};
use etalon_core::receipt::Receipt;

use super::Cloud;
use crate::aws::unavailable;

/// Names of one page of a listing.
const PAGE: i32 = 1000;

impl Cloud {
    /// Puts an object into the source, and gives its key. Nobody is told.
    pub async fn upload(&self, name: &str, bytes: Vec<u8>) -> Result<String, Error> {
        let key = format!("{}{name}", self.source.1);
        let put = self.s3.put_object().bucket(&self.source.0).key(&key).body(ByteStream::from(bytes)).send();
        put.await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        Ok(key)
    }

    /// All receipts.
    pub async fn receipts(&self) -> Result<Vec<Receipt>, Error> {
        let mut receipts = Vec::new();
        for key in self.names(prefix::RECEIPTS.text, usize::MAX).await? {
            let bytes = self.staged(&key).await?;
            receipts.push(serde_json::from_slice(&bytes).map_err(|error| unavailable(format!("{key}: {error}")))?);
        }
        Ok(receipts)
    }

    /// All units.
    pub async fn units(&self) -> Result<Vec<Unit>, Error> {
        let mut units = Vec::new();
        for key in self.names(&name::unit_document(&name::table(self.pipeline.table()), ""), usize::MAX).await? {
            units.push(parse(&self.staged(&key).await?)?);
        }
        Ok(units)
    }

    /// Names in the staging bucket that begin so, at most so many.
    pub async fn names(&self, prefix: &str, most: usize) -> Result<Vec<String>, Error> {
        // The name of a unit's document ends like one; what all of them begin with does not.
        let prefix = format!("{}{}", self.staging_prefix, prefix.strip_suffix(".json").unwrap_or(prefix));
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let call = self.s3.list_objects_v2().bucket(&self.staging).prefix(&prefix).max_keys(PAGE);
            let page = call.set_start_after(after).send().await;
            let page = page.map_err(|error| unavailable(DisplayErrorContext(error)))?;
            let keys = page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
            let before = names.len();
            names.extend(keys.filter_map(|key| key.strip_prefix(&self.staging_prefix).map(str::to_owned)));
            if names.len() == before || names.len() >= most {
                names.truncate(most);
                return Ok(names);
            }
            after = names.last().map(|last| format!("{}{last}", self.staging_prefix));
        }
    }

    /// The bytes of an object in the staging bucket.
    pub async fn staged(&self, name: &str) -> Result<Vec<u8>, Error> {
        let get = self.s3.get_object().bucket(&self.staging).key(format!("{}{name}", self.staging_prefix)).send();
        let object = get.await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        let bytes = object.body.collect().await.map_err(unavailable)?;
        Ok(bytes.to_vec())
    }

    /// Puts an object into the staging bucket.
    pub async fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let key = format!("{}{name}", self.staging_prefix);
        let put = self.s3.put_object().bucket(&self.staging).key(key).body(ByteStream::from(bytes.to_vec())).send();
        put.await.map(drop).map_err(|error| unavailable(DisplayErrorContext(error)))
    }

    /// The bytes of all staged parts, by name.
    pub async fn parts(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let mut parts = BTreeMap::new();
        for name in self.names(prefix::STAGED.text, usize::MAX).await? {
            parts.insert(name.clone(), self.staged(&name).await?);
        }
        Ok(parts)
    }
}
