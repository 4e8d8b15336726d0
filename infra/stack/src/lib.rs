//! The local stack: AWS on this machine. It runs the resources that `infra/template.yaml` declares: tables,
//! topics, queues, streams, schedules, and their endpoints over HTTP.

mod clock;
mod dynamodb;
mod embedded;
mod engines;
mod functions;
mod guard;
mod in_process;
mod pages;
mod pump;
mod queue_pump;
pub mod sns;
pub mod sqs;
pub mod template;

use aws_sdk_sqs::error::DisplayErrorContext;
use chrono::{DateTime, TimeDelta, Utc};
use detect_overdue::{SWEEP_QUEUE_URL, ShardQueue};
use duewatch_app::{Clock, Transitions};
use duewatch_domain::InboundMessage;
use duewatch_domain::formats::message_line;
use duewatch_handlers::{Handlers, InvokeError, RUN_HERE, scheduled_event, topic_arn};
use duewatch_notify::reference::NoKeys;
use duewatch_runtime::{
    ANCHOR_KEY, PAGE_KEY, POLICY_KEYS, REFERENCE_KEYS, Settings, SettingsError, TOMBSTONE_KEY,
};
use duewatch_store::{NoPageKey, NoSigningKey, NoTombstoneKey, Store, keys};
use serde_json::{Value, json};
use serve_borrower::{Help, Pages};
use std::collections::BTreeSet;
use std::sync::Arc;

pub use self::clock::StackClock;
pub use self::embedded::{LocalServices, Ports, Transport};
pub use self::engines::Engines;
pub use self::functions::{
    Functions, LOCAL_POLICY_KEY, Remote, local_anchor_key, local_page_key, local_policy_key,
    local_reference_keys, local_tombstone_key,
};
pub use self::in_process::{InProcess, LocalAnswer};
pub use self::pages::LocalPages;
pub use self::pump::{GivenUp, Pump, StreamReader};
pub use self::queue_pump::QueuePump;
use self::sqs::LocalSqs;
use self::template::{EnvValue, FunctionSpec, QueueSpec, ScheduleSpec, Template, TemplateError};

/// Why the local stack does not run.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The template declares a resource that cannot run here.
    #[error("infra/template.yaml: {0}")]
    Template(#[from] TemplateError),
    /// The template leaves a setting out.
    #[error("infra/template.yaml: {0}")]
    Settings(#[from] SettingsError),
    #[error("port {port}: {source}")]
    Port {
        /// 0 for any free port.
        port: u16,
        source: std::io::Error,
    },
    #[error("embedded DynamoDB: {0}")]
    Engine(String),
    /// A table cannot be created or has no stream.
    #[error("table {table}: {problem}")]
    Table { table: String, problem: String },
    /// The environment names no valid key of anchors.
    #[error("{ANCHOR_KEY}: {0}")]
    NoSigningKey(#[from] NoSigningKey),
    /// The environment names no valid key of tombstones.
    #[error("{TOMBSTONE_KEY}: {0}")]
    NoTombstoneKey(#[from] NoTombstoneKey),
    /// The environment names no valid key of pages.
    #[error("{PAGE_KEY}: {0}")]
    NoPageKey(#[from] NoPageKey),
    /// The environment names invalid keys.
    #[error("{REFERENCE_KEYS}: {0}")]
    Keys(#[from] NoKeys),
    /// A queue refused a message.
    #[error("queue: {0}")]
    Queue(String),
    /// A function failed unexpectedly.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    #[error(transparent)]
    Store(#[from] duewatch_store::StoreError),
}

/// A running local stack.
#[derive(Debug)]
pub struct Stack {
    template: Template,
    services: LocalServices,
    settings: Settings,
    store: Store,
    transitions: Transitions,
    clock: StackClock,
    functions: Functions,
    pumps: Vec<Pump>,
    queue_pumps: Vec<QueuePump>,
}

impl Stack {
    /// Starts the stack, with the functions in this process.
    ///
    /// # Errors
    /// When the template or a port does not allow it.
    pub async fn start(clock: StackClock, transport: Transport) -> Result<Self, StackError> {
        let template = Template::embedded()?;
        let engines = Engines::in_memory(&template, &clock)?.with_long_streams()?;
        Self::over(template, engines, clock, transport).await
    }

    /// Starts the stack over existing engines.
    ///
    /// # Errors
    /// When the template or a port does not allow it.
    pub async fn over(
        mut template: Template,
        engines: Engines,
        clock: StackClock,
        transport: Transport,
    ) -> Result<Self, StackError> {
        template.keep(&RUN_HERE);
        let services = LocalServices::start(engines, transport).await?;
        let settings = settings(&template)?;
        let store = settings.store(services.dynamodb_client.clone());
        let tombstone_key = local_tombstone_key()?;
        let function_services = |function| {
            let shared: Arc<dyn Clock> = Arc::new(clock.clone());
            duewatch_runtime::services_over(
                function,
                &settings,
                store.clone(),
                services.sns_client.clone(),
                shared,
            )
            .with_tombstone_key(tombstone_key.clone())
        };
        let shards = shard_queue(&template, &services)?;
        let keys = local_reference_keys()?;
        let anchor_key = Some(Arc::new(local_anchor_key()?));
        let pages = Pages::new(
            function_services(serve_borrower::NAME),
            local_page_key()?,
            keys.clone(),
            Help::from_env(),
        );
        let functions = Functions::InProcess(Box::new(Handlers {
            shards,
            anchor_key,
            pages: Some(pages),
            ..Handlers::over(keys, function_services)
        }));
        let mut pumps = Vec::with_capacity(template.mappings.len());
        for mapping in &template.mappings {
            let table = template.table(&mapping.table)?;
            let function = template.function(&mapping.function)?;
            pumps.push(Pump::new(&services.db, mapping.clone(), &table.name, function.directory.clone())?);
        }
        let mut queue_pumps = Vec::with_capacity(template.queue_mappings.len());
        for mapping in &template.queue_mappings {
            let queue = template.queue(&mapping.queue)?.clone();
            let function = template.function(&mapping.function)?;
            queue_pumps.push(QueuePump::new(mapping.clone(), queue, function.directory.clone()));
        }
        let transitions = Transitions::new(store.clone());
        Ok(Self { template, services, settings, store, transitions, clock, functions, pumps, queue_pumps })
    }

    /// Passes the events to a Lambda runtime elsewhere instead of this process.
    #[must_use]
    pub fn with_functions(mut self, functions: Functions) -> Self {
        self.functions = functions;
        self
    }

    /// Takes messages of any sender as facts that were decided already: no approval is asked for.
    #[must_use]
    pub fn taking_facts(mut self) -> Self {
        if let Functions::InProcess(handlers) = &mut self.functions {
            handlers.senders = intake::SenderMap::of_facts();
        }
        self
    }

    /// Sends a command of the lender's systems to the queue that `intake` reads.
    ///
    /// # Errors
    /// When the template has no such queue, or the queue refuses the message.
    pub async fn send_to_intake(&self, message: &InboundMessage) -> Result<(), StackError> {
        let sent = self
            .services
            .sqs_client
            .send_message()
            .queue_url(LocalSqs::queue_url(&intake_queue(&self.template)?.name))
            .message_group_id(message.event.account_id.as_str())
            .message_deduplication_id(message.event_id.as_str())
            .message_body(message_line(message))
            .send()
            .await;
        sent.map_err(|error| StackError::Queue(DisplayErrorContext(error).to_string()))?;
        Ok(())
    }

    /// Listens for a browser on loopback; 0 for any free port.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn listen_for_pages(&self, port: u16) -> Result<LocalPages, StackError> {
        LocalPages::listen(port, self.functions.clone(), self.clock.clone()).await
    }

    /// The services and their clients.
    #[must_use]
    pub const fn services(&self) -> &LocalServices {
        &self.services
    }

    /// The settings of the functions, resolved to this stack.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The store over the stack's tables.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The transitions of accounts, for callers that pass by the functions.
    #[must_use]
    pub const fn transitions(&self) -> &Transitions {
        &self.transitions
    }

    /// The runner of the functions.
    #[must_use]
    pub const fn functions(&self) -> &Functions {
        &self.functions
    }

    /// The clock that all of the stack uses.
    #[must_use]
    pub const fn clock(&self) -> &StackClock {
        &self.clock
    }

    /// The schedules of the template.
    #[must_use]
    pub fn schedules(&self) -> &[ScheduleSpec] {
        &self.template.schedules
    }

    /// The URL of each queue that feeds a function, and the function.
    pub fn fed_by_queues(&self) -> impl Iterator<Item = (String, &str)> {
        self.queue_pumps.iter().map(|pump| (LocalSqs::queue_url(pump.queue()), pump.function()))
    }

    /// A function's environment in the template, resolved to this stack.
    ///
    /// # Errors
    /// When the template refers to an undeclared resource.
    pub fn environment(&self, function: &FunctionSpec) -> Result<Vec<(String, String)>, StackError> {
        environment(&self.template, function)
    }

    /// The functions of the template.
    #[must_use]
    pub fn declared_functions(&self) -> &[FunctionSpec] {
        &self.template.functions
    }

    /// The records that went to an on-failure destination.
    pub fn given_up(&self) -> impl Iterator<Item = &GivenUp> {
        let queues = self.queue_pumps.iter().flat_map(QueuePump::given_up);
        self.pumps.iter().flat_map(Pump::given_up).chain(queues)
    }

    /// The accounts written since the last call.
    pub fn take_touched_accounts(&mut self) -> BTreeSet<String> {
        self.pumps.iter_mut().flat_map(Pump::take_touched).collect()
    }

    /// Pumps the queues and the streams until nothing waits in any of them.
    ///
    /// # Errors
    /// When a stream cannot be read.
    pub async fn drain(&mut self) -> Result<(), StackError> {
        loop {
            let mut busy = false;
            for pump in &mut self.queue_pumps {
                busy |= pump.deliver(&self.services.sqs, &self.functions).await;
            }
            for pump in &mut self.pumps {
                while pump.read(&self.services.db)? {
                    busy = true;
                    pump.deliver(&self.functions, self.clock.now()).await;
                }
            }
            if !busy {
                return Ok(());
            }
        }
    }

    /// The earliest due instant of an account, a case or a contact request, read from the indexes themselves, so that
    /// a simulated clock can jump over firings that would find nothing.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn earliest_due(&self) -> Result<Option<DateTime<Utc>>, StackError> {
        let engine = |error: String| StackError::Engine(error);
        let mut earliest: Option<DateTime<Utc>> = None;
        let tables = &self.settings.tables;
        let indexes = [
            (&tables.accounts, keys::DUE, keys::DUE_SHARD, keys::NEXT_ACTION_AT),
            (&tables.cases, keys::DUE, keys::DUE_SHARD, keys::NEXT_ACTION_AT),
            (&tables.records, keys::CONTACTS, keys::CONTACT_SHARD, keys::CONTACT_AT),
        ];
        let shards = 0..self.store.due_shards();
        let all = shards.flat_map(|shard| indexes.map(|index| (shard, index)));
        for (shard, (table, index, key, sort_key)) in all {
            let request = serde_json::from_value(json!({
                "TableName": table,
                "IndexName": index,
                "KeyConditionExpression": format!("{key} = :shard"),
                "ExpressionAttributeValues": {":shard": {"S": Store::shard_key(shard)}},
                "Limit": 1,
            }));
            let request = request.map_err(|error| engine(error.to_string()))?;
            let answer = self.services.db.query(request).map_err(|error| engine(error.to_string()))?;
            let answer = serde_json::to_value(answer).map_err(|error| engine(error.to_string()))?;
            let first = answer["Items"][0][sort_key]["S"].as_str().and_then(|at| at.parse().ok());
            earliest = [earliest, first].into_iter().flatten().min();
        }
        Ok(earliest)
    }

    /// Fires a schedule at the clock's time.
    ///
    /// # Errors
    /// When the function fails.
    pub async fn fire(&self, schedule: &ScheduleSpec) -> Result<Value, StackError> {
        let function = self.template.function(&schedule.function)?;
        let event = scheduled_event(&schedule.name, self.clock.now());
        Ok(self.functions.invoke(&function.directory, &event).await?)
    }

    /// Fires the sweeps of accounts and of contact requests at the clock's time. A caller that jumps over
    /// idle firings needs no other schedule.
    ///
    /// # Errors
    /// When the function fails.
    pub async fn fire_sweeps(&self) -> Result<(), StackError> {
        for schedule in &self.template.schedules {
            let function = &self.template.function(&schedule.function)?.directory;
            if [detect_overdue::NAME, send_reminders::NAME].contains(&function.as_str()) {
                self.fire(schedule).await?;
            }
        }
        Ok(())
    }
}

/// The queue that `intake` reads.
///
/// # Errors
/// When the template declares none.
pub fn intake_queue(template: &Template) -> Result<&QueueSpec, StackError> {
    for mapping in &template.queue_mappings {
        if template.function(&mapping.function)?.directory == intake::NAME {
            return Ok(template.queue(&mapping.queue)?);
        }
    }
    Err(TemplateError::NotDeclared { kind: "queue", name: intake::NAME.to_owned() }.into())
}

/// The queue to which the template lets the sweep hand large shards.
fn shard_queue(template: &Template, services: &LocalServices) -> Result<Option<ShardQueue>, StackError> {
    for function in &template.functions {
        let environment = environment(template, function)?;
        if let Some((_, url)) = environment.into_iter().find(|(name, _)| name == SWEEP_QUEUE_URL) {
            return Ok(Some(ShardQueue::new(services.sqs_client.clone(), url)));
        }
    }
    Ok(None)
}

fn is_sweep(template: &Template, schedule: &ScheduleSpec) -> bool {
    template.function(&schedule.function).is_ok_and(|function| function.directory == detect_overdue::NAME)
}

/// The rate of the sweep, as the template declares it.
///
/// # Errors
/// When the template cannot be read or has no schedule for it.
pub fn sweep_every() -> Result<TimeDelta, StackError> {
    let template = Template::embedded()?;
    let sweep =
        template.schedules.iter().find(|schedule| is_sweep(&template, schedule)).ok_or_else(|| {
            TemplateError::NotDeclared { kind: "schedule", name: detect_overdue::NAME.to_owned() }
        })?;
    Ok(sweep.every)
}

/// The common settings of all functions in the template, resolved to this stack.
///
/// # Errors
/// When the template leaves a setting out.
pub fn settings(template: &Template) -> Result<Settings, StackError> {
    let function = template.functions.first().ok_or_else(|| TemplateError::NotDeclared {
        kind: "function",
        name: detect_overdue::NAME.to_owned(),
    })?;
    let environment = environment(template, function)?;
    Ok(Settings::from_lookup(|wanted| {
        environment.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
    })?)
}

fn environment(template: &Template, function: &FunctionSpec) -> Result<Vec<(String, String)>, StackError> {
    let mut environment = Vec::with_capacity(function.environment.len());
    for (name, value) in &function.environment {
        let value = match value {
            EnvValue::Literal(text) => text.clone(),
            EnvValue::Table(id) => template.table(id)?.name.clone(),
            EnvValue::Topic(id) => topic_arn(&template.topic(id)?.name),
            EnvValue::Queue(id) => LocalSqs::queue_url(&template.queue(id)?.name),
            EnvValue::Parameter(_) if name == REFERENCE_KEYS => functions::local_keys(),
            EnvValue::Parameter(_) if name == ANCHOR_KEY => functions::local_anchor_key_text(),
            EnvValue::Parameter(_) if name == POLICY_KEYS => local_policy_key()?.public_key().to_string(),
            EnvValue::Parameter(_) if name == PAGE_KEY => functions::local_page_key_text(),
            EnvValue::Parameter(_) if name == TOMBSTONE_KEY => functions::local_tombstone_key_text(),
            EnvValue::Parameter(id) => template.parameter(id)?.default.clone().unwrap_or_default(),
        };
        environment.push((name.clone(), value));
    }
    Ok(environment)
}
