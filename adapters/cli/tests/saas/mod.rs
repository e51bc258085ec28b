//! What the APIs of the connectors in `golden/connectors` answer, as their documentation says it: each stream's path, its pages,
//! which filter by time it takes, what it says when it is asked too often, when it is ill, and to a stranger.
//!
//! An API holds records that were changed an hour after the other. It keeps no state between two requests but how many there are.

mod answers;

use serde_json::{Value, json};

use crate::serve::{Answer, Asked};
use Again::{After, Days, One, Since, Whole};

/// When the first record was changed, in seconds since 1970: the beginning of 2023.
const BEGAN: i64 = 1_672_531_200;
const DAY: i64 = 86_400;
/// What the first page of a stream leaves for its last.
const REST: usize = 30;

/// An API.
pub(crate) struct Api {
    /// The connector that reads it.
    pub(crate) connector: &'static str,
    /// The configuration, with the server's address in place of `API`.
    config: &'static str,
    /// The header that proves who asks.
    proof: (&'static str, &'static str),
    /// What a stranger is answered: the status, and the body.
    stranger: (u16, &'static str),
    /// What someone is answered who asks too often: the status, `Retry-After`, and the body.
    too_often: (u16, Option<&'static str>, &'static str),
    /// Where tokens are got.
    token: Option<&'static str>,
    /// A record, by its number.
    record: fn(&Row, usize) -> Value,
    /// What tells records apart, as they are read.
    key: &'static str,
    /// A page of these records.
    answer: fn(&Row, &[Value], &Asked, &str) -> Answer,
    pub(crate) rows: &'static [Row],
}

/// A stream.
pub(crate) struct Row {
    pub(crate) stream: &'static str,
    /// Where it is; what lies below it belongs to it, too.
    pub(crate) path: &'static str,
    /// How many records a page has.
    pub(crate) per: usize,
    pub(crate) again: Again,
}

/// What the second reading gets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Again {
    /// One record, which is all there is.
    One,
    /// Everything: the API has no filter.
    Whole,
    /// What was changed since the last record of the first reading, that one too, and so many seconds before it.
    Since(i64),
    /// What was changed after it.
    After,
    /// A report of so many rows a day is read again from some days before its last.
    Days(usize),
}

impl Row {
    /// How many records there are at first: three pages.
    pub(crate) fn count(&self) -> usize {
        match self.again {
            One => 1,
            _ => 2 * self.per + REST,
        }
    }

    /// When a record was changed.
    fn at(&self, number: usize) -> i64 {
        let number = i64::try_from(number).unwrap();
        match self.again {
            // Reports are read from the beginning of 2024 on.
            Days(rows) => BEGAN + 365 * DAY + number / i64::try_from(rows).unwrap() * DAY,
            _ => BEGAN + number * 3600,
        }
    }

    /// Which records are read the second time, when there are so many.
    pub(crate) fn second(&self, count: usize) -> Vec<usize> {
        let last = self.at(self.count() - 1);
        let is_read = |number: &usize| match self.again {
            One | Whole => true,
            Since(before) => self.at(*number) >= last - before,
            Days(_) => self.at(*number) >= last - 3 * DAY,
            After => self.at(*number) > last,
        };
        (0..count).filter(is_read).collect()
    }

    /// How many requests the first reading takes, if nothing fails; a report has some for each month until today.
    pub(crate) fn pages(&self) -> Option<usize> {
        match self.again {
            One => Some(1),
            Days(_) => None,
            _ => Some(3),
        }
    }
}

impl Api {
    pub(crate) fn config(&self, address: &str) -> Value {
        serde_json::from_str(&self.config.replace("API", address)).unwrap()
    }

    pub(crate) fn is_of(&self, row: &Row, asked: &Asked) -> bool {
        asked.path.starts_with(row.path)
    }

    /// What a record is known by.
    pub(crate) fn known(&self, record: &Value) -> String {
        record.pointer(self.key).unwrap().to_string()
    }

    /// What the record of a number is known by when it was read.
    pub(crate) fn name(&self, row: &Row, number: usize) -> String {
        let record = (self.record)(row, number);
        let read = record.pointer("/dimensionValues/2/value").map(|country| json!({"country": country}));
        self.known(&read.unwrap_or(record))
    }

    pub(crate) fn records(&self, row: &Row, count: usize) -> Vec<Value> {
        (0..count).map(|number| (self.record)(row, number)).collect()
    }

    pub(crate) fn too_often(&self) -> Answer {
        let (status, after, body) = self.too_often;
        let headers = after.map(|after| ("Retry-After", after.to_owned())).into_iter().collect();
        Answer { status, headers, body: serde_json::from_str(body).unwrap() }
    }

    pub(crate) fn answer(&self, row: &Row, records: &[Value], asked: &Asked, own: &str) -> Answer {
        if self.token == Some(asked.path.as_str()) {
            let form = asked.form();
            let known = ["grant_type", "client_id", "client_secret", "refresh_token"].map(|name| form[name].as_str());
            return match known {
                ["refresh_token", "hush-i", "hush-s", "hush-0"] => {
                    json!({"access_token": "hush-1", "expires_in": 3599}).into()
                }
                _ => (400, json!({"error": "invalid_grant"})).into(),
            };
        }
        if asked.header(self.proof.0) != self.proof.1 {
            return self.stranger();
        }
        (self.answer)(row, records, asked, own)
    }

    pub(crate) fn stranger(&self) -> Answer {
        (self.stranger.0, serde_json::from_str(self.stranger.1).unwrap()).into()
    }

    /// What a reading says that was taken for a stranger.
    pub(crate) fn is_told(&self, told: &str) -> bool {
        match self.stranger.0 {
            200 => told.contains("HTTP 200: invalid_auth"),
            status => told.contains(&format!("HTTP {status}")),
        }
    }
}

/// A time as `2023-01-31T10:00:00`, without a zone.
fn written(seconds: i64) -> String {
    let (mut days, rest) = ((seconds - BEGAN) / DAY, (seconds - BEGAN) % DAY);
    let mut year = 2023;
    while days >= year_days(year) {
        days -= year_days(year);
        year += 1;
    }
    let mut month = 0;
    while days >= months(year)[month] {
        days -= months(year)[month];
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}", month + 1, days + 1)
}

/// The seconds of a time whose first letters are `2023-01-31T10:00:00` or `2023/01/31 10:00`; before 2023 it is long ago.
fn seconds(text: &str) -> i64 {
    let part =
        |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<i64>().ok()).unwrap_or_default();
    let (year, month) = (part(0, 4), usize::try_from(part(5, 7)).unwrap());
    if year < 2023 {
        return 0;
    }
    let days =
        (2023..year).map(year_days).sum::<i64>() + months(year)[..month - 1].iter().sum::<i64>() + part(8, 10) - 1;
    BEGAN + days * DAY + part(11, 13) * 3600 + part(14, 16) * 60 + part(17, 19)
}

fn year_days(year: i64) -> i64 {
    months(year).iter().sum()
}

fn months(year: i64) -> [i64; 12] {
    [31, if year % 4 == 0 { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

const fn row(stream: &'static str, path: &'static str, per: usize, again: Again) -> Row {
    Row { stream, path, per, again }
}

/// The APIs.
pub(crate) const APIS: [Api; 10] = [
    Api {
        connector: "github",
        config: r#"{"token": "hush-1", "repositories": ["a/x"], "start_date": "2020-01-01T00:00:00Z", "api_url": "API"}"#,
        proof: ("authorization", "Bearer hush-1"),
        stranger: (401, r#"{"message": "Bad credentials"}"#),
        too_often: (403, Some("1"), r#"{"message": "You have exceeded a secondary rate limit"}"#),
        token: None,
        record: answers::github_record,
        key: "/key",
        answer: answers::github,
        rows: &[
            row("repositories", "/repos/a/x", 100, One),
            row("issues", "/repos/a/x/issues", 100, Since(0)),
            row("pull_requests", "/repos/a/x/pulls", 100, Whole),
            row("commits", "/repos/a/x/commits", 100, Since(0)),
        ],
    },
    Api {
        connector: "google-analytics",
        config: r#"{"property": "7", "client_id": "hush-i", "client_secret": "hush-s", "refresh_token": "hush-0", "token_url": "API/token", "start_date": "2024-01-01", "api_url": "API"}"#,
        proof: ("authorization", "Bearer hush-1"),
        stranger: (
            401,
            r#"{"error": {"status": "UNAUTHENTICATED", "message": "Request had invalid authentication credentials."}}"#,
        ),
        too_often: (
            429,
            None,
            r#"{"error": {"status": "RESOURCE_EXHAUSTED", "message": "Exhausted concurrent requests quota."}}"#,
        ),
        token: Some("/token"),
        record: answers::google_analytics_record,
        key: "/country",
        answer: answers::google_analytics,
        rows: &[row("traffic", "/v1beta/properties/7:runReport", 10_000, Days(11_000))],
    },
    Api {
        connector: "hubspot",
        config: r#"{"access_token": "hush-1", "api_url": "API"}"#,
        proof: ("authorization", "Bearer hush-1"),
        stranger: (
            401,
            r#"{"status": "error", "category": "INVALID_AUTHENTICATION", "message": "Authentication credentials not found."}"#,
        ),
        too_often: (
            429,
            None,
            r#"{"status": "error", "errorType": "RATE_LIMIT", "policyName": "SECONDLY", "message": "You have reached your secondly limit."}"#,
        ),
        token: None,
        record: answers::hubspot_record,
        key: "/id",
        answer: answers::hubspot,
        rows: &[
            row("contacts", "/crm/v3/objects/contacts", 100, Whole),
            row("companies", "/crm/v3/objects/companies", 100, Whole),
            row("deals", "/crm/v3/objects/deals", 100, Whole),
            row("tickets", "/crm/v3/objects/tickets", 100, Whole),
            row("owners", "/crm/v3/owners", 100, Whole),
        ],
    },
    Api {
        connector: "jira",
        config: r#"{"site": "s", "email": "me@x", "api_token": "hush-1", "start_date": "2020-01-01T00:00:00Z", "api_url": "API"}"#,
        // `me@x:hush-1`
        proof: ("authorization", "Basic bWVAeDpodXNoLTE="),
        stranger: (401, r#"{"errorMessages": ["You do not have the permission to see the specified issue."]}"#),
        too_often: (429, Some("1"), r#"{"errorMessages": ["Rate limit exceeded."]}"#),
        token: None,
        record: answers::jira_record,
        key: "/key",
        answer: answers::jira,
        rows: &[
            row("issues", "/rest/api/3/search/jql", 100, Since(DAY)),
            row("projects", "/rest/api/3/project/search", 50, Whole),
            row("users", "/rest/api/3/users/search", 50, Whole),
        ],
    },
    Api {
        connector: "notion",
        config: r#"{"token": "hush-1", "databases": ["d1"], "start_date": "2020-01-01T00:00:00Z", "api_url": "API"}"#,
        proof: ("authorization", "Bearer hush-1"),
        stranger: (401, r#"{"object": "error", "code": "unauthorized", "message": "API token is invalid."}"#),
        too_often: (
            429,
            Some("1"),
            r#"{"object": "error", "code": "rate_limited", "message": "You have been rate limited."}"#,
        ),
        token: None,
        record: answers::notion_record,
        key: "/id",
        answer: answers::notion,
        rows: &[
            row("pages", "/v1/databases/d1/query", 100, Since(0)),
            row("databases", "/v1/search", 100, Whole),
            row("users", "/v1/users", 100, Whole),
        ],
    },
    Api {
        connector: "salesforce",
        config: r#"{"instance_url": "API", "login_url": "API", "client_id": "hush-i", "client_secret": "hush-s", "refresh_token": "hush-0", "start_date": "2020-01-01T00:00:00Z"}"#,
        proof: ("authorization", "Bearer hush-1"),
        stranger: (401, r#"[{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]"#),
        too_often: (
            403,
            None,
            r#"[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]"#,
        ),
        token: Some("/services/oauth2/token"),
        record: answers::salesforce_record,
        key: "/Id",
        answer: answers::salesforce,
        rows: &[
            row("accounts", "/services/data/v61.0/query", 100, Since(0)),
            row("contacts", "/services/data/v61.0/query", 100, Since(0)),
            row("leads", "/services/data/v61.0/query", 100, Since(0)),
            row("opportunities", "/services/data/v61.0/query", 100, Since(0)),
            row("users", "/services/data/v61.0/query", 100, Since(0)),
        ],
    },
    Api {
        connector: "shopify",
        config: r#"{"shop": "s", "access_token": "hush-1", "start_date": "2020-01-01T00:00:00+0000", "api_url": "API"}"#,
        proof: ("x-shopify-access-token", "hush-1"),
        stranger: (
            401,
            r#"{"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}"#,
        ),
        too_often: (429, Some("1.0"), r#"{"errors": "Exceeded 2 calls per second for api client."}"#),
        token: None,
        record: answers::shopify_record,
        key: "/id",
        answer: answers::shopify,
        rows: &[
            row("orders", "/admin/api/2024-10/orders.json", 250, Since(0)),
            row("customers", "/admin/api/2024-10/customers.json", 250, Since(0)),
            row("products", "/admin/api/2024-10/products.json", 250, Since(0)),
        ],
    },
    Api {
        connector: "slack",
        config: r#"{"token": "hush-1", "start_date": "2020-01-01T00:00:00Z", "api_url": "API"}"#,
        proof: ("authorization", "Bearer hush-1"),
        stranger: (200, r#"{"ok": false, "error": "invalid_auth"}"#),
        too_often: (429, Some("1"), r#"{"ok": false, "error": "ratelimited"}"#),
        token: None,
        record: answers::slack_record,
        key: "/key",
        answer: answers::slack,
        rows: &[
            row("channels", "/api/conversations.list", 200, Whole),
            row("users", "/api/users.list", 200, Whole),
            row("messages", "/api/conversations.history", 200, After),
        ],
    },
    Api {
        connector: "stripe",
        config: r#"{"secret_key": "hush-1", "start_date": "2020-01-01T00:00:00Z", "api_url": "API"}"#,
        proof: ("authorization", "Bearer hush-1"),
        stranger: (401, r#"{"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}"#),
        too_often: (429, None, r#"{"error": {"code": "rate_limit", "message": "Request rate limit exceeded."}}"#),
        token: None,
        record: answers::stripe_record,
        key: "/id",
        answer: answers::stripe,
        rows: &[
            row("customers", "/v1/customers", 100, Since(0)),
            row("charges", "/v1/charges", 100, Since(0)),
            row("invoices", "/v1/invoices", 100, Since(0)),
            row("payment_intents", "/v1/payment_intents", 100, Since(0)),
            row("refunds", "/v1/refunds", 100, Since(0)),
            row("balance_transactions", "/v1/balance_transactions", 100, Since(0)),
            row("events", "/v1/events", 100, Since(0)),
        ],
    },
    Api {
        connector: "zendesk",
        config: r#"{"subdomain": "s", "email": "me@x", "api_token": "hush-1", "start_date": "2020-01-01T00:00:00Z", "api_url": "API"}"#,
        // `me@x/token:hush-1`
        proof: ("authorization", "Basic bWVAeC90b2tlbjpodXNoLTE="),
        stranger: (401, r#"{"error": "Couldn't authenticate you"}"#),
        too_often: (
            429,
            Some("1"),
            r#"{"error": "APIRateLimitExceeded", "description": "Number of allowed API requests per minute exceeded"}"#,
        ),
        token: None,
        record: answers::zendesk_record,
        key: "/id",
        answer: answers::zendesk,
        rows: &[
            row("tickets", "/api/v2/incremental/tickets/cursor.json", 1000, Since(0)),
            row("users", "/api/v2/incremental/users/cursor.json", 1000, Since(0)),
            row("organizations", "/api/v2/organizations.json", 100, Whole),
            row("groups", "/api/v2/groups.json", 100, Whole),
        ],
    },
];
