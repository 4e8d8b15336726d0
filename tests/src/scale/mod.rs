//! The benchmark: a portfolio of any size through the embedded engine, its streams, the functions and SNS,
//! with the measurements of each part.
//!
//! The accounts that are due at the month's end pass through every kind of transition; the others lie still,
//! and must cost nothing.
//!
//! 1. The portfolio is imported.
//! 2. Three days before the due date each account of the month's end is reminded. Two hours later
//!    `reconcile-accounts` reconciles the whole portfolio, and finds no discrepancy.
//! 3. Nine in ten borrowers pay.
//! 4. The other accounts are late, their borrowers are notified, and the accounts are restricted.
//! 5. Their borrowers pay, one after another, and each restriction is lifted.
//!
//! The records of the accounts stream go to the fan-out, and then to the history.

pub mod book;
pub mod measure;
pub mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_app::{Clock, Deadline, Services};
use duewatch_cli::import::{Portfolio, import};
use duewatch_cli::input::NumberedLine;
use duewatch_cli::policies::PolicyPublisher;
use duewatch_domain::Contract;
use duewatch_handlers::{Handlers, scheduled_event};
use duewatch_stack::template::Template;
use duewatch_stack::{
    Engines, Functions, Pump, Stack, StackClock, Transport, local_policy_key, local_reference_keys,
    local_tombstone_key,
};
use duewatch_store::Store;

use self::book::{BenchmarkInstants, Book};
use self::measure::{Heap, Measured, Measurement, ServiceMeter, peak_resident_kib};
use crate::observed::RequestObserver;

/// The reason for which the benchmark stopped.
pub type Failure = Box<dyn std::error::Error>;

/// Accounts that are generated and imported at once.
const CHUNK: u32 = 5_000;
/// Batches that are delivered between two reads of a stream.
const BATCHES_A_READ: usize = 10;

/// The delay after which `reconcile-accounts` no longer leaves fresh changes to the streams.
const STREAMS_ARE_DONE: TimeDelta = TimeDelta::hours(2);

/// The scope of a benchmark.
#[derive(Clone, Debug)]
pub struct BenchmarkPlan {
    pub book: Book,
    /// The directory of the engine's file; none: in memory.
    pub on_disk: Option<PathBuf>,
    /// The most lifts that are timed one by one.
    pub lifts: usize,
}

/// The results of a benchmark.
#[derive(Clone, Debug)]
pub struct BenchmarkReport {
    pub book: Book,
    /// Whether the engine's pages were in a file.
    pub on_disk: bool,
    /// Each stretch of work, with its name.
    pub stretches: Vec<(&'static str, Measured)>,
    /// From a payment's put to the write that lifts the restriction, sorted.
    pub lifts: Vec<Duration>,
    /// From a payment's put to the event of the lift at SNS, sorted.
    pub news: Vec<Duration>,
    /// The peak memory of the process so far, in KiB.
    pub peak_resident_kib: Option<u64>,
    /// The whole duration.
    pub took: Duration,
}

/// Runs the benchmark.
///
/// # Errors
/// When the stack fails, or does not do as expected.
pub async fn run(plan: &BenchmarkPlan, heap: Heap) -> Result<BenchmarkReport, Failure> {
    let begun = Instant::now();
    let mut bench = Bench::new(plan, heap).await?;
    bench.all().await?;
    let (mut lifts, mut news) = (bench.lifts, bench.news);
    lifts.sort_unstable();
    news.sort_unstable();
    Ok(BenchmarkReport {
        book: plan.book,
        on_disk: plan.on_disk.is_some(),
        stretches: bench.stretches,
        lifts,
        news,
        peak_resident_kib: peak_resident_kib("self"),
        took: begun.elapsed(),
    })
}

/// Work that is measured by name.
enum BenchmarkWork {
    Import,
    Sweep { due: u64 },
    PutPayments,
    Post,
    FanOut,
    History,
    Reconcile,
}

struct Bench<'a> {
    plan: &'a BenchmarkPlan,
    heap: Heap,
    stack: Stack,
    payments: Pump,
    accounts: Pump,
    history: Pump,
    reconciler: Services,
    /// The import's store, then one of each function.
    stores: [Store; 6],
    dynamodb: ServiceMeter,
    sns: ServiceMeter,
    stretches: Vec<(&'static str, Measured)>,
    lifts: Vec<Duration>,
    news: Vec<Duration>,
}

impl<'a> Bench<'a> {
    async fn new(plan: &'a BenchmarkPlan, heap: Heap) -> Result<Self, Failure> {
        let template = Template::embedded()?;
        let clock = StackClock::simulated(BenchmarkInstants::new()?.import);
        let engines = match &plan.on_disk {
            Some(path) => {
                if path.exists() {
                    return Err(format!("{} is there already", path.display()).into());
                }
                let engines = Engines::on_disk(&template, &path.display().to_string())?;
                // The file need not survive a crash.
                engines.db.enable_bulk_loading()?;
                engines
            }
            None => Engines::in_memory(&template, &clock)?.with_long_streams()?,
        };
        let stack = Stack::over(template, engines, clock, Transport::InProcess).await?;
        let (dynamodb, sns) = (ServiceMeter::default(), ServiceMeter::default());
        let services = stack.services();
        let dynamodb_client = aws_sdk_dynamodb::Client::from_conf(
            services.dynamodb_client.config().to_builder().interceptor(dynamodb.clone().observing()).build(),
        );
        let sns_client = aws_sdk_sns::Client::from_conf(
            services.sns_client.config().to_builder().interceptor(sns.clone().observing()).build(),
        );
        let tombstone_key = local_tombstone_key()?;
        let function_services = |function| {
            let clock: Arc<dyn Clock> = Arc::new(stack.clock().clone());
            duewatch_runtime::services(
                function,
                stack.settings(),
                dynamodb_client.clone(),
                sns_client.clone(),
                clock,
            )
            .with_tombstone_key(tombstone_key.clone())
        };
        // The stack would fire it for a segment at a time.
        let watcher = function_services(reconcile_accounts::NAME);
        let handlers = Handlers::over(local_reference_keys()?, function_services);
        let store = |function_services: &Services| function_services.transitions.store().clone();
        let stores = [
            stack.settings().store(dynamodb_client.clone()),
            store(&handlers.detect_overdue),
            store(&handlers.post_payment),
            store(&handlers.send_reminders),
            store(&handlers.record_history),
            store(&watcher),
        ];
        let (payments, accounts) =
            (pump(&stack, "PaymentsToPostPayment")?, pump(&stack, "AccountsToSendReminders")?);
        let history = pump(&stack, "AccountsToRecordHistory")?;
        let stack = stack.with_functions(Functions::InProcess(Box::new(handlers)));
        Ok(Self {
            plan,
            heap,
            stack,
            payments,
            accounts,
            history,
            reconciler: watcher,
            stores,
            dynamodb,
            sns,
            stretches: Vec::new(),
            lifts: Vec::new(),
            news: Vec::new(),
        })
    }

    async fn all(&mut self) -> Result<(), Failure> {
        let book = self.plan.book;
        let peak = count(book.numbers(Book::is_peak));
        let late = count(book.numbers(Book::is_late));
        let times = BenchmarkInstants::new()?;
        self.work("import", BenchmarkWork::Import).await?;
        self.work("its fan-out", BenchmarkWork::FanOut).await?;
        self.work("its history", BenchmarkWork::History).await?;
        self.at(times.remind);
        self.work("sweep: remind before due", BenchmarkWork::Sweep { due: peak }).await?;
        self.work("its fan-out", BenchmarkWork::FanOut).await?;
        self.work("its history", BenchmarkWork::History).await?;
        self.at(times.remind + STREAMS_ARE_DONE);
        self.work("watch: the whole book", BenchmarkWork::Reconcile).await?;
        self.at(times.pay);
        self.work("payments put, by the lender", BenchmarkWork::PutPayments).await?;
        self.work("payments posted", BenchmarkWork::Post).await?;
        self.work("their fan-out", BenchmarkWork::FanOut).await?;
        self.work("their history", BenchmarkWork::History).await?;
        self.at(times.late);
        self.work("sweep: late", BenchmarkWork::Sweep { due: late }).await?;
        self.work("its fan-out", BenchmarkWork::FanOut).await?;
        self.work("its history", BenchmarkWork::History).await?;
        self.at(times.tell);
        self.work("sweep: remind when late", BenchmarkWork::Sweep { due: late }).await?;
        self.work("its fan-out", BenchmarkWork::FanOut).await?;
        self.work("its history", BenchmarkWork::History).await?;
        self.at(times.restrict);
        self.work("sweep: restrict", BenchmarkWork::Sweep { due: late }).await?;
        self.work("its fan-out", BenchmarkWork::FanOut).await?;
        self.work("its history", BenchmarkWork::History).await?;
        self.at(times.lift);
        self.lift_one_by_one().await
    }

    fn at(&self, now: DateTime<Utc>) {
        self.stack.clock().set(now);
    }

    async fn work(&mut self, name: &'static str, work: BenchmarkWork) -> Result<(), Failure> {
        eprint!("{name}: ");
        let stores: Vec<Store> = self.stores.to_vec();
        let stores: Vec<&Store> = stores.iter().collect();
        let (dynamodb, sns) = (self.dynamodb.clone(), self.sns.clone());
        let mut measurement = Measurement::begin(self.heap, &stores, &dynamodb, &sns);
        let count = match work {
            BenchmarkWork::Import => self.import().await?,
            BenchmarkWork::Sweep { due } => self.sweep(due).await?,
            BenchmarkWork::PutPayments => self.put_payments().await?,
            BenchmarkWork::Post => {
                let Self { stack, payments, .. } = self;
                drain(stack, payments, Some(&mut measurement)).await?
            }
            BenchmarkWork::FanOut => {
                let Self { stack, accounts, .. } = self;
                drain(stack, accounts, Some(&mut measurement)).await?
            }
            BenchmarkWork::History => {
                let Self { stack, history, .. } = self;
                drain(stack, history, Some(&mut measurement)).await?
            }
            BenchmarkWork::Reconcile => self.reconcile().await?,
        };
        let measured = measurement.end(count);
        eprintln!("{count} in {} ms", measured.wall.as_millis());
        self.stretches.push((name, measured));
        Ok(())
    }

    async fn import(&self) -> Result<u64, Failure> {
        let book = self.plan.book;
        let transitions = duewatch_app::Transitions::new(self.stores[0].clone());
        let (policy, key) = (Book::policy()?, local_policy_key()?);
        let publisher = PolicyPublisher { by: "local", key: Some(&key) };
        let now = self.stack.clock().now();
        let mut opened = 0;
        for from in (0..book.accounts).step_by(CHUNK as usize) {
            let to = from.saturating_add(CHUNK).min(book.accounts);
            let chunk: Vec<NumberedLine<Contract>> = (from..to)
                .map(|number| Ok(NumberedLine { line: u64::from(number) + 1, value: book.contract(number)? }))
                .collect::<Result<_, Failure>>()?;
            let path = std::path::Path::new("book");
            let book = Portfolio::new(path, chunk);
            opened += import(&transitions, book, Some((&policy, publisher)), now, false).await?.opened;
            if to % 100_000 == 0 {
                eprint!("{to} ");
            }
        }
        Ok(opened)
    }

    async fn sweep(&self, due: u64) -> Result<u64, Failure> {
        let event = scheduled_event("scale", self.stack.clock().now());
        let swept = self.stack.functions().invoke(detect_overdue::NAME, &event).await?;
        let written = swept["written"].as_u64().unwrap_or_default();
        if written != due || swept["due"].as_u64() != Some(due) {
            return Err(format!("{due} accounts should have been due: {swept}").into());
        }
        Ok(written)
    }

    async fn reconcile(&self) -> Result<u64, Failure> {
        let report = reconcile_accounts::reconcile_segments(&self.reconciler, 1, Deadline::none()).await?;
        let is_whole = report.evaluated == self.plan.book.accounts as usize;
        if !is_whole || report.repaired + report.open + report.failed > 0 {
            return Err(format!("all accounts should have been found healthy: {report:?}").into());
        }
        Ok(report.evaluated as u64)
    }

    async fn put_payments(&self) -> Result<u64, Failure> {
        let now = self.stack.clock().now();
        let in_time = |book: Book, number| book.is_peak(number) && !book.is_late(number);
        let mut put = 0;
        for number in self.plan.book.numbers(in_time) {
            self.stores[0].record_payment(&Book::payment(number, now)?).await?;
            put += 1;
        }
        Ok(put)
    }

    async fn lift_one_by_one(&mut self) -> Result<(), Failure> {
        let now = self.stack.clock().now();
        for number in self.plan.book.numbers(Book::is_late).take(self.plan.lifts) {
            let payment = Book::payment(number, now)?;
            let begun = Instant::now();
            self.stores[0].record_payment(&payment).await?;
            drain(&self.stack, &mut self.payments, None).await?;
            self.lifts.push(begun.elapsed());
            drain(&self.stack, &mut self.accounts, None).await?;
            self.news.push(begun.elapsed());
            let stored = self.stores[0].account(&Book::account_id(number)?).await?;
            if !stored.is_some_and(|stored| stored.account.status.restrictions.is_empty()) {
                return Err(format!("the payment of account {number} lifted nothing").into());
            }
        }
        Ok(())
    }
}

fn pump(stack: &Stack, mapping: &str) -> Result<Pump, Failure> {
    let template = Template::embedded()?;
    let mapping = template.mapping(mapping)?.clone();
    let table = template.table(&mapping.table)?.name.clone();
    let function = template.function(&mapping.function)?.directory.clone();
    Ok(Pump::new(&stack.services().db, mapping, &table, function)?)
}

/// Pumps one stream empty, and returns the number of records taken. The function's heap begins with each
/// batch; the pump's memory between two batches is not part of it.
async fn drain(
    stack: &Stack,
    pump: &mut Pump,
    mut measurement: Option<&mut Measurement<'_>>,
) -> Result<u64, Failure> {
    let before = pump.delivered();
    while pump.read(&stack.services().db)? {
        for _ in 0..BATCHES_A_READ {
            if let Some(measurement) = &mut measurement {
                measurement.begin_invocation();
            }
            pump.deliver(stack.functions(), stack.clock().now()).await;
            if let Some(measurement) = &mut measurement {
                measurement.end_invocation();
            }
        }
        drop(pump.take_touched());
        drop(stack.services().sns.take());
        if let Some(given_up) = pump.given_up().first() {
            return Err(format!("a record was given up: {}", given_up.reason).into());
        }
    }
    Ok(pump.delivered() - before)
}

fn count(numbers: impl Iterator<Item = u32>) -> u64 {
    numbers.count() as u64
}
