//! Source: the files of a COPY. A manifest names them, or what their keys begin with; each is fetched when its turn comes.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::error::ProvideErrorMetadata;
use serde::Deserialize;
use tokio::runtime::Builder;
use tokio::runtime::Runtime;

use super::Refused;
use super::statement::Copy;
use super::statement::Format;
use crate::aws;

/// S3, for a thread that waits.
pub(super) struct Source {
    runtime: Runtime,
    client: Client,
}

/// A file with its bytes.
pub(super) struct File {
    pub(super) url: String,
    pub(super) bytes: Vec<u8>,
}

/// A manifest, as it is written.
#[derive(Deserialize)]
struct Manifest {
    entries: Vec<Entry>,
}

/// A file that is named.
#[derive(Deserialize)]
pub(super) struct Entry {
    url: String,
    #[serde(default)]
    mandatory: bool,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    content_length: Option<u64>,
}

impl Source {
    pub(super) fn open(endpoint: &str) -> Result<Self, Refused> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Refused::words(format!("FATAL: {error}")))?;
        Ok(Self { runtime, client: aws::s3(endpoint) })
    }

    /// The files that are to be loaded.
    pub(super) fn entries(&self, copy: &Copy) -> Result<Vec<Entry>, Refused> {
        if copy.is_manifest { self.manifest(&copy.from) } else { self.listed(&copy.from) }
    }

    /// A file; nothing where it is missing and may be.
    pub(super) fn file(&self, copy: &Copy, entry: Entry) -> Result<Option<File>, Refused> {
        let Entry { url, mandatory, meta } = entry;
        let Some(bytes) = self.fetch(&url)? else {
            return match mandatory {
                true => Err(Refused::words(format!("ERROR: Mandatory url is not present in manifest: {url}"))),
                false => Ok(None),
            };
        };
        // Where files have no columns of their own, what a manifest says of their length is not looked at.
        if copy.is_manifest && copy.format == Format::Parquet {
            let found = bytes.len() as u64;
            match meta.and_then(|meta| meta.content_length) {
                Some(length) if length == found => {}
                Some(length) => {
                    let fact = format!("{url} has {found} bytes, and the manifest says {length}");
                    return Err(Refused::words(format!("ERROR: Spectrum Scan Error: {fact}")));
                }
                None => {
                    let fact = format!("content_length is missing in the manifest: {url}");
                    return Err(Refused::words(format!("ERROR: {fact}")));
                }
            }
        }
        Ok(Some(File { url, bytes }))
    }

    fn manifest(&self, url: &str) -> Result<Vec<Entry>, Refused> {
        let missing =
            || Refused::words(format!("ERROR: Problem reading manifest file - S3ServiceException: {url}: NoSuchKey"));
        let bytes = self.fetch(url)?.ok_or_else(missing)?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| Refused::words(format!("ERROR: Problem reading manifest file - {url}: {error}")))?;
        Ok(manifest.entries)
    }

    /// The objects whose keys begin so.
    fn listed(&self, url: &str) -> Result<Vec<Entry>, Refused> {
        let (bucket, prefix) = split(url)?;
        let list = self.client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
        let pages = self.runtime.block_on(list.collect::<Result<Vec<_>, _>>());
        let pages = pages.map_err(|error| refused(&error))?;
        let keys = pages.into_iter().flat_map(|page| page.contents.unwrap_or_default()).filter_map(|object| object.key);
        Ok(keys.map(|key| Entry { url: format!("s3://{bucket}/{key}"), mandatory: true, meta: None }).collect())
    }

    /// The bytes of an object, if there is one.
    fn fetch(&self, url: &str) -> Result<Option<Vec<u8>>, Refused> {
        let (bucket, key) = split(url)?;
        self.runtime.block_on(async {
            match self.client.get_object().bucket(bucket).key(key).send().await {
                Ok(object) => {
                    let bytes = object.body.collect().await;
                    let bytes = bytes.map_err(|error| Refused::words(format!("ERROR: {url}: {error}")))?;
                    Ok(Some(bytes.to_vec()))
                }
                Err(error) if matches!(error.code(), Some("NoSuchKey" | "NoSuchBucket")) => Ok(None),
                Err(error) => Err(refused(&error)),
            }
        })
    }
}

fn split(url: &str) -> Result<(&str, &str), Refused> {
    let parts = url.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    parts
        .filter(|(bucket, _)| !bucket.is_empty())
        .ok_or_else(|| Refused::words(format!("ERROR: Invalid S3 URL: {url}")))
}

fn refused<E: std::error::Error + ProvideErrorMetadata>(error: &E) -> Refused {
    Refused::words(format!("ERROR: S3ServiceException: {}", DisplayErrorContext(error)))
}
