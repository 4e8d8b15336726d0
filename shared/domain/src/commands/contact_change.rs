//! Contact points of a customer, checked before they are stored.

use super::definition::{CommandDefinition, command};
use crate::kernel::Refusal;
use crate::policy::Channel;

/// The most bytes of an e-mail address, by RFC 5321: 64, the @ sign, and 255.
const MAX_EMAIL_BYTES: usize = 320;

/// The most bytes of any other contact point, of a name, and of `changed_by`.
const MAX_TEXT_BYTES: usize = 500;

/// The fewest and the most digits of a telephone number, with its country code. ITU-T E.164 sets the most;
/// the fewest exclude short codes.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

command! {
    /// A change of a customer's contact point on one channel. The account itself holds no contact points.
    pub struct ContactChange as "contact_changed" {
        pub channel: Channel,
        /// None: the contact point is removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub contact_point: Option<String>,
        /// The holder of the contact point, where the lender states one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        /// An officer, the customer or a system.
        pub changed_by: String,
    }
    example: r#"{
        "channel": "email", "contact_point": "li@example.org", "name": "Li", "changed_by": "branch-7"
    }"#
}

impl CommandDefinition for ContactChange {
    /// Checks that the number or address is valid and that no text is too long. The refusal does not repeat
    /// the value.
    fn check(&self) -> Result<(), Refusal> {
        if let Some(point) = &self.contact_point {
            let problem = match self.channel {
                Channel::Sms | Channel::Phone => phone_problem(point),
                Channel::Email => email_problem(point),
                _ => text_problem(point),
            };
            refuse("contact_point", problem)?;
        }
        refuse("name", self.name.as_deref().and_then(text_problem))?;
        refuse("changed_by", text_problem(&self.changed_by))
    }
}

fn refuse(field: &'static str, problem: Option<&'static str>) -> Result<(), Refusal> {
    problem.map_or(Ok(()), |problem| Err(Refusal::NoContactPoint { field, problem }))
}

fn text_problem(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("it is empty; leave it out where there is none")
    } else if text.len() > MAX_TEXT_BYTES {
        Some("it is longer than 500 bytes")
    } else if text.chars().any(char::is_control) {
        Some("it holds a control character")
    } else {
        None
    }
}

fn phone_problem(number: &str) -> Option<&'static str> {
    let digits = number.strip_prefix('+').unwrap_or_default();
    let is_number = PHONE_DIGITS.contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    (!is_number).then_some("it is no telephone number: write + and 7 to 15 digits, the country's first")
}

fn email_problem(address: &str) -> Option<&'static str> {
    let is_plain = |text: &str| {
        !text.is_empty() && !text.chars().any(|one| one.is_whitespace() || one.is_control() || one == '@')
    };
    let is_address = address.len() <= MAX_EMAIL_BYTES
        && address.rsplit_once('@').is_some_and(|(local, domain)| {
            let labels: Vec<&str> = domain.split('.').collect();
            is_plain(local) && labels.len() > 1 && labels.into_iter().all(is_plain)
        });
    (!is_address).then_some("it is no e-mail address")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn change(channel: Channel, point: &str) -> ContactChange {
        ContactChange {
            channel,
            contact_point: Some(point.to_owned()),
            name: None,
            changed_by: "branch-7".to_owned(),
        }
    }

    #[rstest]
    #[case(Channel::Sms, "+8613800138000", true)]
    #[case(Channel::Phone, "+14155550100", true)]
    #[case(Channel::Sms, "13800138000", false)]
    #[case(Channel::Sms, "+0613800138000", false)]
    #[case(Channel::Sms, "+86 138 0013", false)]
    #[case(Channel::Phone, "+123456", false)]
    #[case(Channel::Phone, "+1234567890123456", false)]
    #[case(Channel::Email, "li@example.org", true)]
    #[case(Channel::Email, "li@mail.example.org", true)]
    #[case(Channel::Email, "li@example", false)]
    #[case(Channel::Email, "li example@example.org", false)]
    #[case(Channel::Email, "@example.org", false)]
    #[case(Channel::Email, "li@example..org", false)]
    #[case(Channel::Letter, "1 Long Street", true)]
    #[case(Channel::Letter, " ", false)]
    #[case(Channel::App, "device\n7", false)]
    fn a_contact_point_is_one_of_its_channel(
        #[case] channel: Channel,
        #[case] point: &str,
        #[case] is_one: bool,
    ) {
        let checked = change(channel, point).check();
        assert_eq!(checked.is_ok(), is_one, "{point}: {checked:?}");
        if let Err(refusal) = checked {
            assert!(refusal.to_string().starts_with("contact_point: "), "{refusal}");
            assert!(!refusal.to_string().contains(point.trim()) || point.trim().is_empty(), "{refusal}");
        }
    }

    #[test]
    fn nobody_may_change_it_without_a_name() {
        let change = ContactChange { changed_by: String::new(), ..change(Channel::Sms, "+8613800138000") };
        assert!(change.check().unwrap_err().to_string().starts_with("changed_by: "));
    }
}
