//! The simulated cloud: its running tasks, its waiting work, and the choice of the next step.
//!
//! One step begins one piece of work that is due, hands one batch to a function, or serves one request. The
//! step is chosen among all that are possible. Time advances only when none is left.

mod history;
mod outages;
mod serving;
mod work;

pub(super) use self::history::Audited;

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_app::Clock;
use duewatch_handlers::{RUN_HERE, WaitingMessage};
use duewatch_runtime::Settings;
use duewatch_stack::sqs::LocalSqs;
use duewatch_stack::template::{StreamMapping, Template};
use duewatch_stack::{Engines, StackClock, StreamReader, settings};
use duewatch_store::PolicyKeys;
use serde_json::{Value, json};

use super::alarms::Alarms;
use super::capture::Capture;
use super::choices::Choices;
use super::containers::{Container, Invoked};
use super::executor::{Executor, TaskEnd, TaskId};
use super::fault::{Fault, Outage, OutageKind};
use super::network::{CallerId, Network};
use super::ordered_group::{OrderedGroup, WrittenRecord};
use super::plan::{PlannedDeed, SimulationPlan};
use super::queue::SimulatedQueue;
use super::service::PastIndexes;
use super::watch::{Broken, Checked, Records, Watch, hold};

/// The most steps of one run; a longer run does not come to rest.
const MAX_STEPS: u64 = 400_000;
/// The time without faults after which everything must be at rest.
const SETTLING: TimeDelta = TimeDelta::hours(27);
/// The segments of the scan by `reconcile-accounts`, and its firings a day: few, for the portfolio is small.
const SEGMENTS: u32 = 2;
/// The most firings of `reconcile-accounts` missed in a row while faults strike.
const MISSED: u32 = 56;
/// The greatest difference between two clocks.
const SKEW_SECONDS: i64 = 600;

/// The purpose of a task.
#[derive(Debug)]
enum TaskKind {
    Firing { schedule: usize, tried: u32 },
    Batch { stream: usize, group: Option<usize>, records: Vec<WrittenRecord> },
    Messages { queue: usize, received: bool, messages: Vec<WaitingMessage> },
    Lender,
    Audit,
}

struct Running {
    caller: CallerId,
    work: TaskKind,
    /// The instant at which the platform kills the task; none: the task is the lender's.
    killed_at: Option<DateTime<Utc>>,
    metrics: Vec<Value>,
}

/// Work that begins at its instant.
enum Coming {
    Happening(Box<PlannedDeed>),
    Message(WaitingMessage),
    /// A delivery provider's receipt for a message.
    Receipt(WaitingMessage),
    Firing {
        schedule: usize,
        tried: u32,
    },
    /// The end of an outage of one schedule, mapping or topic.
    OutageEnds(Outage),
}

/// Indices of the schedules.
const SWEEP: usize = 0;
const WATCH: usize = 1;
const CONTACTS: usize = 2;
const ANCHOR: usize = 3;

/// A schedule, with its last firing.
struct Schedule {
    function: &'static str,
    every: TimeDelta,
    timeout: TimeDelta,
    last: DateTime<Utc>,
}

struct Stream {
    mapping: StreamMapping,
    function: &'static str,
    timeout: TimeDelta,
    reader: StreamReader,
    groups: Vec<OrderedGroup>,
    past: VecDeque<Vec<WrittenRecord>>,
}

/// The result of a task.
enum TaskOutcome {
    Invoked(Invoked),
    Lender(Result<(), String>),
    Audited(Result<Vec<Audited>, String>),
}

/// A possible next step.
enum NextMove {
    Begin((DateTime<Utc>, u64)),
    Deliver(usize, usize),
    Receive(usize),
    Serve(u64),
}

pub(super) struct Cloud {
    plan: SimulationPlan,
    choices: Choices,
    clock: StackClock,
    network: Network,
    engines: Engines,
    settings: Settings,
    schedules: [Schedule; 4],
    /// The next firing of `reconcile-accounts`, while faults strike.
    watch_at: DateTime<Utc>,
    executor: Executor<TaskOutcome>,
    running: BTreeMap<TaskId, Running>,
    containers: BTreeMap<CallerId, Container>,
    coming: BTreeMap<(DateTime<Utc>, u64), Coming>,
    numbers: u64,
    streams: Vec<Stream>,
    queues: Vec<SimulatedQueue>,
    shards_url: String,
    past_indexes: PastIndexes,
    is_quiet: bool,
    is_audited: bool,
    /// The senders of the messages that come from another system than the lender's own, by SQS's ids.
    senders: BTreeMap<String, &'static str>,
    /// The number of served requests of the functions.
    served: u64,
    last_served: Option<CallerId>,
    capture: Capture,
    alarms: Alarms,
    /// The instants at which the topic of reminders refused a request.
    refused_at: Vec<DateTime<Utc>>,
    pub(super) watch: Watch,
}

fn broken(promise: &'static str, how: &(impl ToString + ?Sized)) -> Broken {
    Broken { promise, how: how.to_string() }
}

/// A script's portfolio is one account, which one segment covers.
const fn segments(choices: &Choices) -> u32 {
    if choices.is_scripted() { 1 } else { SEGMENTS }
}

/// A function's schedule, by `every` or else by the template.
fn schedule(
    template: &Template,
    function: &'static str,
    every: Option<TimeDelta>,
    plan: &SimulationPlan,
) -> Result<Schedule, Broken> {
    let declared = template.schedules.iter().find_map(|schedule| {
        let called = template.function(&schedule.function).ok()?;
        (called.directory == function).then_some((schedule.every, called.timeout))
    });
    let (declared, timeout) = declared.ok_or_else(|| broken("it starts", "no schedule"))?;
    let every = every.unwrap_or(declared);
    Ok(Schedule { function, every, timeout, last: plan.begin - every })
}

/// The streams of the functions, as the template maps them.
fn streams(template: &Template, engines: &Engines, plan: &SimulationPlan) -> Result<Vec<Stream>, Broken> {
    let failed = |error: &dyn ToString| broken("it starts", &error.to_string());
    let mut streams = Vec::new();
    for mapping in &template.mappings {
        let table = template.table(&mapping.table).map_err(|error| failed(&error))?;
        let function = template.function(&mapping.function).map_err(|error| failed(&error))?;
        let reader = StreamReader::new(&engines.db, &table.name).map_err(|error| failed(&error))?;
        let known = [post_payment::NAME, send_reminders::NAME, record_history::NAME];
        let Some(name) = known.into_iter().find(|name| *name == function.directory) else {
            return Err(broken("it starts", &format!("{} is not simulated", function.directory)));
        };
        streams.push(Stream {
            mapping: mapping.clone(),
            function: name,
            timeout: function.timeout,
            reader,
            groups: (0..plan.groups).map(|_| OrderedGroup::gathering(plan.gathers)).collect(),
            past: VecDeque::new(),
        });
    }
    Ok(streams)
}

/// The queues of the functions, as the template maps them.
fn queues(template: &Template) -> Result<Vec<SimulatedQueue>, Broken> {
    let failed = |error: &dyn ToString| broken("it starts", &error.to_string());
    let mut queues = Vec::new();
    for mapping in &template.queue_mappings {
        let spec = template.queue(&mapping.queue).map_err(|error| failed(&error))?.clone();
        let function = template.function(&mapping.function).map_err(|error| failed(&error))?;
        let name = match function.directory.as_str() {
            intake::NAME => intake::NAME,
            record_delivery::NAME => record_delivery::NAME,
            detect_overdue::NAME => detect_overdue::SWEEP_SHARD,
            other => return Err(broken("it starts", &format!("{other} is not simulated"))),
        };
        queues.push(SimulatedQueue::new(spec, mapping.clone(), name, function.timeout));
    }
    Ok(queues)
}

impl Cloud {
    /// A cloud before its first step.
    pub(super) fn new(plan: SimulationPlan, choices: Choices, capture: Capture) -> Result<Self, Broken> {
        let failed = |error: &dyn ToString| broken("it starts", &error.to_string());
        let clock = StackClock::simulated(plan.begin);
        let mut template = Template::embedded().map_err(|error| failed(&error))?;
        template.keep(&RUN_HERE);
        let engines = Engines::in_memory(&template, &clock).map_err(|error| failed(&error))?;
        let mut settings = settings(&template).map_err(|error| failed(&error))?;
        settings.due_shards = plan.due_shards;
        // Whoever publishes here has no key.
        settings.policy_keys = PolicyKeys::NONE;
        let streams = streams(&template, &engines, &plan)?;
        let queues = queues(&template)?;
        let shards = queues.iter().find(|queue| queue.function == detect_overdue::SWEEP_SHARD);
        let shards_url = shards.map_or_else(String::new, |queue| LocalSqs::queue_url(&queue.spec.name));
        let day = TimeDelta::days(1) / i32::try_from(segments(&choices)).unwrap_or(1);
        let schedules = [
            schedule(&template, detect_overdue::NAME, None, &plan)?,
            schedule(&template, reconcile_accounts::NAME, Some(day), &plan)?,
            schedule(&template, send_reminders::NAME, None, &plan)?,
            schedule(&template, anchor_history::NAME, None, &plan)?,
        ];
        let mut cloud = Self {
            choices,
            network: Network::new(clock.clone()),
            clock,
            engines,
            settings,
            schedules,
            watch_at: plan.begin,
            executor: Executor::new(),
            running: BTreeMap::new(),
            containers: BTreeMap::new(),
            coming: BTreeMap::new(),
            numbers: 0,
            streams,
            queues,
            shards_url,
            past_indexes: PastIndexes::default(),
            is_quiet: false,
            is_audited: false,
            senders: BTreeMap::new(),
            served: 0,
            last_served: None,
            capture,
            alarms: Alarms::of_the_template().map_err(|error| failed(&error))?,
            refused_at: Vec::new(),
            watch: Watch::default(),
            plan,
        };
        for (id, versions) in cloud.plan.policies.clone() {
            let first = versions[0];
            cloud.publish(id, first)?;
        }
        for happening in cloud.plan.happenings.clone() {
            cloud.come(happening.at, Coming::Happening(Box::new(happening)));
        }
        for outage in cloud.plan.outages.clone() {
            if outage.only.is_some() {
                cloud.come(outage.until, Coming::OutageEnds(outage));
            }
        }
        Ok(cloud)
    }

    /// Runs the plan until everything is at rest.
    pub(super) fn live(&mut self) -> Checked {
        for _ in 0..MAX_STEPS {
            if self.step()? {
                continue;
            }
            if self.plan.anchored_from.is_some() && !self.is_audited {
                self.is_audited = true;
                self.audit()?;
                continue;
            }
            let mut items = self.scan(&self.settings.tables.records);
            self.watch.check_erased(&items)?;
            items.extend(self.scan(&self.settings.tables.history));
            return self.watch.at_rest(&Records::read(&items), self.now());
        }
        Err(broken("it comes to rest", &format!("not within {MAX_STEPS} steps; it is {}", self.now())))
    }

    /// The items of a table.
    fn scan(&self, table: &str) -> Vec<Value> {
        let scan = json!({"TableName": table}).to_string();
        let answer = self.engines.answer(Some("DynamoDB_20120810.Scan"), scan.as_bytes());
        let mut answer: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        answer["Items"].as_array_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) const fn choices(&self) -> &Choices {
        &self.choices
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn come(&mut self, at: DateTime<Utc>, coming: Coming) {
        let number = self.number();
        self.coming.insert((at, number), coming);
    }

    /// Takes one step. False: none is left.
    fn step(&mut self) -> Result<bool, Broken> {
        self.run_ready()?;
        let mut moves = self.moves();
        if moves.is_empty() {
            return self.time_goes_on();
        }
        let place = self.choices.among(moves.len());
        match moves.swap_remove(place) {
            NextMove::Begin(key) => {
                if let Some(coming) = self.coming.remove(&key) {
                    self.begin(coming)?;
                }
            }
            NextMove::Deliver(stream, group) => self.deliver(stream, group),
            NextMove::Receive(queue) => self.receive(queue),
            NextMove::Serve(number) => self.serve(number)?,
        }
        Ok(true)
    }

    /// The possible next steps. A script begins and delivers at once, so that only the order of the requests
    /// is left to choose.
    fn moves(&self) -> Vec<NextMove> {
        let now = self.now();
        let mut moves: Vec<NextMove> =
            self.coming.keys().take_while(|(at, _)| *at <= now).map(|key| NextMove::Begin(*key)).collect();
        let is_up = |place: usize| !self.is_down(OutageKind::Mappings, Some(place));
        for (place, stream) in self.streams.iter().enumerate().filter(|(place, _)| is_up(*place)) {
            let ready = |group: &OrderedGroup| group.ready_at().is_some_and(|at| at <= now);
            let groups = stream.groups.iter().enumerate().filter(|(_, group)| ready(group));
            moves.extend(groups.map(|(group, _)| NextMove::Deliver(place, group)));
        }
        let ready = |queue: &SimulatedQueue| queue.ready_at().is_some_and(|at| at <= now);
        let queues = self.queues.iter().enumerate().filter(|(_, queue)| ready(queue));
        let queues = queues.filter(|(place, _)| is_up(self.streams.len() + place));
        moves.extend(queues.map(|(place, _)| NextMove::Receive(place)));
        if !self.choices.is_scripted() {
            moves.extend(self.network.requests().into_iter().map(NextMove::Serve));
        } else if moves.is_empty() {
            moves = self.contested().into_iter().map(NextMove::Serve).collect();
        } else {
            moves.truncate(1);
        }
        moves
    }

    /// Whether nothing goes wrong: only the order of the requests is out of the ordinary.
    fn is_undisturbed(&self) -> bool {
        self.choices.strikes_nowhere() && self.plan.outages.is_empty()
    }

    /// The requests among which a script chooses: the first of each contesting caller, unless another caller
    /// waits. The first way is to let the caller go on that was served last.
    fn contested(&self) -> Vec<u64> {
        let mut first: BTreeMap<CallerId, u64> = BTreeMap::new();
        for number in self.network.requests() {
            let Some(request) = self.network.request(number) else { continue };
            let who = self.containers.get(&request.caller).map_or("lender", |container| container.function);
            if !self.plan.contest.contains(&who) {
                return vec![number];
            }
            first.entry(request.caller).or_insert(number);
        }
        let goes_on = self.last_served.and_then(|caller| first.remove(&caller));
        goes_on.into_iter().chain(first.into_values()).collect()
    }

    /// Polls the woken tasks until all of them wait.
    fn run_ready(&mut self) -> Checked {
        while let Some((task, ended)) = self.executor.poll_one() {
            let lines = self.capture.take();
            for line in &lines {
                self.alarms.line(line, self.clock.now());
            }
            if let Some(running) = self.running.get_mut(&task) {
                running.metrics.extend(lines);
            }
            match ended {
                None => {}
                Some(TaskEnd::With(outcome)) => self.ended(task, outcome)?,
                Some(TaskEnd::Panicked) => {
                    self.ended(task, TaskOutcome::Invoked(Err("panicked".to_owned())))?
                }
            }
        }
        Ok(())
    }

    /// Advances time to the next instant with work. False: there is none.
    fn time_goes_on(&mut self) -> Result<bool, Broken> {
        let now = self.now();
        // Work that is ready and does not come waits for the end of its mapping's outage.
        let is_read_at = |place: usize, at: DateTime<Utc>| {
            if at > now { at } else { self.outage(OutageKind::Mappings, Some(place), now).unwrap_or(at) }
        };
        let groups = self.streams.iter().enumerate().flat_map(|(place, stream)| {
            let ready = stream.groups.iter().filter_map(OrderedGroup::ready_at);
            ready.map(move |at| is_read_at(place, at))
        });
        let queues = self.queues.iter().enumerate().filter_map(|(place, queue)| {
            queue.ready_at().map(|at| is_read_at(self.streams.len() + place, at))
        });
        let groups = groups.chain(queues).min();
        let coming = self.coming.keys().next().map(|(at, _)| *at);
        let (due, contacts) = (self.watch.earliest_due(), self.watch.earliest_contact());
        let firings = [
            self.next_firing(SWEEP, due),
            self.next_watch(),
            self.next_firing(CONTACTS, contacts),
            self.next_anchoring(),
        ];
        let end = self.plan.end + SETTLING;
        // Work that falls due as everything ends is left to the next sweep, by any clock.
        let is_due = due.into_iter().chain(contacts).any(|due| due <= end);
        let end =
            if is_due { end + self.schedules[SWEEP].every + TimeDelta::seconds(SKEW_SECONDS) } else { end };
        let next = [self.network.next_awakening(), groups, coming].into_iter().chain(firings).flatten().min();
        let busy = !self.running.is_empty();
        hold!("it comes to rest", next.is_some() || !busy, "{} tasks wait for nothing", self.running.len());
        let next = next.filter(|next| *next <= end || busy);
        if !self.is_quiet && next.is_none_or(|next| next > self.plan.end) {
            self.is_quiet = true;
            self.clock.set(self.plan.end);
            self.streams
                .iter_mut()
                .flat_map(|stream| &mut stream.groups)
                .for_each(OrderedGroup::gather_no_more);
            self.containers.retain(|_, container| container.is_busy);
            return Ok(true);
        }
        let Some(next) = next else {
            self.clock.set(end.max(now));
            return Ok(false);
        };
        self.clock.set(next);
        self.network.awake();
        for schedule in (0..firings.len()).filter(|schedule| firings[*schedule] == Some(next)) {
            self.schedules[schedule].last = next;
            if schedule == WATCH {
                let missed = self.choices.number(MISSED);
                self.watch_at = next + self.schedules[WATCH].every * i32::try_from(1 + missed).unwrap_or(1);
            }
            let crowd = self.strikes(Fault::Crowd);
            let twice = self.strikes(Fault::Duplicate);
            for _ in 0..1 + usize::from(twice) + 3 * usize::from(crowd) {
                self.come(next, Coming::Firing { schedule, tried: 0 });
            }
        }
        Ok(true)
    }

    /// The next firing of a sweep that finds work due; most firings that would find none are left out.
    fn next_firing(&self, schedule: usize, due: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let due = due?;
        let Schedule { every, last, .. } = self.schedules[schedule];
        let next = last + every;
        let every = every.num_seconds().max(1);
        let ahead = if self.skews() { SKEW_SECONDS } else { 0 };
        let wanted = (due - TimeDelta::seconds(ahead)).max(self.now());
        let wanted = DateTime::from_timestamp((wanted.timestamp() + every - 1).div_euclid(every) * every, 0)?;
        let mut at = next.max(wanted);
        if !self.is_quiet {
            while let Some(outage) = self.outage(OutageKind::Schedule, Some(schedule), at) {
                at = DateTime::from_timestamp((outage.timestamp() / every + 1) * every, 0)?;
            }
        }
        Some(at)
    }

    /// The next firing of `reconcile-accounts`. The run misses most of them, to be quick and to have work to catch up
    /// on; it misses none once faults have ended.
    fn next_watch(&self) -> Option<DateTime<Utc>> {
        let Schedule { every, last, .. } = self.schedules[WATCH];
        if self.is_quiet {
            let every = every.num_seconds();
            let from = self.plan.end.max(last + TimeDelta::seconds(1)).timestamp();
            return DateTime::from_timestamp((from + every - 1).div_euclid(every) * every, 0);
        }
        let mut at = self.watch_at.max(self.now());
        while let Some(again) = self.outage(OutageKind::Schedule, Some(WATCH), at) {
            at = again;
        }
        Some(at)
    }

    /// The next firing of `anchor-history`: once a day, because the others would find the day anchored, and at its own
    /// rate once faults have ended.
    fn next_anchoring(&self) -> Option<DateTime<Utc>> {
        let Schedule { every, last, .. } = self.schedules[ANCHOR];
        let every = if self.is_quiet { every } else { TimeDelta::days(1) };
        let mut at = self.plan.anchored_from?.max(last + every).max(self.now());
        while let Some(again) = self.outage(OutageKind::Schedule, Some(ANCHOR), at).filter(|_| !self.is_quiet)
        {
            at = again;
        }
        Some(at)
    }

    fn segments(&self) -> u32 {
        segments(&self.choices)
    }

    /// The end of the outage at an instant, of all parts or of the one at a place, if there is one.
    fn outage(&self, kind: OutageKind, place: Option<usize>, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut outages = self.plan.outages.iter();
        outages
            .find(|outage| {
                let is_of_it = outage.only.is_none() || outage.only == place;
                outage.kind == kind && is_of_it && outage.from <= at && at < outage.until
            })
            .map(|one| one.until)
    }

    fn is_down(&self, kind: OutageKind, place: Option<usize>) -> bool {
        !self.is_quiet && self.outage(kind, place, self.now()).is_some()
    }

    fn skews(&self) -> bool {
        !self.is_quiet && self.plan.faults.contains_key(&Fault::Skew)
    }

    fn strikes(&mut self, fault: Fault) -> bool {
        let chance = self.plan.faults.get(&fault).copied().unwrap_or_default();
        let strikes = !self.is_quiet && self.choices.strikes(fault, chance, self.served);
        if strikes {
            self.watch.struck(fault);
        }
        strikes
    }
}
