//! What tells of a person, and the names its columns have.

use crate::words;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PiiKind {
    Email,
    Phone,
    Iban,
    CreditCard,
    IpAddress,
    NationalId,
    DateOfBirth,
    PersonName,
    Address,
}

impl PiiKind {
    pub const ALL: [Self; 9] = [
        Self::Email,
        Self::Phone,
        Self::Iban,
        Self::CreditCard,
        Self::IpAddress,
        Self::NationalId,
        Self::DateOfBirth,
        Self::PersonName,
        Self::Address,
    ];

    /// As the tag `pii` of a column has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Iban => "iban",
            Self::CreditCard => "credit-card",
            Self::IpAddress => "ip-address",
            Self::NationalId => "national-id",
            Self::DateOfBirth => "date-of-birth",
            Self::PersonName => "person-name",
            Self::Address => "address",
        }
    }

    /// Words that a column's name has one after the other, in English and German.
    const fn names(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Email => &[&["email"], &["e", "mail"], &["mail"], &["emailaddress"]],
            Self::Phone => {
                &[&["phone"], &["mobile"], &["telephone"], &["phonenumber"], &["fax"], &["telefon"], &["handy"]]
            }
            Self::Iban => &[&["iban"]],
            Self::CreditCard => &[
                &["card", "number"],
                &["card", "no"],
                &["credit", "card"],
                &["creditcard"],
                &["cc", "number"],
                &["pan"],
            ],
            Self::IpAddress => {
                &[&["ip"], &["ip", "address"], &["ipaddress"], &["ipv4"], &["ipv6"], &["remote", "addr"]]
            }
            Self::NationalId => &[
                &["ssn"],
                &["social", "security"],
                &["passport"],
                &["national", "id"],
                &["tax", "id"],
                &["nino"],
                &["steuer", "id"],
                &["driving", "licence"],
                &["driver", "license"],
            ],
            Self::DateOfBirth => &[&["birth"], &["dob"], &["birthday"], &["birthdate"], &["born"], &["geburtsdatum"]],
            Self::PersonName => &[
                &["first", "name"],
                &["last", "name"],
                &["full", "name"],
                &["family", "name"],
                &["given", "name"],
                &["firstname"],
                &["lastname"],
                &["surname"],
                &["fullname"],
                &["vorname"],
                &["nachname"],
                &["maiden", "name"],
            ],
            Self::Address => &[
                &["address"],
                &["street"],
                &["postcode"],
                &["postal", "code"],
                &["zip"],
                &["zipcode"],
                &["zip", "code"],
                &["strasse"],
                &["plz"],
                &["house", "number"],
            ],
        }
    }

    /// What a column of this name would hold. `ip_address` is an IP address, and no address of a person.
    #[must_use]
    pub fn named(column: &str) -> Option<Self> {
        let words = words(column);
        let has = |name: &&[&str]| {
            words.windows(name.len()).any(|some| some.iter().zip(*name).all(|(one, other)| one == other))
        };
        // In the order of the kinds: what is more particular comes first.
        Self::ALL.into_iter().find(|kind| kind.names().iter().any(has))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are() {
        let check = |names: &[&str], expect: Option<PiiKind>| {
            names.iter().for_each(|name| assert_eq!(PiiKind::named(name), expect, "{name}"));
        };
        check(&["email", "E-Mail", "customerEmail", "contact_email_address"], Some(PiiKind::Email));
        check(&["phone", "mobile_no", "PhoneNumber"], Some(PiiKind::Phone));
        check(&["client_ip", "ipAddress", "ip"], Some(PiiKind::IpAddress));
        check(&["ssn", "passport_no", "tax_id"], Some(PiiKind::NationalId));
        check(&["birth_date", "dateOfBirth", "dob"], Some(PiiKind::DateOfBirth));
        check(&["first_name", "Surname"], Some(PiiKind::PersonName));
        check(&["street", "zip_code", "home_address"], Some(PiiKind::Address));
        check(&["card_number", "creditCard"], Some(PiiKind::CreditCard));
        // Words that only begin so, and names of things.
        let none = ["zipper", "shipment", "tailnum", "name", "origin", "dest", "panel", "birthplace_id", "dep_delay"];
        check(&none, None);
    }
}
