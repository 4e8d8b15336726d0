//! The results of evaluations that later evaluations depend on. A delinquency episode is decided on the facts
//! known at the time, and a notice is planned once: today's facts reveal neither.

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::account::NoticeOf;
use duewatch_domain::policy::Restriction;

use super::classes::Classes;
use super::course::ModelCourse;
use super::holds::ModelHolds;
use super::reminders::Reminder;

/// The results that the model keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// The instant of the last evaluation.
    pub(super) evaluated_at: Option<DateTime<Utc>>,
    pub(super) episode: DelinquencyEpisode,
    /// None: the policy has no classes.
    pub(super) classes: Option<Classes>,
    /// The notices of each subject.
    pub(super) notices: Vec<Noticed>,
    /// The days of the running episode on which holds keep restrictions back.
    pub(super) holds: ModelHolds,
    /// The restrictions that the last evaluation found in force.
    pub(super) restrictions: Vec<Restriction>,
    /// The instant until which it told that nothing changes by itself; none: it did not tell.
    pub(super) vouched_until: Option<DateTime<Utc>>,
}

/// The running delinquency episode, and the end of the one before it, as they were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DelinquencyEpisode {
    pub(super) since: Option<NaiveDate>,
    pub(super) over_on: Option<NaiveDate>,
    /// The beginning of the one before.
    pub(super) over_since: Option<NaiveDate>,
}

/// A planned notice, which may have left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noticed {
    pub(super) of: NoticeOf,
    pub(super) planned_at: DateTime<Utc>,
    pub(super) left_at: Option<DateTime<Utc>>,
}

impl Memory {
    /// The instants for which the last evaluation vouches at `now`: its own, and the one until which it told that
    /// nothing changes by itself. None: the account was never evaluated.
    pub(super) fn vouched(&self, now: DateTime<Utc>) -> Option<[DateTime<Utc>; 2]> {
        let evaluated_at = self.evaluated_at?;
        let told = self.vouched_until.unwrap_or(evaluated_at).min(now);
        Some([evaluated_at.min(told), told])
    }

    /// The episode as an evaluation on a day finds it; none where the policy has no first-lapse tolerance.
    pub(super) fn episode_on(&self, course: &ModelCourse<'_>, day: NaiveDate) -> DelinquencyEpisode {
        if course.policy.first_lapse_tolerance.is_none() {
            return DelinquencyEpisode::default();
        }
        let mut episode = self.found_on(course, day);
        // What came later may show that nothing was late.
        if let (Some(since), Some(over_on)) = (episode.over_since, episode.over_on)
            && !course.was_late((since, over_on))
        {
            (episode.over_since, episode.over_on) = (None, None);
        }
        episode
    }

    fn found_on(&self, course: &ModelCourse<'_>, day: NaiveDate) -> DelinquencyEpisode {
        match (self.episode.since, course.is_delinquent(day)) {
            (None, false) | (Some(_), true) => self.episode,
            (Some(_), false) => {
                DelinquencyEpisode { since: None, over_on: Some(day), over_since: self.episode.since }
            }
            (None, true) => {
                // The last evaluation would have found it, so a later fact caused it.
                let was_hidden =
                    self.evaluated_at.is_some_and(|at| course.is_delinquent(course.judged_day(at)));
                let since = if was_hidden { Some(day) } else { course.first_delinquent_day() };
                DelinquencyEpisode { since, ..self.episode }
            }
        }
    }

    /// The regulatory classes as an evaluation on a day finds them.
    pub(super) fn classes_on(&self, course: &ModelCourse<'_>, day: NaiveDate) -> Option<Classes> {
        let rules = course.policy.classification.as_ref()?;
        Some(Classes::on(self.classes.as_ref(), course, rules, day))
    }

    pub(super) fn planned(&mut self, reminders: &[Reminder]) {
        for reminder in reminders {
            if let Some(of) = &reminder.notice_of {
                self.note(Noticed { of: of.clone(), planned_at: reminder.planned_at, left_at: None });
            }
        }
    }

    pub(super) fn note(&mut self, notice: Noticed) {
        // Those that left stay, the last four of a subject.
        self.notices.retain(|known| known.of != notice.of || known.left_at.is_some());
        let of_it: Vec<usize> =
            (0..self.notices.len()).filter(|place| self.notices[*place].of == notice.of).collect();
        if of_it.len() >= 4 {
            self.notices.remove(of_it[0]);
        }
        self.notices.push(notice);
    }

    /// Records that a notice left; whether it was planned, and had not left before.
    pub(super) fn left(&mut self, of: &NoticeOf, planned_at: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        let mut is_new = false;
        for notice in &mut self.notices {
            if notice.of == *of && notice.planned_at == planned_at && notice.left_at.is_none() {
                notice.left_at = Some(at);
                is_new = true;
            }
        }
        is_new
    }
}
