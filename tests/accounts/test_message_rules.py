"""Categories, templates, advertising and residence: the tables, without a database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.marketing import MarketingBasis, basis_at, may_be_sent
from accounts.rules.messages import (
    BOTH,
    CATEGORIES,
    EMAIL,
    OPT_OUT_LINK,
    PORTAL,
    TEMPLATES,
    Category,
    Channel,
    MessageTemplate,
    TemplateRefused,
    channels_for,
    fault_of,
    register_template,
)
from accounts.rules.residence import (
    COUNTRIES,
    US_STATES,
    ResidenceInvalid,
    parts_of,
    residence_of,
)
from accounts.rules.tracking import SignalFlags, signals_of, tracking_statement
from policies.selectors import shipped_packs

PROMOTION = MessageTemplate(
    "spring", Category.PROMOTION, "Spring", f"Buy. {OPT_OUT_LINK}", "accounts:account",
    promotional=True,
)  # fmt: skip
UPDATE = MessageTemplate(
    "maintenance", Category.SERVICE_UPDATE, "Maintenance", "On Sunday.", "accounts:account"
)
choices = st.dictionaries(st.sampled_from(list(Channel)), st.booleans())


@given(st.sampled_from([Category.SECURITY, Category.POLICY_CHANGE]), choices)
def test_what_is_about_safety_or_the_policy_cannot_be_muted(
    category: Category, chosen: dict[Channel, bool]
) -> None:
    """XENRAD-3.11, MEDDIM-7.2."""
    assert channels_for(category, chosen) == CATEGORIES[category].always
    assert not CATEGORIES[category].can_be_muted


@given(st.sampled_from(list(Category)), choices)
def test_a_choice_counts_exactly_where_there_is_one(
    category: Category, chosen: dict[Channel, bool]
) -> None:
    """XENRAD-8.9."""
    rule, found = CATEGORIES[category], channels_for(category, chosen)
    for channel in Channel:
        if channel in rule.always:
            assert channel in found
        elif channel not in rule.choosable:
            assert channel not in found
        else:
            assert (channel in found) == chosen.get(channel, channel in rule.usual)


def test_the_categories_are_those_of_the_policies() -> None:
    assert CATEGORIES[Category.SECURITY].always == BOTH
    assert channels_for(Category.CASE, {Channel.EMAIL: False}) == PORTAL
    assert channels_for(Category.SURVEY, {Channel.EMAIL: False, Channel.PORTAL: False}) == set()
    assert CATEGORIES[Category.PROMOTION].choosable == EMAIL
    assert [one for one in Category if CATEGORIES[one].promotional] == [Category.PROMOTION]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (replace(PROMOTION, sentence="Buy."), "must carry the opt-out link"),
        (replace(PROMOTION, category=Category.SERVICE_UPDATE), "cannot be sent as a service"),
        (replace(UPDATE, promotional=True, sentence=OPT_OUT_LINK), "cannot be sent as a service"),
        (replace(UPDATE, category=Category.PROMOTION), "nor the other way round"),
        (replace(UPDATE, sentence=f"Sunday. {OPT_OUT_LINK}"), "Only promotional messages"),
        (replace(UPDATE, sentence="For {patient}."), "no place for names"),
        (replace(UPDATE, title="For {0}"), "no place for names"),
        (replace(UPDATE, sentence="A stray { brace"), "no place for names"),
        (replace(UPDATE, code="Has Spaces"), "lower-case words"),
    ],
)
def test_a_template_that_may_not_be_sent_is_refused(template: MessageTemplate, said: str) -> None:
    """MEDDIM-3.2, LIFEIMAGE-16.3, VIGILANT-8.3: no opt-out link, or in the wrong category."""
    with pytest.raises(TemplateRefused, match=said):
        register_template(template)


def test_what_ships_can_be_sent() -> None:
    assert [fault_of(one) for one in [PROMOTION, UPDATE, *TEMPLATES] if fault_of(one)] == []
    register_template(TEMPLATES[0])
    with pytest.raises(TemplateRefused, match="another template"):
        register_template(replace(TEMPLATES[0], title="Other"))


BY_PLACE = shipped_packs()["surgical-planning"]["marketing.basis"]


@pytest.mark.parametrize("residence", ["", "DE", "FR", "IS", "NO", "GB", "CH", "BR"])
def test_outside_the_united_states_a_yes_comes_first(residence: str) -> None:
    """MEDDIM-3.4."""
    assert basis_at(BY_PLACE, residence) is MarketingBasis.OPT_IN


@pytest.mark.parametrize("residence", ["US", "US-CA"])
def test_in_the_united_states_a_no_ends_it(residence: str) -> None:
    """MEDDIM-3.4."""
    assert basis_at(BY_PLACE, residence) is MarketingBasis.OPT_OUT


@given(st.sampled_from(["", "US", "US-NY", "DE"]))
def test_veterinary_practices_advertise_to_nobody(residence: str) -> None:
    """AVMI-3.2."""
    table = shipped_packs()["veterinary-teleradiology"]["marketing.basis"]
    assert basis_at(table, residence) is MarketingBasis.NONE


@given(st.sampled_from(list(MarketingBasis)))
def test_a_no_is_absolute(basis: MarketingBasis) -> None:
    """MEDDIM-7.11."""
    assert not may_be_sent(basis, wanted=False)
    assert may_be_sent(basis, wanted=True) == (basis is not MarketingBasis.NONE)
    assert may_be_sent(basis, wanted=None) == (basis is MarketingBasis.OPT_OUT)


def test_residences_are_read_back_as_they_were_given() -> None:
    assert len(COUNTRIES) == 249
    assert len(US_STATES) == 51
    assert {COUNTRIES["DE"], COUNTRIES["GB"]} == {"Germany", "United Kingdom"}
    for country, state in [("", ""), ("DE", ""), ("US", ""), ("US", "CA")]:
        assert parts_of(residence_of(country, state)) == (country, state)


@pytest.mark.parametrize(("country", "state"), [("DE", "BY"), ("", "CA"), ("XX", ""), ("US", "ZZ")])
def test_a_residence_that_is_none_is_refused(country: str, state: str) -> None:
    with pytest.raises(ResidenceInvalid):
        residence_of(country, state)


class Asked:
    def __init__(self, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.mark.parametrize("dnt_counts", [False, True])
@pytest.mark.parametrize("gpc_counts", [False, True])
def test_a_signal_counts_where_its_flag_is_on_and_the_notice_says_the_same(
    gpc_counts: bool, dnt_counts: bool
) -> None:
    """MEDDIM-7.4, MEDDIM-9.1: behaviour and statement come from the same flags."""
    flags = SignalFlags(gpc=gpc_counts, dnt=dnt_counts)
    gpc, dnt = signals_of(Asked(Sec_GPC="1"), flags), signals_of(Asked(DNT="1"), flags)
    said_gpc, said_dnt = tracking_statement(flags)
    assert (gpc.gpc, dnt.dnt) == (True, True), "a signal is read, whether or not it counts"
    assert gpc.opts_out == gpc_counts == ("not acted on" not in said_gpc)
    assert dnt.opts_out == dnt_counts == ("not acted on" not in said_dnt)


@pytest.mark.parametrize("value", ["0", "", "true", "11"])
def test_only_one_is_a_signal(value: str) -> None:
    assert not signals_of(Asked(Sec_GPC=value, DNT=value), SignalFlags(dnt=True)).opts_out
