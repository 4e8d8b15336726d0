//! Signing in to the borrower's pages with a code.
//!
//! # The same whether or not there is such an account
//! A request for a code makes the same calls in any case: it reads an account and contact points, counts, writes two
//! items, and publishes one message. For an unknown account the ids are made up, the code belongs to nobody, and the
//! message has neither a recipient nor a text.
//!
//! # Tried by somebody else
//! A code works in the browser that asked for it alone. A contact point gets [`CODES_A_DAY`] codes a day, an account
//! [`TRIES_A_DAY`] tries. Nothing is refused for the number of all requests together: nobody can lock all others out.
//!
//! # A new contact point
//! A code goes to a contact point that has been known for [`KNOWN_FOR`] alone, and each change of a contact point ends
//! the sessions of its customer.

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::kernel::{AccountId, ContactId, CustomerId};
use duewatch_domain::policy::{Channel, Language};
use duewatch_notify::text::MessageTexts;
use duewatch_notify::{Reference, ReferenceKeys, SignInDue, sign_in_due};
use duewatch_store::{
    BorrowerRecords, CodeMessage, KnownContactPoint, PageKey, PageSession, SignInCode, StoreError,
};

use crate::{RecordError, Services};

/// How long a contact point must have been known before a code goes to it.
pub const KNOWN_FOR: TimeDelta = TimeDelta::hours(72);
/// How long a code works.
pub const CODE_WORKS_FOR: TimeDelta = TimeDelta::minutes(10);
/// The tries of one code.
pub const TRIES_OF_A_CODE: u32 = 5;
/// The codes to one contact point on a day (UTC).
pub const CODES_A_DAY: u32 = 5;
/// The tries of one account's codes on a day (UTC).
pub const TRIES_A_DAY: u32 = 15;
/// How long a session lasts.
pub const SESSION_LASTS: TimeDelta = TimeDelta::minutes(30);

/// The channels by which a code leaves, the first that the customer has.
const CHANNELS: [Channel; 3] = [Channel::Sms, Channel::Email, Channel::App];

/// A request for a code.
#[derive(Clone, Copy, Debug)]
pub struct CodeRequest<'a> {
    /// The account's number, as typed.
    pub typed: &'a str,
    /// The id of the browser that asks.
    pub browser: &'a str,
    /// Eight random digits.
    pub code: &'a str,
    pub message_id: &'a ContactId,
    pub language: Language,
}

/// A customer who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub customer_id: CustomerId,
    pub records: BorrowerRecords,
    pub until: DateTime<Utc>,
}

/// The recipient of a code: a customer, and one of the contact points.
struct Recipient {
    customer_id: CustomerId,
    point: KnownContactPoint,
    contacts_at: Option<DateTime<Utc>>,
}

/// An id that belongs to nobody: a MAC of what was typed.
fn of_nobody<T: std::str::FromStr>(key: &PageKey, typed: &str) -> Result<T, RecordError> {
    let id = format!("nobody-{}", key.mac("nobody", typed));
    id.parse().map_err(|_| RecordError::Poison("no id is made of a MAC".to_owned()))
}

/// Sends a code to the holder of an account, if there is one; the caller learns nothing of that.
///
/// # Errors
/// When a table or the topic is out of reach.
pub async fn request_code(
    services: &Services,
    (key, reference_keys): (&PageKey, &ReferenceKeys),
    request: CodeRequest<'_>,
) -> Result<(), RecordError> {
    let (store, now) = (services.store(), services.clock.now());
    let to = recipient(services, key, request.typed, now).await?;
    let counted = match &to {
        Some(to) => format!("{} {}", to.point.channel, to.point.contact_point),
        None => format!("nobody {}", request.typed),
    };
    if !store.count_sign_in(&key.mac("codes", &counted), now.date_naive(), CODES_A_DAY).await? {
        return Ok(());
    }
    let code = SignInCode {
        mac: code_mac(key, request.browser, request.code),
        customer_id: to.as_ref().map(|to| to.customer_id.clone()),
        subject: key.mac("tries", request.typed),
        contacts_at: to.as_ref().and_then(|to| to.contacts_at),
        until: now + CODE_WORKS_FOR,
    };
    let message = CodeMessage {
        message_id: request.message_id.clone(),
        to: to.as_ref().map(|to| (to.customer_id.clone(), to.point.channel)),
        at: now,
    };
    store.put_sign_in_code(&key.mac("browser", request.browser), &code, &message).await?;
    let minutes = u32::try_from(CODE_WORKS_FOR.num_minutes()).unwrap_or_default();
    let reference = Reference::issue(reference_keys, request.message_id.as_str(), now);
    let channel = to.as_ref().map_or(Channel::Sms, |to| to.point.channel);
    let rendered =
        MessageTexts::render_sign_in(channel, request.language, (request.code, minutes), reference)
            .map_err(RecordError::poison)?;
    let due = SignInDue {
        message_id: request.message_id,
        to: to.as_ref().map(|to| (&to.customer_id, to.point.channel)),
        language: request.language,
        rendered,
        reference,
    };
    let published = services.publisher.publish(&[sign_in_due(&due, now)], now).await;
    published.map_err(|error| RecordError::Retry(format!("the code did not leave: {error}")))
}

/// The holder of an account with a contact point that has been known for a while: one read and one Query, also where
/// there is none.
async fn recipient(
    services: &Services,
    key: &PageKey,
    typed: &str,
    now: DateTime<Utc>,
) -> Result<Option<Recipient>, RecordError> {
    let store = services.store();
    let account_id = match typed.parse::<AccountId>() {
        Ok(account_id) => account_id,
        Err(_) => of_nobody(key, typed)?,
    };
    let stored = store.account(&account_id).await?;
    let holder = stored.map(|stored| stored.account.customer_id);
    let customer_id = match &holder {
        Some(customer_id) => customer_id.clone(),
        None => of_nobody(key, typed)?,
    };
    let (points, contacts_at) = store.contact_points(&customer_id).await?;
    let is_known = |point: &&KnownContactPoint| point.changed_at <= now - KNOWN_FOR;
    let known: Vec<&KnownContactPoint> = points.iter().filter(is_known).collect();
    let point = CHANNELS.iter().find_map(|on| known.iter().find(|point| point.channel == *on));
    Ok(holder.and(point).map(|point| Recipient { customer_id, point: (*point).clone(), contacts_at }))
}

fn code_mac(key: &PageKey, browser: &str, code: &str) -> String {
    key.mac("code", &format!("{browser} {code}"))
}

/// Begins a session where the browser's code is right. None: it is wrong, used up, too old or nobody's, and the
/// caller learns no more.
///
/// # Errors
/// When a table is out of reach.
pub async fn enter_code(
    services: &Services,
    key: &PageKey,
    (browser, typed): (&str, &str),
    session: &str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let (store, now) = (services.store(), services.clock.now());
    let browser_mac = key.mac("browser", browser);
    let Some(code) = store.try_sign_in_code(&browser_mac, TRIES_OF_A_CODE).await? else { return Ok(None) };
    let may_try = store.count_sign_in(&code.subject, now.date_naive(), TRIES_A_DAY).await?;
    let is_right = key.is_mac("code", &format!("{browser} {typed}"), &code.mac);
    let Some(customer_id) = code.customer_id.filter(|_| may_try && is_right && now < code.until) else {
        return Ok(None);
    };
    if !store.use_sign_in_code(&browser_mac).await? {
        return Ok(None);
    }
    let until = now + SESSION_LASTS;
    let content = PageSession { customer_id, contacts_at: code.contacts_at, until };
    store.put_session(&key.mac("session", session), &content).await?;
    Ok(Some(until))
}

/// The customer of a session, with the records that the pages show: one read and one Query. None: there is no such
/// session, it is over, or a contact point has changed since.
///
/// # Errors
/// When a table is out of reach.
pub async fn signed_in(
    services: &Services,
    key: &PageKey,
    session: &str,
) -> Result<Option<SignedIn>, StoreError> {
    let (store, now) = (services.store(), services.clock.now());
    let Some(content) = store.session(&key.mac("session", session)).await? else { return Ok(None) };
    if now >= content.until {
        return Ok(None);
    }
    let records = store.borrower_records(&content.customer_id).await?;
    if records.contacts_at != content.contacts_at {
        return Ok(None);
    }
    Ok(Some(SignedIn { customer_id: content.customer_id, records, until: content.until }))
}

/// Ends a session.
///
/// # Errors
/// When the table is out of reach.
pub async fn sign_out(services: &Services, key: &PageKey, session: &str) -> Result<(), StoreError> {
    services.store().end_session(&key.mac("session", session)).await
}
