//! Objects in S3.
//!
//! A listing gives the version of an object as its ETag. The ETag is a digest of the bytes only if they were uploaded in one
//! piece and no KMS key encrypts them; otherwise the same bytes have another ETag when they are uploaded again. So the adapter
//! asks for the checksum of the whole object; if there is one that distinguishes contents, it is the version, together with the
//! size. Reads have the ETag as their condition.
//!
//! Core asks for windows of some hundred kilobytes, one after the other. A request for each would be slow and expensive. So a
//! second window that begins where the first ended opens a long response, and the next windows are read from it. Only the open
//! response and its last piece are in memory.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, EncodingType, ServerSideEncryption};
use bytes::Bytes;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::Object;
use etalon_core::source::s3::{Address, decode_key};
use etalon_driver::ports::{Look, Objects, Put};

use crate::client::Clients;
use crate::failure::{broken, failed};

/// Whatever broke.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Most bytes of one long answer.
const AHEAD_BYTES: u64 = 16 * 1024 * 1024;
/// Most names of one answer to a listing.
const PAGE_NAMES: usize = 1000;
/// So often a write is tried while others write the same name, and a read while its connection breaks.
const ATTEMPTS_MAX: u32 = 5;
/// What a write is answered with while somebody else writes the same name.
const CONFLICT: &str = "ConditionalRequestConflict";
/// How long a write waits before the second try; before later ones it waits longer.
const PAUSE: Duration = Duration::from_millis(50);
/// What a version begins with that is a checksum.
const SHA256: &str = "sha256:";
const CRC64: &str = "crc64nvme:";

/// The objects of a bucket whose keys begin with a prefix; names are what follows it. A name with the bucket before it,
/// `s3://bucket/`, is taken for the same; [`S3Objects::named_with_bucket`] gives such names.
#[derive(Debug)]
pub struct S3Objects {
    client: Client,
    bucket: String,
    prefix: String,
    /// What names begin with that are given.
    place: String,
    /// Where the last read ended, and what is open there.
    ahead: Mutex<Option<Ahead>>,
    /// The object whose version is a checksum that was looked at last, and its ETag.
    tagged: Mutex<Option<(Object, String)>>,
}

/// A place in an object up to which it was read.
#[derive(Debug)]
struct Ahead {
    name: String,
    version: String,
    at: u64,
    open: Option<Open>,
}

/// What is still to come of an answer.
#[derive(Debug)]
struct Open {
    body: ByteStream,
    /// What came and was not asked for yet.
    piece: Bytes,
    /// How many bytes are to come, with the piece.
    left: u64,
}

impl S3Objects {
    /// The objects of a place in S3.
    pub fn at(clients: &Clients, address: &Address) -> Self {
        Self::new(clients.s3(), &*address.bucket, &*address.prefix)
    }

    /// The objects of `bucket` below `prefix`, which ends with a `/` or is empty.
    pub fn new(client: Client, bucket: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
            prefix: prefix.into(),
            place: String::new(),
            ahead: Mutex::new(None),
            tagged: Mutex::new(None),
        }
    }

    /// The same objects, with the bucket in their names.
    #[must_use]
    pub fn named_with_bucket(self) -> Self {
        Self { place: self.bucket_place(), ..self }
    }

    /// The bucket, as it stands before a name: `s3://bucket/`.
    pub fn bucket_place(&self) -> String {
        format!("s3://{}/", self.bucket)
    }

    /// What names begin with that are given: nothing, or the bucket.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Where an object is, as Redshift and people name it: `s3://bucket/key`.
    pub fn url(&self, name: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.key(name))
    }

    fn key(&self, name: &str) -> String {
        let within = name.strip_prefix("s3://").and_then(|name| name.strip_prefix(&*self.bucket));
        let within = within.and_then(|name| name.strip_prefix('/'));
        format!("{}{}", self.prefix, within.unwrap_or(name))
    }

    /// A part of an object, if it is of the version.
    async fn get_part(&self, object: &Object, range: Range<u64>) -> Result<Open, Error> {
        if !is_checksum(&object.version) {
            return self.get_tagged(&object.name, &object.version, range).await;
        }
        let known = lock(&self.tagged).clone();
        let tag = match known.filter(|(known, _)| known == object) {
            Some((_, tag)) => tag,
            None => self.tag(object).await?,
        };
        match self.get_tagged(&object.name, &tag, range.clone()).await {
            // The same bytes may have been put again.
            Err(error) if error.kind() == ErrorKind::Changed => match self.tag(object).await? {
                now if now == tag => Err(error),
                now => self.get_tagged(&object.name, &now, range).await,
            },
            part => part,
        }
    }

    /// The ETag that an object has now, if it is of the version.
    async fn tag(&self, object: &Object) -> Result<String, Error> {
        let now = self.look(&object.name).await?;
        if now.object != *object {
            let message = format!("{}: another version is there", self.url(&object.name));
            return Err(Error::new(ErrorKind::Changed, message));
        }
        *lock(&self.tagged) = Some((now.object, now.listed.clone()));
        Ok(now.listed)
    }

    /// A part of an object, if it has an ETag.
    async fn get_tagged(&self, name: &str, tag: &str, range: Range<u64>) -> Result<Open, Error> {
        // The last byte is part of a range here.
        let bytes = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        let request = self.client.get_object().bucket(&self.bucket).key(self.key(name));
        let answer = request.if_match(quoted(tag)).range(bytes).send().await;
        let GetObjectOutput { body, .. } = answer.map_err(|error| self.failed("GetObject", name, &error))?;
        Ok(Open { body, piece: Bytes::new(), left: range.end - range.start })
    }

    /// What was left open, if it goes on where a read begins.
    fn take(&self, object: &Object, at: u64) -> Option<Ahead> {
        let ahead = lock(&self.ahead).take();
        ahead.filter(|ahead| ahead.at == at && ahead.name == object.name && ahead.version == object.version)
    }

    fn leave(&self, ahead: Ahead) {
        *lock(&self.ahead) = Some(ahead);
    }

    fn failed<E>(&self, call: &str, name: &str, error: &aws_sdk_s3::error::SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        failed(format_args!("{}: {call}", self.url(name)), error)
    }
}

impl Objects for S3Objects {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        let request = self.client.head_object().bucket(&self.bucket).key(self.key(name));
        let answer = request.send().await.map_err(|error| self.failed("HeadObject", name, &error))?;
        Ok(Object {
            name: name.to_owned(),
            version: unquoted(answer.e_tag),
            size: answer.content_length.unwrap_or_default().unsigned_abs(),
        })
    }

    async fn look(&self, name: &str) -> Result<Look, Error> {
        let request = self.client.head_object().bucket(&self.bucket).key(self.key(name));
        let answer = request.checksum_mode(ChecksumMode::Enabled).send().await;
        let answer = answer.map_err(|error| self.failed("HeadObject", name, &error))?;
        let checksum = checksum(&answer);
        let listed = unquoted(answer.e_tag);
        let encryption = answer.server_side_encryption.unwrap_or(ServerSideEncryption::Aes256);
        if checksum.is_none() && (listed.contains('-') || encryption != ServerSideEncryption::Aes256) {
            let object = self.url(name);
            tracing::warn!(
                object,
                "its version is an ETag that is no digest: the same bytes put again are a new version"
            );
        }
        let version = checksum.unwrap_or_else(|| listed.clone());
        let size = answer.content_length.unwrap_or_default().unsigned_abs();
        Ok(Look { object: Object { name: name.to_owned(), version, size }, listed })
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let range = range.start..range.end.min(object.size);
        if range.is_empty() {
            return Ok(Vec::new());
        }
        // What is left open is taken, so that nobody else reads from it meanwhile; who finds nothing asks for itself.
        let ahead = self.take(object, range.start);
        let goes_on = ahead.is_some();
        let mut open = ahead.and_then(|ahead| ahead.open);
        let mut read = Vec::with_capacity(usize::try_from(range.end - range.start).unwrap_or_default());
        let mut attempt = 1;
        loop {
            let at = range.start + read.len() as u64;
            if at >= range.end {
                break;
            }
            let mut answer = match open.take().filter(|open| open.left > 0) {
                Some(answer) => answer,
                None => {
                    let end = if goes_on { range.end.max((at + AHEAD_BYTES).min(object.size)) } else { range.end };
                    self.get_part(object, at..end).await?
                }
            };
            match answer.read(range.end - at, &mut read).await {
                Ok(()) => open = Some(answer),
                // A connection that was idle for long may be gone; the rest is asked for anew.
                Err(error) => {
                    attempt += 1;
                    if attempt > ATTEMPTS_MAX {
                        return Err(broken(format_args!("{}: GetObject", self.url(&object.name)), &*error));
                    }
                }
            }
        }
        let open = open.filter(|open| open.left > 0);
        self.leave(Ahead { name: object.name.clone(), version: object.version.clone(), at: range.end, open });
        Ok(read)
    }

    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        let request = self.client.get_object().bucket(&self.bucket).key(self.key(name));
        let answer = request.send().await.map_err(|error| self.failed("GetObject", name, &error))?;
        let version = unquoted(answer.e_tag);
        let bytes = answer.body.collect().await;
        let bytes = bytes.map_err(|error| broken(format_args!("{}: GetObject", self.url(name)), &error))?;
        Ok((bytes.to_vec(), version))
    }

    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        self.give(name, bytes.to_vec(), condition).await
    }

    async fn give(&self, name: &str, bytes: Vec<u8>, condition: Put<'_>) -> Result<String, Error> {
        let bytes = Bytes::from(bytes);
        let mut attempt = 1;
        loop {
            let request = self.client.put_object().bucket(&self.bucket).key(self.key(name));
            let request = request.body(ByteStream::from(bytes.clone()));
            let request = match condition {
                Put::Always => request,
                Put::IfAbsent => request.if_none_match("*"),
                Put::IfVersion(version) => request.if_match(quoted(version)),
            };
            let error = match request.send().await {
                Ok(answer) => return Ok(unquoted(answer.e_tag)),
                Err(error) => error,
            };
            // Somebody else writes the same name at this moment. Whether it will be there is not known yet.
            if error.code() == Some(CONFLICT) && attempt < ATTEMPTS_MAX {
                tokio::time::sleep(PAUSE * attempt * attempt).await;
                attempt += 1;
                continue;
            }
            let error = self.failed("PutObject", name, &error);
            return Err(match (condition, error.kind()) {
                (Put::IfAbsent, ErrorKind::Changed) => Error::new(ErrorKind::AlreadyExists, error.to_string()),
                (Put::IfVersion(_), ErrorKind::NotFound) => Error::new(ErrorKind::Changed, error.to_string()),
                _ => error,
            });
        }
    }

    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        Ok(self.objects(prefix, after, most).await?.into_iter().map(|object| object.name).collect())
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let request = self.client.delete_object().bucket(&self.bucket).key(self.key(name));
        request.send().await.map_err(|error| self.failed("DeleteObject", name, &error))?;
        Ok(())
    }

    /// What a bucket says to a conditional delete of what is not there, only a real one can tell; so it is looked at first.
    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        let is_missing = |error: Error| match error.kind() {
            ErrorKind::NotFound => Error::new(ErrorKind::Changed, error.to_string()),
            _ => error,
        };
        if self.head(name).await.map_err(is_missing)?.version != version {
            let message = format!("{}: another version is there", self.url(name));
            return Err(Error::new(ErrorKind::Changed, message));
        }
        let request = self.client.delete_object().bucket(&self.bucket).key(self.key(name)).if_match(quoted(version));
        let deleted = request.send().await.map_err(|error| self.failed("DeleteObject", name, &error));
        deleted.map(drop).map_err(is_missing)
    }

    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        let mut found: Vec<Object> = Vec::new();
        while found.len() < most {
            let page = (most - found.len()).min(PAGE_NAMES);
            let after = found.last().map(|object| object.name.as_str()).or(after).map(|name| self.key(name));
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(self.key(prefix));
            let request = request.set_start_after(after).max_keys(i32::try_from(page).unwrap_or(i32::MAX));
            // A key may have characters that XML does not know.
            let request = request.encoding_type(EncodingType::Url);
            let answer = request.send().await.map_err(|error| self.failed("ListObjectsV2", prefix, &error))?;
            let is_last = answer.is_truncated != Some(true);
            let is_encoded = answer.encoding_type == Some(EncodingType::Url);
            found.extend(answer.contents.unwrap_or_default().into_iter().filter_map(|listed| {
                let key = listed.key?;
                let key = if is_encoded { decode_key(&key) } else { key };
                Some(Object {
                    name: format!("{}{}", self.place, key.strip_prefix(&self.prefix)?),
                    version: unquoted(listed.e_tag),
                    size: listed.size.unwrap_or_default().unsigned_abs(),
                })
            }));
            if is_last {
                break;
            }
        }
        Ok(found)
    }
}

impl Open {
    /// Moves at most so many bytes to the end of what was read, as many as come at once.
    async fn read(&mut self, most: u64, to: &mut Vec<u8>) -> Result<(), BoxError> {
        if self.piece.is_empty() {
            self.piece = self.body.try_next().await?.ok_or("the answer ends too early")?;
        }
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(self.piece.len());
        to.extend_from_slice(&self.piece.split_to(count));
        self.left = self.left.saturating_sub(count as u64);
        Ok(())
    }
}

/// The version that the checksum of a whole object is, where it has one of which no two contents are likely to be the same.
fn checksum(answer: &HeadObjectOutput) -> Option<String> {
    let size = answer.content_length.unwrap_or_default();
    let known = [(SHA256, &answer.checksum_sha256), (CRC64, &answer.checksum_crc64_nvme)];
    let (kind, checksum) = known.into_iter().find_map(|(kind, checksum)| Some((kind, checksum.as_deref()?)))?;
    // That of a composite is made of those of its parts. Who does not say which it is has it of the whole, if there are no parts.
    let in_parts = answer.e_tag.as_deref().is_some_and(|tag| tag.contains('-'));
    let is_whole = answer.checksum_type.as_ref().map_or(!in_parts, |kind| *kind == ChecksumType::FullObject);
    is_whole.then(|| format!("{kind}{checksum}:{size}"))
}

/// Whether a version is a checksum. An ETag has no colon.
fn is_checksum(version: &str) -> bool {
    version.starts_with(SHA256) || version.starts_with(CRC64)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn quoted(version: &str) -> String {
    format!("\"{version}\"")
}

fn unquoted(e_tag: Option<String>) -> String {
    e_tag.unwrap_or_default().trim_matches('"').to_owned()
}
