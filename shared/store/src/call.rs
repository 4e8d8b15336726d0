//! Each call's capacity is counted here, and its error is worded here.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::scan::ScanOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::ConsumedCapacity;

use crate::{Store, StoreError};

/// An answer that states its consumed capacity.
pub(crate) trait Charged {
    const OPERATION: &'static str;
    /// The capacity of each table that the call has touched.
    fn charged(&self) -> &[ConsumedCapacity];
}

macro_rules! charged {
    ($($output:ident $operation:literal),*) => {
        $(impl Charged for $output {
            const OPERATION: &'static str = $operation;
            fn charged(&self) -> &[ConsumedCapacity] {
                self.consumed_capacity().map_or(&[], std::slice::from_ref)
            }
        })*
    };
}
charged!(
    GetItemOutput "GetItem",
    QueryOutput "Query",
    ScanOutput "Scan",
    PutItemOutput "PutItem",
    UpdateItemOutput "UpdateItem",
    DeleteItemOutput "DeleteItem"
);

impl Charged for BatchGetItemOutput {
    const OPERATION: &'static str = "BatchGetItem";
    fn charged(&self) -> &[ConsumedCapacity] {
        self.consumed_capacity()
    }
}

impl Store {
    /// The answer of a call on a table. Counts its capacity in the meter.
    pub(crate) fn answered<T, E, R>(
        &self,
        table: &str,
        sent: Result<T, SdkError<E, R>>,
    ) -> Result<T, StoreError>
    where
        T: Charged,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let answer = sent.map_err(|error| StoreError::call(T::OPERATION, table, error))?;
        self.meter().count(T::OPERATION, table, answer.charged());
        Ok(answer)
    }

    /// The answer of a conditional write; `None` when its condition did not hold.
    pub(crate) fn answered_if<T, E, R>(
        &self,
        table: &str,
        sent: Result<T, SdkError<E, R>>,
    ) -> Result<Option<T>, StoreError>
    where
        T: Charged,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        match sent {
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
            sent => self.answered(table, sent).map(Some),
        }
    }
}
