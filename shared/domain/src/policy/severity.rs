//! Which of two restrictions weighs more: the line first, then draw-downs, the whole
//! account last (`S0`: in proportion). Rates, and names of the lender's own, stand beside
//! that ladder.

use super::restriction::Restriction;

/// The ladder of restrictions, mildest first.
pub(super) const RUNGS: [&str; 3] = ["limit_credit_line", "freeze_drawdown", "suspend_account"];

impl Restriction {
    /// Its place on the ladder of restrictions, from 1; 0 where it stands beside it.
    pub(super) fn rung(&self) -> usize {
        RUNGS.iter().position(|kind| *kind == self.kind).map_or(0, |place| place + 1)
    }

    /// Whether whoever bears this one bears at least as much as under `other`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self.kind != other.kind {
            return self.kind == "suspend_account" && other.rung() > 0;
        }
        match (self.percent, other.percent) {
            (Some(this), Some(that)) if self.kind == "limit_credit_line" => this <= that,
            (Some(this), Some(that)) => this >= that,
            (this, that) => this == that,
        }
    }
}

/// Whether some restriction of a list covers this one.
pub(crate) fn is_covered(restriction: &Restriction, by: &[Restriction]) -> bool {
    by.iter().any(|other| other.covers(restriction))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn restriction(text: &str) -> Restriction {
        let (kind, percent) = text
            .split_once(' ')
            .map_or((text, None), |(kind, percent)| (kind, Some(percent.parse().unwrap())));
        Restriction {
            kind: kind.to_owned(),
            percent,
            notice_days: None,
            blocks: Vec::new(),
            except: Vec::new(),
        }
    }

    #[rstest]
    #[case("limit_credit_line 50", "limit_credit_line 50", true)]
    #[case("limit_credit_line 0", "limit_credit_line 50", true)]
    #[case("limit_credit_line 80", "limit_credit_line 50", false)]
    #[case("raise_rate 150", "raise_rate 130", true)]
    #[case("raise_rate 130", "raise_rate 150", false)]
    #[case::nobody_knows_to_what("raise_rate", "raise_rate 130", false)]
    #[case("freeze_drawdown", "limit_credit_line 50", false)]
    #[case("suspend_account", "freeze_drawdown", true)]
    #[case("suspend_account", "limit_credit_line 0", true)]
    #[case::a_rate_goes_on("suspend_account", "raise_rate 130", false)]
    #[case::a_name_of_the_lenders_own("suspend_account", "no_new_cards", false)]
    fn a_restriction_covers_what_weighs_no_more(
        #[case] one: &str,
        #[case] other: &str,
        #[case] covers: bool,
    ) {
        assert_eq!(restriction(one).covers(&restriction(other)), covers);
    }
}
