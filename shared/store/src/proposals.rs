//! Proposals: commands that wait until another person approves them.
//!
//! A proposal lies under the digest of exactly its command, so that an approval is of that command and no other.
//! Its item stays for a while after it has ended, and the same command sent again does not open it anew.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Days, Utc};
use duewatch_domain::InboundMessage;
use duewatch_domain::account::Approval;
use duewatch_domain::formats::{message_line, parse_message};
use duewatch_domain::kernel::{AccountId, CustomerId, SenderId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::history::hex;
use crate::records::expiry;
use crate::table::Item;
use crate::{Store, StoreError, keys};

/// For how many days a proposal can be approved.
pub const PROPOSAL_DAYS: u64 = 14;
/// For how many days its item is kept, from its proposal on.
const KEPT_DAYS: u64 = 120;
/// The most pages of proposals that are read, up to 1 MB each.
const MAX_PAGES: usize = 1_000;

/// A person as the platform knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The ARN of the caller, or the user of the machine.
    pub name: String,
    /// The id under which a queue would state them as a sender; none: the platform gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// An approval, or the refusal, of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalAnswer {
    pub by: Person,
    pub at: DateTime<Utc>,
}

/// The end of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalEnd {
    /// The account took the command then, or it changed nothing any more.
    Taken(DateTime<Utc>),
    /// A person refused it, with a reason.
    Refused { answer: ProposalAnswer, reason: String },
    /// The account refused the approved command.
    Failed(String),
}

/// A command that waits until another person approves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Of the command: SHA-256, in hexadecimal digits.
    pub digest: String,
    pub customer_id: CustomerId,
    pub message: InboundMessage,
    /// Why one person alone may not send it.
    pub problem: String,
    pub proposed_at: DateTime<Utc>,
    pub approvals: Vec<ProposalAnswer>,
    /// The approval by which the account takes the command; none: somebody is to approve yet.
    pub approval: Option<Approval>,
    pub end: Option<ProposalEnd>,
    /// How often the item was written.
    writes: u32,
}

impl Proposal {
    /// A command that is proposed now.
    #[must_use]
    pub fn new(
        message: InboundMessage,
        customer_id: CustomerId,
        problem: String,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            digest: proposal_digest(&message),
            customer_id,
            message,
            problem,
            proposed_at: now,
            approvals: Vec::new(),
            approval: None,
            end: None,
            writes: 0,
        }
    }

    /// Whether its time is over before it was approved and without an end.
    #[must_use]
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        let until = self.proposed_at.checked_add_days(Days::new(PROPOSAL_DAYS));
        self.end.is_none() && self.approval.is_none() && until.is_some_and(|until| until <= now)
    }
}

/// The digest of exactly a command: its id, type, account, instant, fields, actor and source.
#[must_use]
pub fn proposal_digest(message: &InboundMessage) -> String {
    hex(&Sha256::digest(message_line(message)))
}

/// The attributes of a proposal's item.
#[derive(Serialize, Deserialize)]
struct ProposalItem {
    account_id: AccountId,
    customer_id: CustomerId,
    /// The command, as its queue brought it.
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sender_id: Option<SenderId>,
    problem: String,
    proposed_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    approvals: Vec<ProposalAnswer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<Approval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<ProposalEnd>,
    writes: u32,
}

impl Store {
    /// Puts a proposal. Returns whether it is new: one of the same command that is there stays as it is.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_proposal(&self, proposal: &Proposal) -> Result<bool, StoreError> {
        let records = self.records_table();
        let item = self.proposal_item(proposal, 1)?;
        records.put_if(records.put(item).condition_expression(keys::IS_NEW)).await
    }

    /// Writes what became of a proposal. Returns whether it is still as it was read.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn update_proposal(&self, proposal: &Proposal) -> Result<bool, StoreError> {
        let records = self.records_table();
        let item = self.proposal_item(proposal, proposal.writes.saturating_add(1))?;
        let put = records
            .put(item)
            .condition_expression("writes = :writes")
            .expression_attribute_values(":writes", AttributeValue::N(proposal.writes.to_string()));
        records.put_if(put).await
    }

    /// The proposal of that digest; none: there is none, or it was deleted.
    ///
    /// # Errors
    /// [`StoreError::Codec`] where the item cannot be read, or holds another command than its key says; when the call
    /// fails.
    pub async fn proposal(&self, digest: &str) -> Result<Option<Proposal>, StoreError> {
        let item = self.record(keys::PROPOSALS.to_owned(), digest.to_owned()).await?;
        item.map(|item| self.read_proposal(item)).transpose()
    }

    /// All proposals, in no order of meaning.
    ///
    /// # Errors
    /// When a call fails or an item cannot be read.
    pub async fn proposals(&self) -> Result<Vec<Proposal>, StoreError> {
        let records = self.records_table();
        let (mut proposals, mut from) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let query = records.query(keys::OF_PARTITION, [(":pk", keys::PROPOSALS.to_owned())]);
            let page = records.page(query.consistent_read(true).set_exclusive_start_key(from)).await?;
            for item in page.items {
                proposals.push(self.read_proposal(item)?);
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        Ok(proposals)
    }

    /// Deletes the proposals for a customer's accounts: they may hold what somebody wrote. Returns how many there
    /// were.
    ///
    /// # Errors
    /// When a call fails or an item cannot be read.
    pub async fn delete_proposals_of(&self, customer_id: &CustomerId) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for proposal in self.proposals().await?.into_iter().filter(|one| one.customer_id == *customer_id) {
            self.delete_record(keys::PROPOSALS.to_owned(), proposal.digest).await?;
            deleted += 1;
        }
        Ok(deleted)
    }

    fn proposal_item(&self, proposal: &Proposal, writes: u32) -> Result<Item, StoreError> {
        let Proposal { digest, customer_id, message, problem, proposed_at, approvals, approval, end, .. } =
            proposal.clone();
        let stored = ProposalItem {
            account_id: message.event.account_id.clone(),
            customer_id,
            sender_id: message.sender_id.clone(),
            message: message_line(&message),
            problem,
            proposed_at,
            approvals,
            approval,
            end,
            writes,
        };
        let attributes: serde_dynamo::Item = serde_dynamo::to_item(stored)
            .map_err(|error| StoreError::codec(&self.tables().records, digest.as_str(), error))?;
        let mut item = keys::record_key(keys::PROPOSALS, &digest);
        item.extend(Item::from(attributes));
        item.extend(proposed_at.checked_add_days(Days::new(KEPT_DAYS)).map(expiry));
        Ok(item)
    }

    fn read_proposal(&self, mut item: Item) -> Result<Proposal, StoreError> {
        let (key, table) = (keys::printable_key(&item), &self.tables().records);
        let digest = match item.remove(keys::SK) {
            Some(AttributeValue::S(digest)) => digest,
            _ => String::new(),
        };
        let stored: ProposalItem = serde_dynamo::from_item(serde_dynamo::Item::from(item))
            .map_err(|error| StoreError::codec(table, key.as_str(), error))?;
        let message = parse_message(&stored.message)
            .map_err(|error| StoreError::codec(table, key.as_str(), error.to_string()))?;
        if proposal_digest(&message) != digest {
            return Err(StoreError::codec(table, key, "it holds another command than the one of its digest"));
        }
        Ok(Proposal {
            digest,
            customer_id: stored.customer_id,
            message: InboundMessage { sender_id: stored.sender_id, ..message },
            problem: stored.problem,
            proposed_at: stored.proposed_at,
            approvals: stored.approvals,
            approval: stored.approval,
            end: stored.end,
            writes: stored.writes,
        })
    }
}
