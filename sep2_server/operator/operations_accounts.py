"""What the operator API does with files for devices and with the accounts of customers."""

from typing import Final

from sep2_server.operator import answers_accounts as aa
from sep2_server.operator import billing, files, prepayments
from sep2_server.operator import requests_accounts as ra
from sep2_server.operator import requests_billing as rb
from sep2_server.operator.answers import Named
from sep2_server.operator.router import Operation

_FILES: Final = (
    Operation(
        "POST",
        "/contents",
        "keep octets",
        files.keep,
        body=bytes,
        answer=aa.Content,
        keyless="octets are kept once, by their SHA-256",
    ),
    Operation("GET", "/groups/{group}/files", "list files", files.list_files, answer=aa.Files),
    Operation("POST", "/groups/{group}/files", "add file", files.add, body=ra.AddFile, answer=aa.GivenFile),
    Operation("GET", "/files/{file}", "show file", files.show, answer=aa.RollOut),
    Operation("PUT", "/files/{file}", "change file", files.change, body=ra.ChangeFile, answer=aa.GivenFile),
    Operation("DELETE", "/files/{file}", "remove file", files.remove, answer=Named),
)
_PREPAID: Final = (
    Operation(
        "GET",
        "/groups/{group}/prepayments",
        "list prepayments",
        prepayments.list_accounts,
        answer=aa.PrepaidAccounts,
    ),
    Operation(
        "POST",
        "/groups/{group}/prepayments",
        "open prepayment",
        prepayments.open_account,
        body=ra.OpenAccount,
        answer=aa.PrepaidAccount,
    ),
    Operation(
        "GET",
        "/prepayments/{prepayment}",
        "show prepayment",
        prepayments.show,
        answer=aa.ShownPrepaidAccount,
    ),
    Operation(
        "POST",
        "/prepayments/{prepayment}/credits",
        "add credit",
        prepayments.credit,
        body=ra.AddCredit,
        answer=aa.PrepaidAccount,
    ),
    Operation(
        "POST",
        "/prepayments/{prepayment}/charges",
        "charge prepayment",
        prepayments.charge,
        body=ra.ChargeAccount,
        answer=aa.PrepaidAccount,
    ),
    Operation(
        "POST",
        "/prepayments/{prepayment}/overrides",
        "hold supply",
        prepayments.hold,
        body=ra.AddOverride,
        answer=aa.PrepaidAccount,
    ),
)
_BILLING: Final = (
    Operation(
        "GET", "/groups/{group}/accounts", "list accounts", billing.list_accounts, answer=aa.BilledAccounts
    ),
    Operation(
        "POST",
        "/groups/{group}/accounts",
        "add account",
        billing.add_account,
        body=rb.AddAccount,
        answer=aa.BilledAccount,
    ),
    Operation("DELETE", "/accounts/{account}", "remove account", billing.remove_account, answer=Named),
    Operation(
        "POST",
        "/accounts/{account}/agreements",
        "add agreement",
        billing.add_agreement,
        body=rb.AddAgreement,
        answer=aa.BilledAgreement,
    ),
    Operation(
        "POST",
        "/agreements/{agreement}/periods",
        "add billing period",
        billing.add_period,
        body=rb.AddPeriod,
        answer=aa.BilledPeriod,
    ),
    Operation(
        "POST",
        "/agreements/{agreement}/readings",
        "add billing readings",
        billing.add_readings,
        body=rb.AddBillReadings,
        answer=aa.BilledReadings,
    ),
)
ACCOUNTS: Final[tuple[Operation, ...]] = (*_FILES, *_PREPAID, *_BILLING)
"""Operations on files and accounts."""
