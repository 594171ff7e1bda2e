"""What handlers find in ``app.state.services``: the services, made once by ``hub.app``."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.services.accounts import Accounts
from hub.services.appeals import Appeals
from hub.services.channels import Channels
from hub.services.contracts import Contracts
from hub.services.drafts import Drafts
from hub.services.home import Home
from hub.services.leaving import Leaving
from hub.services.live import Live
from hub.services.notices import Notices
from hub.services.pages import PointPages
from hub.services.persons import Persons
from hub.services.phones import Phones
from hub.services.recovery import Recovery
from hub.services.rules import Rules
from hub.services.second_factor import SecondFactors
from hub.services.sentences import Terms
from hub.services.shell import Shell as ShellService
from hub.services.submissions import Submissions
from hub.services.tokens import Tokens
from hub.services.watch import Watch
from hub.store.unit import Store
from hub.web.kit.requests import AnyRequest


@dataclass(frozen=True, slots=True)
class Services:
    """One of each for the application."""

    store: Store
    accounts: Accounts
    recovery: Recovery
    persons: Persons
    leaving: Leaving
    second_factors: SecondFactors
    channels: Channels
    contracts: Contracts
    drafts: Drafts
    notices: Notices
    appeals: Appeals
    rules: Rules
    tokens: Tokens
    submissions: Submissions
    home: Home
    pages: PointPages
    live: Live
    shell: ShellService
    watch: Watch
    terms: Mapping[str, Terms]  # drivers' own words, by driver
    phones: Phones | None  # None: no SMS is sent from here


def services(request: AnyRequest) -> Services:
    """Give the services of the application that the request came to."""
    found: Services = request.app.state.services
    return found
